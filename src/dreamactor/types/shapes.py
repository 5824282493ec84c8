"""Checks a tensor against a written shape."""

from __future__ import annotations

from torch import Tensor


def expect_shape(name: str, tensor: Tensor, shape: str, **known: int) -> dict[str, int]:
    """Checks `tensor` against a shape such as "T H W 3" and returns the sizes it read.

    Args:
        name: what the tensor is called in messages.
        tensor: any tensor.
        shape: axis letters or numbers, separated by spaces. A letter that is in `known`, or that came before, must
            have the same size again.
        known: sizes that letters must have.

    Returns:
        All known letters with their sizes, the newly read ones included.

    Raises:
        ValueError: the shape differs; the message quotes both.
    """
    axes = shape.split()
    sizes = dict(known)
    if tensor.ndim != len(axes):
        raise ValueError(f"{name} must be [{', '.join(axes)}], got {list(tensor.shape)}")
    for axis, size in zip(axes, tensor.shape, strict=True):
        expected = int(axis) if axis.isdigit() else sizes.setdefault(axis, size)
        if size != expected:
            raise ValueError(f"{name} must be [{', '.join(axes)}] with {axis} = {expected}, got {list(tensor.shape)}")
    return sizes
