"""Generated Rego agrees with a plain interpreter of the plan on random plans; values keep their order; hostile plans are
refused or end in an error of ours."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.core.errors import BulkheadError, ParseError
from bulkhead.engines.rego import ir, plans
from bulkhead.engines.rego.errors import RegoError
from bulkhead.engines.rego.program import Budget, compile_plan
from bulkhead.engines.rego.values import Set, compare, form, make_object, number, ordered, same
from bulkhead.engines.rego.wire import decode, encode
from tests.property import rego_interpreter, rego_plans

BUDGET = Budget(steps=2_000_000)


def _answer(evaluate: Callable[[], tuple[Any, ...]]) -> Any:
    try:
        return {form(result) for result in evaluate()}
    except RegoError as error:
        return error.code


def _differs(seed: int) -> str:
    policy = rego_plans.made(seed)
    program = compile_plan(policy)
    watched = compile_plan(policy, instrumented=True)
    worlds = ((rego_plans.INPUT, rego_plans.DATA), ({"xs": [1, "a"], "a": {"a": "b"}}, {"o": {"b": {"a": 1}}}))
    for given_, data in worlds:
        theirs = _answer(lambda: rego_interpreter.evaluate(policy, "p", given_, data))  # noqa: B023
        for made in (program, watched):
            ours = _answer(lambda: made.evaluate("p", given_, data, budget=BUDGET))  # noqa: B023
            if ours != theirs:
                return f"plan {seed}: generated {ours}, interpreted {theirs}"
    return ""


def test_generated_code_agrees_with_the_interpreter() -> None:
    assert [found for found in map(_differs, range(600)) if found] == []


@pytest.mark.soak
def test_generated_code_agrees_with_the_interpreter_on_a_hundred_thousand_plans() -> None:
    assert [found for found in map(_differs, range(1_000, 101_000)) if found] == []


# Values

_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-3, max_value=3),
    st.integers(),
    st.sampled_from([0.5, 1.0, -0.1, 2.5]),
    st.sampled_from(["1e30", "0.12345678901234567890123", "1e-40"]).map(number),
    st.text(max_size=3),
)


def _composite(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(Set),
        st.lists(st.tuples(inner, inner), max_size=3).map(make_object),
    )


VALUES = st.recursive(_scalars, _composite, max_leaves=8)


@given(VALUES, VALUES, VALUES)
@settings(max_examples=300, deadline=None)
def test_the_order_is_total(a: Any, b: Any, c: Any) -> None:
    assert compare(a, b) == -compare(b, a)
    assert (compare(a, b) == 0) is same(a, b) is (form(a) == form(b))
    assert compare(a, a) == 0
    if compare(a, b) <= 0 and compare(b, c) <= 0:
        assert compare(a, c) <= 0


@given(st.lists(VALUES, max_size=5))
@settings(max_examples=200, deadline=None)
def test_a_set_holds_each_value_once(values: list[Any]) -> None:
    found = Set(values)
    assert all(value in found for value in values)
    assert len(found) == len({form(value) for value in values})
    assert [form(value) for value in found] == [form(value) for value in ordered(found.forms.values())]
    assert found == Set(reversed(values))


@given(VALUES)
@settings(max_examples=200, deadline=None)
def test_json_out_and_in_again_is_stable(value: Any) -> None:
    once = decode(encode(value))
    assert same(once, decode(encode(once)))


def test_numbers_are_kept() -> None:
    for text in ("1", "-7", "123456789012345678901234567890", "0.1", "0.12345678901234567890123", "1e400", "-2.5e-7"):
        assert Decimal(str(number(text))) == Decimal(text)
    assert same(number("1.0"), 1)
    assert same(number("1e2"), 100)
    assert not same(number("0.1"), number("0.10000000000000000000001"))
    assert not same(True, 1)
    assert not same([False], [0])


# Hostile plans


@given(st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)), lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["static", "plans", "funcs", "name", "blocks", "stmts", "type", "stmt", "target", "source", "index", "block"]), inner, max_size=4)), max_leaves=15))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_what_is_no_plan_is_refused(raw: Any) -> None:
    try:
        program = compile_plan(plans.read(raw))
    except BulkheadError:
        return
    assert program.entrypoints is not None


@given(st.integers(min_value=0, max_value=400), st.data())
@settings(max_examples=200, deadline=None)
def test_a_plan_with_something_changed_is_refused_or_ends(seed: int, data: st.DataObject) -> None:
    raw = plans.written(rego_plans.made(seed))
    places = list(_places(raw))
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = data.draw(st.one_of(st.integers(-1, 12), st.text(max_size=3), st.none(), st.just([]), st.just({})))
    try:
        policy = plans.read(raw)
        program = compile_plan(policy)
    except BulkheadError:
        return
    for name in program.entrypoints:
        _answer(lambda: program.evaluate(name, {}, {}, budget=Budget(steps=20_000)))  # noqa: B023


def _places(raw: Any) -> Any:
    if isinstance(raw, dict):
        for key, value in raw.items():
            yield raw, key
            yield from _places(value)
    elif isinstance(raw, list):
        for number_, value in enumerate(raw):
            yield raw, number_
            yield from _places(value)


def test_what_is_written_is_read_again() -> None:
    for seed in range(50):
        policy = rego_plans.made(seed)
        assert plans.decode(plans.encode(policy)) == policy
    with pytest.raises(ParseError):
        plans.decode(b"{")
    assert ir.Local(1) == ir.Local(1)
