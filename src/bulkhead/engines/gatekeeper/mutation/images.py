"""References of images as AssignImage takes them apart: the domain, the path, and the tag or digest with its mark."""

from __future__ import annotations

import re
from typing import Final

from bulkhead.core.errors import ParseError
from bulkhead.core.patterns import later

_DOMAIN: Final[re.Pattern[str]] = later(r"(\w[\w-]*\.[\w.-]*\w(:\d+)?)|(localhost(:\d+)?)", re.ASCII)
_PATH: Final[re.Pattern[str]] = later(r"[a-z0-9]+(?:(?:[._/]|__|-+)[a-z0-9]+)*")
_TAG: Final[re.Pattern[str]] = later(
    r"(:\w[\w.-]{0,127})|(@[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,})", re.ASCII
)


def changed(reference: str, domain: str, path: str, tag: str) -> str:
    """The reference with those parts that are given in place of its own."""
    own_domain, rest = _domain(reference)
    mark = min((at for at in (rest.find(":"), rest.find("@")) if at >= 0), default=len(rest))
    first = domain or own_domain
    return f"{f'{first}/' if first else ''}{path or rest[:mark]}{tag or rest[mark:]}"


def check(domain: str, path: str, tag: str) -> None:
    """Raises ParseError where a part is none."""
    if not domain and not path and not tag:
        raise ParseError("one of assignDomain, assignPath and assignTag is given")
    if domain and not _DOMAIN.fullmatch(domain):
        raise ParseError(f"'{domain}' is no domain of a registry")
    if path and not _PATH.fullmatch(path):
        raise ParseError(f"'{path}' is no path of an image")
    if tag and not _TAG.fullmatch(tag):
        raise ParseError(f"'{tag}' is no tag with its colon and no digest with its at sign")
    if path and not domain and _domain(path)[0]:
        # It would be taken for the domain the next time, and put before it again and again.
        raise ParseError(f"'{path}' begins like a domain, which assignDomain gives")


def _domain(reference: str) -> tuple[str, str]:
    first, slash, rest = reference.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first, rest
    return "", reference
