"""What the engine tells of one container, as far as the hands act on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from bulkhead.clients.docker import DockerClient, Vanished
from bulkhead.core.canonical import canonical
from bulkhead.core.errors import Conflict, SourceError
from bulkhead.core.plan import Step
from bulkhead.core.shapes import WRONG_SHAPE
from bulkhead.mitigation.channels import docker

_LOOK = 0.2


class Patience(msgspec.Struct, frozen=True):
    """How long a container may take. Seconds.

    Attributes:
        steady: that it must run without a restart before it counts as well, where it has no health check.
        healthy: that its health check may take.
        stop: on top of the container's own time to stop.
    """

    steady: float = 2.0
    healthy: float = 120.0
    stop: float = 15.0


async def inspect(client: DockerClient, name: str) -> dict[str, Any] | None:
    """The engine's answer on a container by name or id; None where there is none.

    Raises:
        SourceError: the engine refuses, or its answer is not a container.
    """
    try:
        data = await client.get(f"/containers/{name}/json")
    except Vanished:
        return None
    if not isinstance(data, dict) or not isinstance(data.get("State"), dict) or not isinstance(data.get("Id"), str):
        raise SourceError("the engine's answer is not a container", where=name)
    return data


async def present(client: DockerClient, name: str) -> dict[str, Any]:
    """Raises Conflict where there is no such container."""
    data = await inspect(client, name)
    if data is None:
        raise Conflict("there is no such container any more", where=name)
    return data


def record(data: Mapping[str, Any]) -> bytes:
    """Raises SourceError where the answer has another shape."""
    try:
        return canonical(docker.container(data))
    except WRONG_SHAPE as error:
        raise SourceError(f"the container has not the shape of one: {error}", where=str(data.get("Name"))) from error


async def unchanged(client: DockerClient, step: Step) -> dict[str, Any]:
    """The container of a step, which must be what the plan was made from.

    Raises:
        Conflict: it is gone, or was changed.
    """
    data = await present(client, named(step))
    if record(data) != step.before:
        raise Conflict("the container changed since it was scanned", where=step.target, hint="scan and fix again")
    return data


def named(step: Step) -> str:
    """The container's name, which a step's reference has."""
    return step.ref.name if step.ref is not None else ""


def running(data: Mapping[str, Any]) -> bool:
    return data["State"].get("Running") is True and data["State"].get("Restarting") is not True


def trouble(data: Mapping[str, Any] | None, *, health: bool = True) -> str:
    """Why a container that should run is not well; empty when it is. Without ``health`` it is enough that it runs."""
    if data is None:
        return "there is no such container any more"
    state = data["State"]
    if not running(data):
        said = f", it says: {state['Error']}" if state.get("Error") else ""
        return f"it is {state.get('Status', 'not running')} with exit code {state.get('ExitCode', '?')}{said}"
    told = state.get("Health")
    if health and isinstance(told, dict) and told.get("Status") == "unhealthy":
        return "its health check fails"
    return ""


async def settled(client: DockerClient, name: str, patience: Patience, *, health: bool = True) -> None:
    """Wait until a started container is well: healthy where it has a health check, else running steadily.

    Without ``health`` it is enough that it runs: a container that is put back may have been ill before.

    Raises:
        SourceError: it is not, in time.
    """
    begun = time.monotonic()
    first = await inspect(client, name)
    started = (first or {}).get("State", {}).get("StartedAt")
    while True:
        data = await inspect(client, name)
        if reason := trouble(data, health=health):
            raise SourceError(f"the container did not come up: {reason}", where=name)
        # A start by hand sets the count of restarts back to none.
        if data is not None and (data.get("RestartCount", 0) or data["State"].get("StartedAt") != started):
            raise SourceError("the container did not come up: it starts again and again", where=name)
        told = data["State"].get("Health") if health and data is not None else None
        waiting = isinstance(told, dict) and told.get("Status") not in ("healthy", "none", None, "")
        now = time.monotonic()
        if not waiting and (isinstance(told, dict) or now - begun >= patience.steady):
            return
        if now - begun > max(patience.healthy, patience.steady):
            raise SourceError(f"the container is not healthy after {patience.healthy:g} seconds", where=name)
        await asyncio.sleep(_LOOK)
