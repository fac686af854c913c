"""Rego asked: modules and a query, with input and data."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from bulkhead.app.policies.model import Module
from bulkhead.core.errors import ExpressionError
from bulkhead.engines.rego import plans, syntax
from bulkhead.engines.rego.builtins import TABLE, Context
from bulkhead.engines.rego.compile.planner import plan
from bulkhead.engines.rego.compile.walk import variables
from bulkhead.engines.rego.parser.modules import module, query
from bulkhead.engines.rego.program import Budget, Profile, Program, compile_plan
from bulkhead.engines.rego.values import U
from bulkhead.engines.rego.wire import plain

_ARITIES: Final = {name: builtin.arity for name, builtin in TABLE.items()}
_ENTRY: Final = "query"
_VALUE: Final = "bulkhead_value"
SECONDS: Final = 30.0


class Answered(msgspec.Struct, frozen=True):
    """What a query gave.

    Attributes:
        results: for each way in which it holds, the values of its variables; of a lone term its value, under ``value``.
        lone: the query is a term without variables.
        version: that the modules were read as.
        notes: what was traced.
    """

    results: tuple[dict[str, Any], ...]
    lone: bool
    version: int
    notes: tuple[str, ...] = ()
    profile: Profile | None = None


def parsed(modules: Sequence[Module], version: int | None) -> tuple[list[syntax.Module], int]:
    """The modules' trees, and the version that they were read as.

    Args:
        modules: of one policy.
        version: of the language; None for 1, and 0 where one of them is none of 1 and all are of 0.

    Raises:
        ExpressionError: one of them is none.
    """
    if version is not None:
        return _read(modules, version), version
    try:
        return _read(modules, 1), 1
    except ExpressionError as error:
        try:
            return _read(modules, 0), 0
        except ExpressionError:
            raise error from None


def _read(modules: Sequence[Module], version: int) -> list[syntax.Module]:
    return [module(item.text, item.file, version=version) for item in modules]


def compiled(modules: Sequence[syntax.Module], queries: Mapping[str, str], *, instrumented: bool = False) -> Program:
    """The program with an entry for each query.

    Raises:
        ExpressionError: it does not compile.
    """
    made = plan(modules, {name: (query(text), text) for name, text in queries.items()}, _ARITIES)
    return compile_plan(plans.read(made), instrumented=instrumented)


def ask(
    modules: Sequence[Module], text: str, *, given: Any = U, data: Any = None, version: int | None = None,
    profile: bool = False, strict: bool = False,
) -> Answered:  # fmt: skip
    """The answer to a query.

    Args:
        modules: the policy.
        text: the query.
        given: ``input``; ``U`` for none.
        data: ``data``, beside the policy.
        version: of the modules, as ``parsed`` has it.
        profile: count and time every statement.
        strict: an error of a built-in ends it, rather than being undefined.

    Raises:
        ExpressionError: it does not compile.
        RegoError: there is no answer.
    """
    body = query(text)
    lone = _is_lone(body)
    trees, taken = parsed(modules, version)
    try:
        program = compiled(trees, {_ENTRY: f"{_VALUE} = {text}" if lone else text}, instrumented=profile)
    except ExpressionError:
        if not lone:
            raise
        lone = False
        program = compiled(trees, {_ENTRY: text}, instrumented=profile)
    budget = Budget(deadline=time.monotonic() + SECONDS, clock=time.monotonic)
    context = Context(now=time.time_ns(), prints=True)
    answer = program.answer(_ENTRY, given, data, context=context, budget=budget, strict=strict)
    found = tuple({name: plain(value) for name, value in result.items()} for result in answer.results)
    if lone:
        found = tuple({"value": result[_VALUE], **{n: v for n, v in result.items() if n != _VALUE}} for result in found)
    return Answered(found, lone, taken, answer.notes, answer.profile)


def _is_lone(body: syntax.Body) -> bool:
    """Whether a query is one term whose value is asked for, rather than those of its variables."""
    if len(body) != 1 or not isinstance(body[0], syntax.Expression) or body[0].negated or body[0].modifiers:
        return False
    term = body[0].term
    return isinstance(term, syntax.Ref) or not any(True for _ in variables(term, closures=False))
