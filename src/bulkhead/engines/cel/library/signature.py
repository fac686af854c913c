"""Argument types of library functions, checked before the body runs so that bodies use Python freely."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from bulkhead.core.resource import UNKNOWN
from bulkhead.engines.cel.errors import UnknownValue, refusal

_Result = TypeVar("_Result")


def takes(name: str, *types: type | tuple[type, ...]) -> Callable[[Callable[..., _Result]], Callable[..., _Result]]:
    """Refuse arguments that are not of these types, in order; trailing ones may be left out. A bool is no int."""

    def checked(function: Callable[..., _Result]) -> Callable[..., _Result]:
        @wraps(function)
        def call(*arguments: Any) -> _Result:
            for argument, expected in zip(arguments, types, strict=False):
                if not isinstance(argument, expected) or (argument is True or argument is False):
                    raise refusal(name, *arguments)
            return function(*arguments)

        return call

    return checked


def known(name: str, values: list[Any]) -> list[Any]:
    """The list, when none of its elements is unknown."""
    if UNKNOWN in values:
        raise UnknownValue(f"{name}() depends on a value that is not known")
    return values
