"""What a generated file says about itself: container metadata, and C2PA content credentials signed into it.

Credentials name the generator, the model and the settings, and never a file or a person. Their hash covers the whole
file but for what the C2PA standard leaves out (the file type box and padding of an mp4).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from dreamactor import __version__
from dreamactor.errors import InputError, MediaError, OutputError
from dreamactor.video.audio import open_media
from dreamactor.video.signer import own_signer

Origin = Literal["trained", "drawn"]
_ORIGINS: Final[dict[Origin, str]] = {
    "trained": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    "drawn": "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia",
}
"""IPTC's words for what a trained model generated, and for what a program drew."""

SETTINGS_LABEL: Final = "org.dreamactor.settings"
_ONLY_UNTRUSTED: Final = "signingCredential.untrusted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """What is said of a file.

    Attributes:
        origin: whether a trained model generated it or a program drew it.
        model: name of the model; "" where there is none.
        settings: plain values that made it: numbers, texts, truth values. No file names.
    """

    origin: Origin
    model: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def sentence(self) -> str:
        """One line for the container's comment."""
        by = f"dreamactor {__version__}" + (f", model {self.model}" if self.model else "")
        return f"AI-generated video. Made with {by}." if self.origin == "trained" else f"Drawn by a program. Made with {by}."

    def manifest(self) -> dict[str, Any]:
        """The C2PA manifest that is signed."""
        agent = {"name": "dreamactor", "version": __version__}
        created = {"action": "c2pa.created", "digitalSourceType": _ORIGINS[self.origin], "softwareAgent": agent}
        said = {"model": self.model, **self.settings}
        return {
            "claim_generator_info": [agent],
            "assertions": [
                {"label": "c2pa.actions", "data": {"actions": [created]}},
                {"label": SETTINGS_LABEL, "data": said},
            ],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """What the credentials of a file tell.

    Attributes:
        found: whether the file has any.
        intact: whether the file is, byte for byte, what was signed.
        trusted: whether the signer is on a trust list that the reading library knows, or is this user's own.
        generator: who made the file, such as "dreamactor 0.1.0".
        signer: common name of the signing certificate.
        source_type: the last word of IPTC's digital source type, such as "trainedAlgorithmicMedia".
        settings: what `Provenance` said; empty for files of other programs.
        problems: codes of what does not hold, in C2PA's words.
    """

    found: bool
    intact: bool = False
    trusted: bool = False
    generator: str = ""
    signer: str = ""
    source_type: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def sign_file(path: Path, provenance: Provenance) -> None:
    """Replaces a finished file by itself with credentials inside; mp4, mov, m4v, png, jpg and webp can hold them.

    Raises:
        ConfigError: a certificate of the user's own cannot be used.
        OutputError: the file cannot be written.
    """
    import c2pa

    signed = path.with_name(f"{path.stem}.signed.part{path.suffix}")
    manifest = provenance.manifest()
    try:
        with c2pa.Builder(manifest) as builder:
            builder.sign_file(str(path), str(signed), own_signer().to_c2pa())
        signed.replace(path)
    except (c2pa.C2paError, OSError) as error:
        raise OutputError(f"Cannot sign {path}: {error}. Free space, or check your own certificate.") from error
    finally:
        signed.unlink(missing_ok=True)


def read_credentials(path: Path) -> Credentials:
    """Reads and checks the credentials of any file that can hold some.

    Raises:
        InputError: no such file, or of a kind that cannot hold credentials.
    """
    import c2pa

    if not path.is_file():
        raise InputError(f"No such file: {path}. Check the path.")
    anchors = own_signer().root_pem
    settings = {"trust": {"trust_anchors": anchors}} if anchors else {}
    try:
        with c2pa.Context(c2pa.Settings.from_dict(settings)) as context, c2pa.Reader(str(path), context=context) as reader:
            told = json.loads(reader.json())
            state = reader.get_validation_state()
    except c2pa.C2paError.ManifestNotFound:
        return Credentials(found=False)
    except c2pa.C2paError.NotSupported as error:
        raise InputError(f"{path} is of a kind that cannot hold content credentials. Give a video or a picture.") from error
    except c2pa.C2paError as error:
        return Credentials(found=True, problems=(str(error),))
    active = told["manifests"].get(told.get("active_manifest"), {})
    makers = active.get("claim_generator_info") or [{}]
    data = {entry["label"]: entry.get("data", {}) for entry in active.get("assertions", ())}
    actions = data.get("c2pa.actions.v2", data.get("c2pa.actions", {})).get("actions", [{}])
    codes = tuple(dict.fromkeys(entry["code"] for entry in told.get("validation_status", ())))
    return Credentials(
        found=True,
        intact=state in ("Valid", "Trusted"),
        trusted=state == "Trusted",
        generator=f"{makers[0].get('name', '')} {makers[0].get('version', '')}".strip(),
        signer=active.get("signature_info", {}).get("common_name", ""),
        source_type=actions[0].get("digitalSourceType", "").rsplit("/", 1)[-1],
        settings=data.get(SETTINGS_LABEL, {}),
        problems=tuple(code for code in codes if code != _ONLY_UNTRUSTED),
    )


def read_comment(path: Path) -> str:
    """The comment in a media file's metadata; "" where there is none, or the file cannot be opened."""
    try:
        with open_media(path) as container:
            return container.metadata.get("comment", "")
    except MediaError:
        return ""
