"""Terraform: values, references, places and edits."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.core.errors import CannotEdit, LimitExceeded
from bulkhead.core.plan import Edit
from bulkhead.core.resource import UNKNOWN
from bulkhead.formats.hcl import apply, load, locate
from bulkhead.formats.hcl.scope import Scope
from bulkhead.formats.model import Bounds

TEXT = b"""# top
variable "tag" {
  default = "v1"
}

resource "aws_x" "y" {
  name     = "a-${var.tag}" # said
  key      = aws_kms_key.main.arn
  mixed    = "x-${aws_kms_key.main.arn}"
  number   = -5
  list     = [1, "two", true, null]
  encoded  = jsonencode({ x = [1], "y" : var.tag })
  computed = cidrsubnet("10.0.0.0/8", 8, 1)

  text = <<-EOT
    one
      two
  EOT

  rule {
    port = 1
  }
  rule {
    port = 2 # second
  }

  dynamic "setting" {
    for_each = var.other
    content {
      a = 1
    }
  }
}
"""


def body(data: bytes, number: int = 0) -> Any:
    loaded = load(data)
    assert not loaded.problems
    return loaded.documents[number].body


def test_values() -> None:
    assert body(TEXT, 1) == {
        "name": "a-v1",
        "key": UNKNOWN,
        "mixed": UNKNOWN,
        "number": -5,
        "list": [1, "two", True, None],
        "encoded": {"x": [1], "y": "v1"},
        "computed": UNKNOWN,
        "text": "one\n  two\n",
        "rule": [{"port": 1}, {"port": 2}],
        "setting": UNKNOWN,
        "dynamic": [{"setting": {"for_each": UNKNOWN, "content": [{"a": 1}]}}],
    }


def test_references_are_kept_beside() -> None:
    references = load(TEXT).documents[1].references
    assert references[("key",)] == "aws_kms_key.main.arn"
    assert references[("mixed",)] == "aws_kms_key.main.arn"
    assert load(TEXT, scope=Scope()).documents[1].references[("name",)] == "var.tag"


def edited(*edits: Edit, text: bytes = TEXT) -> str:
    return apply(text, edits).decode()


def test_attributes_and_blocks() -> None:
    before = TEXT.decode()
    one = Edit(op="set", document=1, path=("number",), value=7)
    assert edited(one) == before.replace("= -5", "= 7")
    two = Edit(op="set", document=1, path=("rule", 1, "port"), value="${x}")
    assert edited(two) == before.replace("port = 2", 'port = "$${x}"')
    three = Edit(op="set", document=1, path=("rule", 0, "host"), value=True)
    assert edited(three) == before.replace("port = 1\n", "port = 1\n    host = true\n")
    four = Edit(op="remove", document=1, path=("rule", 0))
    assert edited(four) == before.replace("  rule {\n    port = 1\n  }\n", "")
    five = Edit(op="set", document=1, path=("logging", 0, "enabled"), value=True)
    assert edited(five) == before.replace("    }\n  }\n}\n", "    }\n  }\n  logging {\n    enabled = true\n  }\n}\n")
    six = Edit(op="append", document=1, path=("list",), value="new")
    assert edited(six) == before.replace("null]", 'null, "new"]')
    seven = Edit(op="set", document=1, path=("encoded", "x"), value=[])
    assert edited(seven) == before.replace("x = [1]", "x = []")
    for edit in (one, two, three, five, six, seven):
        assert apply(apply(TEXT, [edit]), [edit]) == apply(TEXT, [edit])


def test_all_blocks_of_a_type_go() -> None:
    text = edited(*(Edit(op="remove", document=1, path=("rule", n)) for n in (0, 1)))
    assert "rule" not in body(text.encode(), 1)


def test_an_empty_block_is_filled() -> None:
    edit = Edit(op="set", path=("a",), value={"k": [1]})
    assert edited(edit, text=b'x "y" {}\n') == 'x "y" {\n  a = {\n    k = [1]\n  }\n}\n'


def test_what_is_computed_is_not_changed_below() -> None:
    with pytest.raises(CannotEdit):
        edited(Edit(op="set", document=1, path=("computed", "x"), value=1))
    with pytest.raises(CannotEdit):
        edited(Edit(op="set", path=("a",), value=1), text=b'x "y" {')


def test_a_broken_text_is_a_problem_with_its_line() -> None:
    loaded = load(b'a "b" {\n  c = 1\n  d = = 2\n}\n')
    assert loaded.problems[0].line == 3


def test_bounds() -> None:
    with pytest.raises(LimitExceeded):
        load(b"a = " + b"[" * 2000 + b"]" * 2000, bounds=Bounds(depth=50))
    with pytest.raises(LimitExceeded):
        load(TEXT, bounds=Bounds(size=10))


def test_places() -> None:
    data = 'a "b" {\n  é = 1\n  ç = { x = "ü", y = 2 }\n}\n'.encode()
    (span, block) = locate(data, [(0, ("ç", "y")), (0, ())])
    assert span is not None
    assert block is not None
    assert data[span.start : span.end] == b"y = 2"
    assert (span.line, span.column) == (3, 18)
    assert block.line == 1
