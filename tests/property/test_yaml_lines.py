"""Texts that are read line by line mean, and stand, exactly as libyaml says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.core.errors import BulkheadError
from bulkhead.core.resource import DocumentPath
from bulkhead.formats.model import BOUNDS
from bulkhead.formats.spans import BOM, decoded
from bulkhead.formats.yamltext import build, lines, places
from tests.corpora import folder

_INDENT = st.sampled_from(["", "", "  ", "  ", "    ", " ", "      "])
_DASH = st.sampled_from(["", "", "", "- ", "-   ", "- - "])
_KEY = st.sampled_from(["a: ", "b: ", "c:", "name: ", "yes: ", "a.b/c: ", "'q': ", "1: ", "<<: ", "", "x:y"])
_VALUE = st.sampled_from([
    "", "1", "0644", "0x1f", "1_000", "1e3", ".5", "yes", "null", "~", "a b", "a: b", "a #b", "a#b", "'it''s'", "'x'",
    '"y"', '"\\n"', "{}", "[]", "[a]", "{a: 1}", "- x", "-x", "--", "---", "...", "&a x", "*a", "!t x", "| ", ">", "|-",
    "http://x:80/y", "x:", ":x", "?", "@x", "`x`", "%x", "{{ x }}", "a{{ x }}", "'{{ x }}'", "é", "\t", "x\ty", "<<", "=",
    "2001-01-01", ",x", "a, b", "a]", "$(x)", "~x", "<x", "x ", "# only", "'a' b", '"a"b',
])  # fmt: skip
_TAIL = st.sampled_from(["", "", "", "", " ", " # said", "#x"])
_LINE = st.tuples(_INDENT, _DASH, _KEY, _VALUE, _TAIL).map("".join)
_PLAIN = st.tuples(
    _INDENT, st.sampled_from(["", "", "- "]), st.sampled_from(["a: ", "b: ", "c: ", "d:", "e:"]),
    st.sampled_from(["", "x", "1", "'y'"]), st.just(""),
).map("".join)  # fmt: skip
_OTHER = st.sampled_from(["", "---", "# note", "  # note", "--- # x", "--- x", "- x", "- 1", "..."])
_MORE = st.sampled_from(
    [
        "    more words",
        "      x",
        "   1",
        "  y",
        " z",
        "    'q'",
        "    a: b",
        "    x # said",
        "    x # x",
        "    {{ x }}",
        "  - d",
    ]
)
_TEXT = st.lists(st.one_of(_PLAIN, _PLAIN, _PLAIN, _LINE, _OTHER, _MORE), min_size=1, max_size=9).map("\n".join)


def _typed(value: Any) -> Any:
    """Tells 1 from True and 1.0, and keeps the order of keys."""
    if isinstance(value, dict):
        return [(key, _typed(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [list, *map(_typed, value)]
    return type(value), repr(value)


def _paths(value: Any, at: DocumentPath = ()) -> list[DocumentPath]:
    found: list[DocumentPath] = [at, (*at, "absent"), (*at, 99)]
    if isinstance(value, dict):
        return found + [path for key, item in value.items() for path in _paths(item, (*at, key))]
    if isinstance(value, list):
        return found + [path for index, item in enumerate(value) for path in _paths(item, (*at, index))]
    return found


def _agrees(text: str) -> bool:
    """Whether the text was read line by line; if so, libyaml must have said the same."""
    rows = lines.rows(text, BOUNDS)
    made = None if rows is None else lines.documents(rows, text, BOUNDS)
    if made is None:
        return False
    values = [document.root for document in made]
    events = build.load(text, BOUNDS, native=True)
    assert not events.problems
    assert _typed(values) == _typed(list(events.documents))
    wanted = [(number, path) for number, value in enumerate(values) for path in _paths(value)][:2000]
    found = places._by_lines(text, wanted, [document.outline for document in made])
    assert found is None or found == places._by_events(text, wanted, BOUNDS)
    return True


@given(_TEXT)
@settings(max_examples=1500, deadline=None)
def test_what_is_read_line_by_line_means_the_same(text: str) -> None:
    _agrees(text)
    _agrees(text + "\n")


@pytest.mark.parametrize(
    ("text", "native"),
    [
        ("a: b\n  c\n", True),
        ("a: b\n c\n  d\ne: f\n", True),
        ("- a\n  b\n- c\n", True),
        ("- a: b\n   c\n  d: e\n", True),
        ("a:\n- b\n c\n", True),
        ("a: 1\n  2\n", True),
        ("a: b\n\n  c\n", False),
        ("a: b # said\n  c\n", False),
        ("a: b # b\n  c\n", False),
        ("a: 'b'\n  c\n", False),
        ("a: b\n  c: d\n", False),
        ("a:\n  b\n", False),
        ("a: b\n" + "  c\n" * 31, False),
    ],
)
def test_a_scalar_of_several_lines(text: str, *, native: bool) -> None:
    assert _agrees(text) is native


@pytest.mark.parametrize("suite", ["bench-manifests/w1000", "kube-linter", "polaris", "realworld"])
def test_manifests_of_the_field_agree(suite: str) -> None:
    read = plain = 0
    for path in sorted(folder("posture", *suite.split("/")).rglob("*.y*ml"))[:400]:
        if path.is_file():
            try:
                text = decoded(path.read_bytes(), BOUNDS).removeprefix(BOM)
            except BulkheadError:
                continue
            read += 1
            plain += _agrees(text)
    assert plain > read / 2
