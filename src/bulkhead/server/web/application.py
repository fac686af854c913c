"""The pages, the API and the probes as one ASGI application behind the guard."""

from __future__ import annotations

from functools import cache

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bulkhead.core.errors import BulkheadError, LimitExceeded, StoreError
from bulkhead.server.faces import Application
from bulkhead.server.web import answers
from bulkhead.server.web.actions import Actions
from bulkhead.server.web.api import Api
from bulkhead.server.web.guard import Guard
from bulkhead.server.web.pages import Pages
from bulkhead.server.web.ports import Office
from bulkhead.server.web.signing import Signing

# A wall with one compartment shut.
_ICON = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#0b5394"/>'
    b'<path d="M8 2v12M2 8h6" stroke="#fff" stroke-width="2"/></svg>'
)


def application(office: Office) -> Application:
    pages, signing = Pages(office), Signing(office)
    actions, api = Actions(office, pages), Api(office, pages)
    routes = [
        Route("/", pages.overview), Route("/findings", pages.findings), Route("/findings/{fingerprint}", pages.finding),
        Route("/journal", pages.journal), Route("/journal/{entry}", pages.entry), Route("/journal/{entry}/undo", pages.ask_undo),
        Route("/journal/{entry}/undo", actions.undo, methods=["POST"]), Route("/scan", actions.scan, methods=["POST"]),
        Route("/controls", pages.controls), Route("/controls/{control}", pages.control), Route("/sign-in", signing.show),
        Route("/sign-in", signing.sign_in, methods=["POST"]), Route("/sign-out", signing.sign_out, methods=["POST"]),
        Route("/style.css", _style), Route("/icon.svg", _icon), Route("/favicon.ico", _icon), Route("/healthz", api.healthz), Route("/readyz", api.readyz), Route("/metrics", api.metrics),
        Route("/api/v1/overview", api.overview), Route("/api/v1/findings", api.findings), Route("/api/v1/findings/{fingerprint}", api.finding),
        Route("/api/v1/journal", api.journal), Route("/api/v1/controls", api.controls),
    ]  # fmt: skip

    async def crash(request: Request, error: Exception) -> Response:
        # The library raises it again behind the answer, and then it is logged with its place.
        office.log.error("request failed", reason=type(error).__name__)
        return answers.refused(dict(request.scope), 500, "Something went wrong here. The log tells what.")

    handlers = {HTTPException: _refused, BulkheadError: _trouble, Exception: crash}
    return Guard(Starlette(routes=routes, exception_handlers=handlers), office)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = error.detail if error.detail and error.status_code not in (404, 405) else ""
    texts = {404: "There is nothing here.", 405: "This is not asked for like that."}
    plain = (
        error.detail if error.status_code == 404 and error.detail != "Not Found" else texts.get(error.status_code, "")
    )
    answer = answers.refused(dict(request.scope), error.status_code, said or plain)
    answer.headers.update(error.headers or {})
    return answer


async def _trouble(request: Request, error: Exception) -> Response:
    """The store, or what else was asked, does not answer now."""
    assert isinstance(error, BulkheadError)
    status = 503 if isinstance(error, (StoreError, LimitExceeded)) else 409
    return answers.refused(dict(request.scope), status, error.message, error.hint)


@cache
def _sheet() -> bytes:
    return (answers.HERE / "style.css").read_bytes()


async def _icon(_: Request) -> Response:
    return Response(_ICON, media_type="image/svg+xml")


async def _style(_: Request) -> Response:
    return Response(_sheet(), media_type="text/css; charset=utf-8")
