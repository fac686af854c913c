"""Watching with a world that a test stirs: what is told, what is not called fixed, and streams that break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from bulkhead.app import watching
from bulkhead.app.watching import News, Pace
from bulkhead.core.errors import SourceError
from bulkhead.core.finding import Finding
from bulkhead.core.resource import Gap, Snapshot
from tests.fakes.reports import finding

QUICK = Pace(together=0.01, silence=5.0)
A, B = finding("a", name="one"), finding("b", name="two")


class World:
    """Says what it is told to say. ``stir`` tells a change; ``breaks`` ends the stream as often."""

    root = "docker://x"

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings
        self.gaps: tuple[Gap, ...] = ()
        self.fault = ""
        self.breaks = 0
        self.readings = 0
        self._stirred: asyncio.Queue[None] = asyncio.Queue()

    def stir(self) -> None:
        self._stirred.put_nowait(None)

    async def read(self) -> Snapshot:
        self.readings += 1
        if self.fault:
            raise SourceError(self.fault)
        return Snapshot((), self.gaps)

    async def changes(self) -> AsyncIterator[None]:
        if self.breaks > 0:
            self.breaks -= 1
            raise SourceError("gone")
        while True:
            await self._stirred.get()
            yield


def run(world: World, act: Callable[[list[News]], Any]) -> list[News]:
    told: list[News] = []

    async def main() -> None:
        stop = asyncio.Event()
        task = asyncio.ensure_future(watching.watch(world, lambda _: world.findings, told.append, stop, QUICK))
        async with asyncio.timeout(10):
            await until(lambda: bool(told))
            await act(told)
            stop.set()
            await task

    asyncio.run(main())
    return told


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 (it tells no event)
        await asyncio.sleep(0.005)


def test_what_is_new_and_what_is_fixed_is_told_once() -> None:
    world = World(A)

    async def act(told: list[News]) -> None:
        world.findings = (A, B)
        world.stir()
        await until(lambda: len(told) == 2)
        world.stir()
        await until(lambda: world.readings >= 3)
        world.findings = (B,)
        world.stir()
        await until(lambda: len(told) == 3)

    told = run(world, act)
    assert [(len(item.new), len(item.fixed), item.first) for item in told] == [
        (1, 0, True),
        (1, 0, False),
        (0, 1, False),
    ]


def test_changes_that_come_together_are_one_look() -> None:
    world = World(A)

    async def act(told: list[News]) -> None:
        before = world.readings
        for _ in range(50):
            world.stir()
        world.findings = (A, B)
        await until(lambda: len(told) == 2)
        await asyncio.sleep(0.1)
        assert world.readings - before < 6

    run(world, act)


def test_what_a_gap_may_hide_is_not_fixed() -> None:
    world = World(A)

    async def act(told: list[News]) -> None:
        world.findings, world.gaps = (), (Gap(where="x", code="B200", reason="refused", hides=(A.resource.kind,)),)
        world.stir()
        await until(lambda: len(told) == 2)
        world.gaps = ()
        world.stir()
        await until(lambda: len(told) == 3)

    told = run(world, act)
    assert told[1].fixed == ()
    assert told[1].gaps == told[1].new_gaps
    assert told[2].fixed == (A,)


def test_a_gap_that_stays_is_told_once() -> None:
    world = World(A)
    world.gaps = (Gap(where="x", code="B200", reason="refused", hides=("Pod",)),)

    async def act(told: list[News]) -> None:
        world.findings = (A, B)
        world.stir()
        await until(lambda: len(told) == 2)
        world.gaps = (*world.gaps, Gap(where="y", code="B200", reason="refused", hides=("Job",)))
        world.stir()
        await until(lambda: len(told) == 3)

    told = run(world, act)
    assert [[gap.where for gap in item.new_gaps] for item in told] == [["x"], [], ["y"]]
    assert [len(item.gaps) for item in told] == [1, 1, 2]


def test_a_world_that_cannot_be_read_fixes_nothing_and_is_told() -> None:
    world = World(A)

    async def act(told: list[News]) -> None:
        world.fault = "no answer"
        world.stir()
        await until(lambda: any(item.trouble for item in told))
        world.fault = ""
        world.findings = (A, B)
        world.stir()
        await until(lambda: any(B in item.new for item in told))

    told = run(world, act)
    assert "no answer" in next(item.trouble for item in told if item.trouble)
    assert all(item.fixed == () for item in told)


def test_a_stream_that_breaks_is_taken_up_again_and_told() -> None:
    world = World(A)
    world.breaks = 1

    async def act(told: list[News]) -> None:
        await until(lambda: any("broke" in item.trouble for item in told))
        await asyncio.sleep(0.6)
        world.findings = (A, B)
        world.stir()
        await until(lambda: any(B in item.new for item in told))

    run(world, act)


def test_a_trouble_is_told_once_and_its_end_too() -> None:
    world = World(A)

    async def act(told: list[News]) -> None:
        world.fault = "no answer"
        world.stir()
        await until(lambda: any(item.trouble for item in told))
        readings = world.readings
        await until(lambda: world.readings > readings)
        world.fault = ""
        await until(lambda: any(item.again for item in told))

    told = run(world, act)
    assert len([item for item in told if item.trouble]) == 1
    [back] = [item for item in told if item.again]
    assert (back.new, back.fixed, back.first) == ((), (), False)
