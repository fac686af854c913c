"""The channel ``docker`` behind its port: one engine, the method that the step names."""

from __future__ import annotations

from bulkhead.actuators.docker import networks, recreate, state, swarm, update
from bulkhead.actuators.docker.state import Patience
from bulkhead.app.worlds import Progress
from bulkhead.clients.docker import DockerClient
from bulkhead.core.errors import PlanRefused
from bulkhead.core.plan import Channel, Step


class DockerHands:
    """Changes one engine. Each call opens its own connection, so that a restart of the engine in between does no harm."""

    def __init__(self, socket: str, patience: Patience | None = None) -> None:
        self._socket = socket
        self._patience = patience or Patience()

    @property
    def channel(self) -> Channel:
        return "docker"

    async def rehearse(self, step: Step) -> tuple[str, ...]:
        async with DockerClient(self._socket) as client:
            if step.method == "update":
                return await update.rehearse(client, step)
            if step.method == "networks":
                return await networks.rehearse(client, step)
            if step.method == "recreate":
                return await recreate.rehearse(client, step)
            if step.method == "swarm":
                return await swarm.rehearse(client, step)
        raise PlanRefused(f"an engine knows no method called '{step.method}'", where=step.target)

    async def apply(self, step: Step, progress: Progress) -> None:
        async with DockerClient(self._socket) as client:
            if step.method == "update":
                await update.apply(client, step, progress)
            elif step.method == "networks":
                await networks.apply(client, step, progress)
            elif step.method == "recreate":
                await recreate.apply(client, step, progress, self._patience)
            elif step.method == "swarm":
                await swarm.apply(client, step, progress)
            else:
                raise PlanRefused(f"an engine knows no method called '{step.method}'", where=step.target)

    async def well(self, step: Step, progress: Progress) -> str:
        known = progress.known()
        if step.method == "swarm" or known.get("ran") is not True:
            return ""
        async with DockerClient(self._socket) as client:
            return state.trouble(await state.inspect(client, str(known.get("new") or known.get("id"))))

    async def undo(self, step: Step, progress: Progress) -> None:
        async with DockerClient(self._socket) as client:
            if step.method == "update":
                await update.undo(client, step, progress)
            elif step.method == "networks":
                await networks.undo(client, step, progress)
            elif step.method == "recreate":
                await recreate.undo(client, step, progress, self._patience)
            else:
                await swarm.undo(client, step, progress)

    async def current(self, step: Step, progress: Progress) -> bytes | None:  # noqa: ARG002 (the port's)
        async with DockerClient(self._socket) as client:
            if step.method == "swarm":
                return swarm.record(await swarm.read(client, step))
            found = await state.inspect(client, state.named(step))
            return None if found is None else state.record(found)

    async def settle(self, step: Step, progress: Progress) -> bool:
        if step.method != "recreate":
            return False
        async with DockerClient(self._socket) as client:
            return await recreate.settle(client, step, progress)
