"""From a file's first bytes and its name to a stream of raw bytes.

base.py      what a codec is, and the rules that hold for all of them; plain text
stream.py    a stream that can be looked into, read exactly, and given bytes back
formats.py   magic numbers: of what is decoded, and of what is refused by name
members.py   bz2, gzip and xz: one compressed stream after another
zstd.py      Zstandard frames
zip.py       zip archives
zip_directory.py  what is in one
detect.py    name and magic bytes to codec
"""

from __future__ import annotations

from pipeline.codecs.base import CHUNK_BYTES, Codec
from pipeline.codecs.detect import HEAD_BYTES, choose_codec, codec_names, get_codec, mismatch

__all__ = ["CHUNK_BYTES", "HEAD_BYTES", "Codec", "choose_codec", "codec_names", "get_codec", "mismatch"]
