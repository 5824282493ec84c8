"""The textured proxy: the reference's own pixels carried along with the motion, and what no reference saw (beyond the
paper).

Once per reference set (`prepare_proxy`, `proxy_skin`): every pixel of the person is given to a body part and lifted to a
depth, so that the picture becomes a skin of triangle sheets, front and back, bound to bones with weights that blend at the
joints. Parts reach on under whatever hid them. Per frame (`draw_proxy`): bones move the sheets, a rasterizer finds the
nearest one, and the pixel is copied from the reference where the reference saw that very surface. In the reference's
own pose every pixel comes from its own place, so the figure is reproduced exactly, clothes and hair included. The face
follows the expression (`proxy_face`), unseen sides are guessed from seen ones (`proxy_guess`), several references are
joined by how well they saw a surface (`proxy_blend`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch

from dreamactor.guidance.background import fill_background
from dreamactor.guidance.face_transfer import FaceRest, face_rest, transfer_expression
from dreamactor.guidance.inpaint import grow
from dreamactor.guidance.proxy_blend import Layer, colour_gain, compose, mend
from dreamactor.guidance.proxy_bones import BONES, bone_frames, bone_maps
from dreamactor.guidance.proxy_face import paint_face
from dreamactor.guidance.proxy_guess import MIRRORED
from dreamactor.guidance.proxy_raster import Hits, bilinear, interpolate, rasterize, texels
from dreamactor.guidance.proxy_skin import ProxySkin, build_skin, person_mask
from dreamactor.types.guidance import ReferenceSet, TexturedProxy
from dreamactor.types.track import PersonTrack

_MAX_STRETCH: Final = 4.0
"""A patch drawn more than this many times larger than the reference showed it counts as unseen."""
_MAX_CLEAN_STRETCH: Final = 1.6
"""Up to here the reference's outermost pixels, a mixture with its background, may be shown."""

_MIRROR_DEPTH: Final = 0.35
"""Head radii by which a mirror image may lie behind what the reference shows there."""

_CLEARANCE: Final = 0.016
"""Width around the person, in shorter sides of the picture, that the background is not taken from: masks of real pictures
miss a rim of hair and fingers, which would stand behind the moving figure as a ghost."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProxyModel:
    """Everything about the references that does not change with the motion.

    Attributes:
        skins: one per reference in which a body was found; may be empty.
        rest: face at rest of whoever moves; None where no face is in view.
        background: [H, W, 3] float32 RGB, the first reference without the person.
        background_seen: [H, W] bool, False where it had to be filled.
    """

    skins: tuple[ProxySkin, ...]
    rest: FaceRest | None
    background: np.ndarray
    background_seen: np.ndarray


def prepare_proxy(references: ReferenceSet, motion: PersonTrack) -> ProxyModel:
    """Turns the references into skins, and the first one into the background behind the figure.

    Args:
        motion: the whole motion that is going to be drawn, piece by piece; it tells what its face looks like at rest.
    """
    rest = face_rest(motion)
    images = references.images
    skins = _evened([build_skin(image) for image in images if bool(image.person.body.tracked[0])])
    picture = images[0].image.numpy()
    seen = np.ones(picture.shape[:2], dtype=bool)
    if bool(images[0].person.body.tracked[0]):
        mask = person_mask(images[0])
        seen = ~grow(mask, max(1, round(_CLEARANCE * min(mask.shape))))
    return ProxyModel(skins=skins, rest=rest, background=fill_background(picture, seen), background_seen=seen)


def _evened(skins: list[ProxySkin]) -> tuple[ProxySkin, ...]:
    """Brings the colours of later references to those of the first one, as far as both show the same surfaces."""
    evened = skins[:1]
    for skin in skins[1:]:
        first = skins[0]
        height, width = first.size
        layers = []
        for one in (first, skin):
            pose = _pose(one, bone_maps(one.frames, first.frames).numpy()[0])
            layers.append(_shade(one, rasterize(one.sheets, one.surface, pose, width=width, height=height)))
        evened.append(replace(skin, gain=colour_gain(layers[0], layers[1], width * height)))
    return tuple(evened)


def draw_proxy(model: ProxyModel, track: PersonTrack, *, width: int, height: int) -> TexturedProxy:
    """Draws the proxy in every frame of a track whose coordinates are on the references' canvas.

    Where no body is tracked only the background is drawn.
    """
    num_frames = track.num_frames
    rgb = np.empty((num_frames, height, width, 3), dtype=np.uint8)
    rgb[:] = np.rint(model.background).astype(np.uint8)
    seen = np.empty((num_frames, height, width), dtype=np.uint8)
    seen[:] = model.background_seen * np.uint8(255)
    figure = np.zeros((num_frames, height, width), dtype=np.uint8)
    frames = bone_frames(track)
    maps = [bone_maps(skin.frames, frames).numpy() for skin in model.skins]
    acting = [_Acting.of(skin, track, model.rest) for skin in model.skins]
    for t in np.flatnonzero(track.body.tracked.numpy()):
        layers = []
        for one, moves in zip(acting, maps, strict=True):
            skin = one.at(int(t))
            layers.append(
                _shade(skin, rasterize(skin.sheets, skin.surface, _pose(skin, moves[t]), width=width, height=height))
            )
        compose(layers, rgb[t], seen[t], figure[t])
        mend(rgb[t], seen[t], figure[t])
    return TexturedProxy(rgb=torch.from_numpy(rgb), seen=torch.from_numpy(seen), figure=torch.from_numpy(figure))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Acting:
    """A skin whose face follows a track.

    Attributes:
        still: as the reference shows it.
        moving: a copy whose picture is redrawn for every frame; the same where the face cannot move.
        moved: [T, P, 2] see `transfer_expression`; None where the face cannot move.
    """

    still: ProxySkin
    moving: ProxySkin
    moved: np.ndarray | None

    @staticmethod
    def of(skin: ProxySkin, track: PersonTrack, rest: FaceRest | None) -> _Acting:
        if skin.face is None or rest is None:
            return _Acting(still=skin, moving=skin, moved=None)
        moved = transfer_expression(skin.face.posed, track, rest).numpy()
        return _Acting(still=skin, moving=replace(skin, surface=skin.surface.copy()), moved=moved)

    def at(self, frame: int) -> ProxySkin:
        """The skin in one frame; good until the next call."""
        if self.moved is not None and self.still.face is not None:
            paint_face(self.still.face, self.moved[frame], self.still.surface, self.moving.surface)
        return self.moving


def _pose(skin: ProxySkin, moves: np.ndarray) -> np.ndarray:
    """[V, 3] px3 of all vertices, each moved by its bones' blended maps [B, 3, 4]."""
    blended = (skin.weights @ moves.reshape(len(BONES), 12)).reshape(-1, 3, 4)
    return np.einsum("vij,vj->vi", blended[:, :, :3], skin.rest) + blended[:, :, 3]


def _shade(skin: ProxySkin, hits: Hits) -> Layer:
    """Copies the reference where it saw the surface, else takes the part's colour."""
    sheets, surface = skin.sheets, skin.surface
    sheet = sheets.facing[hits.triangle]
    front = (sheet >= 0) & hits.own
    corners = sheets.triangles[hits.triangle]
    rgb = np.empty((len(corners), 3), dtype=np.float32)
    whole = front & (sheet > 0) & (hits.stretch < _MAX_CLEAN_STRETCH)
    stretched = front & ~whole
    rgb[whole] = bilinear(surface.texture, hits.texture[whole])
    rgb[stretched] = bilinear(surface.inner_texture, hits.texture[stretched])
    rgb[~front] = interpolate(skin.fill, corners[~front], hits.weights[~front])
    guessed = np.zeros(len(corners), dtype=bool)
    rgb[~front], guessed[~front] = _guess(skin, hits, np.flatnonzero(~front), rgb[~front])
    facing = interpolate(skin.facing[:, None], corners, hits.weights)[:, 0]
    seen = front & (sheet > 0) & (hits.stretch < _MAX_STRETCH)
    seen[seen] = surface.known[texels(hits.texture[seen], surface.known.shape)]
    quality = skin.trust * facing / np.maximum(hits.stretch, 1.0)
    return Layer(pixel=hits.pixel, rgb=rgb * skin.gain, seen=seen, guessed=guessed, quality=quality, trust=skin.trust)


def _guess(skin: ProxySkin, hits: Hits, which: np.ndarray, fill: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[K, 3] colours of hits that the reference did not see, and [K] bool where they show a mirror image it saw.

    Args:
        which: [K] of the hits.
        fill: [K, 3] colours for the others.
    """
    triangle = hits.triangle[which]
    mirror = interpolate(skin.mirror, skin.sheets.triangles[triangle], hits.weights[which])
    surface, texel = skin.surface, texels(mirror, skin.surface.owner.shape)
    shown = surface.owner[texel] == MIRRORED[skin.sheets.layer[triangle]]
    shown &= mirror[:, 2] < surface.shown_depth[texel] + _MIRROR_DEPTH * skin.head_px
    fill[shown] = bilinear(surface.inner_texture, mirror[shown, :2])
    return fill, shown
