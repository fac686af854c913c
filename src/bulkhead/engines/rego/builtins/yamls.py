"""YAML as Kubernetes' library reads it: the first document, as JSON; aliases count as often as they stand."""

from __future__ import annotations

from typing import Any

import yaml

from bulkhead.core.patterns import later
from bulkhead.engines.rego.builtins.operands import too_large
from bulkhead.engines.rego.errors import BudgetError, BuiltinError
from bulkhead.engines.rego.values import number

MAX_NODES = 200_000
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
_FALSE = frozenset({"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
_INTEGER = later(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)")
_FLOAT = later(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = later(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MERGE = "tag:yaml.org,2002:merge"


def load(text: str) -> Any:
    """The value of the first document.

    Raises:
        BuiltinError: it is no YAML, or has a value that JSON has not.
        BudgetError: it is larger than it looks.
    """
    loader: Any = None
    try:
        loader = _LOADER(text)
        node = loader.get_node() if loader.check_node() else None
        return None if node is None else _Reading().value(node)
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        where = f"line {mark.line}: " if mark is not None else ""
        raise BuiltinError(f"yaml: {where}{problem or ' '.join(str(error).split())[:300]}") from None
    except (UnicodeError, ValueError) as error:
        raise BuiltinError(f"yaml: {error}") from None
    except RecursionError:
        raise BudgetError("YAML is nested too deep") from None
    finally:
        if loader is not None:
            loader.dispose()


class _Reading:
    def __init__(self) -> None:
        self._left = MAX_NODES
        self._open: set[int] = set()

    def value(self, node: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise too_large()
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if id(node) in self._open:
            raise BuiltinError("yaml: an anchor contains itself")
        self._open.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            made: Any = [self.value(item) for item in node.value]
        else:
            made = self._mapping(node)
        self._open.discard(id(node))
        return made

    def _mapping(self, node: Any) -> dict[str, Any]:
        made: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if key.tag == _MERGE and not key.style:
                found = self.value(value)
                for item in reversed(found) if isinstance(found, list) else [found]:
                    if not isinstance(item, dict):
                        raise BuiltinError("yaml: map merge requires map or sequence of maps as the value")
                    merged.update(item)
                continue
            name = _key(self.value(key))
            if name in made:
                raise BuiltinError(f'yaml: key "{name[:100]}" already set in map')
            made[name] = self.value(value)
        return {**merged, **made}


def _key(value: Any) -> str:
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if value is None or isinstance(value, (dict, list)):
        raise BuiltinError("yaml: a key is no string, number or boolean")
    return str(value)


def _scalar(node: Any) -> Any:
    text: str = node.value
    # What is written as !!str stays a string; the parser finds numbers itself.
    if node.style or (node.tag == "tag:yaml.org,2002:str" and text.isdigit()):
        return text
    return _plain(text)


def _plain(text: str) -> Any:
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if _INTEGER.fullmatch(text):
        return _integer(text.replace("_", ""))
    if _FLOAT.fullmatch(text):
        found = text.removeprefix("+")
        return number(f"0{found}" if found.startswith(".") else found.replace("-.", "-0."))
    if _SPECIAL.fullmatch(text):
        raise BuiltinError("yaml: JSON has no such number")
    return text


def _integer(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    for prefix, base in (("0x", 16), ("0b", 2), ("0o", 8)):
        if digits.startswith(prefix):
            return sign * int(digits[2:], base)
    return sign * int(digits, 8 if len(digits) > 1 and digits.startswith("0") else 10)
