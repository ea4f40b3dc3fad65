"""One large file decoded by several workers, where its format is made of blocks that do not depend on each other.

base.py    what a format gives for that: its blocks from any place on, and the proof that they are a whole file
window.py  bytes of a file from one place on
bz2.py     bzip2: blocks that begin at any bit
units.py   zstd's frames, and BGZF's members
xz.py      xz: blocks by their index
"""

from __future__ import annotations

from pipeline.codecs.split.base import Block, Proof, Splitter
from pipeline.codecs.split.bz2 import Bz2Splitter
from pipeline.codecs.split.units import BgzfSplitter, ZstdSplitter
from pipeline.codecs.split.xz import XzSplitter

__all__ = ["Block", "Proof", "Splitter", "splitter_of"]

_SPLITTERS: dict[str, Splitter] = {
    splitter.codec: splitter for splitter in (Bz2Splitter(), BgzfSplitter(), XzSplitter(), ZstdSplitter())
}


def splitter_of(codec: str) -> Splitter | None:
    """What takes a file of a codec apart; None where nothing does."""
    return _SPLITTERS.get(codec)
