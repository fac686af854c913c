"""What the pages do when asked: scan a world of the settings, take a change back."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bulkhead.core.errors import BulkheadError, UsageError
from bulkhead.server.web import answers, forms
from bulkhead.server.web.pages import Pages
from bulkhead.server.web.ports import Office

_UNDO_SECONDS: Final = 900.0


class Actions:
    def __init__(self, office: Office, pages: Pages) -> None:
        self._office, self._pages = office, pages

    async def scan(self, request: Request) -> Response:
        fields = await forms.acted(request)
        try:
            self._office.scans.ask(fields.get("world", ""))
        except UsageError as error:
            raise HTTPException(404, str(error)) from error
        self._office.log.info("scan asked for", world=fields.get("world", ""))
        return RedirectResponse("/", 303)

    async def undo(self, request: Request) -> Response:
        """The world's own word decides: what is there may not be what was written."""
        await forms.acted(request)
        found = await self._pages.held(request.path_params["entry"])
        name = found.summary.id
        try:
            targets = await self._office.changes.run(lambda: self._office.undo(name), seconds=_UNDO_SECONDS)
        except BulkheadError as error:
            self._office.log.error("undo refused", entry=name, reason=str(error))  # noqa: TRY400 (our log; the reason is told)
            found = await self._pages.held(name)
            return answers.page(
                request, "undone.html.j2", 409, entry=found, targets=(), trouble=str(error), now=self._office.now()
            )
        self._office.changed()
        found = await self._pages.held(name)
        return answers.page(request, "undone.html.j2", entry=found, targets=targets, trouble="", now=self._office.now())
