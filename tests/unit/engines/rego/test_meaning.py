"""What compiled policies mean where OPA's own cases are silent."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.rego import plans
from bulkhead.engines.rego.builtins import TABLE
from bulkhead.engines.rego.compile.planner import plan
from bulkhead.engines.rego.parser.modules import module, query
from bulkhead.engines.rego.program import compile_plan

ARITIES = {name: builtin.arity for name, builtin in TABLE.items()}


def holds(body: str, *, given: Any = None) -> bool:
    text = f"package p\nf(_) if false\nf(1) := true\nobj := {{}}\nq if {{ {body} }}"
    made = plan([module(text, "p.rego")], {"q": (query("data.p.q"), "data.p.q")}, ARITIES)
    return bool(compile_plan(plans.read(made)).evaluate("q", given or {}))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # What is inside of a call or a key is taken out of the negation: undefined, it fails the body.
        ("not f(input.x)", False),
        ("not f(f(input.x))", False),
        ("not obj[input.x]", False),
        ("not input.x > 1", False),
        ("not input.x != 1", False),
        ("not [input.x] == [1]", False),
        # What is denied itself, and the sides of an equality, stay.
        ("not input.x", True),
        ("not input.x.y", True),
        ("not input.x == 1", True),
        ("not f(2)", True),
        ("not f(1)", False),
        ("not obj.a", True),
        ("not count([y | y := input.x[_]]) > 0", True),
    ],
)
def test_a_negation_denies_what_opa_s_does(body: str, expected: bool) -> None:
    assert holds(body) is expected


def test_a_head_with_empty_parentheses_is_a_value() -> None:
    text = "package p\nv() := 3\nq := [v, v()]"
    made = plan([module(text, "p.rego")], {"q": (query("x = data.p.q"), "x = data.p.q")}, ARITIES)
    assert compile_plan(plans.read(made)).evaluate("q") == ({"x": [3, 3]},)


def test_a_call_of_what_there_is_not_is_told() -> None:
    with pytest.raises(ExpressionError, match="undefined function"):
        plan([module("package p\nq := w()", "p.rego")], {}, ARITIES)


def test_parts_of_a_document_that_several_rules_make_are_kept_together() -> None:
    text = 'package p\nd[k].a := 1 if k := "x"\nd[k].b contains v if { k := "x"; some v in [1, 2] }\nd.y.c := 3'
    made = plan([module(text, "p.rego")], {"q": (query("x = data.p.d"), "x = data.p.d")}, ARITIES)
    [found] = compile_plan(plans.read(made)).evaluate("q")
    assert found["x"]["x"]["a"] == 1
    assert list(found["x"]["x"]["b"]) == [1, 2]
    assert found["x"]["y"] == {"c": 3}
