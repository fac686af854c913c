"""Watch: findings kept current from what a world says happened in it.

1. The world is read and judged; what is found is told.
2. When it says that something changed, or after a while of silence, it is read and judged again; what is new, fixed or back is told.
   Changes that come together are one.
3. A stream that breaks is taken up again, ever later; what happened in between is in the next reading. While it cannot be read,
   nothing is called fixed, and the trouble is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Protocol

import msgspec

from bulkhead.core.errors import SourceError
from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import Gap, Snapshot

TOGETHER_SECONDS = 0.2
SILENCE_SECONDS = 300.0
_FIRST, _LONGEST = 0.5, 8.0
_TOLD = frozenset({Outcome.FAIL, Outcome.WARN, Outcome.ERROR})


class Watched(Protocol):
    """A live world that tells when something changed."""

    @property
    def root(self) -> str: ...

    async def read(self) -> Snapshot:
        """The world as it is now. Raises SourceError where it cannot be asked."""
        ...

    def changes(self) -> AsyncIterator[None]:
        """Something each time that anything changed. Raises SourceError where the stream breaks."""
        ...


class News(msgspec.Struct, frozen=True):
    """What one look changed. ``first`` is the first look, ``again`` the first after a trouble; ``trouble`` says why there was none.

    ``gaps`` are all that there are, ``new_gaps`` those that the look before did not have.
    """

    new: tuple[Finding, ...] = ()
    fixed: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()
    new_gaps: tuple[Gap, ...] = ()
    resources: int = 0
    first: bool = False
    again: bool = False
    trouble: str = ""


class Pace(msgspec.Struct, frozen=True):
    """Seconds: how long changes may come together, and the longest time without a look."""

    together: float = TOGETHER_SECONDS
    silence: float = SILENCE_SECONDS


async def watch(
    world: Watched, judged: Callable[[Snapshot], tuple[Finding, ...]], tell: Callable[[News], None], stop: asyncio.Event,
    pace: Pace | None = None,
) -> None:  # fmt: skip
    """Until ``stop``. ``judged`` gives the findings of a snapshot and keeps them where they are kept."""
    pace = pace or Pace()
    stirred = asyncio.Event()
    troubles: asyncio.Queue[str] = asyncio.Queue(100)
    pump = asyncio.ensure_future(_pump(world, stirred, troubles))
    known: dict[str, Finding] | None = None
    gaps: tuple[Gap, ...] = ()
    told: set[str] = set()
    pause = _FIRST
    try:
        while not stop.is_set():
            while not troubles.empty():
                _once(News(trouble=troubles.get_nowait()), told, tell)
            stirred.clear()
            try:
                snapshot = await world.read()
            except SourceError as error:
                _once(News(trouble=str(error)), told, tell)
                pause = min(pause * 2, _LONGEST)
                await _either(stop, None, pause)
                continue
            found = {
                item.fingerprint: item for item in judged(snapshot) if item.outcome in _TOLD and item.waiver is None
            }
            news = _news(known, found, gaps, snapshot)
            if told and news is None:
                news = News(resources=len(snapshot.resources), gaps=snapshot.gaps)
            if news is not None:
                tell(msgspec.structs.replace(news, again=bool(told)))
            told, pause = set(), _FIRST
            known, gaps = _carried(known, found, snapshot), snapshot.gaps
            await _either(stop, stirred, pace.silence)
            if not stop.is_set():
                await _either(stop, None, pace.together)
    finally:
        pump.cancel()
        with suppress(asyncio.CancelledError):
            await pump


def _once(news: News, told: set[str], tell: Callable[[News], None]) -> None:
    """The same trouble is told once, until the world was seen again."""
    if news.trouble not in told:
        told.add(news.trouble)
        tell(news)


def _news(
    known: Mapping[str, Finding] | None, found: Mapping[str, Finding], gaps: tuple[Gap, ...], snapshot: Snapshot
) -> News | None:  # fmt: skip
    """None where nothing is new. What a gap may hide is not called fixed."""
    new = tuple(item for name, item in found.items() if known is None or name not in known)
    gone = [item for name, item in (known or {}).items() if name not in found]
    fixed = tuple(item for item in gone if not hidden(item, snapshot.gaps))
    if known is not None and not new and not fixed and snapshot.gaps == gaps:
        return None
    appeared = tuple(gap for gap in snapshot.gaps if gap not in gaps)
    return News(new, fixed, snapshot.gaps, appeared, len(snapshot.resources), first=known is None)


def _carried(known: Mapping[str, Finding] | None, found: dict[str, Finding], snapshot: Snapshot) -> dict[str, Finding]:
    """What is known from now on: also what this look could not see."""
    unseen = {name: item for name, item in (known or {}).items() if name not in found and hidden(item, snapshot.gaps)}
    return {**found, **unseen}


def hidden(finding: Finding, gaps: tuple[Gap, ...]) -> bool:
    return any("*" in gap.hides or finding.resource.kind in gap.hides for gap in gaps)


async def _pump(world: Watched, stirred: asyncio.Event, troubles: asyncio.Queue[str]) -> None:
    """Turns the world's changes into one sign; takes a broken stream up again, and looks then, since something was missed."""
    pause = _FIRST
    while True:
        try:
            async for _ in world.changes():
                stirred.set()
                pause = _FIRST
        except SourceError as error:
            if not troubles.full():
                troubles.put_nowait(f"the stream of changes broke: {error}")
        stirred.set()
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST)


async def _either(stop: asyncio.Event, stirred: asyncio.Event | None, seconds: float) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, stirred) if event is not None]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
