"""CloudFormation templates: one shape per logical resource, intrinsic functions resolved where the template can.

A ``Ref`` to a parameter with a default, and ``Fn::Sub`` and ``Fn::Join`` of such values, are what they come to with the
defaults; ``AWS::NoValue`` takes its property away; every other function is ``UNKNOWN``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bulkhead.core.patterns import later
from bulkhead.core.resource import UNKNOWN
from bulkhead.formats.shapes.model import Shape, text_of

_VARIABLE: Final = later(r"\$\{([^!}][^}]*)\}")
_GONE: Final = object()
_LIMIT: Final = 1_000_000
"""Characters of one substituted text; a template itself may have as many bytes."""


def is_template(document: Any) -> bool:
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        return False
    return "AWSTemplateFormatVersion" in document or any(
        isinstance(item, dict) and text_of(item.get("Type")).startswith(("AWS::", "Custom::"))
        for item in document["Resources"].values()
    )


def shapes(document: dict[str, Any]) -> Iterator[Shape]:
    parameters = document.get("Parameters")
    defaults = {
        name: _typed(item)
        for name, item in (parameters.items() if isinstance(parameters, dict) else ())
        if isinstance(item, dict) and "Default" in item
    }
    for name, item in document["Resources"].items():
        kind = text_of(item.get("Type")) if isinstance(item, dict) else ""
        if kind:
            yield Shape(kind=kind, data=_resolved(item, defaults), name=name, path=("Resources", name))


def _typed(parameter: dict[str, Any]) -> Any:
    value = parameter["Default"]
    if text_of(parameter.get("Type")).startswith(("CommaDelimitedList", "List<")) and isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return value


def _resolved(value: Any, defaults: dict[str, Any]) -> Any:
    if isinstance(value, list):
        items = (_resolved(item, defaults) for item in value)
        return [item for item in items if item is not _GONE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name == "Ref":
            return _GONE if argument == "AWS::NoValue" else defaults.get(text_of(argument), UNKNOWN)
        if name.startswith("Fn::"):
            return _function(name, argument, defaults)
    entries = ((key, _resolved(item, defaults)) for key, item in value.items())
    return {key: item for key, item in entries if item is not _GONE}


def _fits(names: list[str], defaults: dict[str, Any]) -> bool:
    """Whether a text that names these parameters stays within what a template may have."""
    lengths = {name: len(str(defaults[name])) for name in set(names)}
    return sum(lengths[name] for name in names) <= _LIMIT


def _function(name: str, argument: Any, defaults: dict[str, Any]) -> Any:
    if name == "Fn::Sub" and isinstance(argument, str):
        names = _VARIABLE.findall(argument)
        if all(isinstance(defaults.get(one), str | int) for one in names) and _fits(names, defaults):
            return _VARIABLE.sub(lambda match: str(defaults[match[1]]), argument).replace("${!", "${")
    if name == "Fn::Join" and isinstance(argument, list) and len(argument) == 2:
        parts = _resolved(argument[1], defaults)
        if isinstance(parts, list) and all(isinstance(part, str) for part in parts):
            return text_of(argument[0]).join(parts)
    return UNKNOWN
