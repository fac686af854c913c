"""One container: the engine's answer, with what is seen of it from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from bulkhead.clients.docker import DockerClient, Vanished
from bulkhead.core.errors import SourceError
from bulkhead.report.mask import mask_source
from bulkhead.sources.machine import Machine

_MADE: Final = (
    "/.dockerenv",
    "/dev",
    "/proc",
    "/sys",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/mtab",
    "/dev/console",
)
_CHANGES = 2000
_CHANGES_SECONDS = 3.0
_EXECS = 100
"""Sessions of one container that are looked at, the newest first."""


async def read(client: DockerClient, name: str, tags: Mapping[str, str], machine: Machine | None) -> dict[str, Any]:
    """The container with ``Observed``; what cannot be seen is left out of it, and a check that needs it says so.

    Raises:
        Vanished: it is gone.
        SourceError: the engine refuses to tell.
        TypeError, KeyError, AttributeError: the answer has another shape.
    """
    data: dict[str, Any] = await client.get(f"/containers/{name}/json")
    # The engine tells mounts in any order.
    data["Mounts"] = sorted(data.get("Mounts") or (), key=lambda mount: str(mount.get("Destination")))
    state = data["State"]
    observed: dict[str, Any] = {}
    if state.get("Running"):
        # They are of now: a container that ends in between has none.
        observed["processes"] = await _processes(client, name)
        observed["execs"] = await _execs(client, data.get("ExecIDs") or ())
        # An engine may take a second for each container's statistics.
        counted = machine.usage(int(state.get("Pid") or 0), str(data.get("Id", ""))) if machine is not None else None
        observed |= counted if counted is not None else await _usage(client, name)
        listening = machine.listening(int(state.get("Pid") or 0)) if machine is not None and state.get("Pid") else None
        if listening is not None:
            observed["listening"] = listening
    else:
        observed |= {"processes": [], "execs": [], "listening": []}
    if (data.get("HostConfig") or {}).get("ReadonlyRootfs") is not True:
        observed["written"] = await _written(client, name, data.get("Mounts") or ())
    image = _image(str((data.get("Config") or {}).get("Image") or ""), tags)
    if image:
        observed["image"] = image
    return {**data, "Observed": {key: value for key, value in observed.items() if value is not None}}


async def _usage(client: DockerClient, name: str) -> dict[str, Any]:
    """Memory in use and at most, in bytes, and the number of processes; what the kernel does not count is left out."""
    try:
        answer = await client.get(f"/containers/{name}/stats", **{"stream": "false", "one-shot": "true"})
    except Vanished:
        raise
    except SourceError:
        return {}
    memory, pids = answer.get("memory_stats") or {}, answer.get("pids_stats") or {}
    used, peak = memory.get("usage"), memory.get("max_usage")
    found: dict[str, Any] = {}
    if isinstance(used, int):
        # With cgroup v2 the engine tells no peak; what is in use is the least that it was.
        found["memory"] = {"usage": used, "peak": max(peak, used) if isinstance(peak, int) else used}
    if isinstance(pids.get("current"), int):
        found["pids"] = pids["current"]
    return found


async def _written(client: DockerClient, name: str, mounts: Any) -> list[str] | None:
    """Folders of the container's own layer in which files were added or changed; None where that is too much to tell."""
    try:
        async with asyncio.timeout(_CHANGES_SECONDS):
            answer = await client.get(f"/containers/{name}/changes")
    except Vanished:
        raise
    except (SourceError, TimeoutError):
        return None
    # Places for mounts and a few files of the engine's are made in the layer before anything runs.
    made = {*_MADE, *(str(mount.get("Destination")) for mount in mounts)}
    changed = {path: item.get("Kind") for item in answer or () if (path := str(item["Path"])) not in made}
    if len(changed) > _CHANGES:
        return None
    # A folder is told as changed where something below it is: what nothing else lies below was written itself.
    inner = {path.rpartition("/")[0] for path in (*changed, *made)}
    written = {_folder(path, kind) for path, kind in changed.items() if path not in inner}
    return sorted(
        folder for folder in written if not any(other != folder and _below(folder, other) for other in written)
    )


def _folder(path: str, kind: Any) -> str:
    """The folder that was written to. Below the root, what was only modified is a folder itself: its files are gone again."""
    return path if path.count("/") == 1 and kind == 0 else path.rpartition("/")[0] or "/"


def _below(folder: str, other: str) -> bool:
    return folder.startswith(other.rstrip("/") + "/")


def _image(name: str, tags: Mapping[str, str]) -> str:
    """The image that the container's tag stands for now; empty where it was not made from a tag."""
    if not name or name.startswith("sha256:") or "@" in name:
        return ""
    tagged = name if ":" in name.rpartition("/")[2] else f"{name}:latest"
    return tags.get(tagged, "")


async def _processes(client: DockerClient, name: str) -> list[str] | None:
    try:
        answer = await client.get(f"/containers/{name}/top", ps_args="-eo pid,args")
    except Vanished:
        raise
    except SourceError:
        return None
    titles = [str(title).upper() for title in answer["Titles"] or ()]
    column = next((at for at, title in enumerate(titles) if title in ("CMD", "COMMAND", "ARGS")), len(titles) - 1)
    return [mask_source(str(row[column])[:2000]) for row in answer["Processes"] or () if len(row) > column]


async def _execs(client: DockerClient, names: Any) -> list[dict[str, Any]] | None:
    """Sessions that were opened into the container. The engine forgets those that have ended, after a while."""
    try:
        answers = await asyncio.gather(*(_exec(client, str(name)) for name in list(names)[-_EXECS:]))
    except SourceError:
        return None
    return [answer for answer in answers if answer is not None]


async def _exec(client: DockerClient, name: str) -> dict[str, Any] | None:
    try:
        answer = await client.get(f"/exec/{name}/json")
    except Vanished:
        return None
    process = answer["ProcessConfig"]
    words = [str(process.get("entrypoint") or ""), *map(str, process.get("arguments") or ())]
    return {
        "command": mask_source(" ".join(words)[:500]),
        "user": str(process.get("user") or ""),
        "privileged": process.get("privileged") is True,
    }
