"""Label selectors (meta/v1 LabelSelector) and the plain label maps of Services."""

from __future__ import annotations

from typing import Any


def selects(selector: Any, labels: Any) -> bool:
    """Whether a LabelSelector picks an object with these labels; the empty selector picks everything, null nothing.

    A mapping without ``matchLabels`` or ``matchExpressions`` is read as a plain label map, as Services have it.
    """
    if not isinstance(selector, dict):
        return False
    have = labels if isinstance(labels, dict) else {}
    if "matchLabels" not in selector and "matchExpressions" not in selector:
        return all(have.get(key) == value for key, value in selector.items())
    wanted = selector.get("matchLabels") or {}
    if not all(have.get(key) == value for key, value in wanted.items()):
        return False
    return all(_matches(expression, have) for expression in selector.get("matchExpressions") or ())


def _matches(expression: Any, labels: dict[str, Any]) -> bool:
    if not isinstance(expression, dict):
        return False
    key, operator, values = str(expression.get("key")), expression.get("operator"), expression.get("values") or []
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    if operator == "Exists":
        return key in labels
    return operator == "DoesNotExist" and key not in labels
