"""Digests and message authentication."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from bulkhead.engines.rego.builtins.operands import raw, text


def md5(a: Any) -> str:
    return hashlib.md5(raw(text(a, 1)), usedforsecurity=False).hexdigest()


def sha1(a: Any) -> str:
    return hashlib.sha1(raw(text(a, 1)), usedforsecurity=False).hexdigest()


def sha256(a: Any) -> str:
    return hashlib.sha256(raw(text(a, 1))).hexdigest()


def _hmac(name: str) -> Callable[[Any, Any], str]:
    return lambda a, key: hmac.new(raw(text(key, 2)), raw(text(a, 1)), name).hexdigest()


hmac_md5 = _hmac("md5")
hmac_sha1 = _hmac("sha1")
hmac_sha256 = _hmac("sha256")
hmac_sha512 = _hmac("sha512")


def hmac_equal(a: Any, b: Any) -> bool:
    """In a time that does not tell where they differ."""
    return hmac.compare_digest(raw(text(a, 1)), raw(text(b, 2)))
