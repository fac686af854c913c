"""Tests that policies bring along: rules ``test_…`` that have to be true, as ``opa test`` runs them."""

from __future__ import annotations

import time
from pathlib import Path

from bulkhead.core.errors import BulkheadError
from bulkhead.engines.rego import plans
from bulkhead.engines.rego.compile.planner import plan
from bulkhead.engines.rego.errors import RegoError
from bulkhead.engines.rego.parser.modules import module, query
from bulkhead.engines.rego.program import Budget, compile_plan
from bulkhead.engines.rego.syntax import Body, Module
from tests.conformance.model import Result
from tests.conformance.suites.opa import ARITIES
from tests.conformance.suites.opa_plan_ir import BUILTINS, context

MAX_SECONDS = 20.0


def run(folder: Path, *, version: int = 0) -> Result:
    """Each folder with a file ``…_test.rego`` is a policy with its libraries."""
    result = Result("rego-units")
    for place in sorted({path.parent for path in folder.rglob("*_test.rego")}):
        _policy(place, str(place.relative_to(folder)), version, result)
    return result


def _policy(place: Path, shown: str, version: int, result: Result) -> None:
    try:
        modules = [module(path.read_text(), path.name, version=version) for path in sorted(place.glob("*.rego"))]
        asked = _tests(modules)
        program = compile_plan(plans.read(plan(modules, asked, ARITIES)), builtins=BUILTINS)
    except BulkheadError as error:
        result.total += 1
        result.refused.append(f"{shown}: {error}")
        return
    for name in asked:
        result.total += 1
        budget = Budget(deadline=time.monotonic() + MAX_SECONDS, clock=time.monotonic)
        try:
            held = program.evaluate(name, context=context(), budget=budget) == ({"x": True},)
        except RegoError as error:
            result.failed.append(f"{shown} {name}: {error}")
            continue
        if held:
            result.passed += 1
        else:
            result.failed.append(f"{shown} {name}: not true")


def _tests(modules: list[Module]) -> dict[str, tuple[Body, str]]:
    found = {}
    for item in modules:
        for rule in item.rules:
            if rule.name.startswith("test_"):
                text = f"x = data.{'.'.join(item.package)}.{rule.name}"
                found[rule.name] = (query(text), text)
    return found
