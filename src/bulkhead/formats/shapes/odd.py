"""Documents that promise resources and do not hold them in the shape that their kind has: each is a gap, never nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bulkhead.formats.shapes import cloudformation
from bulkhead.formats.shapes.files import is_compose_name

_LISTS = 4
"""Lists inside lists that are followed."""


def complaints(document: Any, name: str) -> Iterator[str]:
    """Why a part of the document holds nothing that can be judged."""
    if not isinstance(document, dict):
        if name == "daemon.json" or is_compose_name(name):
            yield "the file holds no mapping"
    elif "apiVersion" in document or "kind" in document:
        yield from _object(document, 0)
    elif "AWSTemplateFormatVersion" in document or cloudformation.is_template(document):
        yield from _template(document)
    elif is_compose_name(name):
        yield from _compose(document)


def _object(document: dict[str, Any], depth: int) -> Iterator[str]:
    for key in ("apiVersion", "kind"):
        value = document.get(key)
        if value is not None and (not isinstance(value, str) or not value):
            yield f"{key} is no text"
    kind = document.get("kind")
    items = document.get("items")
    if not isinstance(kind, str) or not kind.endswith("List") or items is None:
        return
    if not isinstance(items, list):
        yield "the items of a list are no sequence"
        return
    for item in items:
        if not isinstance(item, dict):
            yield "an item of a list is no object"
        elif depth >= _LISTS:
            yield f"lists stand in lists more than {_LISTS} times"
            return
        else:
            yield from _object(item, depth + 1)


def _template(document: dict[str, Any]) -> Iterator[str]:
    resources = document.get("Resources")
    if not isinstance(resources, dict):
        yield "Resources is no mapping"
        return
    for name, item in resources.items():
        if str(name).startswith("Fn::"):
            yield f"{name} brings in resources that are not in the file"
        elif not isinstance(item, dict) or not isinstance(item.get("Type"), str):
            yield f"the resource {name} has no type"


def _compose(document: dict[str, Any]) -> Iterator[str]:
    services = document.get("services")
    if services is not None and not isinstance(services, dict):
        yield "services is no mapping"
    elif services is not None:
        yield from (f"the service {name} is no mapping" for name, one in services.items() if not isinstance(one, dict))
