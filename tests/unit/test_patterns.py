from __future__ import annotations

import pickle
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.errors import InvalidPatternError, InvalidUriError
from pipeline.glob import Pattern
from pipeline.uri import Uri, escape, has_glob, join_uri

MATCHES = [
    # literal names, opaque
    ("a", "a", True),
    ("a", "A", False),
    ("a", "ab", False),
    ("a", "ba", False),
    ("a//b", "a//b", True),
    ("a//b", "a/b", False),
    ("a/../b", "a/../b", True),
    ("a/../b", "b", False),
    ("/a", "/a", True),
    ("/a", "a", False),
    ("a ", "a ", True),
    ("a ", "a", False),
    ("{a,b}", "{a,b}", True),
    ("{a,b}", "a", False),
    ("a\\*", "a\\xyz", True),
    ("a\\*", "a*", False),
    ("a.b", "axb", False),
    ("^a$|(b)+", "^a$|(b)+", True),
    ("100%#1", "100%#1", True),
    ("a\nb", "a\nb", True),
    ("\U0001f40e", "\U0001f40e", True),
    ("a]", "a]", True),
    ("a-z", "a-z", True),
    # *
    ("*", "", True),
    ("*", "a\nb\U0001f40e", True),
    ("*", "a/b", False),
    ("*.bz2", ".bz2", True),
    ("*.bz2", "1.1.bz2", True),
    ("*.bz2", "1.1.bz2\n", False),
    ("*.bz2", "a/1.bz2", False),
    ("p/*.bz2", "p/1.bz2", True),
    ("p/*.bz2", "p/q/1.bz2", False),
    ("p/*", "p/", True),
    ("p/*/x", "p/a/x", True),
    ("p/*/x", "p//x", True),
    ("p/*/x", "p/x", False),
    ("a*b*c", "abc", True),
    ("a*b*c", "a-b-b-c-c", True),
    ("a*b*c", "a-b/b-c", False),
    ("*ab", "aab", True),
    ("*ab*ab", "abab", True),
    ("*ab*ab", "ab", False),
    # ?
    ("?", "a", True),
    ("?", "\U0001f40e", True),
    ("?", "\n", True),
    ("?", "/", False),
    ("?", "", False),
    ("a?c", "ac", False),
    ("??*", "a", False),
    ("*?*?*", "ab", True),
    # sets
    ("[a-c]x", "bx", True),
    ("[a-c]x", "dx", False),
    ("[a-c]x", "-x", False),
    ("[!a-c]x", "dx", True),
    ("[!a-c]x", "ax", False),
    ("x[!a]y", "x/y", False),
    ("x[+-9]y", "x/y", False),
    ("x[+-9]y", "x5y", True),
    ("[]x]", "]", True),
    ("[!]x]", "]", False),
    ("[!]x]", "y", True),
    ("[a-]", "-", True),
    ("[-a]", "-", True),
    ("[a^]", "^", True),
    ("[^a]", "a", True),
    ("[!!]", "!", False),
    ("[a\\]", "\\", True),
    ("[*]", "*", True),
    ("[*]", "a", False),
    ("[?][[]", "?[", True),
    ("[a-c0-9]", "7", True),
    # **/
    ("**/x", "x", True),
    ("**/x", "a/x", True),
    ("**/x", "a/b/x", True),
    ("**/x", "/x", True),
    ("**/x", "ax", False),
    ("p/**/*.bz2", "p/1.bz2", True),
    ("p/**/*.bz2", "p/2020/Jan/1/1.bz2", True),
    ("p/**/*.bz2", "p/2020//1.bz2", True),
    ("p/**/*.bz2", "pq/1.bz2", False),
    ("p/**/*.bz2", "p1.bz2", False),
    ("p/**/**/x", "p/x", True),
    ("p/**/q/**/x", "p/q/x", True),
    ("p/**/q/**/x", "p/1/q/2/3/x", True),
    ("p/**/q/**/x", "p/1/q2/x", False),
    ("p/**/**", "p/", True),
    ("p/**/**", "p/a/b", True),
    # ** elsewhere
    ("**", "", True),
    ("**", "a/b/c", True),
    ("p/**", "p/a/b", True),
    ("p/**", "p", False),
    ("p**/x", "p/x", True),
    ("p**/x", "pq/r/x", True),
    ("p**/x", "px", False),
    ("a**b*c", "a/b/b/bc", True),
    ("a**b*c", "a/b/c", False),
    ("***/x", "a/x", True),
    ("***/x", "x", False),
]


@pytest.mark.parametrize(("pattern", "name", "expected"), MATCHES)
def test_a_pattern_matches_by_the_rules(pattern, name, expected):
    assert Pattern(pattern).matches(name) is expected
    assert oracle(pattern, name) is expected


@pytest.mark.parametrize(
    ("text", "prefix", "recursive"),
    [
        ("p/q.bz2", "p/q.bz2", False),
        ("p/*.bz2", "p/", False),
        ("p/q*", "p/q", False),
        ("p/**/*.bz2", "p/", True),
        ("p/*/x", "p/", True),
        ("p**", "p", True),
        ("*", "", False),
        ("**/x", "", True),
        ("a[*]b[?]*", "a*b?", False),
        ("a[]]b[-]c[xy]d", "a]b-c", False),
        ("a[!b]c/d", "a", True),
    ],
)
def test_the_prefix_is_what_the_server_is_asked_for(text, prefix, recursive):
    assert Pattern(text).prefix == prefix
    assert Pattern(text).recursive is recursive


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("p/", "is a folder, not a pattern"),
        ("p/**/", "is a folder, not a pattern"),
        ("p[", "'p[': the [ at character 2 is not closed; a literal [ is written [[]"),
        ("p[]", "not closed"),
        ("p[!]", "not closed"),
        ("p[a-", "not closed"),
        ("*x[y", "not closed"),
        ("x[a/b]", "cannot hold '/'"),
        ("[z-a]", "write a-z"),
    ],
)
def test_a_pattern_that_cannot_be_read_is_refused_with_the_remedy(text, says):
    with pytest.raises(InvalidPatternError) as caught:
        Pattern(text)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("*a" * 50 + "b", "a" * 1024),
        ("**a" * 50 + "b", "a" * 1024),
        ("**a*a" * 25 + "b", "a" * 1024),
        ("**/*a" * 50 + "b", "a/" * 512),
        ("*" * 50 + "b", "a" * 1024),
        ("*?" * 50 + "b", "a" * 1024),
        ("*[!b]" * 50 + "b", "".join(chr(0x4E00 + n) for n in range(1024))),
        ("**a*" + "a" * 500 + "b", "a" * 1024),
        ("*a" * 500 + "b", "ab" * 512),
    ],
)
def test_a_hostile_pattern_takes_no_time(pattern, name):
    compiled = Pattern(pattern)
    started = time.process_time()
    compiled.matches(name)
    assert time.process_time() - started < 0.05


def test_a_pattern_travels_as_its_text_alone():
    pattern = Pattern("p/**/*.bz2")
    fresh = pickle.dumps(pattern)
    assert pattern.matches("p/1.bz2")
    assert pickle.dumps(pattern) == fresh
    assert pickle.loads(fresh) == pattern


@pytest.mark.parametrize("char", "*?[")
def test_glob_characters_make_a_glob(char):
    assert has_glob(f"p/{char}")


@pytest.mark.parametrize("path", ["p/q", "p]", "{p}", "p\\", ""])
def test_other_characters_do_not_make_a_glob(path):
    assert not has_glob(path)


# A tiny matcher that follows the rules one character at a time, for checking against.


def oracle(pattern: str, name: str, *, at_segment: bool = True) -> bool:
    if not pattern:
        return not name
    if at_segment and pattern.startswith("**/"):
        rest = pattern[3:]
        folders = [0, *(i + 1 for i, char in enumerate(name) if char == "/")]
        return any(oracle(rest, name[i:], at_segment=True) for i in folders)
    if pattern.startswith("**"):
        rest = pattern.lstrip("*")
        return any(oracle(rest, name[i:], at_segment=False) for i in range(len(name) + 1))
    if pattern[0] == "*":
        segment = name.split("/", maxsplit=1)[0]
        return any(oracle(pattern[1:], name[i:], at_segment=False) for i in range(len(segment) + 1))
    if not name:
        return False
    char, end = name[0], 1
    if pattern[0] == "?":
        fits = char != "/"
    elif pattern[0] == "[":
        end = pattern.index("]", 3 if pattern[1] == "!" else 2) + 1
        fits = char != "/" and _in_set(char, pattern[1 : end - 1])
    else:
        fits = char == pattern[0]
    return fits and oracle(pattern[end:], name[1:], at_segment=pattern[:end].endswith("/"))


def _in_set(char: str, inside: str) -> bool:
    if inside.startswith("!"):
        return not _in_set(char, inside[1:])
    while inside:
        if len(inside) > 2 and inside[1] == "-":
            if inside[0] <= char <= inside[2]:
                return True
            inside = inside[3:]
        elif inside[0] == char:
            return True
        else:
            inside = inside[1:]
    return False


pieces = st.sampled_from(
    [
        "*",
        "**",
        "**/",
        "/",
        "?",
        "[ab]",
        "[!a]",
        "[a-b]",
        "[*]",
        "[?]",
        "[[]",
        "[]a]",
        "a",
        "b",
        "*",
        ".",
        "\n",
    ]
)
patterns = st.lists(pieces, min_size=1, max_size=7).map("".join)
names = st.text(alphabet="ab/*.[]\n?", max_size=9)
any_name = st.text(min_size=1, max_size=40).filter(lambda name: not name.endswith("/"))


def made(text: str) -> Pattern:
    try:
        return Pattern(text)
    except InvalidPatternError:
        assume(False)
        raise


@given(patterns, names)
def test_matching_agrees_with_the_oracle(text, name):
    assert made(text).matches(name) == oracle(text, name)


@given(patterns, names)
def test_a_matching_name_starts_with_the_prefix_and_stays_in_the_folder(text, name):
    pattern = made(text)
    for candidate in (name, pattern.prefix + name):
        if pattern.matches(candidate):
            assert candidate.startswith(pattern.prefix)
            assert pattern.recursive or "/" not in candidate[len(pattern.prefix) :]


@given(any_name, any_name)
def test_an_escaped_name_matches_itself_and_nothing_else(name, other):
    pattern = Pattern(escape(name))
    assert pattern.matches(name)
    assert pattern.prefix == name
    assert not pattern.recursive
    assert pattern.matches(other) == (name == other)


@pytest.mark.parametrize(
    ("uri", "bucket", "path"),
    [
        ("gs://b/p/x", "b", "p/x"),
        ("gs://b", "b", ""),
        ("gs://b/", "b", ""),
        ("gs://b//p//x/", "b", "/p//x/"),
        ("gs://b/../x%20#?y ", "b", "../x%20#?y "),
        ("gs://my-bucket_1.example.com/*", "my-bucket_1.example.com", "*"),
        ("/data/x", "", "/data/x"),
        ("data/../x", "", "data/../x"),
        ("./gs:x", "", "./gs:x"),
        ("~/x", "", "~/x"),
        ("a:b", "", "a:b"),
    ],
)
def test_a_uri_is_split_without_change(uri, bucket, path):
    assert (Uri.parse(uri).bucket, Uri.parse(uri).written_path) == (bucket, path)
    assert Uri.parse(join_uri(bucket, path)).written_path == path


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("s3://b/p", "s3:// is not read"),
        ("http://b/p", "http:// is not read"),
        ("file:///p", "file:// is not read"),
        ("gs:/b", "write gs://bucket/path"),
        ("gs:b", "write gs://bucket/path"),
        ("GS://b/p", "write gs://bucket/path"),
        ("gs://", "names no bucket"),
        ("gs:///p", "names no bucket"),
        ("gs://Upper/p", "'Upper' cannot be a bucket"),
        ("gs://-b/p", "cannot be a bucket"),
        ("gs://b\n/p", "cannot be a bucket"),
        ("gs://a b/p", "cannot be a bucket"),
        ("gs://b*/p", "one bucket at a time"),
        ("", "not a path"),
        ("a\0b", "not a path"),
    ],
)
def test_what_is_no_uri_is_refused_with_the_remedy(uri, says):
    with pytest.raises(InvalidUriError) as caught:
        Uri.parse(uri)
    assert says in str(caught.value)
