"""The WWW-Authenticate header (RFC 9110 section 11.6.1), as far as registries use it."""

from __future__ import annotations

import re

import msgspec

_SCHEME = re.compile(r"\s*,?\s*(Bearer|Basic)(?:\s+|$)", re.IGNORECASE)
_PARAMETER = re.compile(r'\s*,?\s*([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.){0,4096})"|([^\s,"]{1,4096}))')


class Challenge(msgspec.Struct, frozen=True):
    scheme: str
    realm: str = ""
    service: str = ""


def parse(header: str) -> Challenge | None:
    """The first Bearer challenge, else the first Basic one; None where there is neither.

    The scope that a challenge asks for is not read: we ask for pulling the one repository, whatever it says.
    """
    found: dict[str, Challenge] = {}
    at = 0
    header = header[:16384]
    while match := _SCHEME.match(header, at):
        scheme, at = match[1].lower(), match.end()
        values: dict[str, str] = {}
        while parameter := _PARAMETER.match(header, at):
            quoted, plain = parameter[2], parameter[3]
            values.setdefault(parameter[1].lower(), plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
            at = parameter.end()
        found.setdefault(scheme, Challenge(scheme, values.get("realm", ""), values.get("service", "")))
    return found.get("bearer") or found.get("basic")
