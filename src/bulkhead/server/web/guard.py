"""Around every request: its id, who asks, the headers of every answer. What is not let through here reaches no page.

1. The Host header names us, or the answer is 421.
2. What changes something comes from a page of ours (Origin, Sec-Fetch-Site), or the answer is 403; its form carries the
   session's word besides (``forms``).
3. A bearer token is right, or the answer is 401, and 429 after too many wrong ones.
4. Whoever is not signed in gets the page for signing in, and nothing else.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response

from bulkhead.server.logs import REQUEST
from bulkhead.server.web import answers
from bulkhead.server.web.hosts import same_origin
from bulkhead.server.web.ports import Office

_PROBES: Final = frozenset({"/healthz", "/readyz"})
OPEN: Final = _PROBES | {"/sign-in", "/style.css", "/icon.svg", "/favicon.ico"}
"""What anybody may ask for."""
_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_HEADERS: Final = (
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    # With no-referrer, browsers send forms with the origin "null" (Fetch standard, section 3.1).
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Guard:
    """ASGI middleware."""

    def __init__(self, app: Callable[..., Awaitable[None]], office: Office) -> None:
        self._app, self._office = app, office

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = secrets.token_hex(8)
        token = REQUEST.set(name)
        answer = _Answer(send, name, cached=scope["path"] in ("/style.css", "/icon.svg"))
        began = time.monotonic()
        try:
            refusal = self._refusal(scope)
            await (refusal or self._app)(scope, receive, answer.send)
        finally:
            self._told(scope, answer.status, time.monotonic() - began)
            REQUEST.reset(token)

    def _told(self, scope: dict[str, Any], status: int, seconds: float) -> None:
        """The page's pattern and not what was asked for: a path or a query may hold what a log must not."""
        route = scope.get("route")
        self._office.metrics.answered(scope["method"], status, seconds)
        self._office.log.debug(
            "request", method=scope["method"] if scope["method"].isalpha() else "other",
            page=getattr(route, "path", "none"), status=status, milliseconds=round(seconds * 1000, 1),
        )  # fmt: skip

    def _refusal(self, scope: dict[str, Any]) -> Response | None:
        headers, path = Headers(scope=scope), scope["path"]
        state = scope.setdefault("state", {})
        state.update(session=None, cookie="", bearer=False)
        host = headers.get("host", "")
        # Probes ask by whatever address they know, and are told nothing.
        if path not in _PROBES and not self._office.hosts.known(host):
            return answers.refused(
                scope, 421, "This name is not served here.", "serve.hosts in the settings names more"
            )
        if scope["method"] in _CHANGING and not _ours(headers, host):
            return answers.refused(scope, 403, "The form does not come from a page of this server.")
        refusal = self._bearer(scope, headers)
        if refusal is not None:
            return refusal
        cookie = cookies(headers.getlist("cookie")).get(cookie_name(scope), "")
        if cookie and (session := self._office.gate.session(cookie)) is not None:
            state.update(session=session, cookie=cookie)
        if path in OPEN or state["session"] is not None or state["bearer"]:
            return None
        if path == "/metrics" and self._office.metrics_open:
            return None
        return _sign_in_first(scope)

    def _bearer(self, scope: dict[str, Any], headers: Headers) -> Response | None:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        gate, peer = self._office.gate, peer_of(scope)
        if not gate.may_try(peer):
            return answers.refused(scope, 429, "Too many wrong tokens; wait a minute.")
        if not gate.good(token.strip()):
            gate.guessed_wrong(peer)
            self._office.metrics.refused()
            self._office.log.warning("wrong token", peer=peer)
            return answers.refused(scope, 401, "The token is wrong.")
        scope["state"]["bearer"] = True
        return None


class _Answer:
    """Adds the headers to an answer and notes its status."""

    def __init__(self, send: Send, name: str, *, cached: bool) -> None:
        self._send, self._name, self._cached = send, name, cached
        self.status = 500

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = [*_HEADERS, (b"x-request-id", self._name.encode())]
            own.append((b"cache-control", b"no-cache" if self._cached else b"no-store"))
            message = {**message, "headers": [*message.get("headers", ()), *own]}
        await self._send(message)


def _ours(headers: Headers, host: str) -> bool:
    """Browsers tell at least one of the two with every form (Fetch standard, section 3.2); scripts tell neither."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    return origin is None or same_origin(origin, host)


def _sign_in_first(scope: dict[str, Any]) -> Response:
    path = scope["path"]
    if path == "/metrics" or path.startswith("/api/"):
        return answers.refused(scope, 401, "A token is needed.", "Authorization: Bearer …")
    if scope["method"] not in ("GET", "HEAD") or path == "/":
        return RedirectResponse("/sign-in", 303)
    return RedirectResponse(f"/sign-in?next={quote(path, safe='/')}", 303)


def cookie_name(scope: dict[str, Any], what: str = "session") -> str:
    """Under TLS with the prefix that lets no other origin set it (RFC 6265bis, section 4.1.3.2)."""
    return f"__Host-bulkhead-{what}" if scope["scheme"] == "https" else f"bulkhead-{what}"


def cookies(lines: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        try:
            parsed = SimpleCookie(line[:4096])
        except CookieError:
            continue
        for name, morsel in parsed.items():
            found.setdefault(name, morsel.value)
    return found


def peer_of(scope: dict[str, Any]) -> str:
    """Who counts as one guesser: an IPv4 address, the /64 of an IPv6 one, the Unix socket."""
    client = scope.get("client")
    if not client or not client[0]:
        return "unix"
    host = str(client[0])
    return ":".join(host.split(":")[:4]) if host.count(":") > 3 else host
