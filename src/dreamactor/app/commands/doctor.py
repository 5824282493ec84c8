"""`dreamactor doctor`."""

from __future__ import annotations

import typer


def command() -> None:
    """Say what works on this machine.

    Examples:

      dreamactor doctor
    """
    import platform
    from importlib.metadata import PackageNotFoundError, version

    lines = [("python", platform.python_version())]
    for package in ("torch", "numpy", "diffusers", "av", "mediapipe"):
        try:
            lines.append((package, version(package)))
        except PackageNotFoundError:
            lines.append((package, "not installed"))
    import torch

    from dreamactor.inference.bundle import load_bundle

    lines.append(("threads", str(torch.get_num_threads())))
    lines.append(("GPU", torch.cuda.get_device_name() if torch.cuda.is_available() else "none; runs on the CPU"))
    healthy = True
    try:
        from dreamactor.perception.build import build_estimator

        build_estimator("mediapipe", static=True)
        lines.append(("estimator", "mediapipe works"))
    except Exception as error:
        healthy = False
        lines.append(("estimator", f"does not work: {error}"))
    try:
        bundle = load_bundle("actor")
        lines.append(("model", f"actor works (trained on actors version {bundle.metadata.get('actor_version')})"))
    except Exception as error:
        healthy = False
        lines.append(("model", f"does not work: {error}"))
    for name, value in lines:
        typer.echo(f"{name:10} {value}")
    if not healthy:
        raise typer.Exit(1)
