"""Clips in webdataset shards: described by an index, drawn in a fixed order and read."""

from dreamactor.data.shards.index import ClipEntry, Rejection, ShardIndex
from dreamactor.data.shards.loader import ClipLoader
from dreamactor.data.shards.record import load_clip
from dreamactor.data.shards.sampler import ShardSampler

__all__ = ["ClipEntry", "ClipLoader", "Rejection", "ShardIndex", "ShardSampler", "load_clip"]
