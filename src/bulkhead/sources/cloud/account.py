"""One account while it is read: what was found, what was refused, and what stands behind a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from bulkhead.clients.cloud import Vanished
from bulkhead.clients.cloud.described import Caller, Described
from bulkhead.core.errors import SourceError
from bulkhead.core.resource import Gap, Ref, Resource
from bulkhead.core.shapes import WRONG_SHAPE

_GAPS = 2_000
"""Gaps that are told one by one; the rest are told by their number."""


class Account:
    """What the parts of a reading share.

    Args:
        client: open, to the account.
        origin: ``aws://ACCOUNT/REGION``.
    """

    def __init__(self, client: Caller, origin: str) -> None:
        self.client = client
        self.origin = origin
        self.resources: list[Resource] = []
        self._gaps: dict[tuple[str, str, tuple[str, ...]], Gap] = {}
        self._beyond: set[str] = set()

    @property
    def gaps(self) -> tuple[Gap, ...]:
        rest = Gap(
            where=self.origin, code="B210", reason="more could not be read than is told", hides=tuple(self._beyond)
        )
        return (*self._gaps.values(), *((rest,) if self._beyond else ()))

    def add(self, kind: str, name: str, data: dict[str, Any], *, uid: str, namespace: str = "") -> None:
        ref = Ref(source="aws", kind=kind, namespace=namespace, name=name, origin=self.origin, uid=uid)
        self.resources.append(Resource(ref, data))

    def gap(self, where: str, error: SourceError, *hides: str) -> None:
        called = f"{self.origin}/{where}"
        if len(self._gaps) >= _GAPS:
            self._beyond.update(hides)
            return
        made = Gap(where=called, code=error.code, reason=error.message, hint=error.hint, hides=hides)
        self._gaps.setdefault((called, error.message, hides), made)

    async def listed(
        self, service: str, operation: str, key: str, hides: tuple[str, ...], /, **parameters: Any
    ) -> list[Any]:
        """A list's items; a gap where it is refused or longer than its bound."""
        try:
            found = await self.client.collect(service, operation, key, **parameters)
        except SourceError as error:
            self.gap(error.where or service, error, *hides)
            return []
        if found.cut:
            self.gap(f"{service}:{operation}", SourceError(f"not all are read: {found.cut}"), *hides)
        return found.items

    async def described(
        self, service: str, operation: str, key: str, hides: tuple[str, ...], /, **parameters: Any
    ) -> list[dict[str, Any]]:
        """What a call tells of several things that were named; those that are gone meanwhile are left out."""
        try:
            answer = await self.client.call(service, operation, **parameters)
        except Vanished:
            return []
        except SourceError as error:
            self.gap(error.where or service, error, *hides)
            return []
        for failure in answer.get("failures") or ():
            if failure.get("reason") != "MISSING":
                reason = SourceError(f"one was left out: {failure.get('reason') or 'no reason'}")
                self.gap(f"{service}:{operation} {failure.get('arn', '')}", reason, *hides)
        return [item for item in answer.get(key) or () if isinstance(item, dict)]

    async def told(self, where: str, asked: Awaitable[Described], *hides: str) -> dict[str, Any] | None:
        """A resource's data with its refusals noted; None where it is gone or has another shape."""
        try:
            made = await asked
        except Vanished:
            return None
        except SourceError as error:
            self.gap(where, error, *hides)
            return None
        except WRONG_SHAPE as error:
            self.gap(where, SourceError(f"the answer has another shape: {error}"), *hides)
            return None
        for refusal in made.refused:
            self.gap(f"{where} {refusal.where}", refusal, *hides)
        return made.data

    @contextmanager
    def in_shape(self, where: str, *hides: str) -> Iterator[None]:
        """An answer of another shape than the cloud's leaves a gap."""
        try:
            yield
        except WRONG_SHAPE as error:
            self.gap(where, SourceError(f"the answer has another shape: {error}"), *hides)


def batches(items: Iterable[str], size: int) -> Iterator[list[str]]:
    """As many names at once as a call takes."""
    ordered = list(dict.fromkeys(items))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


async def every(work: Iterable[Awaitable[list[dict[str, Any]]]]) -> list[dict[str, Any]]:
    return [item for items in await asyncio.gather(*work) for item in items]
