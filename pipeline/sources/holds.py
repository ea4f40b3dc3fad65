"""What a file's name says of the records in it, where other files may hold the same ones."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Holds:
    """What a file holds, by its name. Texts are compared as they are.

    what      names the records: of several files that name the same, one is read
    rank      which of them: the one of the highest rank; of equal ones the largest, then the first by its URI
    part_of   names something larger that a single file may hold as well
    whole_of  that file's own: it is passed over where a file is selected that is `part_of` this
    why       the reason that is put on record when it is
    """

    what: str
    rank: int = 0
    part_of: str = ""
    whole_of: str = ""
    why: str = "what it holds is selected in files of their own"
