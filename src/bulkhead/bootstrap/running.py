"""One piece of asynchronous work from where nothing is asynchronous."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """What the work gives; raises what it raises.

    The result stays out of the task: at its end ``asyncio.run`` compares signal handlers, which in Python 3.11 writes out the task
    with its result, and a judged cluster takes minutes to write out.
    """
    import asyncio

    kept: list[T] = []

    async def main() -> None:
        kept.append(await work)

    asyncio.run(main())
    return kept[0]
