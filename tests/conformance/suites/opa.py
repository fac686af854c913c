"""OPA's compliance cases from their texts: modules and a query, compiled by our planner and evaluated by our engine.

Results are compared as with the plans of OPA's own planner.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bulkhead.core.errors import BulkheadError
from bulkhead.engines.rego import plans
from bulkhead.engines.rego.compile.planner import plan
from bulkhead.engines.rego.parser.modules import module, query
from bulkhead.engines.rego.program import Program, compile_plan
from tests.conformance.model import Result
from tests.conformance.suites.opa_plan_ir import BUILTINS, cases, evaluated, judged

ARITIES = {name: builtin.arity for name, builtin in BUILTINS.items()}
NOT_COMPILED = frozenset({"rego_parse_error", "rego_compile_error", "rego_type_error", "rego_unsafe_var_error", "rego_recursion_error"})  # fmt: skip
NAME = "eval"


def compiled(case: dict[str, Any]) -> Program:
    modules = [module(text, f"module-{number}.rego") for number, text in enumerate(case.get("modules") or ())]
    made = plan(modules, {NAME: (query(case["query"]), case["query"])}, ARITIES)
    return compile_plan(plans.read(made), builtins=BUILTINS)


def run(folder: Path) -> Result:
    result = Result("opa")
    for case in cases(folder):
        result.total += 1
        name = f"{case['category']}: {case['note']}"
        try:
            program = compiled(case)
        except BulkheadError as error:
            if case.get("want_error_code") in NOT_COMPILED:
                result.passed += 1
            else:
                result.refused.append(f"{name}: {error}")
            continue
        asked = {**case, "entrypoints": [NAME], "want_plan_result": case.get("want_result")}
        difference = judged(asked, lambda *given, program=program: evaluated(program, *given))
        if difference:
            result.failed.append(f"{name}: {difference}")
        else:
            result.passed += 1
    return result
