"""Settings of a swarm (``POST /swarm/update``), against its version: a change in between is a conflict."""

from __future__ import annotations

from typing import Any

import msgspec

from bulkhead.app.worlds import Progress
from bulkhead.clients.docker import DockerClient
from bulkhead.core.canonical import canonical
from bulkhead.core.errors import Conflict, SourceError
from bulkhead.core.plan import Step
from bulkhead.mitigation.channels import docker


async def read(client: DockerClient, step: Step) -> dict[str, Any]:
    found = await client.get("/swarm")
    if not isinstance(found, dict) or not isinstance(found.get("Version"), dict):
        raise SourceError("the engine's answer is not a swarm", where=step.target)
    return {**found, "id": str(found.get("ID", ""))}


def record(found: dict[str, Any]) -> bytes:
    return canonical(docker.swarm(found))


async def rehearse(client: DockerClient, step: Step) -> tuple[str, ...]:
    if record(await read(client, step)) != step.before:
        raise Conflict("the swarm changed since it was scanned", where=step.target, hint="scan and fix again")
    wanted = msgspec.json.decode(step.change)
    if ((wanted.get("Spec") or {}).get("EncryptionConfig") or {}).get("AutoLockManagers") is True:
        return ("keep the key of 'docker swarm unlock-key' in a vault: a manager that restarts asks for it",)
    return ()


async def apply(client: DockerClient, step: Step, progress: Progress) -> None:
    await rehearse(client, step)
    progress.note(begun=True)
    await _put(client, step, step.change)
    progress.note(written=record(await read(client, step)).decode())


async def undo(client: DockerClient, step: Step, progress: Progress) -> None:
    if progress.known().get("begun") is not True or record(await read(client, step)) == step.before:
        return
    await _put(client, step, step.before or b"{}")


async def _put(client: DockerClient, step: Step, wanted: bytes) -> None:
    found = await read(client, step)
    version = str(found["Version"].get("Index", ""))
    await client.post("/swarm/update", msgspec.json.decode(wanted).get("Spec"), version=version)
