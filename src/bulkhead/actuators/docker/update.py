"""Settings that a running container takes without a pause (``POST /containers/ID/update``), and back.

The engine ignores 0 for a limit: one that was not set before is put back as the machine's own size, which limits nothing.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from bulkhead.actuators.docker import state
from bulkhead.app.worlds import Progress
from bulkhead.clients.docker import DockerClient
from bulkhead.core.errors import Conflict, PlanRefused, SourceError
from bulkhead.core.plan import Step
from bulkhead.mitigation.channels.docker import UPDATABLE

_PAGE: Final = 4096
_SHARES: Final = 1024
"""The weight of a container that was given none (Linux, cgroups: cpu.shares)."""


def fields(step: Step) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the step changes: the values before and after, by the engine's names."""
    before = (msgspec.json.decode(step.before) if step.before else {}).get("HostConfig") or {}
    after = msgspec.json.decode(step.change).get("HostConfig") or {}
    names = [name for name in sorted(UPDATABLE) if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


async def rehearse(client: DockerClient, step: Step) -> tuple[str, ...]:
    data = await state.unchanged(client, step)
    _, wanted = fields(step)
    memory = wanted.get("Memory")
    if memory and state.running(data):
        used = await in_use(client, str(data["Id"]))
        if used is not None and used > memory:
            raise PlanRefused(
                f"it uses {used} bytes of memory now, more than the limit of {memory}", where=step.target,
                hint="raise the control's parameter 'memory'",
            )  # fmt: skip
    return ()


async def in_use(client: DockerClient, name: str) -> int | None:
    """Bytes of memory that a running container uses; None where the engine does not count it."""
    told = await client.get(f"/containers/{name}/stats", **{"stream": "false", "one-shot": "true"})
    found = told.get("memory_stats", {}).get("usage") if isinstance(told, dict) else None
    return found if isinstance(found, int) else None


async def apply(client: DockerClient, step: Step, progress: Progress) -> None:
    data = await state.unchanged(client, step)
    _, wanted = fields(step)
    progress.note(id=data["Id"], ran=state.running(data))
    await client.post(f"/containers/{data['Id']}/update", wanted)
    now = await state.present(client, str(data["Id"]))
    missed = [name for name, value in wanted.items() if now["HostConfig"].get(name) != value]
    if missed:
        raise SourceError(f"the engine did not take {', '.join(missed)}", where=step.target)
    progress.note(written=state.record(now).decode())
    if progress.known()["ran"] and (reason := state.trouble(now)):
        raise SourceError(f"the container is not well after the update: {reason}", where=step.target)


async def undo(client: DockerClient, step: Step, progress: Progress) -> None:
    name = progress.known().get("id")
    if name is None:
        return  # Nothing was begun.
    data = await state.inspect(client, str(name))
    if data is None:
        raise Conflict("the container that was updated is gone", where=step.target)
    before, wanted = fields(step)
    now = {field: data["HostConfig"].get(field) for field in before}
    if now == before:
        return
    if now != wanted:
        raise Conflict("somebody else changed the container's limits since", where=step.target)
    info = await client.get("/info")
    await client.post(f"/containers/{name}/update", restored(before, info))
    again = await state.present(client, str(name))
    still = [field for field, value in wanted.items() if again["HostConfig"].get(field) == value]
    if still:
        raise SourceError(f"the engine did not take back {', '.join(still)}", where=step.target)


def restored(before: dict[str, Any], info: Any) -> dict[str, Any]:
    """The former values in words that the engine heeds."""
    memory = int(info.get("MemTotal") or 0) // _PAGE * _PAGE if isinstance(info, dict) else 0
    unlimited: dict[str, Any] = {
        "Memory": memory, "MemorySwap": memory, "NanoCpus": int(info.get("NCPU") or 1) * 1_000_000_000, "CpuShares": _SHARES, "PidsLimit": -1,
    }  # fmt: skip
    return {name: value or unlimited.get(name, value) for name, value in before.items()}
