"""OPA's compliance cases as OPA's planner made them: plan, input and data in, results or an error out.

Results are compared as OPA's own runners do: as a set, sets as sorted arrays, and with ``sort_bindings`` the arrays of
the bindings sorted as well.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bulkhead.core.errors import BulkheadError
from bulkhead.engines.rego import plans
from bulkhead.engines.rego.builtins import TABLE, Builtin, Context, graphs
from bulkhead.engines.rego.compile.planner import plan
from bulkhead.engines.rego.errors import BuiltinError, RegoError
from bulkhead.engines.rego.parser.modules import module, query
from bulkhead.engines.rego.program import Budget, Program, compile_plan
from bulkhead.engines.rego.values import Set, U, get, ordered
from bulkhead.engines.rego.wire import decode, plain
from tests.conformance.model import Result


def _paths_of_1_14(graph: Any, initial: Any) -> Set:
    """``graph.reachable_paths`` as OPA had it until 1.14, the version of the cases: nodes that one branch has seen end
    another one, so that paths are lost. Ours finds them all, as OPA does since.
    """
    graphs.paths(graph, initial)
    found = Set()
    for root in initial:
        edges = _edges(graph, root)
        for neighbour in edges or ():
            _walk(graph, neighbour, [root], found, {root})
        if edges is not None and not len(edges):
            found.add([root])
    return found


def _edges(graph: Any, node: Any) -> Any:
    found = get(graph, node)
    return None if found is U else (found if isinstance(found, (list, Set)) else ())


def _walk(graph: Any, node: Any, path: list[Any], found: Set, reached: set[Any]) -> None:
    edges = _edges(graph, node)
    if edges is None:
        found.add(path)
        return
    path = [*path, node]
    if not len(edges):
        found.add(path)
    for neighbour in edges:
        if neighbour in reached:
            found.add(path)
        else:
            reached.add(node)
            _walk(graph, neighbour, path, found, reached)


# ``test.sleep`` is of OPA's own test programs: it waits; here it only reads the duration.
BUILTINS = {
    **TABLE,
    "test.sleep": Builtin("test.sleep", 1, "times.parse_duration"),
    "graph.reachable_paths": Builtin("graph.reachable_paths", 2, function=_paths_of_1_14),
}
MAX_SECONDS = 20.0
OUR_LEAVE = "we allow, they deny: "
"""Marks a case that OPA ends with an error and that we answer."""


def context() -> Context:
    return Context(
        now=time.time_ns(),
        random=random.Random(1).randrange,
        addresses=lambda name: ["127.0.0.1"] if name == "localhost" else [],
        runtime={},
        parse_module=_tree,
    )


def _tree(name: str, text: str) -> Any:
    """As much of a module's tree as the cases look at."""
    try:
        found = module(text, name)
    except BulkheadError as error:
        raise BuiltinError(error.message) from None
    path = [{"type": "var", "value": "data"}, *({"type": "string", "value": part} for part in found.package)]
    return {"package": {"path": path}}


def cases(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            yield decode(line)


def compiled(case: dict[str, Any]) -> Program:
    return compile_plan(plans.read(case["plan"]), builtins=BUILTINS)


def run(folder: Path) -> Result:
    result = Result("opa-plan-ir")
    for case in cases(folder):
        result.total += 1
        name = f"{case['category']}: {case['note']}"
        try:
            program = compiled(case)
        except BulkheadError as error:
            result.refused.append(f"{name}: {error}")
            continue
        difference = judged(case, lambda *given, program=program: evaluated(program, *given))
        if difference:
            result.failed.append(f"{name}: {difference}")
        else:
            result.passed += 1
    return result


def evaluated(program: Program, name: str, given: Any, data: Any, strict: bool) -> tuple[Any, ...]:
    budget = Budget(deadline=time.monotonic() + MAX_SECONDS, clock=time.monotonic)
    return program.evaluate(name, given, data, context=context(), budget=budget, strict=strict)


def judged(case: dict[str, Any], evaluate: Callable[[str, Any, Any, bool], tuple[Any, ...]]) -> str:
    """What differs from OPA's answer; empty for nothing."""
    [entrypoint] = case["entrypoints"]
    wanted = case.get("want_error_code") or case.get("want_error")
    try:
        found = evaluate(entrypoint, _input(case), case.get("data") or {}, bool(case.get("strict_error")))
    except RegoError as error:
        return "" if wanted and _as_wanted(case, error) else f"raises {error}"
    if wanted:
        return f"{OUR_LEAVE}{_shown(found)}, wanted {wanted}"
    sort = bool(case.get("sort_bindings"))
    ours = sorted(_shown(_bindings(item, sort=sort)) for item in found)
    theirs = sorted(_shown(_bindings(item, sort=sort)) for item in case["want_plan_result"])
    return "" if ours == theirs else f"{ours}, wanted {theirs}"[:600]


def _as_wanted(case: dict[str, Any], error: RegoError) -> bool:
    code, message = case.get("want_error_code"), case.get("want_error", "")
    if message.startswith("rego_parse_error"):
        # What is wrong with a text is said in the words of our own parser.
        message = "rego_parse_error"
    shown = f"{error.code}: {error.message}"
    return (not code or code == error.code) and message.rpartition("rego:")[2].lstrip("0123456789: ") in shown


def _input(case: dict[str, Any]) -> Any:
    if "input_term" not in case:
        return case.get("input", U)
    try:
        return decode(case["input_term"].encode())
    except BulkheadError:
        # A term of Rego that is no JSON: our own compiler makes the value.
        text = f"x = {case['input_term']}"
        program = compile_plan(plans.read(plan([], {"term": (query(text), text)}, {"set": 0})))
        [answer] = program.evaluate("term")
        return answer["x"]


def _bindings(value: Any, *, sort: bool) -> Any:
    found = plain(value)
    if not sort:
        return found
    return {key: ordered(item) if isinstance(item, list) else item for key, item in found.items()}


def _shown(value: Any) -> str:
    """The same text for equal values."""
    return json.dumps(_normal(plain(value)), sort_keys=True)


def _normal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _normal(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_normal(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, (str, bool, int, float, type(None))) else str(value)
