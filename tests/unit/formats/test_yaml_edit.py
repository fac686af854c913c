"""Edits of YAML: exact texts before and after."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.core.errors import CannotEdit, PlanRefused
from bulkhead.core.plan import Edit
from bulkhead.formats.yamltext import apply, load, locate


def put(*path: str | int, value: Any, document: int = 0) -> Edit:
    return Edit(op="set", document=document, path=path, value=value)


def gone(*path: str | int) -> Edit:
    return Edit(op="remove", path=path)


def more(*path: str | int, value: Any) -> Edit:
    return Edit(op="append", path=path, value=value)


CASES: list[tuple[str, list[Edit], str]] = [
    ("a: 1 # one\n", [put("a", value=2)], "a: 2 # one\n"),
    ("a: 'x'\n", [put("a", value="it's")], "a: 'it''s'\n"),
    ('a: "x"\n', [put("a", value=False)], "a: false\n"),
    ("a: x\n", [put("a", value="yes")], 'a: "yes"\n'),
    ("a:\n  b: 1\n", [put("a", "c", "d", value=True)], "a:\n  b: 1\n  c:\n    d: true\n"),
    ("a:\n    b: 1\n# end\n", [put("a", "c", value={})], "a:\n    b: 1\n    c: {}\n# end\n"),
    ("a: # why\nb: 1\n", [put("a", "c", value=1)], "a: # why\n  c: 1\nb: 1\n"),
    ("a:\n- x\n", [more("a", value="w"), put("b", value=["z"])], "a:\n- x\n- w\nb:\n- z\n"),
    ("a:\n  - x\n", [put("b", value=["z"])], "a:\n  - x\nb:\n  - z\n"),
    ("- name: x\n  b: 1\n- name: y\n", [gone(0, "name")], "- b: 1\n- name: y\n"),
    ("- name: x\n  # kept\n  b: 1\n", [gone(0, "name")], "- \n  # kept\n  b: 1\n"),
    ("a:\n  b: 1\nc: 2\n", [gone("a", "b")], "a: {}\nc: 2\n"),
    ("a: 1\nb: 2", [gone("b")], "a: 1"),
    ("a: 1\nb: 2", [put("c", value=3)], "a: 1\nb: 2\nc: 3"),
    ("a: {b: 1}\n", [put("a", "c", value="x")], "a: {b: 1, c: x}\n"),
    ("a: {b: 1, c: 2}\n", [gone("a", "b")], "a: {c: 2}\n"),
    ("a: {b: 1, c: 2, d: 3}\n", [gone("a", "c"), gone("a", "d")], "a: {b: 1}\n"),
    ("a: {}\n", [put("a", "b", value=[1])], "a: {b: [1]}\n"),
    ("a: [x]\n", [more("a", value="w"), more("a", value="x")], "a: [x, w]\n"),
    ('{"a": {"b": 1}}\n', [put("a", "c", value="x")], '{"a": {"b": 1, "c": "x"}}\n'),
    ("a:\r\n  b: 1\r\n", [put("a", "c", value=2)], "a:\r\n  b: 1\r\n  c: 2\r\n"),
    ("a: |\n  x\n  y\nb: 1\n", [put("a", value="z")], "a: z\nb: 1\n"),
    ("a: |\n  x\n\n# c\nb: 1\n", [put("c", value=1)], "a: |\n  x\n\n# c\nb: 1\nc: 1\n"),
    ("a:\n  b: |+\n    x\n\nc: 1\n", [put("a", "d", value=1)], "a:\n  b: |+\n    x\n\n  d: 1\nc: 1\n"),
    ("- a\n- b # two\n- c\n", [gone(1)], "- a\n- c\n"),
    ("é: '🙂' # 🙂\nb: 1\n", [put("b", value="ü")], "é: '🙂' # 🙂\nb: 'ü'\n"),
    ("a: &x\n  b: 1\nc:\n  <<: *x\n", [put("c", "b", value=2)], "a: &x\n  b: 1\nc:\n  <<: *x\n  b: 2\n"),
    ("a: 1\n", [put("b", value="x\ny\n")], "a: 1\nb: |\n  x\n  y\n"),
    ("a:\n- b:\n  - c\n", [more("a", 0, "b", value="d")], "a:\n- b:\n  - c\n  - d\n"),
    ("on: 1\n", [put("true", value=2)], "on: 2\n"),
    ("a: [\n  x,\n  y\n]\n", [more("a", value="z")], "a: [\n  x,\n  y,\n  z\n]\n"),
]


@pytest.mark.parametrize(("before", "edits", "after"), CASES)
def test_only_what_must_change_does(before: str, edits: list[Edit], after: str) -> None:
    assert apply(before.encode(), edits).decode() == after
    marked = b"\xef\xbb\xbf" + before.encode()
    assert apply(marked, edits) == b"\xef\xbb\xbf" + after.encode()


@pytest.mark.parametrize(("before", "edits", "after"), [case for case in CASES if case[1][0].op != "remove"])
def test_a_second_run_changes_nothing(before: str, edits: list[Edit], after: str) -> None:
    assert apply(after.encode(), edits) == after.encode()


def test_documents_are_edited_together() -> None:
    text = b"---\na: 1\n---\n# second\nb: 1\n"
    assert apply(text, [put("c", value=1), put("b", value=2, document=1)]) == b"---\na: 1\nc: 1\n---\n# second\nb: 2\n"


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("a: &x {b: 1}\nc: *x\n", put("c", "b", value=2)),
        ("a: &x {b: 1}\nc: *x\n", put("a", "b", value=2)),
        ("a: &x {b: {c: 1}}\nd:\n  <<: *x\n", put("d", "b", "c", value=2)),
        ('a: "{{ x }}"\n', put("a", value=2)),
        ("# {{ if x }}\na: 1\n# {{ end }}\nb: 1\n", put("a", value=2)),
        ("a: !!str 1\n", put("a", value="2")),
        ("AWS::X: !Sub {a: b}\n", put("AWS::X", "Fn::Sub", "a", value="2")),
        ("a: 1\n", put("a", "b", value=2)),
        ("a: [1]\n", put("a", 3, value=2)),
        ("a: 1\n", put("b", value=1, document=4)),
        ("a: [1\n", put("b", value=1)),
    ],
)
def test_what_cannot_be_changed_alone_is_refused(text: str, edit: Edit) -> None:
    with pytest.raises(CannotEdit):
        apply(text.encode(), [edit])


@pytest.mark.parametrize(
    "edits",
    [
        [put("a", value=1), put("a", value=2)],
        [put("a", value={"b": 1}), put("a", "b", value=2)],
        [gone("a"), put("a", "b", value=2)],
        [put("a", "b", value=2), gone("a")],
        [Edit(op="replace", path=("a",), value="x")],
    ],
)
def test_contradictions_are_refused(edits: list[Edit]) -> None:
    with pytest.raises(PlanRefused):
        apply(b"a: {c: 1}\n", edits)


@pytest.mark.parametrize(
    ("path", "found"),
    [(("a",), "a:\r\n  - b: 1"), (("a", 0, "b"), "b: 1"), (("c", "d"), "c: 'ü'"), (("a", 7), "a:\r\n  - b: 1")],
)
def test_places(path: tuple[str | int, ...], found: str) -> None:
    data = "\ufeff---\r\n# 🙂\r\na:\r\n  - b: 1 # x\r\nc: 'ü'\r\n".encode()
    (span,) = locate(data, [(0, path)])
    assert span is not None
    assert data[span.start : span.end].decode() == found


def test_a_place_has_its_line_and_column() -> None:
    (span, none) = locate("a: é\nb: {c: 1}\n".encode(), [(0, ("b", "c")), (3, ())])
    assert none is None
    assert span is not None
    assert (span.line, span.column, span.end_line, span.end_column) == (2, 5, 2, 9)


def test_new_strings_read_back_as_themselves() -> None:
    for text in ("yes", "0x1", "1e3", "a: b", "a #b", "#a", "- a", "", " a", "a ", "é", "\x07", "'", '"', "null", "*a",
                 "{a}", "12:30", "2001-01-01", "<<", "=", "~", "\u2028", "\ud7ff\U0001f600", "a\nb", "\n", "a:", "%a", "@a"):  # fmt: skip
        for before in ("k: 1\n", "{k: 1}\n", "- k: 'x'\n"):
            path: tuple[str | int, ...] = (0, "n") if before.startswith("-") else ("n",)
            after = load(apply(before.encode(), [Edit(op="set", path=path, value=text)])).documents[0]
            assert (after[0] if isinstance(after, list) else after)["n"] == text
