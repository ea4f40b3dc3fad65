"""What is refused of a file or a path comes with a remedy, and whoever follows it has what is read.

The commands are run as they stand in the message, but for the names. A tool that this machine has not is played by a
script that takes the same arguments.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import fastavro
import pytest
import zstandard

from pipeline.codecs import formats
from pipeline.read.file import ReadOptions, read_file
from pipeline.storage import PlainStore

STORE = PlainStore()
LINES = b'{"a":1}\n{"a":2}\n'


def packed_by_compress(raw: bytes) -> bytes:
    """As compress(1) does, without a code for more than one byte: each has nine bits, the lowest first."""
    bits = sum(byte << 9 * i for i, byte in enumerate(raw))
    return b"\x1f\x9d\x90" + bits.to_bytes((9 * len(raw) + 7) // 8, "little")


def packed_by_lz4(raw: bytes) -> bytes:
    """A frame of one block that is stored as it is (lz4_Frame_format.md); FLG says no checksums."""
    stored = (len(raw) | 1 << 31).to_bytes(4, "little") + raw
    return b"\x04\x22\x4d\x18" + b"\x60\x40\x82" + stored + bytes(4)


def as_parquet() -> bytes:
    pandas = pytest.importorskip("pandas")
    buffer = io.BytesIO()
    pandas.DataFrame({"a": [1, 2]}).to_parquet(buffer)
    return buffer.getvalue()


def deflated(raw: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(raw) + packer.flush()


def large_xz() -> bytes:
    return lzma.compress(LINES, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 512 << 20}])


def far_zstd() -> bytes:
    parameters = zstandard.ZstdCompressionParameters(window_log=28, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return packer.compress(LINES) + packer.flush()


def zstd_by_dictionary() -> bytes:
    known = zstandard.train_dictionary(2000, [b'{"a":%d}' % i for i in range(9000)], dict_id=7)
    Path("DICTIONARY").write_bytes(known.as_bytes())
    return zstandard.ZstdCompressor(dict_data=known).compress(LINES)


def as_avro() -> bytes:
    fields = [{"name": "a", "type": "int"}]
    buffer = io.BytesIO()
    fastavro.writer(buffer, {"type": "record", "name": "r", "fields": fields}, [{"a": 1}, {"a": 2}])
    return buffer.getvalue()


# By format: a file of it, and how it says what it is. The lines in it are LINES; a stand-in holds them after its magic.
STAND_IN = b"\1\2\3"
FILES: dict[str, tuple[str, bytes | Callable[[], bytes], str]] = {
    "7z": ("x.7z", b"7z\xbc\xaf\x27\x1c" + STAND_IN + LINES, "is 7z, which is not read"),
    "rar": ("x.rar", b"Rar!\x1a\x07" + STAND_IN + LINES, "is rar, which is not read"),
    "avro": ("x.avro", as_avro, "is avro, which is not read"),
    "compress (.Z)": ("x.Z", packed_by_compress(LINES), "is compress (.Z), which is not read"),
    "lz4": ("x.lz4", packed_by_lz4(LINES), "is lz4, which is not read"),
    "lzip": ("x.lz", b"LZIP\x01" + STAND_IN + LINES, "is lzip, which is not read"),
    "lzma": ("x.lzma", lzma.compress(LINES, format=lzma.FORMAT_ALONE), "is lzma, which is not read"),
    "parquet": ("x.parquet", as_parquet, "is parquet, which is not read"),
    "snappy": ("x.sz", b"\xff\x06\0\0sNaPpY" + STAND_IN + LINES, "is snappy, which is not read"),
    "zlib": ("x.json", zlib.compress(LINES), "is zlib, which is not read"),
    "brotli": ("x.br", b"\x8b" + STAND_IN + LINES, "is brotli by its name, which is not read"),
    "deflate": ("x.deflate", deflated(LINES), "is deflate by its name, which is not read"),
    "lzo": ("x.lzo", b"\x89LZO" + STAND_IN + LINES, "is lzo by its name, which is not read"),
    "xz of much memory": ("x.xz", large_xz(), "the xz data needs 513 MiB of memory"),
    "zstd of a far window": ("x.zst", far_zstd(), "the zstd frame needs a window of 256 MiB"),
    "zstd of a dictionary": ("x.zst", zstd_by_dictionary, "the zstd frame needs dictionary 7"),
    "zlib in gzip": ("x.gz", gzip.compress(zlib.compress(LINES)), "the gzip data holds zlib, not text"),
}
_PLAYED = f"""#!{sys.executable}
import os, sys
found = [path for path in sys.argv[1:] if os.path.isfile(path)]
lines = open(found[0], "rb").read().partition({STAND_IN!r})[2]
rest = sys.argv[sys.argv.index(found[0]) + 1:]
if "x" in sys.argv[1:]:
    open("extracted.json", "wb").write(lines)
elif rest:
    open(rest[0], "wb").write(lines)
else:
    sys.stdout.buffer.write(lines)
"""


_PLAYED_ZSTD = f"""#!{sys.executable}
import sys, zstandard
if "-dc" not in sys.argv:
    sys.stdout.buffer.write(zstandard.ZstdCompressor().compress(sys.stdin.buffer.read()))
else:
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    known = zstandard.ZstdCompressionDict(open(words[2], "rb").read()) if "-D" in words else None
    size = 1 << 31 if "--long=31" in sys.argv else 1 << 27
    reader = zstandard.ZstdDecompressor(dict_data=known, max_window_size=size).stream_reader(open(words[-1], "rb"))
    sys.stdout.buffer.write(reader.read())
"""


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A PATH with this Python, and with a player for each tool that is not here."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for tool in ("7z", "unrar", "lzip", "brotli", "lzop"):
        (folder / tool).write_text(_PLAYED)
        (folder / tool).chmod(0o755)
    (folder / "as-modules").mkdir()
    (folder / "as-modules" / "snappy.py").write_text(_PLAYED)
    if not shutil.which("zstd"):
        (folder / "zstd").write_text(_PLAYED_ZSTD)
        (folder / "zstd").chmod(0o755)
    if not shutil.which("lz4"):
        script = "import sys; data = open(sys.argv[2], 'rb').read(); sys.stdout.buffer.write(data[11:-4])"
        (folder / "lz4").write_text(f"#!{sys.executable}\n{script}\n")
        (folder / "lz4").chmod(0o755)
    monkeypatch.setenv(
        "PATH", f"{Path(sys.executable).parent}{os.pathsep}{folder}{os.pathsep}{os.environ['PATH']}"
    )
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")


def command_of(message: str) -> str:
    """What is to be run: all behind the remedy's colon, which may be a line of Python for pandas."""
    command = re.search(r"; [^:']*: (.+)$", message)[1]
    return f"{sys.executable} -c 'import pandas; {command}'" if command.startswith("pandas.") else command


def follow(message: str, path: Path) -> list[Path]:
    """Run the command of a message on a file; the files that came of it."""
    before = {found for found in path.parent.rglob("*") if found.is_file()}
    command = re.sub(r"\bFILE\b", path.name, command_of(message))
    if message.startswith("the ") and "unpack the gzip, and then" in message:
        path.write_bytes(gzip.decompress(path.read_bytes()))
    subprocess.run(["bash", "-ec", command], check=True, cwd=path.parent)
    return sorted({found for found in path.parent.rglob("*") if found.is_file()} - before)


def test_no_format_that_is_refused_was_forgotten():
    assert {known.name for known in formats._REFUSED} <= FILES.keys()


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_refused_is_read_once_its_remedy_is_followed(tmp_path, tools, monkeypatch, kind):
    name, data, says = FILES[kind]
    path = tmp_path / "in" / name
    path.write_bytes(data() if callable(data) else data)
    record = read_file(STORE, str(path)).record
    assert record.status == "failed"
    assert record.error.startswith(says)
    if kind == "snappy":  # fastavro would take it for the real one
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "tools" / "as-modules"))
    (made,) = follow(record.error, path)
    file = read_file(STORE, str(made))
    lines = b"".join(file.blocks()).splitlines()
    assert (file.record.status, [json.loads(line) for line in lines]) == ("complete", [{"a": 1}, {"a": 2}])


def test_a_layer_that_is_unpacked_leaves_one_that_is_read(tmp_path):
    path = tmp_path / "x.json.gz.bz2"
    path.write_bytes(bz2.compress(gzip.compress(LINES)))
    error = read_file(STORE, str(path)).record.error
    assert error == "the bz2 data holds gzip, not text; unpack one layer and upload it again"
    path.with_suffix("").write_bytes(bz2.decompress(path.read_bytes()))
    assert read_file(STORE, str(path.with_suffix(""))).record.status == "complete"


def test_a_codec_that_does_not_fit_says_which_does(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(LINES))
    error = read_file(STORE, str(path), ReadOptions(codec="bz2")).record.error
    assert error == "is gzip, but the job asks for bz2; ask for auto"
    assert read_file(STORE, str(path), ReadOptions(codec="auto")).record.status == "complete"


def test_what_looks_like_a_bomb_is_read_where_more_is_allowed(tmp_path):
    path = tmp_path / "x.bz2"
    path.write_bytes(bz2.compress(b'{"a":"%s"}\n' % (b"0" * (20 << 20))))
    error = read_file(STORE, str(path)).record.error
    assert error.endswith("allow more with max-ratio (0: no bound)")
    assert read_file(STORE, str(path), ReadOptions(max_ratio=0)).record.status == "complete"
