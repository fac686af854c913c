"""Moves of a container between networks, while it runs: connected to the new before it leaves the old."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from bulkhead.actuators.docker import state
from bulkhead.app.worlds import Progress
from bulkhead.clients.docker import DockerClient, Vanished
from bulkhead.core.errors import Conflict, PlanRefused, SourceError
from bulkhead.core.plan import Step

_LABEL: Final = "io.bulkhead.made-for"
_HOSTS: Final = frozenset({"host", "none"})


def networks(record: bytes | None) -> dict[str, Any]:
    found = (msgspec.json.decode(record) if record else {}).get("NetworkSettings") or {}
    return dict(found.get("Networks") or {})


async def rehearse(client: DockerClient, step: Step) -> tuple[str, ...]:
    data = await state.unchanged(client, step)
    before, after = networks(step.before), networks(step.change)
    if _HOSTS & {*before, *after}:
        raise PlanRefused("a container cannot leave or join the host's network while it runs", where=step.target)
    links = data["HostConfig"].get("Links")
    if links:
        raise PlanRefused(f"it is linked to {len(links)} containers of the old network by name", where=step.target)
    for name in after:
        if name not in before and (found := await existing(client, name)) and _LABEL not in (found.get("Labels") or {}):
            raise PlanRefused(f"there is a network called {name} that somebody else made", where=step.target)
    leaving = ", ".join(sorted(set(before) - set(after)))
    return (f"what reaches it over {leaving} by its address will not any more",) if leaving else ()


async def existing(client: DockerClient, name: str) -> dict[str, Any] | None:
    try:
        found = await client.get(f"/networks/{name}")
    except Vanished:
        return None
    return found if isinstance(found, dict) else None


async def make(client: DockerClient, name: str, container: str, progress: Progress) -> None:
    """The network, where it is not there; noted, so that an undo takes it away again."""
    if await existing(client, name) is not None:
        return
    made = [*progress.known().get("networks", ()), name]
    progress.note(networks=made)
    body = {"Name": name, "CheckDuplicate": True, "Driver": "bridge", "Labels": {_LABEL: container}}
    await client.post("/networks/create", body)


async def take_away(client: DockerClient, progress: Progress) -> None:
    """Networks that were made for the step, unless something else is in them by now."""
    for name in progress.known().get("networks", ()):
        found = await existing(client, str(name))
        if found is not None and not found.get("Containers") and _LABEL in (found.get("Labels") or {}):
            await client.delete(f"/networks/{name}")


async def connect(client: DockerClient, name: str, container: str, endpoint: Any) -> None:
    await client.post(f"/networks/{name}/connect", {"Container": container, "EndpointConfig": endpoint or {}})


async def disconnect(client: DockerClient, name: str, container: str) -> None:
    await client.post(f"/networks/{name}/disconnect", {"Container": container, "Force": False})


async def apply(client: DockerClient, step: Step, progress: Progress) -> None:
    data = await state.unchanged(client, step)
    name = str(data["Id"])
    progress.note(id=name, ran=state.running(data))
    published = _published(data)
    await _move(client, name, networks(step.before), networks(step.change), step, progress)
    now = await state.present(client, name)
    if progress.known()["ran"]:
        if reason := state.trouble(await state.inspect(client, name)):
            raise SourceError(f"the container is not well after the move: {reason}", where=step.target)
        now = await state.present(client, name)
        if missing := sorted(published - _published(now)):
            raise SourceError(f"published ports are gone after the move: {', '.join(missing)}", where=step.target)
    progress.note(written=state.record(now).decode())


async def _move(
    client: DockerClient, name: str, before: dict[str, Any], after: dict[str, Any], step: Step, progress: Progress
) -> None:  # fmt: skip
    now = await state.present(client, name)
    inside = set((now.get("NetworkSettings") or {}).get("Networks") or {})
    for network, endpoint in after.items():
        if network not in inside:
            await make(client, network, state.named(step), progress)
            await connect(client, network, name, endpoint)
    for network in before:
        if network not in after and network in inside:
            await disconnect(client, network, name)


def _published(data: dict[str, Any]) -> set[str]:
    ports = (data.get("NetworkSettings") or {}).get("Ports") or {}
    return {port for port, bindings in ports.items() if bindings}


async def undo(client: DockerClient, step: Step, progress: Progress) -> None:
    name = progress.known().get("id")
    if name is None:
        return
    if await state.inspect(client, str(name)) is None:
        raise Conflict("the container that was moved is gone", where=step.target)
    await _move(client, str(name), networks(step.change), networks(step.before), step, progress)
    await take_away(client, progress)
