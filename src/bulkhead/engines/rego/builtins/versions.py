"""Semantic versions and UUIDs."""

from __future__ import annotations

from typing import Any

from bulkhead.core.patterns import later
from bulkhead.engines.rego.builtins.operands import text
from bulkhead.engines.rego.errors import BuiltinError
from bulkhead.engines.rego.values import U

_SEMVER = later(r"([+-]?[0-9]+)\.([+-]?[0-9]+)\.([+-]?[0-9]+)")
_IDENTIFIERS = later(r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*")
_MAX = 2**63

_Version = tuple[tuple[int, int, int], str]


def _parse(value: str) -> _Version | None:
    rest, _, metadata = value.removeprefix("v").partition("+")
    core, _, before = rest.partition("-")
    match = _SEMVER.fullmatch(core)
    if match is None or any(part and not _IDENTIFIERS.fullmatch(part) for part in (metadata, before)):
        return None
    numbers = (int(match[1][:24]), int(match[2][:24]), int(match[3][:24]))
    return None if any(abs(number) >= _MAX for number in numbers) else (numbers, before)


def is_valid(a: Any) -> bool:
    return type(a) is str and _parse(a) is not None


def _field(value: str) -> tuple[bool, int, str]:
    """Numbers come before words (SemVer 2.0.0, 11)."""
    return (False, int(value), "") if value.isascii() and value.isdigit() else (True, 0, value)


def compare_versions(a: Any, b: Any) -> int:
    found: list[_Version] = []
    for position, value in enumerate((a, b), 1):
        text(value, position)
    for position, value in enumerate((a, b), 1):
        version = _parse(value)
        if version is None:
            raise BuiltinError(f'operand {position}: string "{value[:100]}" is not a valid SemVer')
        found.append(version)
    (one, before), (two, other) = found
    if one != two:
        return -1 if one < two else 1
    if before == other:
        return 0
    if not before or not other:
        return 1 if not before else -1
    left, right = ([_field(part) for part in value.split(".")] for value in (before, other))
    return -1 if left < right else int(left > right)


# UUIDs (RFC 4122)

_UUID = later(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_HEX = frozenset("0123456789abcdefABCDEF")
_DOMAINS = {0: "Person", 1: "Group", 2: "Org"}
_GREGORIAN = 122_192_928_000_000_000
"""Steps of 100 ns between 1582 and 1970."""


def uuid_parse(a: Any) -> Any:
    found = text(a, 1)
    if found[:9].lower() == "urn:uuid:":
        found = found[9:]
    elif found.startswith("{") and found.endswith("}"):
        found = found[1:-1]
    bare = found.replace("-", "")
    if not (_UUID.fullmatch(found) or (found == text(a, 1) == bare)) or len(bare) != 32 or not set(bare) <= _HEX:
        return U
    data = bytes.fromhex(bare)
    version = data[6] >> 4
    made: dict[str, Any] = {"version": version, "variant": _variant(data[8])}
    if version in {1, 2}:
        ticks = int.from_bytes(data[:4]) | int.from_bytes(data[4:6]) << 32
        ticks |= (int.from_bytes(data[6:8]) & 0xFFF) << 48
        made["time"] = (ticks - _GREGORIAN) * 100
        made["nodeid"] = data[10:].hex("-")
        made["macvariables"] = _mac(data[10])
        made["clocksequence"] = int.from_bytes(data[8:10]) & 0x3FFF
    if version == 2:
        made["id"] = int.from_bytes(data[:4])
        made["domain"] = _DOMAINS.get(data[9], f"Domain{data[9]}")
    return made


def _variant(byte: int) -> str:
    if byte & 0xC0 == 0x80:
        return "RFC4122"
    if byte & 0xE0 == 0xC0:
        return "Microsoft"
    return "Future" if byte & 0xE0 == 0xE0 else "Reserved"


def _mac(byte: int) -> str:
    where = "local" if byte & 2 else "global"
    return f"{where}:{'multicast' if byte & 1 else 'unicast'}"
