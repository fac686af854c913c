"""One engine and its machine into a Snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from bulkhead.clients.docker import DockerClient, Vanished, holder
from bulkhead.core.errors import SourceError
from bulkhead.core.resource import Gap, Ref, Resource, Snapshot
from bulkhead.core.shapes import WRONG_SHAPE
from bulkhead.sources.docker import containers, daemon, files, images
from bulkhead.sources.docker.layers import Layers
from bulkhead.sources.machine import Machine

_CLOCK = 2.0
"""Seconds by which the boot's time and a file's may differ."""
_USERS = 1_000
"""Containers that are told of one image."""
_MOST = 10_000
"""Containers and images of one engine that are read."""


async def read(
    client: DockerClient, address: str, *, machine: Machine | None, now: datetime, layers: Layers | None = None
) -> Snapshot:
    """Everything of the engine that is ours to judge, and what could not be read.

    Args:
        client: open, to the engine.
        address: its socket, as it is told in findings.
        machine: the machine that the engine runs on; None where it runs somewhere else.
        now: for ages.
        layers: reads the files of images; None leaves them unread, and what they would tell unknown.

    Raises:
        SourceError: the engine cannot be asked who it is.
    """
    info, version = await asyncio.gather(client.get("/info"), client.get("/version"))
    if not isinstance(info, dict) or not isinstance(version, dict):
        raise SourceError("the engine does not say what it is", where=address)
    reading = _Reading(client, f"docker://{info.get('Name') or address}", machine, now, layers)
    return await reading.all(info, version, address)


class _Reading:
    def __init__(
        self, client: DockerClient, origin: str, machine: Machine | None, now: datetime, layers: Layers | None
    ) -> None:
        self._layers = layers
        self._client = client
        self._origin = origin
        self._machine = machine
        self._now = now
        self.resources: list[Resource] = []
        self.gaps: list[Gap] = []
        self.notes: list[str] = []

    async def all(self, info: dict[str, Any], version: dict[str, Any], address: str) -> Snapshot:
        listed, stored, networks = await asyncio.gather(
            self._list("/containers/json", "DockerContainer", all="true"),
            self._list("/images/json", "Image"),
            self._list("/networks", "DockerDaemon"),
        )
        tags = {
            str(tag): str(item.get("Id"))
            for item in stored
            for tag in (item["RepoTags"] if isinstance(item.get("RepoTags"), list) else ())
        }
        made = await asyncio.gather(
            *(self._container(str(item.get("Id")), tags) for item in listed),
            *(self._image(item) for item in stored),
        )
        found = _joined([item for item in made if item is not None])
        services = await self._swarm(info, networks)
        with self._in_shape("/info", "DockerDaemon", "NodeFile"):
            self._daemon(info, address, networks, services)
        with self._in_shape("/version", "DockerHost"):
            self._host(info, version, stored, [item for item in found if item.ref.kind == "DockerContainer"])
        return Snapshot((*self.resources, *found), tuple(self.gaps), tuple(self.notes))

    @contextmanager
    def _in_shape(self, where: str, *hides: str) -> Iterator[None]:
        """An answer of another shape than the engine's leaves a gap."""
        try:
            yield
        except WRONG_SHAPE as error:
            self._gap(where, SourceError(f"the engine's answer has another shape: {error}"), *hides)

    async def _list(self, path: str, hides: str, **parameters: str) -> list[dict[str, Any]]:
        try:
            answer = await self._client.get(path, **parameters)
        except SourceError as error:
            self._gap(path, error, hides)
            return []
        items = [item for item in answer if isinstance(item, dict)] if isinstance(answer, list) else []
        if not isinstance(answer, list) or len(items) < len(answer):
            self._gap(path, SourceError("the engine's answer is not a list of objects"), hides)
        if len(items) > _MOST:
            self._gap(path, SourceError(f"{len(items) - _MOST} more were not read"), hides)
        return items[:_MOST]

    def _gap(self, where: str, error: SourceError, *hides: str) -> None:
        self.gaps.append(
            Gap(where=f"{self._origin}{where}", code=error.code, reason=error.message, hint=error.hint, hides=hides)
        )

    def _ref(self, kind: str, name: str, uid: str = "") -> Ref:
        return Ref(source="docker", kind=kind, name=name, origin=self._origin, uid=uid)

    async def _container(self, name: str, tags: Mapping[str, str]) -> Resource | None:
        path = f"/containers/{name}/json"
        try:
            data = await containers.read(self._client, name, tags, self._machine)
            return Resource(self._ref("DockerContainer", str(data.get("Name") or name).lstrip("/")), data)
        except Vanished:
            return None
        except SourceError as error:
            self._gap(path, error, "DockerContainer")
        except WRONG_SHAPE as error:
            self._gap(path, SourceError(f"the container has not the shape of one: {error}"), "DockerContainer")
        return None

    async def _image(self, item: Mapping[str, Any]) -> Resource | None:
        name = str(item.get("Id"))
        try:
            data = await images.read(self._client, name, self._now)
            data |= await self._files_of(name, str(data["reference"]))
            return Resource(self._ref("Image", str(data["reference"])), data)
        except Vanished:
            return None
        except SourceError as error:
            self._gap(f"/images/{name}/json", error, "Image")
        except WRONG_SHAPE as error:
            self._gap(f"/images/{name}/json", SourceError(f"the image has not the shape of one: {error}"), "Image")
        return None

    async def _files_of(self, name: str, reference: str) -> dict[str, Any]:
        """What the image's files tell; nothing, and a gap, where they cannot be read."""
        if self._layers is None:
            return {}
        try:
            facts, gaps = await self._layers.read(name)
        except Vanished:
            raise
        except SourceError as error:
            where = f"/images/{name}/get"
            self._gap(
                where, SourceError(f"the files of {reference} were not read: {error.message}", hint=error.hint), "Image"
            )
            return {}
        self.gaps += [
            msgspec.structs.replace(gap, where=f"{self._origin} image {reference}: {gap.where}") for gap in gaps
        ]
        return facts

    async def _swarm(self, info: dict[str, Any], networks: list[dict[str, Any]]) -> int | None:
        """The cluster that this node manages; how many services run there."""
        swarm = info.get("Swarm")
        if not isinstance(swarm, dict) or swarm.get("ControlAvailable") is not True:
            return None
        try:
            cluster = await self._client.get("/swarm")
        except SourceError as error:
            self._gap("/swarm", error, "SwarmCluster")
            return None
        nodes, services = await asyncio.gather(
            self._list("/nodes", "SwarmCluster"), self._list("/services", "SwarmCluster")
        )
        if not isinstance(cluster, dict):
            self._gap("/swarm", SourceError("the engine's answer is not an object"), "SwarmCluster")
            return len(services)
        managers = [node.get("ManagerStatus") for node in nodes]
        data = {
            **cluster,
            "id": str(cluster.get("ID", "")),
            "nodes": nodes,
            "services": services,
            "networks": [network for network in networks if network.get("Scope") == "swarm"],
            "listen": [str(status.get("Addr", "")) for status in managers if isinstance(status, dict)],
        }
        self.resources.append(Resource(self._ref("SwarmCluster", str(cluster.get("ID", ""))), data))
        return len(services)

    def _daemon(
        self, info: dict[str, Any], address: str, networks: list[dict[str, Any]], services: int | None
    ) -> None:  # fmt: skip
        bridge = next((network.get("Options") or {} for network in networks if network.get("Name") == "bridge"), None)
        data: dict[str, Any] = {"info": info}
        if bridge is not None:
            data["bridge"] = bridge
        if services is not None:
            data["services"] = services
        if self._machine is None:
            elsewhere = SourceError("the engine runs on another machine: its settings and files were not read")
            self._gap("", elsewhere, "NodeFile", "DockerHost", "DockerDaemon")
        else:
            self._settings(self._machine, info, address, data)
            shippers = self._shippers(self._machine, info)
            if shippers is not None:
                data["shippers"] = shippers
        self.resources.append(Resource(self._ref("DockerDaemon", str(info.get("Name", ""))), data))

    def _shippers(self, machine: Machine, info: dict[str, Any]) -> list[str] | None:
        """Programs besides the engine's own that read the containers' local logs."""
        root = info.get("DockerRootDir")
        found = machine.readers(f"{root}/containers/") if isinstance(root, str) else None
        return None if found is None else [name for name in found if not name.startswith(("dockerd", "containerd"))]

    def _settings(self, machine: Machine, info: dict[str, Any], address: str, data: dict[str, Any]) -> None:
        """What the daemon was started with, and the files that belong to it."""
        pid = _daemon_of(machine, address)
        words = machine.arguments(pid) if pid else None
        if words is None:
            self._gap(
                "",
                SourceError("the daemon's process cannot be seen: its settings were not read"),
                "DockerDaemon",
                "NodeFile",
            )
            return
        path = daemon.config_file(words[1:])
        text = machine.text(path)
        try:
            given = msgspec.json.decode(text) if text is not None and text.strip() else {}
            if not isinstance(given, dict):
                raise SourceError("daemon.json is not an object")
        except (msgspec.DecodeError, RecursionError):
            self._gap(path, SourceError("daemon.json is not JSON"), "DockerDaemon", "NodeFile")
            return
        except SourceError as error:
            self._gap(path, error, "DockerDaemon", "NodeFile")
            return
        if text is None and not machine.absent(path):
            self._gap(path, SourceError("daemon.json may not be read"), "DockerDaemon", "NodeFile")
            return
        config = data["config"] = daemon.in_force(given, words[1:])
        begun, written = machine.started(pid), machine.changed(path)
        if begun is not None and written is not None and written > begun + _CLOCK:
            self.notes.append(f"{path} was changed after the daemon started: what needs a restart may not be in force")
        data |= {"config_file": path, "flags": daemon.given(words[1:]), "pid": pid}
        hosts = [str(host) for host in config.get("hosts") or ()]
        sockets = [host.removeprefix("unix://") for host in hosts if host.startswith("unix://")]
        sockets = list(dict.fromkeys([*sockets, *([address] if not sockets or "fd://" in hosts else [])]))
        try:
            seen = [(socket, machine.facts(socket)) for socket in sockets]
            data["sockets"] = [
                {"path": socket, "mode": facts["mode"], "owner": facts["owner"], "group": facts["group"]}
                for socket, facts in seen
            ]
        except OSError as error:
            self._gap(
                "",
                SourceError(f"the engine's sockets cannot be looked at: {error.strerror}"),
                "DockerDaemon",
                "NodeFile",
            )
        for item in files.read(machine, machine.program(pid), path, config, info, sockets, self._origin):
            (self.resources if isinstance(item, Resource) else self.gaps).append(item)  # type: ignore[arg-type]

    def _host(
        self, info: dict[str, Any], version: dict[str, Any], stored: list[dict[str, Any]], found: list[Resource]
    ) -> None:
        if self._machine is None:
            return
        used = [str(item.data.get("Image", "")) for item in found]
        data: dict[str, Any] = {
            "groups": self._machine.groups(),
            "images": [
                {
                    "id": str(item.get("Id", "")),
                    "tags": list(item.get("RepoTags") or ()),
                    "age_days": self._days(item.get("Created")),
                    "containers": used.count(str(item.get("Id", ""))),
                }
                for item in stored
            ],
            "containers": [
                {
                    "id": str(item.data.get("Id", "")),
                    "name": item.ref.name,
                    "state": str((item.data.get("State") or {}).get("Status", "")),
                    "idle_days": self._idle(item.data),
                }
                for item in found
            ],
            "versions": {
                "engine": str(version.get("Version", "")),
                **{
                    str(part.get("Name")): str(part.get("Version"))
                    for part in version.get("Components") or ()
                    if part.get("Name") in ("containerd", "runc")
                },
            },
        }
        data |= self._machines(self._machine, info)
        self.resources.append(Resource(self._ref("DockerHost", self._origin.removeprefix("docker://")), data))

    def _machines(self, machine: Machine, info: dict[str, Any]) -> dict[str, Any]:
        """What only the machine knows; what cannot be told is left out."""
        out: dict[str, Any] = {}
        trust = machine.content_trust()
        if trust is not None:
            # Nothing in front of an engine of this kind checks signatures but an authorization plug-in of ours.
            plugins = (info.get("Plugins") or {}).get("Authorization") or ()
            out["content_trust"] = {"environment": trust, "policy": "bulkhead" in plugins}
        root = info.get("DockerRootDir")
        own = machine.own_file_system(root) if isinstance(root, str) else None
        if own is not None:
            out["data_root"] = {"path": root, "own_file_system": own}
        return out

    def _days(self, seconds: Any) -> int:
        return max(int((self._now.timestamp() - seconds) // 86400), 0) if isinstance(seconds, (int, float)) else 0

    def _idle(self, data: Mapping[str, Any]) -> int:
        """Days since a container ran, or was made when it never did."""
        state = data.get("State") or {}
        if state.get("Running"):
            return 0
        last = images.instant(state.get("FinishedAt")) or images.instant(data.get("Created"))
        return max((self._now - last).days, 0) if last else 0


def _joined(found: list[Resource]) -> list[Resource]:
    """The same, each image with the containers that were made from it."""
    used: dict[str, list[dict[str, Any]]] = {}
    for item in found:
        if item.ref.kind == "DockerContainer":
            state = item.data.get("State")
            running = state.get("Running") is True if isinstance(state, dict) else False
            made = {"name": item.ref.name, "id": str(item.data.get("Id", "")), "running": running}
            used.setdefault(str(item.data.get("Image", "")), []).append(made)
    return [
        Resource(item.ref, {**item.data, "used_by": used.get(str(item.data.get("id", "")), [])[:_USERS]})
        if item.ref.kind == "Image"
        else item
        for item in found
    ]


def _daemon_of(machine: Machine, address: str) -> int:
    """The daemon behind the socket; where systemd holds it, or its holder is hidden, the only dockerd there is.

    Who else holds the socket (another engine that speaks the API, a proxy) has no settings that we know.
    """
    pid = holder(address)
    words = machine.arguments(pid) if pid > 1 else None
    if words is not None:
        return pid if words[0].rpartition("/")[2].startswith("dockerd") else 0
    found = [number for number, name in machine.processes() if name == "dockerd"]
    return found[0] if pid and len(found) == 1 else 0


def now() -> datetime:
    return datetime.now(UTC)
