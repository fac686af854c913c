"""The bus inside one process."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from bulkhead.app.bus import PAYLOAD, WAITING, Message, is_pattern, is_subject, matches
from bulkhead.core.errors import LimitExceeded, SourceError, UsageError

_LISTENERS: Final = 1000
_ROOM: Final = 100_000


class _Listener:
    def __init__(self, pattern: str, group: str, room: int) -> None:
        self.pattern, self.group = pattern, group
        self.lost = 0
        self._queue: asyncio.Queue[Message] = asyncio.Queue(room)

    @property
    def full(self) -> bool:
        return self._queue.full()

    def give(self, message: Message) -> None:
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self.lost += 1

    def __aiter__(self) -> _Listener:
        return self

    async def __anext__(self) -> Message:
        return await self._queue.get()


class MemoryBus:
    """Implements ``app.bus.Bus``. All calls are of one event loop."""

    def __init__(self) -> None:
        self._listeners: list[_Listener] = []
        self._turns: dict[str, int] = {}
        self._inbox = itertools.count(1)
        self._lost_by_those_who_left = 0

    @property
    def lost(self) -> int:
        return self._lost_by_those_who_left + sum(listener.lost for listener in self._listeners)

    async def publish(self, subject: str, payload: bytes, *, reply: str = "") -> None:
        self._give(Message(subject, payload, reply))

    def _give(self, message: Message) -> int:
        """How many it was for."""
        if not is_subject(message.subject):
            raise UsageError("a message needs a subject: plain words between dots", where=message.subject[:100])
        if len(message.payload) > PAYLOAD:
            raise LimitExceeded(f"the payload has more than {PAYLOAD} bytes", where=message.subject)
        groups: dict[str, list[_Listener]] = {}
        reached = 0
        for listener in self._listeners:
            if not matches(listener.pattern, message.subject):
                continue
            if listener.group:
                groups.setdefault(listener.group, []).append(listener)
            else:
                listener.give(message)
                reached += 1
        for group, members in groups.items():
            self._next(group, members).give(message)
            reached += 1
        return reached

    def _next(self, group: str, members: list[_Listener]) -> _Listener:
        """The member whose turn it is, or the first after it that has room."""
        turn = self._turns[group] = self._turns.get(group, -1) + 1
        order = [members[(turn + step) % len(members)] for step in range(len(members))]
        return next((member for member in order if not member.full), order[0])

    @asynccontextmanager
    async def subscribe(self, pattern: str, *, group: str = "", room: int = WAITING) -> AsyncIterator[_Listener]:
        if not is_pattern(pattern):
            raise UsageError("'>' stands at the end of a pattern, and no part is empty", where=pattern[:100])
        if not 0 < room <= _ROOM:
            raise UsageError(f"a reader has room for 1 to {_ROOM} messages", where=pattern)
        if len(self._listeners) >= _LISTENERS:
            raise LimitExceeded(f"{_LISTENERS} listen already", where=pattern)
        listener = _Listener(pattern, group, room)
        self._listeners.append(listener)
        try:
            yield listener
        finally:
            self._listeners.remove(listener)
            self._lost_by_those_who_left += listener.lost
            if group and not any(other.group == group for other in self._listeners):
                self._turns.pop(group, None)

    async def request(self, subject: str, payload: bytes, *, seconds: float = 5.0) -> bytes:
        inbox = f"_INBOX.{next(self._inbox)}"
        async with self.subscribe(inbox, room=1) as answers:
            if not self._give(Message(subject, payload, inbox)):
                raise SourceError("nobody listens", where=subject)
            try:
                async with asyncio.timeout(seconds):
                    return (await anext(answers)).payload
            except TimeoutError as error:
                raise LimitExceeded(f"nobody answered within {seconds:g} seconds", where=subject) from error
