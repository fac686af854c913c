"""Until a change has arrived: EKS makes it in the background, ECS starts tasks anew."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from bulkhead.clients.cloud.described import Caller
from bulkhead.core.errors import SourceError


class Patience(msgspec.Struct, frozen=True):
    """How long is waited, in seconds."""

    rollout: float = 600.0
    update: float = 1800.0
    look: float = 5.0


async def service(client: Caller, data: Mapping[str, Any], patience: Patience) -> None:
    """Raises SourceError where the service's tasks do not come up in time."""
    where = f"ecs/{data['serviceName']}"

    async def left() -> str:
        found = await client.call(
            "ecs", "describe_services", cluster=str(data["clusterArn"]), services=[str(data["serviceName"])]
        )
        if not found["services"]:
            raise SourceError("the service is gone", where=where)
        if reason := failed(found["services"][0]):
            raise SourceError(f"the deployment failed: {reason}", where=where)
        return rolling(found["services"][0])

    await _until(left, patience.rollout, patience.look, where)


async def cluster(client: Caller, name: str, patience: Patience) -> None:
    """Raises SourceError where the cluster is busy for too long."""

    async def left() -> str:
        status = str((await client.call("eks", "describe_cluster", name=name))["cluster"].get("status"))
        return "" if status == "ACTIVE" else f"it is {status}"

    await _until(left, patience.update, patience.look, f"eks/{name}")


async def update(client: Caller, name: str, identity: str, patience: Patience) -> None:
    """Raises SourceError where the cluster does not take the update, or not in time."""
    where = f"eks/{name}"
    if not identity:
        raise SourceError("the cloud does not say which update it makes", where=where)

    async def left() -> str:
        found = (await client.call("eks", "describe_update", name=name, updateId=identity))["update"]
        status = str(found.get("status"))
        if status in ("Failed", "Cancelled"):
            codes = ", ".join(str(item.get("errorCode")) for item in found.get("errors") or ())
            raise SourceError(f"the update ended as {status}: {codes or 'no reason'}", where=where)
        return "" if status == "Successful" else f"it is {status}"

    await _until(left, patience.update, patience.look, where)


async def _until(left: Callable[[], Awaitable[str]], seconds: float, look: float, where: str) -> None:
    end = time.monotonic() + seconds
    while reason := await left():
        if time.monotonic() > end:
            raise SourceError(f"it is not done after {seconds:g} seconds: {reason}", where=where)
        await asyncio.sleep(look)


def failed(data: Mapping[str, Any]) -> str:
    """Why a service's newest deployment failed; empty when it did not."""
    for item in data.get("deployments") or ():
        if item.get("status") == "PRIMARY" and item.get("rolloutState") == "FAILED":
            return str(item.get("rolloutStateReason") or "no reason")
    return ""


def rolling(data: Mapping[str, Any]) -> str:
    """What a service's deployments still have to do; empty when all is done."""
    made = list(data.get("deployments") or ())
    if len(made) > 1:
        return f"{len(made) - 1} older deployments still run"
    running, desired = int(data.get("runningCount") or 0), int(data.get("desiredCount") or 0)
    if running < desired:
        return f"{running} of {desired} tasks run"
    state = made[0].get("rolloutState") if made else None
    return "" if state in (None, "COMPLETED") else f"the deployment is {state}"
