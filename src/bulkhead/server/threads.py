"""Long or blocking work beside the event loop: so many at a time, so many waiting, for so long.

The store and the sources of this program block; a page that asks them must not hold up the others. A thread cannot be ended from
outside: who does not want to wait longer goes on, and the thread ends by itself.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from bulkhead.core.errors import LimitExceeded

_Value = TypeVar("_Value")


class Threads:
    """A bounded pool. Not asyncio's own: the end of a loop waits for that one without a bound."""

    def __init__(self, name: str, *, count: int, waiting: int) -> None:
        self._name = name
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._most = count + waiting
        self._under_way = 0

    async def run(self, call: Callable[[], _Value], *, seconds: float) -> _Value:
        """What the call returns or raises.

        Raises:
            LimitExceeded: too many wait already, or it takes too long.
        """
        if self._under_way >= self._most:
            raise LimitExceeded("too much is under way; try again in a moment", where=self._name)
        context = contextvars.copy_context()
        self._under_way += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, context.run, call)
        future.add_done_callback(self._done)
        done, _ = await asyncio.wait({future}, timeout=seconds)
        if not done:
            raise LimitExceeded(f"it takes longer than {seconds:g} seconds", where=self._name)
        return future.result()

    def _done(self, future: asyncio.Future[Any]) -> None:
        self._under_way -= 1
        # Nobody may be waiting any more: what it raised was told by then.
        if not future.cancelled():
            future.exception()

    def close(self) -> None:
        """Begin nothing more; what runs is left to itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)
