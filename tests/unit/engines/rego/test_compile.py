"""Modules to plans: OPA's own cases all have one, and what cannot be evaluated is refused with OPA's word for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.rego.compile.planner import plan
from bulkhead.engines.rego.parser.modules import module, query
from tests.corpora import folder

ARITIES = {
    "count": 1,
    "plus": 2,
    "equal": 2,
    "walk": 1,
    "internal.member_2": 2,
    "internal.template_string": 1,
    "time.now_ns": 0,
}


def planned(*texts: str, asked: str = "data.p.q = x") -> dict[str, Any]:
    modules = [module("package p\n" + text, f"m{number}") for number, text in enumerate(texts)]
    return plan(modules, {"eval": (query(asked), asked)}, ARITIES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q if { 1 > 1 }", "undefined function gt"),
        ("q if { x == 1 }", "rego_unsafe_var_error: var x is unsafe"),
        ("q if { xs := [1]; not xs[_] == 1 }", "var _ is unsafe"),
        ("q contains x if { true }", "var x is unsafe"),
        ("q := [x | true]", "var x is unsafe"),
        ("q if { x := 1; x := 2 }", "var x assigned above"),
        ("q if { x = 1; some x }", "var x referenced above"),
        ("q if { input := 1 }", "variables must not shadow input"),
        ("q := f(1)", "undefined function f"),
        ("f(x) := x\nq := f(1, 2, 3)", "arity mismatch"),
        ("q := r\nr := q", "rego_recursion_error"),
        ("q := data.p", "rego_recursion_error"),
        ("f(x) := f(x)\nq := f(1)", "rego_recursion_error"),
        ("q := 1\nq contains 2", "conflicting rules"),
        ("q := 1\nq.r := 2", "conflicts with"),
        ("default q := 1\ndefault q := 2", "multiple default rules"),
        ("f(x) := 1\nf(x, y) := 2\nq := f(1)", "conflicting rules"),
        ("q := 1\nr := nowhere(1)", "undefined function nowhere"),
        ("q := x if { some x in xs }", "var xs is unsafe"),
        ("q if { every x in y { x } }", "var y is unsafe"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        planned(text)


def test_a_plan_has_each_function_and_each_text_once() -> None:
    made = planned('q := [r, r, s]\nr := "a"\ns := concat if { concat := "a" }')
    names = [item["name"] for item in made["funcs"]["funcs"]]
    assert len(names) == len(set(names)) == 3
    texts = [item["value"] for item in made["static"]["strings"]]
    assert len(texts) == len(set(texts))


def test_what_is_not_asked_for_is_not_in_the_plan() -> None:
    made = planned("q := 1\nr := count([])")
    assert len(made["funcs"]["funcs"]) == 1


def test_opa_s_own_cases_have_plans() -> None:
    capabilities = json.loads((folder("policy", "opa-capabilities") / "v1.19.0.json").read_text())
    arities = {item["name"]: len(item["decl"].get("args") or ()) for item in capabilities["builtins"]} | {
        "test.sleep": 1
    }
    count = 0
    for line in (folder("policy", "opa-compliance") / "cases.jsonl").read_text().splitlines():
        case = json.loads(line)
        modules = [module(text, f"m{number}") for number, text in enumerate(case.get("modules") or ())]
        plan(modules, {"eval": (query(case["query"]), case["query"])}, arities)
        count += 1
    assert count > 2_000
