r"""Globs over object names: what a pattern means, and which names it matches.

The rules, for buckets and local files alike. A pattern is matched against the whole name, letter case counts,
and nothing is normalised: object names are opaque, so `a//b`, `..` and a trailing space are just that. The names may be
those in a bucket, or URIs, of which scheme and bucket are literal: a pattern that is a URI is asked about URIs.

    *           any number of characters, none of them "/"
    ?           one character that is not "/"
    [a-z]       one character of the set (never "/"); `[!a-z]` one that is not in the set (never "/")
    **/         at the start of a segment: no folder, one, or many
    **          anywhere else: any number of characters, "/" among them
    the rest    itself, also `{`, `\`, `^`, line breaks and all that is special in a regular expression

A literal glob character is written `[*]`, `[?]` or `[[]`; `pipeline.uri.escape` does it. A `]` that comes first in
a set is a member of it, and so is a `-` that comes first or last. Refused with `InvalidPatternError`: an empty
pattern, one that ends in "/" (a folder is not a pattern), a `[` that is not closed, a set that holds "/", and
a range that runs backwards.

A name is matched in time proportional to its length, whatever the pattern, because patterns come from outside
and a regular expression takes for ever over `*a*a*a*a*b`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pipeline.errors import InvalidPatternError

_MEMO_LIMIT = 4096  # transitions remembered for one pattern: a real one needs a few hundred


@dataclass(frozen=True)
class Pattern:
    """One glob, checked when it is made. Raises InvalidPatternError."""

    text: str

    def __post_init__(self) -> None:
        if not self.text:
            raise InvalidPatternError(
                "an empty pattern matches nothing; write * for every name without a '/'"
            )
        if self.text.endswith("/"):
            raise InvalidPatternError(
                f"{self.text!r} is a folder, not a pattern; add what is wanted in it, as in {self.text}**/*"
            )
        for _ in _tokens(self.text):  # raises for what cannot be read
            pass

    def __reduce__(self) -> tuple[type[Pattern], tuple[str]]:
        return Pattern, (self.text,)  # what is derived stays behind: a worker makes it again

    @cached_property
    def prefix(self) -> str:
        """The literal text that every matching name starts with: what to ask the server for."""
        literal = []
        for token in _tokens(self.text):
            if not isinstance(token, str):
                break
            literal.append(token)
        return "".join(literal)

    @cached_property
    def recursive(self) -> bool:
        """False when no matching name has a "/" beyond the prefix, so that delimiter="/" lists them all."""
        wild = list(_tokens(self.text))[len(self.prefix) :]
        return any(token in ("/", _ANY, _FOLDERS) for token in wild)

    @cached_property
    def literal(self) -> bool:
        """Whether it has no wildcard, so that `prefix` is the only name it matches."""
        return len(self.prefix) == sum(1 for _ in _tokens(self.text))

    def matches(self, name: str) -> bool:
        """Whether the whole name matches."""
        if not name.startswith(self.prefix):
            return False
        if self._ending is None:
            return self._matcher.accepts(name, len(self.prefix))
        rest, folders = self._ending
        return (
            name.endswith(rest)
            and len(name) >= len(self.prefix) + len(rest)
            and (folders or "/" not in name[len(self.prefix) :])
        )

    def reaches(self, start: str) -> bool:
        """Whether a name that begins so, and goes on, could match."""
        if len(start) <= len(self.prefix):
            return self.prefix.startswith(start)
        return start.startswith(self.prefix) and self._matcher.goes_on(start, len(self.prefix))

    @cached_property
    def _ending(self) -> tuple[str, bool] | None:
        """What names end in, and whether in folders too, of a pattern as `a/*.bz2` or `a/**/*.bz2`; None of others.

        Most patterns are such, and each file of a listing is held against them.
        """
        wild = list(_tokens(self.text))[len(self.prefix) :]
        folders = wild[:1] == [_FOLDERS]
        star, rest = wild[folders : folders + 1], wild[folders + 1 :]
        if star != [_STAR] or not all(isinstance(token, str) for token in rest) or "/" in rest:
            return None
        return "".join(map(str, rest)), folders

    @cached_property
    def _matcher(self) -> _Matcher:
        return _Matcher(list(_tokens(self.text))[len(self.prefix) :])


@dataclass(frozen=True)
class _Wild:
    """What is not literal: any run of characters, or one character of a set."""

    kind: str
    members: tuple[tuple[str, str], ...] = ()  # inclusive ranges
    negated: bool = False

    def takes(self, char: str) -> bool:
        return char != "/" and self.negated != any(low <= char <= high for low, high in self.members)


_STAR, _ANY, _FOLDERS = _Wild("*"), _Wild("**"), _Wild("**/")
_ONE = _Wild("?", negated=True)
_Token = str | _Wild  # a str is one literal character


def _tokens(text: str) -> Iterator[_Token]:
    """The pattern as literal characters and wildcards; runs that say the same thing twice say it once."""
    at, before = 0, ""  # `before` is the text of the previous token
    while at < len(text):
        char = text[at]
        end = at + 1
        token: _Token = char
        if char == "*":
            while text[end : end + 1] == "*":
                end += 1
            token = _STAR if end - at == 1 else _ANY
            if text[at : end + 1] == "**/" and (before.endswith("/") or not before):
                token, end = _FOLDERS, end + 1
                while text.startswith("**/", end):
                    end += 3
        elif char == "?":
            token = _ONE
        elif char == "[":
            token, end = _set(text, at)
        before, at = text[at:end], end
        yield token


def _set(text: str, start: int) -> tuple[_Token, int]:
    """The set that opens at `start`, and where it ends. A set of one character is that character."""
    at = start + 1
    negated = text[at : at + 1] == "!"
    at += negated
    close = text.find("]", at + 1)  # from the second character: a "]" that comes first is a member
    if close < 0:
        raise InvalidPatternError(
            f"{text!r}: the [ at character {start + 1} is not closed; a literal [ is written [[]"
        )
    inside = text[at:close]
    if "/" in inside:
        raise InvalidPatternError(f"{text!r}: [{inside}] cannot hold '/'; a literal [ is written [[]")
    ranges, i = [], 0
    while i < len(inside):
        low = high = inside[i]
        if i + 2 < len(inside) and inside[i + 1] == "-":
            high = inside[i + 2]
            i += 2
        if high < low:
            raise InvalidPatternError(f"{text!r}: the range {low}-{high} runs backwards; write {high}-{low}")
        ranges.append((low, high))
        i += 1
    if len(inside) == 1 and not negated:
        return inside, close + 1
    return _Wild("[]", tuple(ranges), negated=negated), close + 1


class _Matcher:
    """All the positions a name can have reached in a pattern, carried along in one integer, a bit for each.

    Bit i is set when the tokens before i have matched what was read. A loop keeps its bit while characters it
    allows go by. `**/` is a position that reads any text up to a "/", with an edge that skips it on arrival.
    """

    def __init__(self, tokens: list[_Token]) -> None:
        self._literal: dict[str, int] = {}
        self._sets: dict[_Wild, int] = {}
        self._star = self._any = self._skip = 0
        bit = 1
        for token in tokens:
            if token == _STAR:
                self._star |= bit
            elif token == _ANY:
                self._any |= bit
            elif token == _FOLDERS:
                self._any |= bit
                self._skip |= bit
                self._literal["/"] = self._literal.get("/", 0) | bit
                bit <<= 1
            elif isinstance(token, str):
                self._literal[token] = self._literal.get(token, 0) | bit
                bit <<= 1
            else:
                self._sets[token] = self._sets.get(token, 0) | bit
                bit <<= 1
        self._last = bit
        self._memo: dict[tuple[int, str], int] = {}

    def accepts(self, name: str, start: int) -> bool:
        return bool(self._reached(name, start) & self._last)

    def goes_on(self, name: str, start: int) -> bool:
        """Whether more characters could lead to a match."""
        reached = self._reached(name, start)
        # The last position takes no more characters, unless a loop does.
        return bool(reached & ~self._last or reached & (self._star | self._any))

    def _reached(self, name: str, start: int) -> int:
        """The positions after the whole name; 0 when it cannot match, whatever follows."""
        reached = 1 | (self._skip & 1) << 1
        memo = self._memo
        for char in name[start:]:
            after = memo.get((reached, char))
            if after is None:
                if len(memo) >= _MEMO_LIMIT:
                    memo.clear()
                after = memo[reached, char] = self._step(reached, char)
            if not after:
                return 0
            reached = after
        return reached

    def _step(self, reached: int, char: str) -> int:
        taking = self._literal.get(char, 0)
        staying = self._any
        if char != "/":
            staying |= self._star
            for allowed, bits in self._sets.items():
                if reached & bits and allowed.takes(char):
                    taking |= bits
        arrived = (reached & taking) << 1
        arrived |= (arrived & self._skip) << 1
        return arrived | (reached & staying)
