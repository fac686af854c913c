"""Answers: a page, JSON, or an error in the form that was asked for."""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bulkhead import __version__
from bulkhead.report import practices
from bulkhead.report.mask import mask_source
from bulkhead.report.text import clean, cut, one_line, resource_name, said
from bulkhead.server.logs import REQUEST
from bulkhead.server.web import times

HERE: Final = Path(__file__).parent
_WIDE, _LONG = 200, 20_000
_CODE: Final = re.compile(r"`([^`\n]{1,400})`")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.filters.update(
        line=lambda text: cut(one_line(str(text)), _WIDE * 5),
        short=lambda text: cut(one_line(str(text)), _WIDE // 2),
        said=lambda text: cut(said(str(text)), _LONG),
        prose=lambda text: prose(cut(said(str(text)), _LONG)),
        source=lambda text: cut(mask_source(clean(str(text))), _LONG),
        resource=lambda ref: cut(resource_name(ref), _WIDE),
        practice=practices.name,
        when=times.when,
        ago=times.ago,
        number=lambda value: f"{value:,}".replace(",", "\u202f"),
    )
    made.globals.update(version=__version__)
    return made


def prose(text: str) -> Markup:
    """A text with what stands between backticks as code; everything else of it is escaped."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 (escaped just now)


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A page. ``form`` is the session's word for its forms."""
    session = request.state.session
    text = (
        _environment()
        .get_template(template)
        .render(
            path=request.url.path, form=session.form if session is not None else "", signed_in=session is not None,
            **values,
        )
    )  # fmt: skip
    return HTMLResponse(text.encode("utf-8", "replace"), status)


def json(value: Any, status: int = 200) -> Response:
    """JSON; what UTF-8 cannot carry is written as a question mark."""
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:
        from json import dumps

        data = dumps(msgspec.to_builtins(value), ensure_ascii=False).encode("utf-8", "replace")
    return Response(data, status, media_type="application/json")


def refused(scope: dict[str, Any], status: int, said: str, hint: str = "") -> Response:
    """An error before or without a page: JSON for the API, else a page of its own."""
    path = scope["path"]
    headers = {401: {"www-authenticate": "Bearer"}, 429: {"retry-after": "60"}}.get(status, {})
    if path.startswith("/api/") or path == "/metrics":
        answer = json({"error": said, "hint": hint, "request": REQUEST.get()}, status)
    else:
        request = Request(scope)
        title = HTTPStatus(status).phrase
        answer = page(request, "error.html.j2", status, title=title, said=said, hint=hint, request_id=REQUEST.get())
    answer.headers.update(headers)
    return answer
