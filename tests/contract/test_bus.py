"""What every bus must do, whatever carries it. An adapter joins by adding how it is opened to ``BUSES``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import pytest

from bulkhead.app.bus import PAYLOAD, SUBJECT, Bus, Message, Subscription, is_pattern, is_subject, matches
from bulkhead.bus.memory import MemoryBus
from bulkhead.core.errors import LimitExceeded, SourceError, UsageError

Opened = Callable[[], AbstractAsyncContextManager[Bus]]


@asynccontextmanager
async def memory() -> AsyncIterator[Bus]:
    yield MemoryBus()


BUSES: list[Opened] = [memory]


@pytest.fixture(params=BUSES)
def opened(request: pytest.FixtureRequest) -> Opened:
    made: Opened = request.param
    return made


def run(opened: Opened, use: Callable[[Bus], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20), opened() as bus:
            await use(bus)

    asyncio.run(main())


async def taken(listener: Subscription, count: int) -> list[bytes]:
    return [(await anext(listener)).payload for _ in range(count)]


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 (a bus of another process tells no event)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("pattern", "subject", "fits"),
    [("a.b", "a.b", True), ("a.*", "a.b", True), ("a.*", "a.b.c", False), ("a.>", "a.b.c", True), ("a.>", "a", False), (">", "a", True), ("*.b", "a.b", True), ("a", "a.b", False), ("a.b", "a", False)],
)  # fmt: skip
def test_patterns(pattern: str, subject: str, fits: bool) -> None:
    assert matches(pattern, subject) is fits


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "a b", "a\n", "ä", "x" * (SUBJECT + 1)])
def test_what_is_neither_subject_nor_pattern(text: str) -> None:
    assert not is_subject(text)
    assert not is_pattern(text)


def test_who_listens_gets_it_in_order(opened: Opened) -> None:
    async def use(bus: Bus) -> None:
        await bus.publish("finding.opened", b"nobody is there yet")
        async with bus.subscribe("finding.*") as some, bus.subscribe(">") as everything:
            await bus.publish("finding.opened", b"1")
            await bus.publish("journal.applied", b"2")
            await bus.publish("finding.fixed", b"3")
            assert await taken(some, 2) == [b"1", b"3"]
            assert await taken(everything, 3) == [b"1", b"2", b"3"]
        async with bus.subscribe("finding.*") as later:
            await bus.publish("finding.opened", b"4")
            assert await taken(later, 1) == [b"4"]

    run(opened, use)


def test_a_group_shares_the_work(opened: Opened) -> None:
    """Whatever its members' patterns, each message reaches one of them; those outside the group get all."""

    async def use(bus: Bus) -> None:
        got: list[bytes] = []

        async def work(listener: Subscription) -> None:
            while True:
                got.extend(await taken(listener, 1))

        async with (
            bus.subscribe("work.*", group="g") as one,
            bus.subscribe("work.>", group="g") as two,
            bus.subscribe("work.*", group="other") as three,
            bus.subscribe("work.*") as watching,
        ):
            tasks = [asyncio.create_task(work(one)), asyncio.create_task(work(two))]
            for number in range(20):
                await bus.publish("work.x", str(number).encode())
            everything = sorted(str(number).encode() for number in range(20))
            assert sorted(await taken(watching, 20)) == everything
            assert sorted(await taken(three, 20)) == everything
            await until(lambda: len(got) >= 20)
            assert sorted(got) == everything
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    run(opened, use)


def test_a_slow_reader_is_told_what_it_lost(opened: Opened) -> None:
    """And nobody else waits for it. The bus still knows when the reader is gone."""

    async def use(bus: Bus) -> None:
        async with bus.subscribe("x", room=2) as slow, bus.subscribe("x") as quick:
            for number in range(5):
                await bus.publish("x", str(number).encode())
            assert await taken(quick, 5) == [b"0", b"1", b"2", b"3", b"4"]
            await until(lambda: slow.lost == 3)
            assert await taken(slow, 2) == [b"0", b"1"]
            await bus.publish("x", b"5")
            assert await taken(slow, 1) == [b"5"]
            assert (quick.lost, bus.lost) == (0, 3)
        assert bus.lost == 3

    run(opened, use)


def test_a_member_with_room_takes_over(opened: Opened) -> None:
    async def use(bus: Bus) -> None:
        async with bus.subscribe("x", group="g", room=1), bus.subscribe("x", group="g", room=100) as other:
            for _ in range(20):
                await bus.publish("x", b"")
            assert len(await taken(other, 19)) == 19
            assert bus.lost == 0

    run(opened, use)


def test_requests_are_answered_or_told_why_not(opened: Opened) -> None:
    async def use(bus: Bus) -> None:
        with pytest.raises(SourceError, match="nobody listens"):
            await bus.request("ask", b"")
        async with bus.subscribe("ask") as asked:

            async def answer() -> None:
                message = await anext(asked)
                assert message.reply
                await bus.publish(message.reply, message.payload + b"!")
                await bus.publish(message.reply, b"a second answer is nobody's")

            task = asyncio.create_task(answer())
            assert await bus.request("ask", b"hello") == b"hello!"
            await task
            with pytest.raises(LimitExceeded, match="nobody answered"):
                await bus.request("ask", b"again", seconds=0.05)

    run(opened, use)


def test_bounds_and_wrong_subjects(opened: Opened) -> None:
    async def use(bus: Bus) -> None:
        async with bus.subscribe("x") as listener:
            await bus.publish("x", b" " * PAYLOAD)
            assert await anext(listener) == Message("x", b" " * PAYLOAD)
        with pytest.raises(LimitExceeded):
            await bus.publish("x", b" " * (PAYLOAD + 1))
        for subject in ("", "a..b", "a.*", ">", "a b", "x" * (SUBJECT + 1)):
            with pytest.raises(UsageError):
                await bus.publish(subject, b"")
        for pattern in ("a.>.b", "a..b", "", "a b"):
            with pytest.raises(UsageError):
                async with bus.subscribe(pattern):
                    pass

    run(opened, use)


def test_the_number_of_listeners_is_bounded() -> None:
    async def main() -> None:
        bus = MemoryBus()
        async with AsyncExitStack() as stack:
            for _ in range(1000):
                await stack.enter_async_context(bus.subscribe("x"))
            with pytest.raises(LimitExceeded, match="1000 listen already"):
                await stack.enter_async_context(bus.subscribe("x"))
        async with bus.subscribe("x"):
            pass

    asyncio.run(main())
