"""Refusals of the double as the server's Status (meta/v1), in its own words."""

from __future__ import annotations

from typing import Any

from tests.fakes.kube.kinds import Kind

_REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed", 406: "NotAcceptable",
    409: "Conflict", 410: "Expired", 415: "UnsupportedMediaType", 422: "Invalid", 429: "TooManyRequests", 504: "Timeout",
}  # fmt: skip


class Refused(Exception):
    """An answer that is a Status. ``details`` is None where the server sends none; ``fresh`` is a token to go on with."""

    def __init__(
        self, code: int, message: str, details: dict[str, Any] | None = None, *, reason: str = "", fresh: str = ""
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.details, self.fresh = code, message, details, fresh
        self.reason = reason or _REASONS[code]

    @property
    def retry(self) -> int | None:
        """Seconds of the header Retry-After."""
        if self.code == 429:
            return 0
        seconds = (self.details or {}).get("retryAfterSeconds")
        return int(seconds) if seconds is not None else None

    def status(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "kind": "Status", "apiVersion": "v1", "metadata": {"continue": self.fresh} if self.fresh else {}, "status": "Failure",
            "message": self.message, "reason": self.reason,
        }  # fmt: skip
        return {**out, **({} if self.details is None else {"details": self.details}), "code": self.code}


class Plain(Exception):
    """An answer that is text and no Status: what lies under no API group."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


def about(kind: Kind, name: str = "") -> dict[str, Any]:
    """The details that name a resource."""
    return {
        **({"name": name} if name else {}),
        **({"group": kind[0]} if kind[0] else {}),
        "kind": kind[3],
    }


def qualified(kind: Kind) -> str:
    return f"{kind[3]}.{kind[0]}" if kind[0] else kind[3]


def invalid(kind: Kind, name: str, field: str, reason: str, said: str) -> Refused:
    """422 with one cause."""
    return Refused(
        422,
        f'{kind[2]}{"." + kind[0] if kind[0] else ""} "{name}" is invalid: {field}: {said}',
        {
            "name": name,
            **({"group": kind[0]} if kind[0] else {}),
            "kind": kind[2],
            "causes": [{"reason": reason, "message": said, "field": field}],
        },
    )


def bad_option(options: str, field: str, reason: str, said: str) -> Refused:
    """422 for what the query says."""
    causes = [{"reason": reason, "message": said, "field": field}]
    return Refused(
        422,
        f'{options}.meta.k8s.io "" is invalid: {field}: {said}',
        {"group": "meta.k8s.io", "kind": options, "causes": causes},
    )


UNPROCESSABLE = "the server rejected our request due to an error in our request"
NOT_FOUND = "the server could not find the requested resource"
