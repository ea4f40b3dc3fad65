"""Take the comments out of JavaScript: what the browser is sent has no use for them.

Strings, template literals and regular expressions stay as they are, whatever is in them. Whether a "/" begins a regular
expression or divides is told by what is before it: after a value, a name or a ")" it divides. A regular expression
right after the ")" of an `if` would be taken for a division; a test holds every module against another tokenizer.
After a "}" there is no telling, and the text is refused.
"""

from __future__ import annotations

import re
from functools import cache

_PIECE = re.compile(
    r"""
    (?P<code>[^/'"`{}]+)
    | (?P<comment>//[^\n]*|/\*.*?\*/)
    | (?P<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    | (?P<mark>[/'"`{}])
    """,
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/\w*")
_TEMPLATE = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*(?:`|\$\{)", re.DOTALL)
_WORD = re.compile(r"[\w$]+\Z")
_ENDS_A_VALUE = frozenset(")]'\"`")
# Words after which a value comes, so that "/" begins one.
_BEFORE_A_VALUE = frozenset(
    {"await", "case", "delete", "do", "else", "in", "instanceof", "new", "of", "return", "throw", "typeof"}
    | {"void", "yield"}
)


@cache
def without_comments(text: str) -> str:
    """The same module without its comments, and without the lines that held nothing else. Raises ValueError."""
    return _Reader(text).read()


class _Reader:
    """Goes through a text once, piece by piece."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._kept: list[str] = []
        self._before = ""  # the last piece of code: its end tells what a "/" is
        self._depth = 0  # of braces
        self._templates: list[int] = []  # the depths at which template literals are open

    def read(self) -> str:
        while found := _PIECE.match(self._text, self._at):
            piece = found[0]
            if found.lastgroup == "comment":
                self._at = found.end()
                self._leave_out(piece)
                continue
            if found.lastgroup == "mark":
                piece = self._marked(piece)
            self._kept.append(piece)
            self._before = piece.rstrip() or self._before
            self._at += len(piece)
        return "".join(self._kept).lstrip("\n")

    def _marked(self, mark: str) -> str:
        """The piece that begins with a mark: a regular expression, a part of a template literal, or the mark alone."""
        if mark == "/":
            return self._slash()
        if mark == "`" or (mark == "}" and self._templates[-1:] == [self._depth]):
            return self._template(goes_on=mark == "}")
        if mark in {"'", '"'}:
            raise ValueError(f"{self._line()} has a quote that is not closed")
        self._depth += 1 if mark == "{" else -1
        return mark

    def _slash(self) -> str:
        if self._before.endswith("}"):
            raise ValueError(f'{self._line()}: "/" after "}}"; give the value a name')
        word = _WORD.search(self._before)
        if self._before[-1:] in _ENDS_A_VALUE or (word and word[0] not in _BEFORE_A_VALUE):
            return "/"
        found = _REGEX.match(self._text, self._at)
        return found[0] if found else "/"

    def _template(self, *, goes_on: bool) -> str:
        """A template literal from here to its end, or to the next "${"."""
        found = _TEMPLATE.match(self._text, self._at + 1)
        if found is None:
            raise ValueError(f"{self._line()} has a template literal that is not closed")
        opens = found[0].endswith("${")
        if opens and not goes_on:
            self._templates.append(self._depth)
        elif goes_on and not opens:
            self._templates.pop()
        return self._text[self._at : found.end()]

    def _leave_out(self, comment: str) -> None:
        """Keep apart what is before a comment and what is behind it; a line that is empty then goes with it."""
        if not self._text.startswith("\n", self._at) and self._at < len(self._text):
            self._kept.append("\n" if "\n" in comment else " ")
            return
        code = "".join(self._kept[-1:])
        line = code[code.rfind("\n") + 1 :]
        alone = not line.strip() and ("\n" in code or not self._kept)
        left = code.removesuffix(line).removesuffix("\n") if alone else code.rstrip(" \t")
        self._kept[-1:] = [left]

    def _line(self) -> str:
        return f"line {self._text.count(chr(10), 0, self._at) + 1}"
