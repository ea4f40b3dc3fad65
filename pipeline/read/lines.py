r"""Byte stream -> blocks of whole lines. A line ends in b"\n"; all else, CR and blank lines too, passes as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.errors import BadFileError
from pipeline.read.text_format import HEAD_BYTES, text_format

BLOCK_BYTES = 1 << 20  # measured: elements of 1 MiB cost Beam nothing, one element a line costs more than bz2
MAX_LINE_BYTES = 64 << 20  # what a line may hold: a worker holds several files' lines at once
_JOINED_BYTES = 256 * 1024


def whole_lines(chunks: Iterable[bytes], *, max_line: int = MAX_LINE_BYTES) -> Iterator[bytes]:
    """Cut a file's chunks at line ends, so that each block ends in a line's end.

    A last line without an end is given one, so that another file's first line does not run into it. Raises
    BadFileError for a line longer than `max_line` bytes: that is no file of lines. An error of `chunks`
    passes through, after all whole lines before it have been given.
    """
    open_line: list[bytes] = []
    held = 0
    for chunk in chunks:
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            open_line.append(chunk)
            held += len(chunk)
        else:
            if held + chunk.find(b"\n") > max_line or _longest(chunk, cut, max_line) > max_line:
                raise _too_long(max_line, b"".join(open_line[:1]) or chunk)
            yield b"".join((*open_line, chunk[:cut])) if open_line else chunk[:cut]
            rest = chunk[cut:]
            open_line, held = ([rest], len(rest)) if rest else ([], 0)
        if held > max_line:
            raise _too_long(max_line, open_line[0])
    if held:  # chunks may be empty
        open_line.append(b"\n")
        yield b"".join(open_line)


def joined(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines, each with its end, in blocks that are worth a call each."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= _JOINED_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _longest(chunk: bytes, end: int, max_line: int) -> int:
    """Bytes of the longest of the whole lines in a chunk; 0 where none can be over the limit."""
    # Only a codec of somebody else's gives chunks so large.
    return max(map(len, chunk[:end].split(b"\n"))) if end > max_line else 0


class LineCount:
    """Counts the lines of a file's chunks, and holds none of them.

    Attributes: size (bytes so far); lines (their ends); whole (bytes up to the last line's end).
    """

    def __init__(self, *, max_line: int = MAX_LINE_BYTES) -> None:
        self.size = self.lines = self.whole = 0
        self._max_line = max_line
        self._begun = b""  # how the line that has no end yet begins

    def add(self, chunk: bytes) -> int:
        """Count the next chunk; the place in it after its last line's end. Raises BadFileError as `whole_lines`."""
        cut = chunk.rfind(b"\n") + 1
        first = self.size - self.whole + (chunk.find(b"\n") if cut else len(chunk))
        if max(first, len(chunk) - cut, _longest(chunk, cut, self._max_line)) > self._max_line:
            raise _too_long(self._max_line, self._begun or chunk)
        self.lines += chunk.count(b"\n")
        if cut:
            self.whole = self.size + cut
        if cut or not self._begun:
            self._begun = chunk[cut : cut + HEAD_BYTES]
        self.size += len(chunk)
        return cut


def line_blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut a file's chunks at line ends; a line that is longer than a block comes in pieces, one after another.

    A last line without an end is given one, as by `whole_lines`.
    """
    held: list[bytes] = []
    size = 0
    ended = True
    for chunk in chunks:
        cut = chunk.rfind(b"\n") + 1
        size += len(chunk)
        if not cut and size < BLOCK_BYTES:
            held.append(chunk)
            continue
        ended = bool(cut)
        cut = cut or len(chunk)
        yield b"".join((*held, chunk[:cut])) if held else chunk[:cut]
        size = len(chunk) - cut
        held = [chunk[cut:]] if size else []
    if size or not ended:
        yield b"".join((*held, b"\n"))


def _too_long(limit: int, head: bytes) -> BadFileError:
    found = text_format(head)
    looks = (
        f"; it looks like {found.value}: {found.remedy}, and a job needs one record a line (jq -c makes such)"
        if found
        else ""
    )
    return BadFileError(
        f"holds a line of more than {limit >> 20} MiB, so it is not a file of lines{looks}", of_the_file=True
    )
