"""What evaluation can end in besides a value. Errors are values to CEL: ``&&`` and ``||`` absorb them."""

from __future__ import annotations

from bulkhead.core.resource import UNKNOWN


class CelError(Exception):
    """An evaluation that has no value; the message names what was tried."""


class NoSuchKey(CelError):
    """A map has no such key, or a list no such index."""


class NoSuchOverload(CelError):
    """An operator or a function was given types it is not defined for."""


class UnknownValue(CelError):
    """The answer depends on a value that is not known here."""


class CostExceeded(CelError):
    """The evaluation took more steps, or made a larger value, than it may. Never absorbed."""


def refusal(operation: str, *values: object) -> CelError:
    """The error for an operation that is not defined for these values."""
    if any(value is UNKNOWN for value in values):
        return UnknownValue(f"{operation} depends on a value that is not known")
    types = ", ".join(_name(value) for value in values)
    return NoSuchOverload(f"found no matching overload for '{operation}' applied to '({types})'")


def _name(value: object) -> str:
    from bulkhead.engines.cel.values import type_name

    return type_name(value)
