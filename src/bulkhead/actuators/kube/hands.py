"""The channel ``kubernetes`` behind its port: one cluster."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from bulkhead.actuators.kube import rollouts
from bulkhead.actuators.kube.patches import operations
from bulkhead.app.worlds import Progress
from bulkhead.clients.kube import MANAGER, ApiResource, Cluster, Discovered, KubeClient, Vanished
from bulkhead.core.canonical import canonical
from bulkhead.core.errors import Conflict, PlanRefused, SourceError
from bulkhead.core.plan import Channel, Step
from bulkhead.mitigation.channels import kubernetes

_LOOK = 0.5


class KubeHands:
    """Changes one cluster.

    Args:
        cluster: where it is, and who we are there.
        rollout_seconds: how long a workload's pods may take to be replaced.
    """

    def __init__(self, cluster: Cluster, *, rollout_seconds: float = 300.0) -> None:
        self._cluster = cluster
        self._rollout_seconds = rollout_seconds
        self._kinds: Discovered | None = None

    @property
    def channel(self) -> Channel:
        return "kubernetes"

    async def rehearse(self, step: Step) -> tuple[str, ...]:
        async with KubeClient(self._cluster) as client:
            resource = await self._resource(client, step)
            found = await _held(client, resource, step)
            if step.before is None:
                if found is not None:
                    raise Conflict("there is such an object by now", where=step.target, hint="scan and fix again")
                return (await client.apply(resource, _decoded(step.change), dry_run=True)).warnings
            live = _unchanged(found, step)
            if step.risk != "none" and (reason := rollouts.unfit(live)):
                raise PlanRefused(
                    f"its pods do not run as they should, so that a new template could not be proved: {reason}",
                    where=step.target,
                )
            patch = operations(live, _decoded(step.before), _decoded(step.change))
            return (await client.patch(resource, *_place(step), patch, dry_run=True)).warnings

    async def apply(self, step: Step, progress: Progress) -> None:
        async with KubeClient(self._cluster) as client:
            resource = await self._resource(client, step)
            found = await _held(client, resource, step)
            if step.before is None:
                if found is not None:
                    raise Conflict("there is such an object by now", where=step.target, hint="scan and fix again")
                progress.note(begun=True)
                made = (await client.apply(resource, _decoded(step.change))).data
                progress.note(uid=str(made["metadata"]["uid"]), written=_record(made).decode())
                return
            live = _unchanged(found, step)
            progress.note(begun=True, uid=str(live["metadata"]["uid"]))
            patch = operations(live, _decoded(step.before), _decoded(step.change))
            made = (await client.patch(resource, *_place(step), patch)).data
            progress.note(written=_like(made, step.change).decode())
            if step.risk != "none":
                await self._rolled_out(client, resource, step, progress)

    async def _rolled_out(self, client: KubeClient, resource: ApiResource, step: Step, progress: Progress) -> None:
        """Raises SourceError where the pods do not come up in time."""
        end = time.monotonic() + self._rollout_seconds
        told = ""
        while True:
            found = await client.get(resource, *_place(step))
            if reason := rollouts.failed(found):
                raise SourceError(f"the rollout failed: {reason}", where=step.target)
            left = rollouts.waiting(found)
            if not left:
                return
            if left != told:
                progress.say(f"{step.target}: {left}; waiting for {self._rollout_seconds:g} seconds at most")
                told = left
            if time.monotonic() > end:
                raise SourceError(
                    f"the rollout is not done after {self._rollout_seconds:g} seconds: {left}", where=step.target,
                    hint="a workload that takes longer needs a longer rollout.wait_seconds in the settings",
                )  # fmt: skip
            await asyncio.sleep(_LOOK)

    async def well(self, step: Step, progress: Progress) -> str:  # noqa: ARG002 (the port's)
        if step.risk == "none":
            return ""
        async with KubeClient(self._cluster) as client:
            found = await _held(client, await self._resource(client, step), step)
            return (
                "there is no such object any more"
                if found is None
                else rollouts.failed(found) or rollouts.waiting(found)
            )

    async def undo(self, step: Step, progress: Progress) -> None:
        known = progress.known()
        if known.get("begun") is not True:
            return
        async with KubeClient(self._cluster) as client:
            resource = await self._resource(client, step)
            found = await _held(client, resource, step)
            if step.before is None:
                await self._removed(client, resource, step, found, known)
                return
            if found is None:
                raise Conflict("the object that was changed is gone", where=step.target)
            if _like(found, step.before) == step.before:
                return
            now = _like(found, _written(step, known))
            if "written" not in known and now != step.change and not _ours(found):
                return  # The patch never reached the object: what it is now is somebody else's.
            if now not in (str(known.get("written", "")).encode(), step.change):
                raise Conflict("somebody else changed the object since", where=step.target)
            patch = operations(found, msgspec.json.decode(now), _decoded(step.before))
            await client.patch(resource, *_place(step), patch)
            if step.risk != "none":
                await self._came_back(client, resource, step, progress)

    async def _came_back(self, client: KubeClient, resource: ApiResource, step: Step, progress: Progress) -> None:
        """Raises SourceError where the object is what it was, and its pods are not."""
        try:
            await self._rolled_out(client, resource, step, progress)
        except SourceError as error:
            said = f"the object is what it was, and its pods have not come back: {error.message}"
            raise SourceError(
                said, where=step.target, hint="see to its pods; bulkhead undo --recover ends it"
            ) from error

    async def _removed(self, client: KubeClient, resource: ApiResource, step: Step, found: Any, known: Any) -> None:
        if found is None:
            return
        uid = str(found["metadata"].get("uid"))
        if known.get("uid", uid) != uid or not _ours(found):
            raise Conflict("somebody else made an object of that name", where=step.target)
        await client.delete(resource, *_place(step), uid=uid)

    async def settle(self, step: Step, progress: Progress) -> bool:  # noqa: ARG002 (nothing is kept aside here)
        return False

    async def current(self, step: Step, progress: Progress) -> bytes | None:
        async with KubeClient(self._cluster) as client:
            found = await _held(client, await self._resource(client, step), step)
            return None if found is None else _like(found, _written(step, progress.known()))

    async def _resource(self, client: KubeClient, step: Step) -> ApiResource:
        if self._kinds is None:
            self._kinds = await client.discover()
        ref = step.ref
        found = self._kinds.find(ref.group, ref.kind) if ref is not None else None
        if found is None:
            raise PlanRefused("the server has no such kind", where=step.target)
        return found


def _place(step: Step) -> tuple[str, str]:
    return (step.ref.name, step.ref.namespace) if step.ref is not None else ("", "")


async def _held(client: KubeClient, resource: ApiResource, step: Step) -> dict[str, Any] | None:
    try:
        return await client.get(resource, *_place(step))
    except Vanished:
        return None


def _unchanged(found: dict[str, Any] | None, step: Step) -> dict[str, Any]:
    """Raises Conflict where the object is not what the plan was made from."""
    if found is None:
        raise Conflict("there is no such object any more", where=step.target, hint="scan and fix again")
    if step.before is None or _like(found, step.before) != step.before:
        raise Conflict("the object changed since it was scanned", where=step.target, hint="scan and fix again")
    return found


def _record(data: dict[str, Any]) -> bytes:
    return canonical(kubernetes.record(data))


def _like(data: dict[str, Any], other: bytes) -> bytes:
    return canonical(kubernetes.record_like(data, _decoded(other)))


def _written(step: Step, known: Mapping[str, Any]) -> bytes:
    """What we wrote, as the server stored it, as far as that is known."""
    return str(known["written"]).encode() if "written" in known else step.change


def _ours(data: dict[str, Any]) -> bool:
    """Whether we are among those who manage the object's fields."""
    return any(entry.get("manager") == MANAGER for entry in data["metadata"].get("managedFields") or ())


def _decoded(record: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(record)
    return found
