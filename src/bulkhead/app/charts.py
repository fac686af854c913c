"""Helm charts are repaired through their values, by rendering before and after; templates are never edited.

1. For every failing finding on a rendered object, worst first, the repair that consent covers says which setting is wanted.
2. Places in the values that may hold it are tried one by one: the values are edited, the chart is rendered, and the two
   renderings are compared. A try that changes anything else is thrown away.
3. What remains must close the finding when everything is judged again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Protocol

import msgspec

from bulkhead.app import scan as scanning
from bulkhead.app.scan import Context, Scan
from bulkhead.core.canonical import digest
from bulkhead.core.errors import BulkheadError
from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome
from bulkhead.core.plan import Edit, Repair, Step
from bulkhead.core.resource import Ref, Resource, Snapshot, Text
from bulkhead.formats import texts
from bulkhead.mitigation import plan as planning
from bulkhead.mitigation import values as places
from bulkhead.mitigation.plan import Consent

GENERATED = "helm"
_TRIES = 8
"""Renderings for one finding."""
_RENDERINGS = 200
"""Renderings for one chart."""


class Charts(Protocol):
    """Renders charts with given values; never changes one."""

    def values(self, root: str, chart: str) -> tuple[str, bytes]:
        """The path of the chart's values file relative to the root, and its bytes; empty when it has none."""
        ...

    def render(self, root: str, chart: str, values: bytes) -> Snapshot:
        """What the chart makes of these values, under the same origin as in a scan.

        Raises:
            SourceError: the renderer is absent or refuses.
        """
        ...


class Repaired(msgspec.Struct, frozen=True):
    """A chart's step, and what it renders to afterwards. ``origin`` is that of its resources."""

    step: Step
    origin: str
    snapshot: Snapshot


def repair(scan: Scan, charts: Charts, context: Context, consent: Consent) -> list[Repaired]:
    """The values of every chart that has findings, as far as they can be repaired."""
    by_chart: dict[str, list[Finding]] = {}
    for finding in scan.assessment.findings:
        verdict = scan.assessment.verdicts.get(finding.fingerprint)
        text = verdict.element.resource.text if verdict is not None else None
        if text is not None and text.generated == GENERATED and finding.outcome in (Outcome.FAIL, Outcome.WARN):
            by_chart.setdefault(text.path, []).append(finding)
    made = (
        _Chart(scan, charts, context, consent, chart).repaired(findings) for chart, findings in sorted(by_chart.items())
    )
    return [item for item in made if item is not None]


class _Chart(msgspec.Struct):
    scan: Scan
    charts: Charts
    context: Context
    consent: Consent
    chart: str
    left: int = _RENDERINGS

    def repaired(self, findings: Sequence[Finding]) -> Repaired | None:
        path, before = self.charts.values(self.scan.root, "" if self.chart == "." else self.chart)
        if not path:
            return None
        origin = f"{GENERATED}:{self.chart}"
        rendered = tuple(resource for resource in self.scan.snapshot.resources if resource.ref.origin == origin)
        current, repairs = before, []
        for finding in sorted(findings, key=lambda item: (-item.severity.rank, item.control, item.element)):
            choice = planning.choose(finding, self.scan.assessment.verdicts[finding.fingerprint], self.consent)
            if choice is None:
                continue
            mitigation, mode, edits = choice
            tried = self._tried(path, current, rendered, edits, finding.resource)
            if tried is None:
                continue
            current, rendered = tried
            repairs.append(
                Repair(
                    fingerprint=finding.fingerprint,
                    control=finding.control,
                    mitigation=mitigation,
                    mode=mode,
                    edits=edits,
                    note=finding.message,
                )
            )
        if current == before:
            return None
        snapshot = Snapshot(rendered)
        kept = self._closed(origin, snapshot, repairs)
        step = Step(
            id=digest([path, current.hex()])[:12], channel="file", target=path, limit=1, needs=("write the file",), before=before,
            change=current, repairs=kept, verify=tuple(item.fingerprint for item in kept), undo="write back the bytes that were there",
        )  # fmt: skip
        return Repaired(step, origin, snapshot) if kept else None

    def _tried(
        self, path: str, current: bytes, rendered: tuple[Resource, ...], wanted: tuple[Edit, ...], ref: Ref
    ) -> tuple[bytes, tuple[Resource, ...]] | None:
        """The values and their rendering after the first place that does what is wanted and nothing else."""
        text = Text(path=path, format="yaml", data=current)
        documents = texts.load(text).documents
        for edits in islice(places.candidates(documents[0] if documents else {}, wanted), _TRIES):
            if self.left <= 0:
                return None
            self.left -= 1
            try:
                changed = texts.apply(text, edits)
                after = self.charts.render(self.scan.root, "" if self.chart == "." else self.chart, changed).resources
            except BulkheadError:
                continue
            if places.only_wanted(rendered, after, wanted, ref):
                return changed, after
        return None

    def _closed(self, origin: str, snapshot: Snapshot, repairs: Sequence[Repair]) -> tuple[Repair, ...]:
        """The repairs whose finding is gone when everything is judged with the new rendering."""
        after = scanning.judge(
            replaced(self.scan.snapshot, {origin: snapshot}), self.scan.root, self.context, self.scan.selection
        )
        bad = {
            finding.fingerprint
            for finding in after.assessment.findings
            if finding.outcome in (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)
        }
        return tuple(item for item in repairs if item.fingerprint not in bad)


def replaced(snapshot: Snapshot, rendered: Mapping[str, Snapshot]) -> Snapshot:
    """The snapshot with new renderings in the place of the old ones, by origin."""
    kept = tuple(resource for resource in snapshot.resources if resource.ref.origin not in rendered)
    return Snapshot(
        kept + tuple(resource for item in rendered.values() for resource in item.resources),
        snapshot.gaps,
        snapshot.notes,
    )
