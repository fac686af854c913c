"""daemon.json changed with as few bytes as that takes, and the daemon made to read it: by SIGHUP, or by a restart.

The daemon must answer afterwards; when it does not, the bytes that were there are put back and it is started again with them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from bulkhead.actuators.files.hands import Hands
from bulkhead.actuators.node import programs
from bulkhead.app.ports import FileFacts
from bulkhead.app.worlds import Progress
from bulkhead.clients.docker import DockerClient, Limits, holder
from bulkhead.core.canonical import canonical
from bulkhead.core.errors import BulkheadError, Conflict, PlanRefused, SourceError
from bulkhead.core.plan import Edit, Step
from bulkhead.core.resource import Text
from bulkhead.formats import texts

# What the daemon does without the setting. A reload leaves alone what the file does not name: to take a setting away, its
# default is named once (moby, daemon/reload.go).
_DEFAULTS: Final[dict[str, Any]] = {
    "debug": False, "labels": [], "live-restore": False, "max-concurrent-downloads": 3, "max-concurrent-uploads": 5,
    "max-download-attempts": 5, "default-runtime": "runc", "runtimes": {}, "authorization-plugins": [], "features": {},
    "allow-nondistributable-artifacts": [], "insecure-registries": [], "registry-mirrors": [], "shutdown-timeout": 15,
}  # fmt: skip
_SYSTEMD = Path("/run/systemd/system")
_ANSWERS_SECONDS = 60.0
_RESTART_SECONDS = 120.0
_LOOK = 0.25
_files = Hands()


def changed(step: Step) -> dict[str, tuple[Any, Any]]:
    """The keys that the step changes, with the values before and after; ``...`` stands for none."""
    before, after = _config(step.before), _config(step.change)
    keys = [
        key
        for key in (*before, *(key for key in after if key not in before))
        if before.get(key, ...) != after.get(key, ...)
    ]
    return {key: (before.get(key, ...), after.get(key, ...)) for key in keys}


def _config(record: bytes | None) -> dict[str, Any]:
    found = msgspec.json.decode(record) if record else {}
    config = found.get("config")
    return dict(config) if isinstance(config, dict) else {}


def path_of(step: Step) -> Path:
    found = msgspec.json.decode(step.before or b"{}").get("config_file")
    if not isinstance(found, str) or not found.startswith("/"):
        raise PlanRefused("the record does not say where the daemon reads its settings", where=step.target)
    return Path(found)


def read(path: Path) -> tuple[bytes | None, dict[str, Any]]:
    """The file's bytes, None where there is none, and its settings.

    Raises:
        SourceError: it cannot be read, or is not an object.
    """
    data = _files.current(str(path.parent), path.name)
    try:
        found = msgspec.json.decode(data) if data and data.strip() else {}
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceError("it is not JSON", where=str(path)) from error
    if not isinstance(found, dict):
        raise SourceError("it is not an object", where=str(path))
    return data, found


def now(step: Step) -> bytes:
    """The record as the file makes it now."""
    _, found = read(path_of(step))
    record = msgspec.json.decode(step.before or b"{}")
    keys = changed(step)
    config = {key: value for key, value in _config(step.before).items() if key not in keys}
    return canonical({**record, "config": config | {key: found[key] for key in keys if key in found}})


def unchanged(step: Step) -> None:
    if now(step) != step.before:
        raise Conflict(
            "the daemon's settings changed since they were read", where=str(path_of(step)), hint="scan and fix again"
        )


def rehearse(step: Step, socket: str, restart: Sequence[str]) -> tuple[str, ...]:
    unchanged(step)
    if not _daemon(socket):
        raise PlanRefused("the daemon behind the socket cannot be told from here", where=socket)
    if step.method == "reload":
        return ()
    how = _restarting(restart)
    if how is None:
        raise PlanRefused(
            "this setting needs a restart of the daemon, and systemd does not run it here", where=step.target,
            hint="set docker_restart to the command that restarts it, or change the file by hand",
        )  # fmt: skip
    live = _config(step.before).get("live-restore") is True
    return () if live else ("the restart stops every container for a moment: live-restore is off",)


def _restarting(restart: Sequence[str]) -> Sequence[str] | None:
    if restart:
        return restart
    return ("systemctl", "restart", "docker.service") if _SYSTEMD.is_dir() and programs.there("systemctl") else None


def _daemon(socket: str) -> int:
    """The dockerd behind the socket; 0 where something else, or nobody, holds it."""
    pid = holder(socket)
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") if pid > 0 else []
    except OSError:
        return 0
    if pid == 1:
        return _by_name()
    return pid if words and words[0].rpartition(b"/")[2] == b"dockerd" else 0


def _by_name() -> int:
    """Where systemd holds the socket for it: the only dockerd there is."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if (entry / "comm").read_text().strip() == "dockerd":
                    found.append(int(entry.name))
            except OSError:
                continue
    return found[0] if len(found) == 1 else 0


async def apply(step: Step, progress: Progress, socket: str, restart: Sequence[str]) -> None:
    unchanged(step)
    path = path_of(step)
    data, _ = read(path)
    facts = _files.facts(str(path.parent), path.name)
    running = await _running(socket)
    progress.note(
        begun=True, existed=data is not None, bytes=(data or b"").hex(), facts=msgspec.to_builtins(facts) if facts else None, running=running,
    )  # fmt: skip
    wanted = texts.apply(_text(path, data), list(_edits(step)))
    progress.note(put=wanted.hex())
    await _put(step, path, wanted, facts, socket, restart, running)


def _text(path: Path, data: bytes | None) -> Text:
    return Text(path=path.name, format="json", data=data if data and data.strip() else b"{}\n")


async def _put(
    step: Step, path: Path, wanted: bytes | None, facts: FileFacts | None, socket: str, restart: Sequence[str], running: Sequence[str]
) -> None:  # fmt: skip
    """The file with these bytes, or none, and the daemon with its settings."""
    given = msgspec.json.decode(wanted) if wanted and wanted.strip() else {}
    silent = {key: _DEFAULTS[key] for key in changed(step) if key not in given and key in _DEFAULTS}
    if step.method == "reload" and silent:
        edits = [Edit(op="set", path=(key,), value=value) for key, value in silent.items()]
        _write(path, texts.apply(_text(path, wanted), edits), facts)
        await _read_again(step, socket, restart, running)
        _write(path, wanted, facts)
        return
    _write(path, wanted, facts)
    await _read_again(step, socket, restart, running)


def _write(path: Path, data: bytes | None, facts: FileFacts | None) -> None:
    if data is None:
        if path.exists():
            _files.remove(str(path.parent), path.name)
    else:
        _files.replace(str(path.parent), path.name, data, facts or FileFacts(mode=0o644, uid=0, gid=0))


def _edits(step: Step) -> Iterator[Edit]:
    for key, (_, value) in changed(step).items():
        yield Edit(op="remove", path=(key,)) if value is ... else Edit(op="set", path=(key,), value=value)


async def _running(socket: str) -> list[str]:
    async with DockerClient(socket) as client:
        listed = await client.get("/containers/json")
    return [str(item["Id"]) for item in listed] if isinstance(listed, list) else []


async def _read_again(step: Step, socket: str, restart: Sequence[str], running: Sequence[str]) -> None:
    """Raises SourceError where the daemon, or a container that ran, does not come back."""
    if step.method == "reload":
        pid = _daemon(socket)
        if not pid:
            raise SourceError("the daemon behind the socket is gone", where=socket)
        os.kill(pid, signal.SIGHUP)
        await asyncio.sleep(_LOOK)
    else:
        how = _restarting(restart)
        if how is None:
            raise SourceError("the daemon cannot be restarted from here", where=step.target)
        await programs.run(how, seconds=_RESTART_SECONDS)
    await answering(socket)
    await _back(socket, running)


async def answering(socket: str) -> None:
    """Raises SourceError where the engine does not answer in time."""
    end = time.monotonic() + _ANSWERS_SECONDS
    while True:
        try:
            async with DockerClient(socket, limits=Limits(call_seconds=5.0)) as client:
                await client.get("/version")
                return
        except SourceError as error:
            if time.monotonic() > end:
                raise SourceError("the daemon does not come back", where=socket) from error
        await asyncio.sleep(_LOOK)


async def _back(socket: str, running: Sequence[str]) -> None:
    """The containers that ran run again, as far as their restart policy promises it.

    Raises:
        SourceError: one that must come back does not.
    """
    end = time.monotonic() + _ANSWERS_SECONDS
    missing = set(running)
    while missing:
        missing = set(running) - set(await _running(socket))
        if not missing or time.monotonic() > end:
            break
        if all([not await _promised(socket, name) for name in missing]):
            break
        await asyncio.sleep(_LOOK)
    async with DockerClient(socket) as client:
        for name in missing:
            await client.post(f"/containers/{name}/start")


async def _promised(socket: str, name: str) -> bool:
    """Whether the engine starts the container again by itself."""
    async with DockerClient(socket) as client:
        data = await client.get(f"/containers/{name}/json")
    policy = ((data.get("HostConfig") or {}).get("RestartPolicy") or {}).get("Name")
    return policy in ("always", "unless-stopped", "on-failure")


async def undo(step: Step, progress: Progress, socket: str, restart: Sequence[str]) -> None:
    known = progress.known()
    if known.get("begun") is not True:
        return
    path = path_of(step)
    before = bytes.fromhex(str(known["bytes"]))
    data = _files.current(str(path.parent), path.name)
    was = before if known.get("existed") else None
    put = bytes.fromhex(str(known["put"])) if known.get("put") is not None else None
    if data not in (was, put):
        raise Conflict("somebody else changed the file since", where=str(path))
    facts = msgspec.convert(known["facts"], FileFacts) if known.get("facts") else None
    running = [str(item) for item in known.get("running") or ()]
    try:
        await _put(step, path, was, facts, socket, restart, running)
    except BulkheadError:
        if step.method == "reload":
            raise
        # It may have been down already: once more, from nothing.
        await programs.run(_restarting(restart) or ("true",), seconds=_RESTART_SECONDS)
        await answering(socket)
