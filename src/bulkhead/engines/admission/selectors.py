"""Label selectors as the API server takes them (meta/v1, LabelSelector): what it would refuse is an error, never "no match"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bulkhead.core.errors import ParseError


def selects(selector: Any, labels: Mapping[str, Any]) -> bool:
    """Whether a selector picks something with these labels; an empty or absent one picks everything.

    Raises:
        ParseError: it is no selector.
    """
    if selector is None:
        return True
    if not isinstance(selector, Mapping):
        raise ParseError("a label selector is a mapping")
    unknown = set(selector) - {"matchLabels", "matchExpressions"}
    if unknown:
        raise ParseError(f"a label selector has no {min(unknown)}")
    wanted = selector.get("matchLabels") or {}
    listed = selector.get("matchExpressions") or []
    if not isinstance(wanted, Mapping) or not isinstance(listed, list):
        raise ParseError("a label selector has matchLabels and a list of matchExpressions")
    exact = all(labels.get(key) == value for key, value in wanted.items())
    # Every expression is looked at: one that is wrong is told, whatever the others say.
    held = [_holds(expression, labels) for expression in listed]
    return exact and all(held)


def _holds(expression: Any, labels: Mapping[str, Any]) -> bool:
    if not isinstance(expression, Mapping) or not isinstance(expression.get("key"), str):
        raise ParseError("an expression of a label selector has a key")
    key, operator, values = expression["key"], expression.get("operator"), expression.get("values") or []
    if operator in ("In", "NotIn"):
        if not isinstance(values, list) or not values:
            raise ParseError(f"{operator} of a label selector takes values")
        return (labels.get(key) in values) is (operator == "In")
    if operator in ("Exists", "DoesNotExist"):
        if values:
            raise ParseError(f"{operator} of a label selector takes no values")
        return (key in labels) is (operator == "Exists")
    raise ParseError(f"{operator} is no operator of a label selector")


def labels_of(thing: Any) -> Mapping[str, Any]:
    """The labels of an object; none where it has no metadata."""
    metadata = thing.get("metadata") if isinstance(thing, Mapping) else None
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    return labels if isinstance(labels, Mapping) else {}
