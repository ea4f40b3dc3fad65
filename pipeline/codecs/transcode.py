"""Text in UTF-16 or UTF-32, as Windows programs write it, made UTF-8 as it is read.

It is known by its byte order mark, or by zeros between characters of ASCII, which text in no other encoding has.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.errors import BadFileError, CutOffError

_PIECE_BYTES = 256 * 1024  # decoded at a time: two bytes may become three
_ASCII = rb"[\t\r\n\x20-\x7e]"


@dataclass(frozen=True)
class Encoding:
    """How a text is written. `mark` is its byte order mark; empty for one that is known by its zeros."""

    name: str
    codec: str
    mark: bytes = b""

    @property
    def note(self) -> str:
        known = "its byte order mark" if self.mark else "its zeros"
        return f"is {self.name} text by {known}, and was read as UTF-8"


_MARKED = (
    Encoding("UTF-32", "utf-32-le", codecs.BOM_UTF32_LE),  # before UTF-16's, with which it begins
    Encoding("UTF-32", "utf-32-be", codecs.BOM_UTF32_BE),
    Encoding("UTF-16", "utf-16-le", codecs.BOM_UTF16_LE),
    Encoding("UTF-16", "utf-16-be", codecs.BOM_UTF16_BE),
)
_BY_ZEROS = (
    (re.compile(rb"(?:%s\0){4}" % _ASCII), Encoding("UTF-16", "utf-16-le")),
    (re.compile(rb"(?:\0%s){4}" % _ASCII), Encoding("UTF-16", "utf-16-be")),
    (re.compile(rb"(?:%s\0\0\0){4}" % _ASCII), Encoding("UTF-32", "utf-32-le")),
    (re.compile(rb"(?:\0\0\0%s){4}" % _ASCII), Encoding("UTF-32", "utf-32-be")),
)


def encoding_of(head: bytes) -> Encoding | None:
    """UTF-16 or UTF-32 where a text begins so; None for all others."""
    marked = (found for found in _MARKED if head.startswith(found.mark))
    by_zeros = (found for zeros, found in _BY_ZEROS if zeros.match(head))
    return next(marked, None) or next(by_zeros, None)


def as_utf8(chunks: Iterable[bytes], encoding: Encoding) -> Iterator[bytes]:
    """The same text in UTF-8, without its mark. Raises BadFileError where it is not what it begins as."""
    decoder = codecs.getincrementaldecoder(encoding.codec)()
    left, raw = encoding.mark, 0
    for chunk in chunks:
        skipped = min(len(left), len(chunk))  # the first chunk may be a part of the mark
        left = left[skipped:]
        for at in range(skipped, len(chunk), _PIECE_BYTES):
            piece = chunk[at : at + _PIECE_BYTES]
            try:
                text = decoder.decode(piece)
            except UnicodeDecodeError as e:
                if e.start:
                    yield e.object[: e.start].decode(encoding.codec).encode()
                raise BadFileError(
                    f"the {encoding.name} text is corrupt after {raw + e.start:,} unpacked bytes ({e.reason})"
                ) from e
            raw += len(piece)
            if text:
                yield text.encode()
    if not raw:
        raise BadFileError("holds a byte order mark and no text", of_the_file=True)
    if decoder.getstate()[0]:
        raise CutOffError(f"the {encoding.name} text is cut off after {raw:,} unpacked bytes")
