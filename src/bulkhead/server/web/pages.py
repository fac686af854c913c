"""The pages: what the store, the journal and the catalogue say, each within a bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bulkhead.app.ports import Entry, FindingState, LastRun, Query, StoredFinding
from bulkhead.core.control import Control
from bulkhead.core.errors import BulkheadError, Conflict, StoreError
from bulkhead.core.outcome import Severity
from bulkhead.mitigation import diff
from bulkhead.server.web import answers
from bulkhead.server.web.ports import Office

READ_SECONDS: Final = 20.0
PLAN_SECONDS: Final = 60.0
_PAGE: Final = 50
_CONTROLS: Final = 100
_ENTRIES: Final = 200
_LONG: Final = 200
_STATES: Final = {
    "open": (FindingState.OPEN, FindingState.REOPENED), "waived": (FindingState.WAIVED,), "fixed": (FindingState.FIXED,),
    "all": tuple(FindingState),
}  # fmt: skip
_Value = TypeVar("_Value")


class Pages:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def read(self, call: Callable[[], _Value]) -> _Value:
        return await self._office.reads.run(call, seconds=READ_SECONDS)

    async def overview(self, request: Request) -> Response:
        office = self._office
        runs = await self.read(lambda: office.store.last_runs(tenant=office.tenant))
        trends = await self.read(
            lambda: {run.root: office.store.trend(run.root, tenant=office.tenant, limit=30) for run in runs[:20]}
        )
        unfinished = await self.read(lambda: office.journal.unfinished(tenant=office.tenant))
        worlds = list(office.scans.worlds.values())
        return answers.page(
            request, "overview.html.j2", runs=runs, worlds=worlds, by_root={run.root: run for run in runs}, counts=counted(runs),
            lines={root: line(points) for root, points in trends.items()}, unfinished=unfinished, events=office.recent()[:12],
            health=office.health(), now=office.now(),
        )  # fmt: skip

    async def findings(self, request: Request) -> Response:
        office = self._office
        given = {
            name: request.query_params.get(name, "")[:_LONG]
            for name in ("world", "severity", "state", "control", "text")
        }
        number = page_number(request)
        found = await self.read(lambda: office.store.search(self._query(given, number)))
        runs = await self.read(lambda: office.store.last_runs(tenant=office.tenant))
        chosen = {name: value for name, value in given.items() if value}
        return answers.page(
            request, "findings.html.j2", found=found, given=given, roots=[run.root for run in runs], severities=list(reversed(Severity)),
            states=list(_STATES), page_number=number, pages=max(-(-found.total // _PAGE), 1),
            link=lambda page: "/findings?" + urlencode({**chosen, "page": page}), now=office.now(),
        )  # fmt: skip

    def _query(self, given: Mapping[str, str], number: int) -> Query:
        severity = given["severity"]
        named = self._controls(given["control"]) if given["control"] else []
        return Query(
            tenant=self._office.tenant, root=given["world"] or None, states=_STATES.get(given["state"] or "open", _STATES["open"]),
            severities=(Severity(severity),) if severity in set(Severity) else (),
            controls=tuple(control.id for control in named) or ((given["control"],) if given["control"] else ()),
            text=given["text"], limit=_PAGE, offset=(number - 1) * _PAGE,
        )  # fmt: skip

    async def finding(self, request: Request) -> Response:
        office = self._office
        found = await self.one(request.path_params["fingerprint"], request.query_params.get("world", ""))
        control = self.control_of(found.control)
        proposed, trouble = None, ""
        if request.query_params.get("repair") == "1":
            try:
                proposed = await office.plans_pool.run(lambda: office.plans.proposed(found), seconds=PLAN_SECONDS)
            except BulkheadError as error:
                trouble = str(error)
        return answers.page(
            request, "finding.html.j2", found=found, control=control, proposed=proposed, trouble=trouble, now=office.now(),
            again="?" + urlencode({"world": found.root, "repair": "1"}),
        )  # fmt: skip

    async def one(self, fingerprint: str, root: str) -> StoredFinding:
        """Raises HTTPException where there is no such finding."""
        query = Query(
            tenant=self._office.tenant,
            root=root or None,
            states=tuple(FindingState),
            fingerprint=fingerprint[:64],
            limit=1,
        )
        found = await self.read(lambda: self._office.store.search(query))
        if not found.findings:
            raise HTTPException(404, "There is no such finding.")
        return found.findings[0]

    def control_of(self, name: str) -> Control | None:
        return next((item for item in self._office.catalogue.controls if item.id == name), None)

    async def journal(self, request: Request) -> Response:
        office = self._office
        entries = await self.read(lambda: office.journal.entries(tenant=office.tenant, limit=_ENTRIES))
        return answers.page(request, "journal.html.j2", entries=entries, most=_ENTRIES, now=office.now())

    async def entry(self, request: Request) -> Response:
        found = await self.held(request.path_params["entry"])
        shown = [(step, diff.unified(planned)) for step, planned in zip(found.steps, found.plan.steps, strict=True)]
        return answers.page(request, "entry.html.j2", entry=found, shown=shown, asked=False, now=self._office.now())

    async def ask_undo(self, request: Request) -> Response:
        found = await self.held(request.path_params["entry"])
        return answers.page(request, "undo.html.j2", entry=found, now=self._office.now())

    async def held(self, name: str) -> Entry:
        """Raises HTTPException where there is no such entry."""
        try:
            return await self.read(lambda: self._office.journal.entry(name[:64], tenant=self._office.tenant))
        except (StoreError, Conflict) as error:
            raise HTTPException(404, "There is no such change.") from error

    async def controls(self, request: Request) -> Response:
        text = request.query_params.get("text", "")[:_LONG].strip()
        found = self._controls(text)
        number = page_number(request)
        start = (number - 1) * _CONTROLS
        return answers.page(
            request, "controls.html.j2", controls=found[start : start + _CONTROLS], total=len(found), text=text, page_number=number,
            pages=max(-(-len(found) // _CONTROLS), 1), link=lambda page: "/controls?" + urlencode({"text": text, "page": page}),
        )  # fmt: skip

    def _controls(self, text: str) -> list[Control]:
        """By id, alias, practice, severity or a word of the title."""
        wanted = text.lower()
        every = sorted(self._office.catalogue.controls, key=lambda item: (-item.severity.rank, item.id))
        if not wanted:
            return every
        return [
            item
            for item in every
            if wanted in item.id.lower() or wanted in item.title.lower() or wanted == item.severity
            or any(wanted == alias.lower() for alias in (*item.aliases, *item.practices))
        ]  # fmt: skip

    async def control(self, request: Request) -> Response:
        control = self.control_of(request.path_params["control"])
        if control is None:
            raise HTTPException(404, "There is no such control.")
        return answers.page(request, "control.html.j2", control=control)


def counted(runs: tuple[LastRun, ...]) -> dict[str, int]:
    """Open findings of all worlds, worst severity first."""
    return {str(severity): sum(run.open.get(str(severity), 0) for run in runs) for severity in reversed(Severity)}


def line(points: tuple[Any, ...]) -> str:
    """The scores of the last runs as the points of an SVG polyline, 100 wide and 24 high."""
    if len(points) < 2:
        return ""
    step = 100 / (len(points) - 1)
    return " ".join(f"{index * step:.1f},{23 - point.score / 100 * 22:.1f}" for index, point in enumerate(points))


def page_number(request: Request) -> int:
    text = request.query_params.get("page", "1")
    return min(max(int(text), 1), 100_000) if text.isdecimal() and len(text) < 7 else 1
