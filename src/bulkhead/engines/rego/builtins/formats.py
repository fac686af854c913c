"""The formats of strings that JSON Schema names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from ipaddress import IPv4Address, IPv6Address

from bulkhead.core.patterns import later
from bulkhead.engines.rego.builtins.encodings import parse_url
from bulkhead.engines.rego.builtins.patterns import compile_pattern
from bulkhead.engines.rego.errors import BuiltinError

_TIME = later(r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?([zZ]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?")
_EMAIL = later(r"[^@\s<>\"]+@[^@\s<>\"]+")
_HOST = later(
    r"(?=.{1,253}\Z)([A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_UUID = later(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_POINTER = later(r"(/([^/~]|~[01])*)*")
_TEMPLATE = later(r"([^{}]|\{[^{}]+\})*")


def _made(make: Callable[[str], object]) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        try:
            make(value)
        except (ValueError, BuiltinError):
            return False
        return True

    return check


def _date_time(value: str) -> object:
    day, mark, time = value[:10], value[10:11], value[11:]
    if mark not in {"T", "t", " "} or not _TIME.fullmatch(time):
        raise ValueError(value)
    return date.fromisoformat(day)


def _absolute(value: str) -> object:
    if "scheme" not in parse_url(value) or "\\" in value:
        raise ValueError(value)
    return value


def _reference(value: str) -> object:
    if "\\" in value:
        raise ValueError(value)
    return parse_url(value)


FORMATS: dict[str, Callable[[str], bool]] = {
    "date": _made(date.fromisoformat),
    "time": lambda value: _TIME.fullmatch(value) is not None,
    "date-time": _made(_date_time),
    "email": lambda value: _EMAIL.fullmatch(value) is not None,
    "hostname": lambda value: _HOST.fullmatch(value) is not None,
    "ipv4": _made(IPv4Address),
    "ipv6": _made(IPv6Address),
    "uri": _made(_absolute),
    "uri-reference": _made(_reference),
    "iri": _made(_absolute),
    "iri-reference": _made(_reference),
    "uri-template": lambda value: _TEMPLATE.fullmatch(value) is not None,
    "uuid": lambda value: _UUID.fullmatch(value) is not None,
    "regex": _made(compile_pattern),
    "json-pointer": lambda value: _POINTER.fullmatch(value) is not None,
    "relative-json-pointer": lambda value: (
        value.lstrip("0123456789") != value
        and (value.lstrip("0123456789") == "#" or _POINTER.fullmatch(value.lstrip("0123456789")) is not None)
    ),
}
