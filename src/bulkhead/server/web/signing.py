"""Signing in and out. The form is guarded by a word in a cookie and in the form, since there is no session yet."""

from __future__ import annotations

import re
import secrets
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bulkhead.server.web import answers, forms
from bulkhead.server.web.guard import cookie_name, cookies, peer_of
from bulkhead.server.web.ports import Office

_LOCAL: Final = re.compile(r"/(?:[A-Za-z0-9_.~%-]+(?:/[A-Za-z0-9_.~%-]+)*)?")
_FORM_SECONDS: Final = 900


class Signing:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def show(self, request: Request) -> Response:
        """The form; with a ticket of a link it needs no more than a press."""
        if request.state.session is not None:
            return RedirectResponse("/", 303)
        return self._form(request, ticket=request.query_params.get("ticket", "")[:100])

    def _form(self, request: Request, status: int = 200, *, ticket: str = "", wrong: str = "") -> Response:
        # The same word as long as its cookie lives: another tab, or a picture that the browser asks for, must not spoil the form.
        word = self._cookie(request, "form")[:64] or secrets.token_urlsafe(24)
        where = local(request.query_params.get("next", "/"))
        answer = answers.page(
            request, "sign-in.html.j2", status, word=word, ticket=ticket, wrong=wrong, where=where
        )  # fmt: skip
        self._set(request, answer, "form", word, seconds=_FORM_SECONDS)
        return answer

    async def sign_in(self, request: Request) -> Response:
        gate, peer = self._office.gate, peer_of(dict(request.scope))
        if not gate.may_try(peer):
            answer = self._form(request, 429, wrong="Too many wrong tokens; wait a minute.")
            answer.headers["retry-after"] = "60"
            return answer
        fields = await forms.posted(request, self._cookie(request, "form"))
        ticket, token = fields.get("ticket", ""), fields.get("token", "").strip()
        if not (gate.redeem(ticket) if ticket else gate.good(token)):
            gate.guessed_wrong(peer)
            self._office.metrics.refused()
            self._office.log.warning("sign in refused", peer=peer)
            said = "This link was used before, or is too old." if ticket else "This is not the token."
            return self._form(request, 401, wrong=said)
        # A session that was there before ends: nobody can have put it there.
        gate.sign_out(self._cookie(request, "session"))
        answer = RedirectResponse(local(fields.get("next", "/")), 303)
        self._set(request, answer, "session", gate.sign_in())
        self._set(request, answer, "form", "", seconds=0)
        self._office.log.info("signed in", peer=peer)
        return answer

    async def sign_out(self, request: Request) -> Response:
        await forms.acted(request)
        self._office.gate.sign_out(request.state.cookie)
        answer = RedirectResponse("/sign-in", 303)
        self._set(request, answer, "session", "", seconds=0)
        self._office.log.info("signed out")
        return answer

    def _cookie(self, request: Request, what: str) -> str:
        return cookies(request.headers.getlist("cookie")).get(cookie_name(dict(request.scope), what), "")

    def _set(self, request: Request, answer: Response, what: str, value: str, *, seconds: int | None = None) -> None:
        scope = dict(request.scope)
        answer.set_cookie(
            cookie_name(scope, what), value, max_age=seconds, path="/", secure=scope["scheme"] == "https",
            httponly=True, samesite="strict",
        )  # fmt: skip


def local(path: str) -> str:
    """A page of ours to go to; the first one where it is anything else."""
    return path if len(path) <= 300 and _LOCAL.fullmatch(path) else "/"
