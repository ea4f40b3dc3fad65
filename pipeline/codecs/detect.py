"""Name and magic bytes to codec. The bytes decide; the name is a hint that makes a better message."""

from __future__ import annotations

import importlib
from posixpath import splitext

from pipeline.codecs.base import Codec, PlainCodec
from pipeline.codecs.documents import document_of
from pipeline.codecs.formats import begins_with, compression_of, refused_format_of, refused_suffix
from pipeline.codecs.members import Bz2Codec, GzipCodec, XzCodec
from pipeline.codecs.tar_header import is_tar
from pipeline.codecs.transcode import encoding_of
from pipeline.codecs.zip import ZipCodec
from pipeline.codecs.zstd import ZstdCodec
from pipeline.errors import BadFileError, HoldsFilesError, SettingsError, UnknownNameError

HEAD_BYTES = 64 * 1024  # what `choose_codec` looks at
_CODECS: dict[str, Codec] = {
    codec.name: codec for codec in (Bz2Codec(), GzipCodec(), PlainCodec(), XzCodec(), ZipCodec(), ZstdCodec())
}


def codec_names() -> list[str]:
    """The codecs that come with chimera, sorted. "auto" is not one: it stands for choosing by the bytes."""
    return sorted(_CODECS)


def get_codec(name: str) -> Codec:
    """The codec of that name, or of a third party's "module:Class".

    Raises UnknownNameError, and SettingsError when a third party's class cannot be had.
    """
    if name in _CODECS:
        return _CODECS[name]
    if ":" not in name:
        raise UnknownNameError("codec", name, codec_names())
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as e:  # a third party's module may raise anything while it is imported
        raise SettingsError(
            f"codec {name!r} cannot be loaded ({type(e).__name__}: {e}); install its package here and on the "
            f"workers, or name one of {', '.join(codec_names())}"
        ) from e
    if not (isinstance(found, type) and issubclass(found, Codec)):
        raise SettingsError(f"codec {name!r} is not a class derived from pipeline.codecs.Codec")
    return found()


def choose_codec(head: bytes, name: str, wanted: str = "auto") -> Codec:
    """The codec for a file, from its first bytes (up to HEAD_BYTES) and its name.

    With "auto" a magic number wins over the suffix, and text without one is plain. Any other `wanted` is that
    codec, unless the bytes are plainly something else. Raises BadFileError when nothing fits, HoldsFilesError for
    a tar.
    """
    forced = None if wanted == "auto" else get_codec(wanted)
    if not head:
        raise BadFileError("is empty (0 bytes)", of_the_file=True)
    if forced:
        _check_asked_for(head, forced)
        return forced
    if found := compression_of(head):
        if found == ZipCodec.name:
            _refuse_document(head, name)
        return _CODECS[found]
    if is_tar(head):
        raise HoldsFilesError("tar")
    if refused := refused_format_of(head):
        raise BadFileError(f"is {refused.name}, which is not read; {refused.remedy}", of_the_file=True)
    return _without_magic(head, name)


def mismatch(codec: Codec, name: str) -> str | None:
    """What is worth a note about a file that was decoded as something else than its name says."""
    suffix = splitext(name)[1].lower()
    named = next((known.name for known in _CODECS.values() if suffix in known.suffixes), codec.name)
    return (
        None
        if named == codec.name
        else f"is named {suffix} but its bytes are {codec.name}, and were read as that"
    )


def _check_asked_for(head: bytes, codec: Codec) -> None:
    """Refuse bytes that are plainly not what the codec reads. A third party's magic may be one of ours."""
    # A codec without a magic number takes what it is given, but compressed data is never plain text.
    takes_anything = not codec.magic and codec.name != PlainCodec.name
    if takes_anything or head.startswith(codec.magic) or _may_begin(head, codec):
        return
    if is_tar(head):
        raise HoldsFilesError("tar")
    if found := compression_of(head):
        raise BadFileError(f"is {found}, but the job asks for {codec.name}; ask for auto", of_the_file=True)
    if refused := refused_format_of(head):
        raise BadFileError(f"is {refused.name}, which is not read; {refused.remedy}", of_the_file=True)
    if codec.magic:
        raise BadFileError(
            f"is not {codec.name}, which the job asks for: {begins_with(head)}", of_the_file=True
        )


def _without_magic(head: bytes, name: str) -> Codec:
    suffix = splitext(name)[1].lower()
    for codec in _CODECS.values():
        if suffix in codec.suffixes:
            if _may_begin(head, codec):
                return codec
            raise BadFileError(
                f"is named {suffix} but is not {codec.name}: {begins_with(head)}", of_the_file=True
            )
    _refuse_document(head, name)
    if refused := refused_suffix(suffix):
        raise BadFileError(
            f"is {refused.name} by its name, which is not read; {refused.remedy}", of_the_file=True
        )
    if b"\0" in head and not encoding_of(head):
        raise BadFileError(
            f"is neither text nor in a compressed format that is known: {begins_with(head)}", of_the_file=True
        )
    return _CODECS[PlainCodec.name]


def _refuse_document(head: bytes, name: str) -> None:
    if document := document_of(head, name):
        raise BadFileError(f"is {document.name}; {document.remedy}", of_the_file=True)


def _may_begin(head: bytes, codec: Codec) -> bool:
    """Whether a file of so few bytes was cut off within the magic number."""
    return any(magic.startswith(head) for magic in codec.magic)
