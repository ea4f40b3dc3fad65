"""Files that hold no records: HTML pages, office files, pictures, and what desktops leave in folders.

A document is told by its first bytes, whatever its name is. In a zip, one that is named as what it is lies beside the
data and is passed over; one that is named as data stands where data should be.

Sources: `magic(5)`; the WHATWG's MIME sniffing for HTML; ECMA-376 part 2 (the package of .docx, .xlsx, .pptx), and
OpenDocument 1.3 part 2 and EPUB 3.3 (`mimetype` first, and stored).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass

HEAD_BYTES = 1024  # of a file, which tell a document

_GET_AGAIN = "get the file again from where it came from"
_LEAVE_OUT = "leave it out of the selection"


@dataclass(frozen=True)
class Document:
    """A kind of file that holds no records: what it is, and what to do about one."""

    name: str
    remedy: str


_PAGE = Document("an HTML page, perhaps an error or a sign-in page that was saved in its place", _GET_AGAIN)
_REFUSAL = Document("an error message of a store in XML that was saved in its place", _GET_AGAIN)
_TABLE_REMEDY = "save its tables as CSV or NDJSON, or read them with pandas.read_excel"
_WORD = Document("a Word document (.docx)", _LEAVE_OUT)
_EXCEL = Document("an Excel workbook (.xlsx)", _TABLE_REMEDY)
_POWERPOINT = Document("a PowerPoint presentation (.pptx)", _LEAVE_OUT)
_OFFICE = Document("an Office document (.docx, .xlsx, .pptx)", _LEAVE_OUT)
_OPEN_DOCUMENT = Document("an OpenDocument file (.odt, .ods, .odp)", _LEAVE_OUT)
_EBOOK = Document("an e-book (.epub)", _LEAVE_OUT)
_IWORK = Document("a Pages, Numbers or Keynote document", _LEAVE_OUT)
_PICTURE = Document("a picture", _LEAVE_OUT)

_BY_MAGIC: tuple[tuple[bytes, Document], ...] = (
    (b"%PDF-", Document("a PDF document", _LEAVE_OUT)),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Document("an old Office file (.doc, .xls, .ppt)", _LEAVE_OUT)),
    (b"{\\rtf", Document("a rich text document (.rtf)", _LEAVE_OUT)),
    (b"\x89PNG\r\n\x1a\n", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
    (b"GIF87a", _PICTURE),
    (b"GIF89a", _PICTURE),
    (b"II*\0", _PICTURE),
    (b"MM\0*", _PICTURE),
)
_MAGIC = tuple(magic for magic, _ in _BY_MAGIC)
_BEFORE_TEXT = (b"\xef\xbb\xbf", b" ", b"\t", b"\r", b"\n")
_WEBP = re.compile(rb"RIFF.{4}WEBP", re.DOTALL)
_BEFORE_MARKUP = re.compile(rb"(?:\s|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_HTML = re.compile(rb"<!doctype\s+html|<(?:html|head|body|title|script|meta)[\s>]", re.IGNORECASE)
_XML_ERROR = re.compile(rb"<Error>\s*<Code>|<\?xml[^>]*\?>\s*<Error>\s*<Code>")
_OFFICE_XML = re.compile(rb"<\?mso-application\b|<office:document[\s>]")
_SVG = re.compile(rb"<!doctype\s+svg|<svg[\s>]", re.IGNORECASE)
_OFFICE_AS_XML = Document("an office file saved as XML", _LEAVE_OUT)

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_FILE_SIGN = b"PK\3\4"
_CONTENT_TYPES = "[Content_Types].xml"
_OFFICE_PARTS = {_CONTENT_TYPES, "_rels/.rels", "docProps/app.xml", "docProps/core.xml"}
_OPEN_MIMETYPE = "application/vnd.oasis.opendocument"
_EPUB_MIMETYPE = "application/epub+zip"
_PACKAGE_MARKS = (_CONTENT_TYPES, "META-INF/manifest.xml", "META-INF/container.xml", "Index/Document.iwa")

_DOCUMENT_NAME = re.compile(
    r"\.(?:pdf|do[ct][xm]?|rtf|xl[st][xmb]?|p[op][st][xm]?|vsdx?|msg|od[tspg]|epub|pages|numbers|key|x?html?"
    r"|png|jpe?g?|gif|tiff?|webp|svg)\Z",
    re.IGNORECASE,
)
_PACKAGE_NAME = re.compile(
    r"\.(?:do[ct][xm]|xl[st][xmb]|p[op][st][xm]|vsdx|od[tspg]|epub|pages|numbers|key)\Z", re.IGNORECASE
)
_HTML_NAME = re.compile(r"\.x?html?\Z", re.IGNORECASE)
# What jar(1) puts into every archive that it makes is among them.
_CLUTTER = re.compile(
    r"(?:\A|[/\\])(?:(?:__MACOSX|\.Spotlight-V100|\.Trashes|\.fseventsd|@eaDir|\$RECYCLE\.BIN)[/\\]"
    r"|(?:\.DS_Store|(?:eh)?Thumbs(?:_vista)?\.db|desktop\.ini|\.localized|\.directory|Icon\r)\Z)"
    r"|\AMETA-INF/MANIFEST\.MF\Z",
    re.IGNORECASE,
)
_APPLE_DOUBLE_NAME = re.compile(r"(?:\A|[/\\])\._[^/\\]*\Z")
_APPLE_DOUBLE = b"\0\5\x16\7"


def document_of(head: bytes, name: str = "") -> Document | None:
    """What the first HEAD_BYTES of a file begin, where that is no file of records.

    Of what is named as HTML any markup is that; otherwise it has to begin as a page does.
    """
    head = head[:HEAD_BYTES]
    if head.startswith(_FILE_SIGN):
        return _package_by_head(head)
    if head.startswith(_MAGIC):
        return next(document for magic, document in _BY_MAGIC if head.startswith(magic))
    if head.startswith(b"RIFF"):
        return _PICTURE if _WEBP.match(head) else None
    if head.startswith(_BEFORE_TEXT):
        head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head.startswith(b"<"):
        return None
    return _of_markup(head) or (_PAGE if _HTML_NAME.search(name) else None)


def _of_markup(text: bytes) -> Document | None:
    if _XML_ERROR.match(text):
        return _REFUSAL
    before = _BEFORE_MARKUP.match(text)
    begins = text[before.end() :] if before else text
    if _OFFICE_XML.search(text):
        return _OFFICE_AS_XML
    if _HTML.match(begins):
        return _PAGE
    return _PICTURE if _SVG.match(begins) else None


def may_be_package(directory: bytes) -> bool:
    """Whether a piece of a zip's directory names what the package of a document has."""
    return any(mark.encode() in directory for mark in _PACKAGE_MARKS)


def package_of(names: Iterable[str]) -> Document | None:
    """The document that a zip with members of these names is."""
    found = set(names)
    if _CONTENT_TYPES in found:
        folders = {name.partition("/")[0] for name in found}
        by_folder = (("word", _WORD), ("xl", _EXCEL), ("ppt", _POWERPOINT))
        return next((document for folder, document in by_folder if folder in folders), _OFFICE)
    if "Index/Document.iwa" in found:
        return _IWORK
    if "mimetype" in found:
        if "META-INF/container.xml" in found:
            return _EBOOK
        if "META-INF/manifest.xml" in found:
            return _OPEN_DOCUMENT
    return None


def _package_by_head(head: bytes) -> Document | None:
    """The document by a zip's first member alone, as far as that can tell."""
    if len(head) < _LOCAL_HEADER.size:
        return None
    *_, name_size, extra_size = _LOCAL_HEADER.unpack_from(head)
    start = _LOCAL_HEADER.size
    name = head[start : start + name_size].decode("utf-8", "replace")
    if name in _OFFICE_PARTS:
        return _OFFICE
    if name != "mimetype":
        return None
    content = head[start + name_size + extra_size :].decode("utf-8", "replace")
    if content.startswith(_OPEN_MIMETYPE):
        return _OPEN_DOCUMENT
    return _EBOOK if content.startswith(_EPUB_MIMETYPE) else None


def is_clutter(name: str) -> bool:
    """Whether a desktop left a file of this name in a folder, or an archiver in the archive."""
    return _CLUTTER.search(name) is not None


def lies_beside(name: str, head: bytes) -> bool:
    """Whether a file in an archive is a document, or a desktop's, by its name as well as by its first bytes."""
    if head.startswith(_APPLE_DOUBLE):
        return _APPLE_DOUBLE_NAME.search(name) is not None
    if head.startswith(_FILE_SIGN):  # of an office file the first bytes may not tell more
        return _PACKAGE_NAME.search(name) is not None
    return _DOCUMENT_NAME.search(name) is not None and document_of(head, name) is not None
