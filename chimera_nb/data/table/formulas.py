"""Text in a file that a spreadsheet will open: what it would run as a formula is kept a text.

A formula begins a cell, after space and quotes at most, and where cells begin depends on the reader's locale: the
same file is split at commas here and at semicolons there, or at tabs. So one is looked for behind each of them.
How, and why: https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import re

# = + - @, and what spreadsheets of some languages take for them: of full width, small, raised, the minus sign.
_SIGNS = "=+@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\u207a\u207b\u207c\u208a\u208b\u208c\u2212-"
_NUMBER = r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_WHOLE_NUMBER = re.compile(_NUMBER)
_AT_START = re.compile(rf'[\t\r\n]|[\s"]*[{_SIGNS}]')
# A number that goes on, as in "-1 +A1" and, where the comma is the decimal sign, "-1,5+A1", is none.
_ENDS = r'(?:[";\]}]|\Z)'
_HARMLESS = rf'{_NUMBER}\s*(?:{_ENDS}|,\s*["\[{{]|,\s*{_NUMBER}\s*(?:{_ENDS}|,))'
_INSIDE = re.compile(rf'([;,|\t\r\n\v\f][\s"]*)(?=[{_SIGNS}])(?!{_HARMLESS})')


def inert(text: str) -> str:
    """The text with a ' before each sign that would begin a formula, in whatever locale; numbers stay numbers."""
    if _WHOLE_NUMBER.fullmatch(text):
        return text
    quoted = _INSIDE.sub(r"\1'", text)
    return f"'{quoted}" if _AT_START.match(text) else quoted
