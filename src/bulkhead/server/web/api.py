"""The same for scripts, read-only: JSON below ``/api/v1``, health for probes, metrics."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bulkhead.app.ports import FindingState, Query
from bulkhead.core.outcome import Severity
from bulkhead.server.web import answers
from bulkhead.server.web.pages import Pages, counted, page_number
from bulkhead.server.web.ports import Office

_PAGE = 200


class Api:
    def __init__(self, office: Office, pages: Pages) -> None:
        self._office, self._pages = office, pages

    async def healthz(self, _: Request) -> Response:
        """The process answers; nothing is told."""
        return answers.json({"status": "ok"})

    async def readyz(self, request: Request) -> Response:
        """Whether everything listens. The parts are told to who is signed in."""
        health = self._office.health()
        ready = health.state == "ready"
        known = request.state.session is not None or request.state.bearer
        more = {"jobs": health.jobs, "restarts": health.restarts} if known else {}
        return answers.json({"status": health.state, **more}, 200 if ready else 503)

    async def metrics(self, _: Request) -> Response:
        office = self._office
        runs = await self._pages.read(lambda: office.store.last_runs(tenant=office.tenant))
        unfinished = await self._pages.read(lambda: office.journal.unfinished(tenant=office.tenant))
        office.metrics.worlds(runs, len(unfinished))
        health = office.health()
        for name, fault in health.jobs.items():
            office.metrics.job(name, well=not fault, restarts=health.restarts.get(name, 0))
        return Response(office.metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def overview(self, _: Request) -> Response:
        office = self._office
        runs = await self._pages.read(lambda: office.store.last_runs(tenant=office.tenant))
        return answers.json({"open": counted(runs), "worlds": runs})

    async def findings(self, request: Request) -> Response:
        given = request.query_params
        severity = given.get("severity", "")
        states = (FindingState(given["state"]),) if given.get("state") in set(FindingState) else Query().states
        query = Query(
            tenant=self._office.tenant, root=given.get("world") or None, text=given.get("text", "")[:200], limit=_PAGE, states=states,
            controls=(given["control"],) if given.get("control") else (), offset=(page_number(request) - 1) * _PAGE,
            severities=(Severity(severity),) if severity in set(Severity) else (),
        )  # fmt: skip
        return answers.json(await self._pages.read(lambda: self._office.store.search(query)))

    async def finding(self, request: Request) -> Response:
        return answers.json(
            await self._pages.one(request.path_params["fingerprint"], request.query_params.get("world", ""))
        )

    async def journal(self, _: Request) -> Response:
        office = self._office
        return answers.json(await self._pages.read(lambda: office.journal.entries(tenant=office.tenant, limit=_PAGE)))

    async def controls(self, _: Request) -> Response:
        return answers.json(
            [{"id": item.id, "title": item.title, "severity": item.severity, "class": item.mode, "aliases": item.aliases} for item in self._office.catalogue.controls]
        )  # fmt: skip
