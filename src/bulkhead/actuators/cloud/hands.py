"""The channel ``aws`` behind its port: the account and the region that the step's resource names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from bulkhead.actuators.cloud import calls, waiting
from bulkhead.actuators.cloud.calls import CALLS, Change
from bulkhead.actuators.cloud.waiting import Patience
from bulkhead.app.worlds import Progress
from bulkhead.clients.cloud import AwsClient, Limits, Vanished
from bulkhead.clients.cloud.described import ONE, Caller
from bulkhead.core.canonical import canonical
from bulkhead.core.errors import Conflict, PlanRefused, SourceError
from bulkhead.core.plan import Channel, Step
from bulkhead.mitigation.channels import aws


class AwsHands:
    """Changes one account. Where a step belongs is read from its resource, never from the environment of the moment.

    Args:
        endpoint_url: another address than the cloud's own; empty for the cloud's.
        limits: what the account may cost.
        patience: how long is waited.
    """

    def __init__(
        self, *, endpoint_url: str = "", limits: Limits | None = None, patience: Patience | None = None
    ) -> None:
        self._endpoint_url = endpoint_url
        self._limits = limits or Limits()
        self._patience = patience or Patience()

    @property
    def channel(self) -> Channel:
        return "aws"

    async def rehearse(self, step: Step) -> tuple[str, ...]:
        async with self._open(step) as client:
            data = _unchanged(await _read(client, step), step)
            return await calls.refusals(client, _kind(step), data, _decoded(step.change))

    async def apply(self, step: Step, progress: Progress) -> None:
        async with self._open(step) as client:
            data = _unchanged(await _read(client, step), step)
            wanted = _decoded(step.change)
            await calls.refusals(client, _kind(step), data, wanted)
            progress.note(begun=True, wanted=wanted, rolls=step.risk == "restart")
            await self._make(client, step, data, wanted, progress, back=False)
            made = await _read(client, step)
            if made is None:
                raise SourceError("it is gone since it was changed", where=step.target)
            progress.note(written=_record(step, made).decode())

    async def well(self, step: Step, progress: Progress) -> str:
        if progress.known().get("begun") is not True:
            return ""
        async with self._open(step) as client:
            data = await _read(client, step)
        if data is None:
            return "there is no such thing any more"
        if _kind(step) == "EcsService":
            return waiting.failed(data) or (waiting.rolling(data) if step.risk != "none" else "")
        return ""

    async def undo(self, step: Step, progress: Progress) -> None:
        known = progress.known()
        if known.get("begun") is not True:
            return
        async with self._open(step) as client:
            data = await _read(client, step)
            if data is None:
                raise Conflict("what was changed is gone", where=step.target)
            before = _decoded(step.before or b"{}")
            now, written = _decoded(_record(step, data)), _decoded(str(known.get("written") or "{}").encode())
            for field in sorted({*before, *now, *written}):
                allowed = (before.get(field), _decoded(step.change).get(field), written.get(field, before.get(field)))
                if now.get(field) not in allowed:
                    raise Conflict("somebody else changed it since", where=f"{step.target}: {field}")
            await self._make(client, step, data, before, progress, back=True)
            found = await _read(client, step)
            if found is None or _record(step, found) != step.before:
                raise SourceError("it is not what it was after the calls were made again", where=step.target)

    async def settle(self, step: Step, progress: Progress) -> bool:  # noqa: ARG002 (nothing is kept aside here)
        return False

    async def current(self, step: Step, progress: Progress) -> bytes | None:  # noqa: ARG002 (the port's)
        async with self._open(step) as client:
            data = await _read(client, step)
            return None if data is None else _record(step, data)

    async def _make(
        self, client: Caller, step: Step, data: dict[str, Any], wanted: Mapping[str, Any], progress: Progress, *, back: bool
    ) -> None:  # fmt: skip
        now = _decoded(_record(step, data))
        await CALLS[_kind(step)](Change(client, data, now, wanted, progress, back, self._patience))

    @asynccontextmanager
    async def _open(self, step: Step) -> AsyncIterator[AwsClient]:
        number, region = _place(step)
        async with AwsClient(region, endpoint_url=self._endpoint_url, limits=self._limits) as client:
            said = str((await client.call("sts", "get_caller_identity")).get("Account") or "")
            if said != number:
                raise SourceError(
                    f"these credentials are of account {said or 'unknown'}, the step is of {number}", where=step.target
                )
            yield client


def _place(step: Step) -> tuple[str, str]:
    origin = step.ref.origin if step.ref is not None else ""
    number, slash, region = origin.removeprefix("aws://").partition("/")
    if not slash or not origin.startswith("aws://"):
        raise PlanRefused("the step does not say which account and region it is of", where=step.target)
    return number, region


def _kind(step: Step) -> str:
    kind = step.ref.kind if step.ref is not None else ""
    if kind not in CALLS or step.before is None:
        raise PlanRefused(f"no call makes such a change of {kind or 'nothing'}", where=step.target)
    return kind


async def _read(client: Caller, step: Step) -> dict[str, Any] | None:
    """The resource as it is, None where there is none. What may not be read of it is left out, as it was when it was scanned."""
    kind, ref = _kind(step), step.ref
    assert ref is not None
    try:
        return (await ONE[kind](client, ref.name, ref.namespace, ref.uid)).data
    except Vanished:
        return None


def _unchanged(data: dict[str, Any] | None, step: Step) -> dict[str, Any]:
    """Raises Conflict where the resource is not what the plan was made from."""
    if data is None:
        raise Conflict("there is no such thing any more", where=step.target, hint="scan and fix again")
    if _record(step, data) != step.before:
        raise Conflict("it changed since it was scanned", where=step.target, hint="scan and fix again")
    return data


def _record(step: Step, data: Mapping[str, Any]) -> bytes:
    return canonical(aws.KINDS[_kind(step)].record(data))


def _decoded(record: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(record)
    return found
