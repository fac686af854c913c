"""Sizes between Kubernetes' notation and the others'."""

from __future__ import annotations

import re
from typing import Any

from bulkhead.core.patterns import later

_QUANTITY = later(r"^([0-9]+(?:\.[0-9]+)?)([EPTGMK]i|[numkMGTPE])?$")
_SCALE = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip
_COMPOSE = later(r"^([0-9]+(?:\.[0-9]+)?)\s*(b|k|m|g|t|kb|mb|gb|tb)?$", re.IGNORECASE)
_BINARY = {"": 0, "b": 0, "k": 10, "m": 20, "g": 30, "t": 40}


def from_kubernetes(text: Any) -> float | None:
    """The number a Kubernetes quantity stands for; None when it is not one."""
    match = _QUANTITY.match(str(text))
    return float(match[1]) * _SCALE[match[2] or ""] if match else None


def compose_bytes(text: Any) -> float | None:
    """Bytes of a Compose byte value (``512m``, ``1gb``: powers of 1024)."""
    match = _COMPOSE.match(str(text))
    if not match:
        return None
    unit = (match[2] or "").lower()
    return float(match[1]) * 2.0 ** _BINARY[unit[:1]]


def to_compose_bytes(quantity: Any) -> str | None:
    """A Kubernetes memory quantity in Compose's words (``256Mi`` is ``256m``)."""
    number = from_kubernetes(quantity)
    if number is None:
        return None
    for unit, power in (("g", 30), ("m", 20), ("k", 10)):
        if number >= 2.0**power and number % 2.0**power == 0:
            return f"{int(number / 2.0**power)}{unit}"
    return f"{int(number)}b"


def to_cpus(quantity: Any) -> str | None:
    """A Kubernetes CPU quantity as a decimal number of CPUs (``500m`` is ``0.5``)."""
    number = from_kubernetes(quantity)
    return None if number is None else f"{number:g}"
