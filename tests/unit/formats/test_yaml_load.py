"""YAML values as kubectl sees them, and texts that must be refused."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.core.errors import LimitExceeded
from bulkhead.core.resource import UNKNOWN
from bulkhead.formats.model import Bounds
from bulkhead.formats.yamltext import load


def one(text: str) -> Any:
    loaded = load(text.encode())
    assert not loaded.problems
    assert loaded.documents == load(text.encode(), native=False).documents
    return loaded.documents[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True), ("y", True), ("On", True), ("no", False), ("OFF", False), ("yES", "yES"),
        ("1_000", 1000), ("0o17", 15), ("017", 15), ("0777", 511), ("08", 8), ("0b11", 3), ("0x1F", 31), ("+1", 1),
        ("-0", 0), ("1e3", 1000), (".5", 0.5), ("1:30", "1:30"), ("_1", "_1"), ("100m", "100m"), (".inf", ".inf"),
        ("2001-12-14", "2001-12-14"), ("~", None), ("", None), ("null", None), ("'yes'", "yes"), ("!!str 1", "1"),
        ('!!int "3"', 3), ('"a{{ b }}"', UNKNOWN), ("x-{{ b }}", UNKNOWN), ("nginx:1.25", "nginx:1.25"),
    ],
)  # fmt: skip
def test_scalars_mean_what_kubectl_reads(text: str, value: object) -> None:
    read = one(f"a: {text}\n")["a"]
    assert type(read) is type(value)
    assert read == value


def test_keys_are_texts() -> None:
    assert one("{on: 1, 2: b, 1.5: c}") == {"true": 1, "2": "b", "1.5": "c"}


def test_merge_keys_and_aliases_are_expanded() -> None:
    read = one("x: &x {a: 1, b: 2}\nw:\n  <<: *x\n  b: 3\nz: [*x, *x]\n")
    assert read["w"] == {"b": 3, "a": 1}
    assert read["z"] == [{"a": 1, "b": 2}] * 2


def test_a_block_scalar_keeps_its_templates() -> None:
    assert one("a: |\n  {{ x }}\n")["a"] == "{{ x }}\n"


def test_a_duplicate_key_is_refused_with_its_line() -> None:
    loaded = load(b"a: 1\nb: 2\na: 3\n")
    assert (loaded.problems[0].line, loaded.problems[0].column) == (3, 1)
    assert "twice" in loaded.problems[0].message


def test_what_stands_before_a_break_is_kept() -> None:
    loaded = load(b"a: 1\n---\nb: 2\n---\nc: [1\n")
    assert loaded.documents == ({"a": 1}, {"b": 2})
    assert loaded.problems[0].line >= 5


def test_templated_text_is_named() -> None:
    loaded = load(b"a:\n{{- if .x }}\n  b: 1\n{{- end }}\n")
    assert "templated" in str(loaded.problems[0])


def test_cloudformation_tags_only_in_templates() -> None:
    text = "Resources:\n  A:\n    Type: AWS::S3::Bucket\n    P: [!Ref x, !GetAtt a.b.c, !Sub 'a${b}']\n"
    assert one(text)["Resources"]["A"]["P"] == [{"Ref": "x"}, {"Fn::GetAtt": ["a", "b.c"]}, {"Fn::Sub": "a${b}"}]
    assert load(b"a: !Ref x\n").problems
    assert load(b"a: !!python/object:os.system x\n").problems


def test_compose_tags_anywhere() -> None:
    assert one("a: !reset null\nb: !override [1]\n") == {"a": None, "b": [1]}


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(LimitExceeded):
        load("\n".join(lines).encode())


@pytest.mark.parametrize("text", [b"[" * 100_000, b"- " * 100_000, b"{a: " * 100_000])
def test_deep_nesting_is_refused(text: bytes) -> None:
    with pytest.raises(LimitExceeded):
        load(text)


def test_a_text_too_large_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        load(b"a: 1\n", bounds=Bounds(size=3))


@pytest.mark.parametrize(
    "data", ["a: 1".encode("utf-16"), b"a: \xe9\n", b"a: \0\n", b"\x7fELF\x01\x02\x00", b"a: \x01\n", b"a: *b\n"]
)
def test_what_is_not_utf8_yaml_is_a_problem(data: bytes) -> None:
    loaded = load(data)
    assert loaded.documents == ()
    assert loaded.problems


def test_a_byte_order_mark_and_empty_documents() -> None:
    assert load(b"\xef\xbb\xbf---\na: 1\n---\n---\nb: 2\n").documents == ({"a": 1}, None, {"b": 2})
    assert load(b"# nothing\n").documents == ()
