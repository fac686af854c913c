"""A container made anew from its record, and the way back to the old one.

1. The heir is created under a name of its own: what the engine does not take is refused before anything stops.
2. The old container's restart policy is put off (it must not come back by itself), it is renamed, the heir gets its name, the
   old one is stopped and the heir started.
3. The heir must come up. When it does not, or at an undo: it is removed (its volumes stay), the old one gets its name back and
   is started.

Each act is noted before it is done, and the names are made from the step: after a crash both containers are found again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from bulkhead.actuators.docker import networks, state
from bulkhead.actuators.docker.state import Patience
from bulkhead.app.worlds import Progress
from bulkhead.clients.docker import DockerClient, Vanished
from bulkhead.core.errors import Conflict, PlanRefused, SourceError
from bulkhead.core.plan import Step
from bulkhead.core.shapes import WRONG_SHAPE

_CHANGES = 10_000
_RENAMES, _PAUSE = 5, 0.3
_NEVER = {"Name": "no", "MaximumRetryCount": 0}


def heir_name(step: Step) -> str:
    return f"{state.named(step)}.new-{step.id}"


def kept_name(step: Step) -> str:
    return f"{state.named(step)}.kept-{step.id}"


async def rehearse(client: DockerClient, step: Step) -> tuple[str, ...]:
    data = await state.unchanged(client, step)
    wanted = _decoded(step.change)
    _body(wanted, str(data["Id"]), "")
    try:
        await client.get(f"/images/{wanted.get('Image')}/json")
    except Vanished as error:
        raise PlanRefused("its image is not in the engine any more", where=step.target, hint="pull it first") from error
    for name in (heir_name(step), kept_name(step)):
        if await state.inspect(client, name) is not None:
            raise PlanRefused(f"there is a container called {name} already", where=step.target)
    warnings = [f"{step.target} is stopped and made again from its record; the old one is kept as {kept_name(step)}"]
    written = await _own_files(client, str(data["Id"]))
    if written:
        warnings.append(
            f"{written} files in the container's own layer stay with the old one; the new one starts without them"
        )
    project = ((data.get("Config") or {}).get("Labels") or {}).get("com.docker.compose.project")
    if project:
        warnings.append(f"Compose project {project} made it: repair its file too, or the next change there undoes this")
    return tuple(warnings)


async def _own_files(client: DockerClient, name: str) -> int:
    """Files that the container wrote outside of its volumes."""
    found = await client.get(f"/containers/{name}/changes")
    return min(len(found), _CHANGES) if isinstance(found, list) else 0


async def apply(client: DockerClient, step: Step, progress: Progress, patience: Patience) -> None:
    data = await state.unchanged(client, step)
    old = str(data["Id"])
    ran = state.running(data)
    wanted = _decoded(step.change)
    progress.note(old=old, ran=ran, aside=old)
    await _joined(client, wanted, step, progress)
    new = await _created(client, wanted, old, heir_name(step), step)
    progress.note(new=new)
    await client.post(f"/containers/{old}/update", {"RestartPolicy": _NEVER})
    await _rename(client, old, kept_name(step))
    await _rename(client, new, state.named(step))
    if ran:
        await _stop(client, data, patience)
        await client.post(f"/containers/{new}/start")
        await state.settled(client, new, patience)
    progress.note(written=state.record(await state.present(client, new)).decode())


async def _joined(client: DockerClient, wanted: Mapping[str, Any], step: Step, progress: Progress) -> None:
    """The networks that the heir is in are there."""
    for name in _networks(wanted):
        if name.startswith("bulkhead-"):
            await networks.make(client, name, state.named(step), progress)


async def _created(client: DockerClient, wanted: Mapping[str, Any], old: str, name: str, step: Step) -> str:
    tagged = await _tag_of(client, wanted)
    answer = await client.post("/containers/create", _body(wanted, old, tagged), name=name)
    if not isinstance(answer, dict) or not isinstance(answer.get("Id"), str):
        raise SourceError("the engine does not say what it created", where=step.target)
    new: str = answer["Id"]
    primary = _primary(wanted)
    for network, endpoint in _networks(wanted).items():
        if network != primary:
            await networks.connect(client, network, new, endpoint)
    return new


async def _tag_of(client: DockerClient, wanted: Mapping[str, Any]) -> str:
    """What the image is called in the heir: its name, where that still stands for the image, else its id."""
    name, image = str((wanted.get("Config") or {}).get("Image") or ""), str(wanted.get("Image") or "")
    if not name or name == image:
        return image
    try:
        found = await client.get(f"/images/{name}/json")
    except Vanished:
        return image
    return name if isinstance(found, dict) and found.get("Id") == image else image


def _body(wanted: Mapping[str, Any], old: str, image: str) -> dict[str, Any]:
    """The body of ``POST /containers/create`` for a record.

    Raises:
        PlanRefused: the record has not the shape of one.
    """
    try:
        config = dict(wanted["Config"])
        host = dict(wanted["HostConfig"])
        # What the engine made up for the old container it makes up anew.
        if (
            config.get("Hostname") == old[:12]
            or host.get("NetworkMode") == "host"
            or str(host.get("UTSMode")) == "host"
        ):
            config.pop("Hostname", None)
        config.pop("MacAddress", None)
        config["Image"] = image
        host["Mounts"] = [*(host.get("Mounts") or ()), *_anonymous(wanted, host)]
        primary = _primary(wanted)
        host["NetworkMode"] = primary if primary != "bridge" else host.get("NetworkMode")
        found = _networks(wanted)
        joined = {primary: found[primary]} if primary in found else {}
        return {**config, "HostConfig": host, "NetworkingConfig": {"EndpointsConfig": joined}}
    except WRONG_SHAPE as error:
        raise PlanRefused(
            f"the container's record has not the shape of one: {error}", where=str(wanted.get("Name"))
        ) from error


def _anonymous(wanted: Mapping[str, Any], host: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Volumes that the image asked for and the engine named: the heir goes on with the same."""
    asked = {str(bind).split(":")[1] for bind in host.get("Binds") or () if ":" in str(bind)}
    asked |= {mount.get("Target") for mount in host.get("Mounts") or ()}
    return [
        {
            "Type": "volume",
            "Source": mount["Name"],
            "Target": mount["Destination"],
            "ReadOnly": mount.get("RW") is False,
        }
        for mount in wanted.get("Mounts") or ()
        if mount.get("Type") == "volume" and mount.get("Name") and mount["Destination"] not in asked
    ]


def _primary(wanted: Mapping[str, Any]) -> str:
    """The network that the heir is created in. One that left its first network is created in the next that it has."""
    mode = str((wanted.get("HostConfig") or {}).get("NetworkMode") or "default")
    mode = "bridge" if mode == "default" else mode
    return next(iter(_networks(wanted)), mode) if mode == "bridge" and mode not in _networks(wanted) else mode


def _networks(wanted: Mapping[str, Any]) -> dict[str, Any]:
    return dict((wanted.get("NetworkSettings") or {}).get("Networks") or {})


def _decoded(record: bytes | None) -> dict[str, Any]:
    found = msgspec.json.decode(record) if record else None
    if not isinstance(found, dict):
        raise PlanRefused("the step has no record of a container")
    return found


async def _rename(client: DockerClient, name: str, wanted: str) -> None:
    """An engine that is still taking a stopped container's network apart answers as if there were none: asked again."""
    for _ in range(_RENAMES):
        try:
            await client.post(f"/containers/{name}/rename", name=wanted)
        except Vanished:
            await asyncio.sleep(_PAUSE)
            continue
        return
    await client.post(f"/containers/{name}/rename", name=wanted)


async def _stop(client: DockerClient, data: Mapping[str, Any], patience: Patience) -> None:
    seconds = (data.get("Config") or {}).get("StopTimeout")
    wait = seconds if isinstance(seconds, int) and 0 <= seconds <= 600 else 10
    await client.post(f"/containers/{data['Id']}/stop", seconds=wait + patience.stop, t=str(wait))


async def undo(client: DockerClient, step: Step, progress: Progress, patience: Patience) -> None:
    known = progress.known()
    old, ran = known.get("old"), known.get("ran") is True
    if old is None:
        return
    before = _decoded(step.before)
    new = await _heir(client, step, str(old), known.get("new"))
    kept = await state.inspect(client, str(old))
    if new is not None:
        # ``v`` is left out: the volumes are the old one's too.
        await client.delete(f"/containers/{new}", force="true")
    if kept is None:
        made = await _created(client, before, "", state.named(step), step)
        progress.note(old=made, remade=True)
        kept = await state.present(client, made)
        old = made
    if str(kept.get("Name", "")).lstrip("/") != state.named(step):
        await _rename(client, str(old), state.named(step))
    policy = (before.get("HostConfig") or {}).get("RestartPolicy")
    if policy and kept["HostConfig"].get("RestartPolicy") != policy:
        await client.post(f"/containers/{old}/update", {"RestartPolicy": policy})
    if ran and not state.running(kept):
        await client.post(f"/containers/{old}/start")
        await state.settled(client, str(old), patience, health=False)
    await networks.take_away(client, progress)


async def _heir(client: DockerClient, step: Step, old: str, noted: Any) -> str | None:
    """The container that was made for the step, wherever it stopped; None where there is none.

    Raises:
        Conflict: the name is held by a container that is neither the old one nor ours.
    """
    waiting = await state.inspect(client, heir_name(step))
    if waiting is not None:
        return str(waiting["Id"])
    holder = await state.inspect(client, state.named(step))
    if holder is None or holder["Id"] == old:
        return None
    if holder["Id"] != noted:
        raise Conflict("somebody else made a container of that name", where=step.target)
    return str(holder["Id"])


async def settle(client: DockerClient, step: Step, progress: Progress) -> bool:
    """Remove what is kept for the way back; whether there was something."""
    known = progress.known()
    old = known.get("old")
    found = await state.inspect(client, str(old)) if old is not None else None
    if found is None or str(found.get("Name", "")).lstrip("/") != kept_name(step) or state.running(found):
        return False
    await client.delete(f"/containers/{old}")
    progress.note(aside="")
    return True
