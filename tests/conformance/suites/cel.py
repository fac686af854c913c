"""The CEL specification's own tests (``cel-spec``: ``tests/simple/testdata/*.textproto``).

Cases that need protocol buffer messages, enums of them or a type checker's verdict are refused: we have neither.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.cel.program import compile as compile_expression
from bulkhead.engines.cel.runtime import CelError
from bulkhead.engines.cel.values import BoolKeyed, CelType, Optional, UInt
from tests.conformance.model import Result
from tests.conformance.suites.textproto import Message, parse


class Unsupported(Exception):
    """The case cannot be put into our values."""


def run(folder: Path) -> Result:
    """All cases of all textproto files below a folder."""
    result = Result("cel")
    for path in sorted(folder.rglob("*.textproto")):
        suite = parse(path.read_text(encoding="utf-8"))
        for section in suite.get("section", []):
            for case in section.get("test", []):
                name = f"{path.stem}/{_text(section)}/{_text(case)}"
                result.total += 1
                try:
                    wrong = judge(case)
                except Unsupported as reason:
                    result.refused.append(f"{name}: {reason}")
                    continue
                if wrong:
                    result.failed.append(f"{name}: {_text(case, 'expr')}: {wrong}")
                else:
                    result.passed += 1
    return result


def _text(message: Message, field: str = "name") -> str:
    value = message.get(field, [b""])[0]
    return value.decode() if isinstance(value, bytes) else str(value)


def judge(case: Message) -> str:
    """What is wrong with our answer; empty when nothing is."""
    if "check_only" in case:
        raise Unsupported("asks for a checked type")
    expression = _text(case, "expr")
    bindings = {_text(entry, "key"): _bound(entry["value"][0]) for entry in case.get("bindings", [])}
    declared = {_text(entry) for entry in case.get("type_env", [])}
    container = _text(case, "container")
    for name in [*bindings]:
        if container and name.startswith(f"{container}."):
            bindings[name.removeprefix(f"{container}.")] = bindings[name]
    wants_error = "eval_error" in case or "any_eval_errors" in case
    try:
        program = compile_expression(expression, variables=frozenset(declared | set(bindings)))
        value = program.evaluate(dict.fromkeys(declared) | bindings)
    except ExpressionError as error:
        if any(word in error.message for word in ("message type", "unknown variable", "unknown function")):
            if not wants_error or "message type" in error.message:
                raise Unsupported(str(error)) from None
        if "cel.iterVar" in expression:
            raise Unsupported("names that only an optimiser writes") from None
        return "" if wants_error else str(error)
    except CelError as error:
        return "" if wants_error else f"{type(error).__name__}: {error}"
    if wants_error:
        return f"gave {value!r} instead of an error"
    wanted: Any = True
    if "value" in case:
        wanted = _value(case["value"][0])
    elif "typed_result" in case:
        typed = case["typed_result"][0]
        if "result" not in typed:
            raise Unsupported("asks for a checked type")
        wanted = _value(typed["result"][0])
    elif "unknown" in case or "any_unknowns" in case:
        raise Unsupported("asks for a set of unknowns")
    return "" if _same(value, wanted) else f"gave {value!r} instead of {wanted!r}"


def _bound(message: Message) -> Any:
    if "value" not in message:
        raise Unsupported("a binding is no value")
    return _value(message["value"][0])


def _value(message: Message) -> Any:
    (field, values), *_ = message.items()
    raw = values[0]
    match field:
        case "bool_value":
            return raw == "true"
        case "int64_value":
            return int(raw, 0)
        case "uint64_value":
            return UInt(int(raw, 0))
        case "double_value":
            return float(raw)
        case "string_value":
            return raw.decode()
        case "bytes_value":
            return bytes(raw)
        case "null_value":
            return None
        case "type_value":
            return CelType(raw.decode())
        case "list_value":
            return [_value(value) for value in raw.get("values", [])]
        case "map_value":
            out: dict[Any, Any] = BoolKeyed()
            for entry in raw.get("entries", []):
                out[_value(entry["key"][0])] = _value(entry["value"][0])
            return out
    raise Unsupported(f"{field} is a message")


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(value, Optional):
        return False
    if isinstance(wanted, float):
        return isinstance(value, float) and (value == wanted or (math.isnan(value) and math.isnan(wanted)))
    if isinstance(wanted, list):
        return isinstance(value, list) and len(value) == len(wanted) and all(map(_same, value, wanted))
    if isinstance(wanted, dict):
        if not isinstance(value, dict) or len(value) != len(wanted):
            return False
        return all(key in value and _same(value[key], held) for key, held in wanted.items())
    return type(value) is type(wanted) and bool(value == wanted)
