"""How far, how fast and when: the blast radius, the canary and the maintenance windows of a plan.

These belong to the plan, whatever channel carries it out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from bulkhead.core.errors import PlanRefused
from bulkhead.core.plan import Rollout, Step, Window

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_RISKS: Final = {"none": 0, "restart": 1, "outage": 2, "data": 3}


def group(step: Step) -> tuple[str, str]:
    """What a share is counted in: a namespace of a cluster, an engine, an account's region."""
    return (step.ref.origin, step.ref.namespace) if step.ref is not None else ("", "")


def within(
    steps: Sequence[Step], rollout: Rollout, living: Mapping[tuple[str, str], int]
) -> tuple[list[Step], dict[str, str]]:
    """The steps that the plan's reach allows, in their order, and by id why each other one is left.

    Args:
        steps: the most urgent first.
        rollout: the plan's limits.
        living: how many resources that steps may touch live in each group.
    """
    taken: Counter[tuple[str, str]] = Counter()
    kept: list[Step] = []
    left: dict[str, str] = {}
    for step in steps:
        place = group(step)
        allowed = max(living.get(place, 1) * rollout.share // 100, 1)
        if len(kept) >= rollout.most:
            left[step.id] = f"a plan touches {rollout.most} targets at most; the next run takes it"
        elif step.before is not None and taken[place] >= allowed:
            name = "/".join(part for part in place if part)
            left[step.id] = f"a plan touches {rollout.share} % of {name} at most, {allowed} here; the next run takes it"
        else:
            # What is new takes nothing away from what lives there.
            taken[place] += step.before is not None
            kept.append(step)
    return whole(steps, left)


def whole(kept: Sequence[Step], left: Mapping[str, str]) -> tuple[list[Step], dict[str, str]]:
    """Without the steps that share a repair with one that is left: half of a repair is none.

    ``left`` is by step id; so is what comes back beside the steps that remain.
    """
    out = dict(left)
    steps = list(kept)
    broken = {fingerprint for step in steps if step.id in out for fingerprint in step.verify}
    while True:
        going = [step for step in steps if step.id in out or broken & set(step.verify)]
        if not going:
            return steps, out
        for step in going:
            out.setdefault(step.id, "another step of the same repair is left")
            broken |= set(step.verify)
        steps = [step for step in steps if step not in going]


def in_waves(steps: Sequence[Step], rollout: Rollout) -> tuple[Step, ...]:
    """The canary first: the steps of the least risk; the rest in the order given."""
    if rollout.canary <= 0 or len(steps) <= rollout.canary:
        return tuple(msgspec.structs.replace(step, wave=0) for step in steps)
    order = sorted(range(len(steps)), key=lambda index: (_RISKS[steps[index].risk], index))
    first = set(order[: rollout.canary])
    canary = [msgspec.structs.replace(steps[index], wave=0) for index in order[: rollout.canary]]
    rest = [msgspec.structs.replace(step, wave=1) for index, step in enumerate(steps) if index not in first]
    return (*canary, *rest)


def closed(step: Step, rollout: Rollout, now: str) -> str:
    """Why the step may not be done at this instant (ISO 8601 with offset); empty when it may.

    Raises:
        PlanRefused: a window names no day, time or zone that there is.
    """
    if not rollout.windows or step.risk == "none":
        return ""
    instant = datetime.fromisoformat(now)
    if any(_open(window, instant) for window in rollout.windows):
        return ""
    return "outside the maintenance windows: " + "; ".join(_told(window) for window in rollout.windows)


def check(windows: Sequence[Window]) -> None:
    """Raises PlanRefused where a window cannot be understood."""
    for window in windows:
        _zone(window)
        _minutes(window.start)
        _minutes(window.end)
        if unknown := [day for day in window.days if day not in _DAYS]:
            raise PlanRefused(f"a window names the day '{unknown[0]}'", hint=f"one of {', '.join(_DAYS)}")


def _open(window: Window, instant: datetime) -> bool:
    local = instant.astimezone(_zone(window))
    start, end = _minutes(window.start), _minutes(window.end)
    minute = local.hour * 60 + local.minute
    if end > start:
        return start <= minute < end and _on(window, local)
    # Over midnight: what lies before the end belongs to the day before.
    return (minute >= start and _on(window, local)) or (minute < end and _on(window, local - timedelta(days=1)))


def _on(window: Window, local: datetime) -> bool:
    return not window.days or _DAYS[local.weekday()] in window.days


def _minutes(text: str) -> int:
    hours, colon, minutes = text.partition(":")
    if (
        not colon
        or not hours.isdecimal()
        or not minutes.isdecimal()
        or int(minutes) > 59
        or int(hours) * 60 + int(minutes) > 1440
    ):
        raise PlanRefused(f"a window has the time '{text}'", hint="HH:MM, up to 24:00")
    return int(hours) * 60 + int(minutes)


def _zone(window: Window) -> tzinfo:
    try:
        return ZoneInfo(window.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise PlanRefused(
            f"a window has the time zone '{window.zone}'", hint="an IANA name such as Europe/Zurich"
        ) from exc


def _told(window: Window) -> str:
    days = ",".join(window.days) or "every day"
    return f"{days} {window.start}-{window.end} {window.zone}"
