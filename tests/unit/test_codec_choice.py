"""Which codec reads a file: by its first bytes, by its name, or by what is asked for."""

from __future__ import annotations

import bz2
import io
import random
import sys
import types

import pytest

from pipeline.codecs import HEAD_BYTES, Codec, choose_codec, codec_names, get_codec
from pipeline.codecs.formats import MAGIC
from pipeline.errors import BadFileError, SettingsError, UnknownNameError
from tests.fixtures.codecs import COMPRESSED, LINE, SMALL, compress, fault

# Choosing


@pytest.mark.parametrize("codec", ["plain", *COMPRESSED])
@pytest.mark.parametrize("name", ["x", "x.json", "x.bz2", "x.gz", "X.ZST", "x.zip", "a.b/x"])
def test_the_magic_number_wins_over_the_name(codec, name):
    head = compress(codec, SMALL)
    if codec == "plain" and "." in name.rpartition("/")[2] and not name.endswith(".json"):
        with pytest.raises(BadFileError, match=r'is named \.\w+ but is not \w+: it begins with "\{"op"'):
            choose_codec(head, name)
    else:
        assert choose_codec(head, name).name == codec


@pytest.mark.parametrize(
    ("head", "name", "says"),
    [
        (b"", "x.bz2", "is empty (0 bytes)"),
        (b"", "x", "is empty (0 bytes)"),
        (LINE, "x.bz2", 'is named .bz2 but is not bz2: it begins with "{"op":"mcm","id""'),
        (b"\n<!DOCTYPE html><p>", "x.bz2", "is named .bz2 but is not bz2: it is an HTML page"),
        (b"<HTML>", "x.gz", "is an HTML page"),
        (bytes(512), "x.bz2", "is named .bz2 but is not bz2"),
        (b"BZh9 is how bz2 begins", "x.bz2", "is named .bz2 but is not bz2"),
        (b"7z\xbc\xaf\x27\x1c", "x", "is 7z, which is not read; "),
        (b"Rar!\x1a\x07\x01\0", "x.bz2", "is rar, which is not read; "),
        (b"PAR1\x15\x04", "x.parquet", "is parquet, which is not read; "),
        (b"\x04\x22\x4d\x18", "x.lz4", "is lz4, which is not read; "),
        (b"\xff\x06\0\0sNaPpY", "x.sz", "is snappy, which is not read; "),
        (b"\x1f\x9d\x90", "x.Z", "is compress (.Z), which is not read; "),
        (b"\x8b\x05\x80", "x.br", "is brotli by its name"),
        (b'{"a":"\0"}', "x.json", "is neither text nor in a compressed format that is known"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(head, name, says):
    with pytest.raises(BadFileError) as caught:
        choose_codec(head, name)
    assert says in str(caught.value)


@pytest.mark.parametrize("codec", COMPRESSED)
def test_a_file_cut_off_within_its_magic_number_is_still_that_format(codec):
    suffix = get_codec(codec).suffixes[0]
    head = compress(codec, SMALL)[: len(MAGIC[codec][0]) - 1]
    assert choose_codec(head, f"x{suffix}").name == codec
    assert "cut off" in fault(codec, head)


@pytest.mark.parametrize(
    "text", [b"BZh9 is how bz2 begins", b"PK is how zip begins", b"PAR1, ORC, LZIP\n", "é\n".encode()]
)
def test_text_that_begins_like_a_format_is_text(text):
    assert choose_codec(text, "x.txt").name == "plain"


@pytest.mark.parametrize("codec", ["plain", *COMPRESSED])
@pytest.mark.parametrize("wanted", ["plain", *COMPRESSED])
def test_a_codec_that_is_asked_for_must_fit(codec, wanted):
    head = compress(codec, SMALL)
    if codec == wanted:
        assert choose_codec(head, "x.anything", wanted).name == wanted
    else:
        says = (
            f"is not {wanted}, which the job asks for"
            if codec == "plain"
            else f"is {codec}, but the job asks for"
        )
        with pytest.raises(BadFileError, match=says):
            choose_codec(head, "x.anything", wanted)


def test_plain_that_is_asked_for_may_hold_nuls():
    assert choose_codec(b"a\0b\n", "x", "plain").name == "plain"


def test_only_the_head_is_needed_to_choose():
    assert choose_codec(bz2.compress(random.Random(6).randbytes(200_000))[:HEAD_BYTES], "x.bz2").name == "bz2"


# The registry


def test_codecs_are_known_by_name():
    assert codec_names() == sorted(["plain", *COMPRESSED])
    for name in codec_names():
        assert get_codec(name).name == name
    for name in ("auto", "rot13", ""):
        with pytest.raises(
            UnknownNameError, match=r"no codec is named .* there are: bz2, gzip, plain"
        ) as caught:
            get_codec(name)
        assert caught.value.kind == "codec"


class Rot13(Codec):
    name = "rot13"

    def chunks(self, stream):
        while piece := stream.read(10):
            yield piece.translate(bytes.maketrans(b"abcnop", b"nopabc"))


def test_a_third_party_codec_is_loaded_by_module_and_class(monkeypatch):
    module = types.ModuleType("tiny_codec")
    module.Rot13, module.NotACodec = Rot13, dict
    monkeypatch.setitem(sys.modules, "tiny_codec", module)
    assert b"".join(get_codec("tiny_codec:Rot13").decode(io.BytesIO(b"nop\n"))) == b"abc\n"
    assert choose_codec(bz2.compress(b"x"), "x.rot", "tiny_codec:Rot13").name == "rot13"
    for name, says in [
        ("tiny_codec:Missing", "AttributeError"),
        ("no_such_module:Codec", "No module named 'no_such_module'"),
        ("tiny_codec:NotACodec", "not a class derived from"),
        (":", "cannot be loaded"),
    ]:
        with pytest.raises(SettingsError, match=says):
            get_codec(name)
