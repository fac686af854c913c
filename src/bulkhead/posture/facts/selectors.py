"""Label selectors (meta/v1 LabelSelector) and the plain label maps of Services."""

from __future__ import annotations

from typing import Any

from bulkhead.core.resource import UNKNOWN

HOME = "default"
"""Where objects land that name no namespace, unless the client is told otherwise."""


def places(namespace: str) -> tuple[str, ...]:
    """The namespace as objects may name it: those that name none are taken to be in the default one."""
    return (namespace,) if namespace not in ("", HOME) else ("", HOME)


def same_namespace(one: str, other: str) -> bool:
    return (one or HOME) == (other or HOME)


def certain(value: Any) -> dict[str, Any]:
    """Labels of which every value is known.

    Raises:
        TypeError: one is not.
    """
    labels = {} if value is None else value
    if not isinstance(labels, dict) or any(item is UNKNOWN for item in labels.values()):
        raise TypeError("labels are unknown")
    return labels


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
