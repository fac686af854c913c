"""Answers as findings, text by text: each text is looked into once for all the lines it is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bulkhead.core.finding import Finding, Fingerprints, Where, dotted
from bulkhead.core.outcome import Outcome, join
from bulkhead.core.resource import DocumentPath, Resource, Text
from bulkhead.formats import texts
from bulkhead.posture.batch import Told
from bulkhead.posture.bindings import Element
from bulkhead.posture.compiled import Runnable
from bulkhead.posture.judge import target
from bulkhead.posture.shapes import WRONG_SHAPE


class Verdict(msgspec.Struct, eq=False):
    """A raw judgement, kept with its element so that a plan can be made from it."""

    runnable: Runnable
    element: Element
    outcome: Outcome
    message: str
    evidence: str = ""


Place = tuple[int, DocumentPath]
_NAMED = 5
"""Containers that a finding about their image names."""


MOST = 300_000
"""Findings that are kept of one run; what comes after is counted and told as a gap."""


class Findings:
    """Collects the answers worth telling.

    What belongs to one text comes together and becomes findings when the next text begins, so that a large run holds
    its findings and little else.
    """

    def __init__(self, tenant: str, *, keep_verdicts: bool) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self._tenant = tenant
        self._keep = keep_verdicts
        self.dropped = 0
        self._count = 0
        self._done: list[Finding] = []
        self._seen: dict[str, int] = {}
        self._text: Text | None = None
        self._waiting: list[tuple[Element, Sequence[Told]]] = []

    def add(self, element: Element, answers: Sequence[Told]) -> None:
        if self._count >= MOST:
            self.dropped += len(answers)
            return
        self._count += len(answers)
        text = element.resource.text
        if text is not self._text:
            self._flush()
            self._text = text
        self._waiting.append((element, answers))

    def done(self) -> list[Finding]:
        self._flush()
        return self._done

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        # Many findings of an element are about the same place.
        asked: dict[Place, None] = {}
        placed: list[list[Place]] = []
        for element, answers in waiting:
            resource = element.resource
            mine: list[Place] = [
                (resource.document, resource.path + _target(element, runnable.points_at)) for _, runnable, _ in answers
            ]
            asked.update(dict.fromkeys(mine))
            placed.append(mine)
        wheres = _wheres(self._text, list(asked))
        for (element, answers), mine in zip(waiting, placed, strict=True):
            self._tell(element, answers, [wheres.get(place) for place in mine], mine)

    def _tell(
        self,
        element: Element,
        answers: Sequence[Told],
        wheres: Sequence[Where | None],
        places: Sequence[Place],
    ) -> None:
        ref, name = element.resource.ref, element.name
        done, seen, tenant = self._done, self._seen, self._tenant
        fingerprints = Fingerprints(tenant, ref, name)
        used = _used(element.resource)
        for (_, runnable, answer), where, (_, path) in zip(answers, wheres, places, strict=True):
            control = runnable.control
            fingerprint = fingerprints.of(control.id)
            outcome, message, evidence = answer
            evidence = f"{evidence}; {used}" if evidence and used else evidence or used
            # Two checks of one control may speak about one element: one finding, the worst, of equals the first.
            at = seen.setdefault(fingerprint, len(done))
            if at < len(done) and join(done[at].outcome, outcome) is done[at].outcome:
                continue
            finding = Finding(
                fingerprint=fingerprint, tenant=tenant, control=control.id, revision=control.revision,
                outcome=outcome, severity=control.severity, title=control.title, message=message, resource=ref,
                element=name, where=where or Where(file=ref.origin, path=dotted(path)), evidence=evidence,
            )  # fmt: skip
            if at < len(done):
                done[at] = finding
            else:
                done.append(finding)
            if self._keep:
                self.verdicts[fingerprint] = Verdict(runnable, element, outcome, message, evidence)


def _target(element: Element, path: DocumentPath) -> DocumentPath:
    """Where a path of the view stands in the resource; the resource itself where data of another shape hides it."""
    try:
        return target(element, path) or ()
    except WRONG_SHAPE:
        return ()


def _used(resource: Resource) -> str:
    """Where an image runs: that is what a finding about it exposes."""
    users = resource.data.get("used_by") if resource.ref.kind == "Image" and isinstance(resource.data, dict) else None
    if not isinstance(users, list):
        return ""
    names = [str(user.get("name")) for user in users if isinstance(user, dict)]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"used by {', '.join(names[:_NAMED])}{more}" if names else "used by no container"


def _wheres(text: Text | None, asked: Sequence[Place]) -> dict[Place, Where]:
    if text is None:
        return {}
    found: dict[Place, Where] = {}
    for place, span in zip(asked, texts.locate(text, asked), strict=True):
        path = dotted(place[1])
        found[place] = (
            Where(file=text.path, path=path)
            if span is None
            else Where(file=text.path, line=span.line, column=span.column, end_line=span.end_line, path=path)
        )
    return found
