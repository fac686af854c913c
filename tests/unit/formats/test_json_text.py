"""JSON: values, places, edits that keep the layout, and refusals."""

from __future__ import annotations

import pytest

from bulkhead.core.errors import CannotEdit, LimitExceeded
from bulkhead.core.plan import Edit
from bulkhead.formats.jsontext import apply, load, locate

PRETTY = '{\n    "a": 1,\n    "b": [\n        1,\n        2\n    ]\n}\n'


@pytest.mark.parametrize(
    ("before", "edit", "after"),
    [
        ('{"a":1}', Edit(op="set", path=("b", "c"), value=[1, "ü"]), '{"a":1,"b":{"c":[1,"ü"]}}'),
        ('{"a": 1}', Edit(op="set", path=("b",), value=None), '{"a": 1, "b": null}'),
        (PRETTY, Edit(op="append", path=("b",), value=3), PRETTY.replace("2\n", "2,\n        3\n")),
        (PRETTY, Edit(op="remove", path=("a",)), PRETTY.replace('    "a": 1,\n', "")),
        (PRETTY, Edit(op="remove", path=("b", 1)), PRETTY.replace(",\n        2", "")),
        (PRETTY, Edit(op="set", path=("c", "d"), value=1),
         PRETTY.replace("]\n}", "]" + ',\n    "c": {\n        "d": 1\n    }\n}')),
        ('{\r\n\t"a": true\r\n}', Edit(op="set", path=("b",), value=1), '{\r\n\t"a": true,\r\n\t"b": 1\r\n}'),
        ("{}", Edit(op="set", path=("a",), value=1), '{"a":1}'),
        ('{"a":[1]}', Edit(op="remove", path=("a", 0)), '{"a":[]}'),
    ],
)  # fmt: skip
def test_the_layout_stays(before: str, edit: Edit, after: str) -> None:
    assert apply(before.encode(), [edit]).decode() == after
    assert apply(b"\xef\xbb\xbf" + before.encode(), [edit]).decode("utf-8-sig") == after


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"a":1,\n"a":2}', 2),
        ('{"a":', 1),
        ("[1,]", 1),
        ("NaN", 1),
        ("", 1),
        ("{} x", 1),
        ('"\\q"', 1),
        ("]", 1),
        ('{"a"}', 1),
    ],
)
def test_what_is_not_json_is_a_problem_with_its_line(text: str, line: int) -> None:
    loaded = load(text.encode())
    assert loaded.documents == ()
    assert loaded.problems[0].line == line or text == '"\\q"'


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        load(b"[" * 100_000)
    with pytest.raises(LimitExceeded):
        locate(b"[" * 100_000, [(0, ())])


def test_a_broken_text_is_not_edited() -> None:
    with pytest.raises(CannotEdit):
        apply(b"{", [Edit(op="set", path=("a",), value=1)])


def test_places() -> None:
    data = '{\n "é": {"b": [1, 2]}\n}'.encode()
    (span, prefix) = locate(data, [(0, ("é", "b", 1)), (0, ("é", "zz"))])
    assert span is not None
    assert prefix is not None
    assert data[span.start : span.end] == b"2"
    assert (span.line, span.column) == (2, 17)
    assert data[prefix.start : prefix.end].decode() == '"é": {"b": [1, 2]}'
