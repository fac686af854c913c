"""A control's patch operations into edits of the text its element stands in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from bulkhead.core.control import Mitigation, MitigationClass, Operation
from bulkhead.core.plan import Edit
from bulkhead.core.resource import UNKNOWN, DocumentPath
from bulkhead.engines.cel.errors import CelError
from bulkhead.engines.cel.program import Program
from bulkhead.posture import compiled
from bulkhead.posture.bindings import VARIABLES, Element
from bulkhead.posture.evaluate import Verdict
from bulkhead.posture.shapes import WRONG_SHAPE
from bulkhead.posture.views.model import Direct, Lens

_EACH = re.compile(r"^(.*?)\[\*\](?:\.(.*))?$")
_PART = re.compile(r"\{([^{}]+)\}")
_DOCKERFILE = {
    "replace_text": "replace",
    "delete_text": "delete",
    "insert_before": "insert_before",
    "insert_after": "insert_after",
}


class DoesNotApply(Exception):
    """This mitigation cannot repair this element; the message says why."""


class Creation(msgspec.Struct, frozen=True):
    """An object to be made by a generator, for the namespace or resource of the verdict, or one that is written out."""

    generator: str
    content: dict[str, Any] | None = None


@lru_cache(maxsize=4096)
def _program(text: str) -> Program:
    return compiled.expression(text)


def evaluate(text: str, element: Element, params: Mapping[str, Any], extra: Mapping[str, Any] | None = None) -> Any:
    """The value of an expression on an element.

    Raises:
        DoesNotApply: the expression failed on this element.
    """
    program = _program(text)
    try:
        bound = {**element.bindings(program.identifiers & VARIABLES), "params": params, **(extra or {})}
        return program.evaluate(bound)
    except CelError as exc:
        raise DoesNotApply(f"its value cannot be computed here: {exc}") from exc


def mode(mitigation: Mitigation, verdict: Verdict) -> MitigationClass:
    return mitigation.mode or verdict.runnable.control.mode


def matches(mitigation: Mitigation, verdict: Verdict) -> bool:
    """Whether the mitigation is for this kind of element."""
    if not mitigation.on:
        return True
    ref = verdict.element.resource.ref
    platform = verdict.element.bound.get("platform", "")
    tokens = {
        ref.kind,
        f"{ref.kind}:{ref.name}",
        platform,
        f"container:{platform}",
        f"pod:{platform}",
        f"{ref.group}/{ref.kind}",
    }
    if verdict.element.resource.text is not None and verdict.element.resource.text.format == "hcl":
        tokens.add("terraform:*")
    if ref.kind.startswith("AWS::"):
        tokens.add("cloudformation:*")
    return bool(tokens & set(mitigation.on))


def edits(mitigation: Mitigation, verdict: Verdict) -> tuple[list[Edit], list[Creation]]:
    """The edits of every operation, at absolute paths of the resource's document.

    Raises:
        DoesNotApply: this platform has no such setting, or a value cannot be computed.
    """
    try:
        return _edits(mitigation, verdict)
    except WRONG_SHAPE as exc:
        raise DoesNotApply(f"the object has not the shape of its kind: {exc}") from exc


def _edits(mitigation: Mitigation, verdict: Verdict) -> tuple[list[Edit], list[Creation]]:
    element, params = verdict.element, verdict.runnable.params
    made: list[Edit] = []
    created: list[Creation] = []
    for operation in mitigation.patch:
        if operation.when and evaluate(operation.when, element, params) is not True:
            continue
        if operation.op == "create":
            written_out = isinstance(operation.value, dict)
            created.append(Creation("", operation.value) if written_out else Creation(str(operation.value)))
        elif operation.op in _DOCKERFILE:
            made.append(_dockerfile(operation, element, params))
        else:
            made.extend(_data(operation, element, params))
    if any(_holds_unknown(edit.value) or _holds_unknown(edit.path) for edit in made):
        raise DoesNotApply("a part of the new value is not known here")
    document = element.resource.document
    base = element.resource.path
    return [Edit(op=edit.op, document=document, path=base + edit.path, value=edit.value) for edit in made], created


def _holds_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_unknown(item) for item in value.values())
    return any(_holds_unknown(item) for item in value) if isinstance(value, (list, tuple)) else value is UNKNOWN


def _rooted(element: Element, path: DocumentPath) -> tuple[Lens, DocumentPath]:
    """A path's lens and rest: ``pod.`` is below the pod spec, ``object.`` below the resource."""
    if path[:1] == ("pod",) and element.pod_lens is not None:
        return element.pod_lens, path[1:]
    if path[:1] == ("object",):
        return Direct(()), path[1:]
    return element.lens, path


def _value(
    operation: Operation, element: Element, params: Mapping[str, Any], extra: Mapping[str, Any] | None = None
) -> Any:
    return evaluate(operation.value_from, element, params, extra) if operation.value_from else operation.value


def _data(operation: Operation, element: Element, params: Mapping[str, Any]) -> list[Edit]:
    each = _EACH.match(operation.path)
    if operation.op in ("set_item", "remove_item") or each:
        return _items(operation, element, params)
    lens, path = _rooted(element, compiled.split(_filled(operation.path, element, params)))
    value = None if operation.op == "remove" else _value(operation, element, params)
    if operation.op == "append" and value in (_lookup(element, operation.path) or ()):
        return []
    if operation.op == "remove" and _lookup(element, operation.path, absent := object()) is absent:
        return []
    return _through(lens, operation.op, path, value)


def _items(operation: Operation, element: Element, params: Mapping[str, Any]) -> list[Edit]:
    each = _EACH.match(operation.path)
    at, rest = (each[1], each[2] or "") if each else (operation.path, "")
    found = _lookup(element, at)
    out: list[Edit] = []
    for index, item in enumerate(found if isinstance(found, list) else ()):
        extra = {"item": item, "index": index}
        if operation.where and evaluate(operation.where, element, params, extra) is not True:
            continue
        lens, path = _rooted(element, (*compiled.split(at), index, *compiled.split(rest)))
        op = {"set_item": "set", "remove_item": "remove"}.get(operation.op, operation.op)
        out.extend(_through(lens, op, path, None if op == "remove" else _value(operation, element, params, extra)))
    return out


def _through(lens: Lens, op: str, path: DocumentPath, value: Any) -> list[Edit]:
    made = lens.edits(op, path, value)
    if made is None:
        raise DoesNotApply("this platform has no such setting, or it cannot be changed here")
    return list(made)


def _lookup(element: Element, dotted: str, default: Any = None) -> Any:
    """The present value at a path of the view, without guessing: the default where there is none."""
    path = compiled.split(dotted)
    value: Any = element.subject
    if path[:1] == ("pod",) and "pod" in element.bound:
        value, path = element.bound["pod"], path[1:]
    elif path[:1] == ("object",):
        value, path = element.resource.data, path[1:]
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return default
    return value


def _filled(path: str, element: Element, params: Mapping[str, Any]) -> str:
    """The path with its ``{cel}`` parts worked out."""
    return _PART.sub(lambda match: str(evaluate(match[1], element, params)), path)


def _dockerfile(operation: Operation, element: Element, params: Mapping[str, Any]) -> Edit:
    path = element.lens.target(()) or ()
    at = _filled(operation.path, element, params)
    if at == "stages[last]":
        stages = element.resource.data.get("stages") or []
        instructions = stages[-1].get("instructions") if stages else None
        if not instructions:
            raise DoesNotApply("there is no final stage")
        path = ("instructions", instructions[-1])
    elif at:
        path = compiled.split(at)
    elif path[:1] == ("stages",):
        path = ("instructions", element.subject["from"])
    value = None if operation.op == "delete_text" else _value(operation, element, params)
    return Edit(op=_DOCKERFILE[operation.op], path=path, value=value)  # type: ignore[arg-type]  # the table's own words
