"""JSON and YAML as texts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from bulkhead.engines.rego.builtins.operands import bounded, object_, raw, text
from bulkhead.engines.rego.builtins.shown import shown
from bulkhead.engines.rego.errors import BudgetError, BuiltinError, OperandError
from bulkhead.engines.rego.values import items, number
from bulkhead.engines.rego.wire import plain

_DECODER = msgspec.json.Decoder(float_hook=number)
_ENCODER = msgspec.json.Encoder(order="sorted", decimal_format="number")
_HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def to_json(value: Any) -> str:
    """JSON as Go writes it: keys in order, and nothing that HTML would read."""
    found = plain(value)
    try:
        made = _ENCODER.encode(found)
    except UnicodeEncodeError:
        from bulkhead.engines.rego.wire import readable

        made = _ENCODER.encode(readable(found))
    except RecursionError:
        raise BudgetError("a value is nested too deep") from None
    return bounded(made.decode().translate(_HTML))


def from_json(value: str) -> Any:
    """The value of a JSON text.

    Raises:
        BuiltinError: it is none.
        BudgetError: it is nested too deep.
    """
    try:
        return _DECODER.decode(raw(value).decode("utf-8", "replace"))
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BuiltinError(str(error)) from None
    except RecursionError:
        raise BudgetError("JSON is nested too deep") from None


def json_marshal(a: Any) -> str:
    return to_json(a)


def json_marshal_with_options(a: Any, options: Any) -> str:
    indent, prefix = "\t", ""
    pretty: bool | None = None
    implied = False
    for key, value in items(object_(options, 2)):
        if key in {"prefix", "indent"}:
            if type(value) is not str:
                raise OperandError(f"operand 2 key {key} failed cast to string: operand 0 must be string")
            indent, prefix = (value, prefix) if key == "indent" else (indent, value)
            implied = True
        elif key == "pretty":
            if type(value) is not bool:
                raise OperandError("operand 2 key pretty failed cast to bool")
            pretty = value
        else:
            raise OperandError(f"operand 2 object contained unknown key {shown(key)}")
    if not (implied if pretty is None else pretty):
        return to_json(a)
    return bounded(prefix + _indented(plain(a), prefix, indent, 0))


def _indented(value: Any, prefix: str, indent: str, depth: int) -> str:
    if not isinstance(value, (dict, list)) or not value:
        return to_json(value)
    line = f"\n{prefix}{indent * (depth + 1)}"
    if isinstance(value, dict):
        parts = [f"{to_json(key)}: {_indented(value[key], prefix, indent, depth + 1)}" for key in sorted(value)]
    else:
        parts = [_indented(item, prefix, indent, depth + 1) for item in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}{line}{f',{line}'.join(parts)}\n{prefix}{indent * depth}{closing}"


def json_unmarshal(a: Any) -> Any:
    return from_json(text(a, 1))


def json_is_valid(a: Any) -> bool:
    if type(a) is not str:
        return False
    try:
        from_json(a)
    except BuiltinError:
        return False
    return True


# YAML


def yaml_marshal(a: Any) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes what JSON has; no anchors."""

        def ignore_aliases(self, _data: Any) -> bool:
            return True

    Dumper.add_representer(
        Decimal, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:float", str(value))
    )
    made: str = yaml.dump(plain(a), Dumper=Dumper, default_flow_style=False, allow_unicode=True, width=2**31 - 1)
    return bounded(made.removesuffix("...\n"))


def yaml_unmarshal(a: Any) -> Any:
    from bulkhead.engines.rego.builtins.yamls import load

    return load(text(a, 1))


def yaml_is_valid(a: Any) -> bool:
    if type(a) is not str:
        return False
    try:
        yaml_unmarshal(a)
    except BuiltinError:
        return False
    return True
