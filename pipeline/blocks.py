r"""Byte stream -> blocks of whole lines. A line ends in b"\n"; all else, CR and blank lines too, passes as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.errors import BadFileError
from pipeline.text_format import text_format

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


def _too_long(limit: int, head: bytes) -> BadFileError:
    found = text_format(head)
    looks = f"; it looks like {found.value}: write it one record a line (jq -c makes such)" if found else ""
    return BadFileError(f"holds a line of more than {limit >> 20} MiB, so it is not a file of lines{looks}")
