"""The channel ``node`` behind its port: this machine, by the method that the step names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bulkhead.actuators.node import accounts, daemon, modes, rules
from bulkhead.app.worlds import Progress
from bulkhead.core.canonical import canonical
from bulkhead.core.errors import Conflict, PlanRefused, SourceError
from bulkhead.core.plan import Channel, Step


class NodeHands:
    """Changes this machine.

    Args:
        socket: the engine's, for its daemon.
        restart: the words of the command that restarts the daemon where systemd does not run it.
        root: another root than ``/`` is a machine's files as a test lays them out.
    """

    def __init__(self, socket: str, *, restart: Sequence[str] = (), root: Path = Path("/")) -> None:
        self._socket = socket
        self._restart = tuple(restart)
        self._root = root

    @property
    def channel(self) -> Channel:
        return "node"

    async def rehearse(self, step: Step) -> tuple[str, ...]:
        if step.method in ("reload", "restart"):
            return daemon.rehearse(step, self._socket, self._restart)
        _, after = _records(step)
        if await self._now(step) != step.before:
            raise Conflict("it changed since it was scanned", where=step.target, hint="scan and fix again")
        if step.method == "audit-rule":
            rules.rehearse(self._root, str(after["path"]))
        elif step.method == "group":
            accounts.listed(self._root, "docker", after["groups"]["docker"])
        elif step.method not in ("mode", "sockets", "environment"):
            raise PlanRefused(f"a machine knows no method called '{step.method}'", where=step.target)
        return ()

    async def apply(self, step: Step, progress: Progress) -> None:
        if step.method in ("reload", "restart"):
            await daemon.apply(step, progress, self._socket, self._restart)
            return
        await self.rehearse(step)
        before, after = _records(step)
        progress.note(begun=True)
        await self._do(step, before, after)
        if await self._now(step) != step.change:
            progress.note(written=(await self._now(step)).decode())

    async def _do(self, step: Step, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        if step.method == "mode":
            modes.change(self._at(before["path"]), dict(before), dict(after), self._names())
        elif step.method == "sockets":
            for was, wanted in zip(before["sockets"], after["sockets"], strict=True):
                modes.change(self._at(was["path"]), was, wanted, self._names())
        elif step.method == "audit-rule":
            await rules.apply(self._root, str(after["path"]))
        elif step.method == "group":
            wanted = accounts.listed(self._root, "docker", after["groups"]["docker"])
            accounts.replace(self._root, "docker", wanted)
        elif step.method == "environment":
            accounts.set_variable(self._root)

    async def well(self, step: Step, progress: Progress) -> str:  # noqa: ARG002 (the port's)
        if step.method in ("reload", "restart"):
            try:
                await daemon.answering(self._socket)
            except SourceError as error:
                return str(error)
        return ""

    async def undo(self, step: Step, progress: Progress) -> None:
        if step.method in ("reload", "restart"):
            await daemon.undo(step, progress, self._socket, self._restart)
            return
        if progress.known().get("begun") is not True:
            return
        before, after = _records(step)
        if step.method == "audit-rule":
            await rules.undo(self._root, str(after["path"]))
        elif step.method == "environment":
            accounts.unset_variable(self._root)
        elif step.method == "sockets":
            for was, wanted in zip(before["sockets"], after["sockets"], strict=True):
                modes.change(self._at(was["path"]), wanted, was, self._names())
        else:
            await self._do(step, after, before)

    async def settle(self, step: Step, progress: Progress) -> bool:  # noqa: ARG002 (nothing is kept aside here)
        return False

    async def current(self, step: Step, progress: Progress) -> bytes | None:  # noqa: ARG002 (the port's)
        return daemon.now(step) if step.method in ("reload", "restart") else await self._now(step)

    def _names(self) -> modes.Names:
        return modes.Names(self._root)

    def _at(self, path: Any) -> Path:
        return self._root / str(path).lstrip("/")

    async def _now(self, step: Step) -> bytes:
        """The record as the machine makes it now, in the words of the step where they say the same."""
        before, after = _records(step)
        if step.method == "mode":
            return canonical({**before, **self._facts(before["path"], before, after)})
        if step.method == "sockets":
            pairs = zip(before["sockets"], after["sockets"], strict=True)
            return canonical(
                {**before, "sockets": [{**was, **self._facts(was["path"], was, wanted)} for was, wanted in pairs]}
            )
        if step.method == "audit-rule":
            return canonical(
                {
                    **before,
                    "audited": after["audited"]
                    if rules.watched(self._root, str(before["path"]))
                    else before["audited"],
                }
            )
        if step.method == "group":
            return canonical({**before, "groups": {"docker": accounts.everybody(self._root, "docker")}})
        held = after if accounts.variable(self._root) else before
        return canonical(held)

    def _facts(self, path: Any, *told: Mapping[str, Any]) -> dict[str, Any]:
        found = modes.facts(self._at(path), self._names())
        if found is None:
            return {"exists": False} if "exists" in told[0] else {"mode": "", "owner": "", "group": ""}
        for record in told:
            if modes.same(dict(record), found):
                return {name: record[name] for name in ("mode", "owner", "group")}
        return {"mode": found.mode, "owner": found.owner, "group": found.group}


def _records(step: Step) -> tuple[dict[str, Any], dict[str, Any]]:
    before, after = msgspec.json.decode(step.before or b"{}"), msgspec.json.decode(step.change)
    return before, after
