"""From a file's first bytes and its name to a stream of raw bytes.

base.py      what a codec is, and the rules that hold for all of them; plain text
stream.py    a stream that can be looked into, read exactly, and given bytes back
formats.py   magic numbers: of what is decoded, and of what is refused by name
transcode.py text in UTF-16 or UTF-32, made UTF-8
members.py   bz2, gzip and xz: one compressed stream after another
xz_outline.py  how much memory an xz stream asks for
zstd.py      Zstandard frames
documents.py what holds no records: HTML pages, office files, what desktops leave in folders
zip.py       zip archives
zip_directory.py, zip_members.py, zip_methods.py
             what is in one; one member of it; how that is compressed
detect.py    name and magic bytes to codec
"""

from __future__ import annotations

from pipeline.codecs.base import CHUNK_BYTES, Codec
from pipeline.codecs.detect import HEAD_BYTES, choose_codec, codec_names, get_codec, mismatch

__all__ = ["CHUNK_BYTES", "HEAD_BYTES", "Codec", "choose_codec", "codec_names", "get_codec", "mismatch"]
