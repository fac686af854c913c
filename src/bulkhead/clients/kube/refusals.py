"""What the server says instead of an answer, as our errors; and what it warns of beside one."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from bulkhead.core.errors import BulkheadError, Conflict, PlanRefused, SourceError

_SAID: Final = 600
_WARNINGS: Final = 20
_UNPROCESSABLE: Final = "the server rejected our request due to an error in our request"
# RBAC's own words (apiserver, responsewriters.Forbidden; rbac, rolebasedaccesscontrol). Policies, quotas and Pod Security say others.
_NO_RIGHT: Final = re.compile(r'(?:^|is )forbidden: user "', re.IGNORECASE)
_BY_WEBHOOK: Final = re.compile(r'^(?:admission webhook "[^"]*"|ValidatingAdmissionPolicy \S+) .*denied ', re.DOTALL)
# A value that does not fit is told whole, as JSON in quotes or bare (apimachinery, field.Error): it may be a Secret, and it hides
# the reason, which comes after it.
_VALUE: Final = re.compile(r'Invalid value: (?:"\{(?:[^"\\]|\\.)*(?:"|\\?\Z)|(\{))', re.DOTALL)
_BRACES: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}]', re.DOTALL)
_SHORT: Final = 80
_QUOTED: Final = re.compile(r'\d{3} \S+ "((?:[^"\\]|\\.)*)"')


class Unauthorised(SourceError):
    """The server does not know us (any more): 401 with a credential that was just made."""


class Forbidden(SourceError):
    """We may not do this (403)."""


class Vanished(SourceError):
    """There is no such object or kind (404)."""


class Expired(SourceError):
    """What we go on from is too old for the server (410): list anew. ``fresh`` goes on with a list of another instant."""

    def __init__(self, message: str, *, where: str = "", fresh: str = "", **more: Any) -> None:
        super().__init__(message, where=where, **more)
        self.fresh = fresh


def refused(status: int, data: bytes, path: str, *, reading: bool) -> BulkheadError:
    """The server's Status as our error: what it says, never what we sent."""
    told = _told(data)
    said = _without_objects(str(told.get("message") or "").strip())[:_SAID]
    message = f"the server answers {status}{': ' + said if said else ''}"
    if not reading and _BY_WEBHOOK.match(said):
        # Whoever answers a webhook chooses the code.
        return PlanRefused(message, where=path, hint="an admission policy or a quota refuses it")
    if status == 401:
        return Unauthorised(
            message, where=path, hint="log in again: the credential is wrong or has expired", status=status
        )
    if status == 404:
        return Vanished(message, where=path, status=status)
    if status == 410:
        metadata = told.get("metadata")
        token = str(metadata.get("continue") or "") if isinstance(metadata, dict) else ""
        return Expired(message, where=path, fresh=token, status=status)
    if status == 403 and (reading or _NO_RIGHT.search(said)):
        hint = "a right can only be given by who has it" if "attempting to grant" in said else ""
        return Forbidden(message, where=path, hint=hint, status=status)
    if reading:
        return SourceError(message, where=path, status=status)
    if status == 409 or (status == 422 and _UNPROCESSABLE in said.lower() and not told.get("details")):
        return Conflict(message, where=path)
    if status == 403:
        return PlanRefused(message, where=path, hint="an admission policy or a quota refuses it")
    if status in (400, 405, 406, 415, 422):
        return PlanRefused(message, where=path)
    return SourceError(message, where=path, status=status)


def _told(data: bytes) -> dict[str, Any]:
    try:
        told = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    return told if isinstance(told, dict) else {}


def _without_objects(said: str) -> str:
    out, place = [], 0
    for found in _VALUE.finditer(said):
        if found.start() < place:
            continue
        end = found.end() if found.group(1) is None else _closing(said, found.start(1))
        if found.group(1) is not None and end - found.start(1) <= _SHORT:
            continue
        out += [said[place : found.start()], "Invalid value: (the object)"]
        place = end
    return "".join(out) + said[place:]


def _closing(said: str, start: int) -> int:
    """Where the object that begins at ``start`` ends."""
    depth = 0
    for found in _BRACES.finditer(said, start):
        depth += {"{": 1, "}": -1}.get(found.group(), 0)
        if depth == 0:
            return found.end()
    return len(said)


def warnings_of(header: str) -> tuple[str, ...]:
    """The texts of a header ``Warning`` (RFC 9111, 5.5): ``299 - "text"``, several parted by commas, quotes behind backslashes."""
    found = (re.sub(r"\\(.)", r"\1", text) for text in _QUOTED.findall(header))
    return tuple(text[:_SAID] for text in found if text.strip())[:_WARNINGS]
