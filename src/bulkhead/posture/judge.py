"""One check on one element."""

from __future__ import annotations

from typing import Any

from bulkhead.core.finding import dotted
from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import UNKNOWN, DocumentPath
from bulkhead.engines.cel.errors import CelError
from bulkhead.posture import compiled
from bulkhead.posture.bindings import Element
from bulkhead.posture.compiled import Needs, Runnable
from bulkhead.posture.shapes import WRONG_SHAPE
from bulkhead.posture.world import World

GAP = "gap: "
"""How the evidence begins where a gap stands behind an error; what follows is the place of the gap."""

Answer = tuple[Outcome, str, str]
"""Outcome, message, evidence."""

_PASS: Answer = (Outcome.PASS, "", "")
_NOT_HERE: Answer = (Outcome.SKIP, "not a setting of this platform", "")
_NOT_APPLICABLE: Answer = (Outcome.SKIP, "not applicable", "")


def judge(world: World, runnable: Runnable, element: Element) -> Answer:
    """One check on one element. The hot loop of a scan: most answers are a pass, which costs no object."""
    if element.unread:
        return Outcome.ERROR, f"{element.unread} could not be read", ""
    if runnable.points_at and not element.direct and _elsewhere(runnable, element):
        return _NOT_HERE
    if runnable.needs is not None:
        lacking = missing(runnable.needs, element)
        if lacking:
            return Outcome.ERROR, f"{lacking} could not be read", ""
    bound = element.bound
    run, when = runnable.run, runnable.when_run
    if run is None:
        run, when = runnable.prepare()
    try:
        if runnable.used not in element.ready:
            element.bindings(runnable.used)
        bound["params"] = runnable.params
        if when is not None:
            applies = when(bound)
            if applies is False:
                return _NOT_APPLICABLE
            if applies is not True:
                return _in_words(world, runnable, element)
        answer = run(bound)
    except CelError as exc:
        return Outcome.ERROR, f"could not be judged: {exc}", ""
    except (KeyError, RecursionError):
        return _in_words(world, runnable, element)
    if answer is True:
        return _rests(world, runnable) if runnable.control.needs.kinds else _PASS
    if answer is False:
        return runnable.outcome, compiled.render(runnable.message, bound), _evidence(runnable, bound)
    return _in_words(world, runnable, element)


def _in_words(world: World, runnable: Runnable, element: Element) -> Answer:
    """The answer where an expression gave neither yes nor no: evaluated once more, to be told why."""
    bound = element.bound
    try:
        if runnable.when is not None and runnable.when.evaluate(bound) is not True:
            return _NOT_APPLICABLE
        answer = runnable.program.evaluate(bound)
    except CelError as exc:
        return Outcome.ERROR, f"could not be judged: {exc}", ""
    if answer is True:
        return _rests(world, runnable)
    if answer is False:
        return runnable.outcome, compiled.render(runnable.message, bound), _evidence(runnable, bound)
    return Outcome.ERROR, "the check gave no yes or no", ""


def _rests(world: World, runnable: Runnable) -> Answer:
    """A pass that rests on kinds of which a gap may hide one is none."""
    for kind in runnable.control.needs.kinds:
        where = world.hides(kind)
        if where:
            return Outcome.ERROR, f"{kind} may stand in {where}, which could not be read", GAP + where
    return _PASS


def _elsewhere(runnable: Runnable, element: Element) -> bool:
    """Whether the check is about a setting that this platform does not have."""
    try:
        return element.lens.target(_below(runnable.points_at)) is None and target(element, runnable.points_at) is None
    except WRONG_SHAPE:
        # The setting is there and cannot be followed: the check itself will say so.
        return False


def _below(path: DocumentPath) -> DocumentPath:
    return path[1:] if path and path[0] in ("pod", "object") else path


def target(element: Element, path: DocumentPath) -> DocumentPath | None:
    """Where a path of the view stands in the resource; paths below ``pod`` and ``object`` have their own root."""
    if path[:1] == ("object",):
        return path[1:]
    if path[:1] == ("pod",) and element.pod_lens is not None:
        return element.pod_lens.target(path[1:])
    return element.lens.target(path)


def missing(needs: Needs, element: Element) -> str:
    """What an element lacks of a check's needs; empty when nothing. Found once for all the checks that need the same."""
    known = element.missed.get(needs)
    if known is None:
        known = element.missed[needs] = _missing(needs, element)
    return known


def _missing(needs: Needs, element: Element) -> str:
    for root, fields in ((element.subject, needs.fields), (element.resource.data, needs.object_fields)):
        for path in fields:
            value = root
            for part in path:
                if isinstance(value, dict) and part in value:
                    value = value[part]
                elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                    value = value[part]
                else:
                    return dotted(path)
            if value is UNKNOWN or value is None:
                return dotted(path) or "the resource"
    return next((dotted(path) for path in needs.known if _unknown(element.resource.data, path)), "")


def _unknown(value: Any, path: DocumentPath) -> bool:
    """Whether there is something at the path, or above it, that is not known; what is absent is known to be absent."""
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part] if part < len(value) else None
        else:
            break
    return value is UNKNOWN


def _evidence(runnable: Runnable, bound: dict[str, Any]) -> str:
    if runnable.evidence is None:
        return ""
    try:
        return str(runnable.evidence.evaluate(bound))[:500]
    except CelError as exc:
        return f"not shown: {exc}"
