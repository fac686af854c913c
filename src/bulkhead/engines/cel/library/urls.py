"""Absolute URLs and paths (Kubernetes' URL library; Go's ``url.ParseRequestURI``)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from bulkhead.engines.cel.errors import CelError, refusal
from bulkhead.engines.cel.values import Opaque

_MAX_LENGTH = 64 * 1024
_HOST = re.compile(r"(?:[^@\[\]]*@)?(\[[0-9A-Fa-f:.%]+\]|[^:\[\]@ ]*)(?::([0-9]*))?")

_ESCAPED = re.compile(r"[A-Za-z0-9/!$&'()*+,;=:@~\-._%\[\]]*")


class Url(Opaque):
    """``key`` is (text, scheme, host with port, host name, port, escaped path, query)."""

    __slots__ = ()
    type_name = "kubernetes.URL"


def url(value: Any) -> Url:
    if isinstance(value, Url):
        return value
    if not isinstance(value, str):
        raise refusal("url", value)
    parsed = _parsed(value)
    if parsed is None:
        raise CelError(f"URL parse error during conversion from string: {value[:60]!r}")
    return parsed


def is_url(value: Any) -> bool:
    if not isinstance(value, str):
        raise refusal("isURL", value)
    return _parsed(value) is not None


def _parsed(text: str) -> Url | None:
    if len(text) > _MAX_LENGTH or not text or re.search(r"[\x00-\x1f\x7f]|%(?![0-9A-Fa-f]{2})", text):
        return None
    if not text.isascii() and text.encode("utf-8", "replace").decode() != text:
        return None
    match = re.match(r"([A-Za-z][A-Za-z0-9+.\-]*):", text)
    if text[0] != "/" and (match is None or not text[match.end() :]):
        return None
    try:
        parts = urlsplit(text, allow_fragments=False)
    except ValueError:
        return None
    host = _HOST.fullmatch(parts.netloc)
    if host is None or (match is not None and text[match.end()] != "/" and parts.path == ""):
        return None
    where = parts.netloc.rpartition("@")[2]
    path = parts.path if _ESCAPED.fullmatch(parts.path) else quote(unquote(parts.path), safe="/!$&'()*+,;=:@~-._")
    return Url((text, parts.scheme, where, host.group(1).strip("[]"), host.group(2) or "", path, parts.query))


def _query(self: Url) -> dict[str, list[str]]:
    try:
        return parse_qs(self.key[6], keep_blank_values=True, max_num_fields=10_000)
    except ValueError:
        raise CelError("the query of the URL has too many fields") from None


Url.methods = {
    "getScheme": lambda self: self.key[1],
    "getHost": lambda self: self.key[2],
    "getHostname": lambda self: self.key[3],
    "getPort": lambda self: self.key[4],
    "getEscapedPath": lambda self: self.key[5],
    "getQuery": _query,
    "string": lambda self: self.key[0],
}
