"""Artifacts and regions (3.4, 3.30)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bulkhead.report.model import FileChange
from bulkhead.report.text import clean


def artifact(path: str) -> dict[str, Any]:
    """A path as a relative URI below ROOT; an absolute one keeps its slash and has no base."""
    # A colon in the first segment would read as a scheme (RFC 3986 4.2), so it is quoted everywhere.
    uri = quote(_bytes(path), safe="/~@!$&'()*+,;=")
    # RFC 3986 3.3: a path that begins with two slashes would name a host.
    uri = "/" + uri.lstrip("/") if uri.startswith("//") else uri
    return {"uri": uri} if uri.startswith("/") else {"uri": uri, "uriBaseId": "ROOT"}


def _bytes(path: str) -> bytes:
    """The name's own bytes where Python read it from a file system (PEP 383), else its nearest UTF-8."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return clean(path).encode()


def region(*, line: int, column: int = 0, end_line: int = 0) -> dict[str, int]:
    """What is known of a region; 0 is unknown."""
    out = {"startLine": line}
    if column:
        out["startColumn"] = column
    if end_line >= line:
        out["endLine"] = end_line
    return out


def replaced(change: FileChange) -> dict[str, int]:
    """The region a change deletes. An insertion has none of its own but the place before which it goes (3.57.3)."""
    out = {"byteOffset": change.start_byte, "byteLength": max(change.end_byte - change.start_byte, 0)}
    if change.start_line:
        out |= {"startLine": change.start_line, "startColumn": change.start_column or 1}
        out |= {"endLine": change.end_line or change.start_line}
        out |= {"endColumn": change.end_column or change.start_column or 1}
    return out
