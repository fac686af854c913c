"""Live worlds by their targets: which source reads them and which hands change them."""

from __future__ import annotations

import platform
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bulkhead.app.watching import Watched
from bulkhead.app.worlds import LiveHands, LiveWorld
from bulkhead.bootstrap import docker
from bulkhead.bootstrap.running import run
from bulkhead.bootstrap.targets import AWS, AZURE, DOCKER, GCP, KUBERNETES, NODE, SCHEMES
from bulkhead.core.errors import SourceError, UsageError
from bulkhead.core.resource import Gap, Resource, Snapshot

if TYPE_CHECKING:
    from bulkhead.bootstrap.model import Settings
    from bulkhead.bootstrap.root import Root


class _Docker:
    """An engine and its machine."""

    def __init__(self, socket: str, *, layers: bool) -> None:
        self._socket = socket
        self._layers = layers

    @property
    def root(self) -> str:
        return DOCKER + self._socket

    async def read(self) -> Snapshot:
        return await docker.read_async(self._socket, layers=self._layers)

    async def changes(self) -> AsyncIterator[None]:
        from bulkhead.clients.docker import DockerClient
        from bulkhead.sources.docker import watching

        async with DockerClient(self._socket) as client:
            async for change in watching.changes(client):
                yield change


class _Cluster:
    """A cluster of the kubeconfig; ``kubernetes://`` alone is the current context's."""

    def __init__(self, context: str, wanted: Callable[[], frozenset[str]]) -> None:
        from bulkhead.clients.kube import load

        self._cluster = load(context)
        self._wanted = wanted
        self._tools = Snapshot()
        self._asked = False

    @property
    def root(self) -> str:
        return KUBERNETES + self._cluster.name

    async def read(self) -> Snapshot:
        from bulkhead.clients.kube import KubeClient
        from bulkhead.sources import kubernetes

        notes = (
            ("the server's certificate is not looked at (insecure-skip-tls-verify)",) if self._cluster.insecure else ()
        )
        async with KubeClient(self._cluster) as client:
            found = await kubernetes.read(client, context=self._cluster.name, wanted=self._wanted(), notes=notes)
        return await self.with_tools(found)

    async def with_tools(self, found: Snapshot) -> Snapshot:
        """The same, and this user's kubectl, asked once."""
        import asyncio

        from bulkhead.sources.kubernetes import tools

        if not self._asked:
            told = await asyncio.to_thread(tools.kubectl, self.root)
            self._tools = Snapshot(
                (told,) if isinstance(told, Resource) else (), (told,) if isinstance(told, Gap) else ()
            )
            self._asked = True
        return found.merged(self._tools)


class _Node:
    """This machine's Kubernetes; ``node:///FOLDER`` is a machine whose files lie below a folder (a mounted disk, an image)."""

    def __init__(self, folder: str) -> None:
        if folder and not folder.startswith("/"):
            raise UsageError(
                "a machine is named by the folder of its files", where=NODE + folder, hint=f"{NODE} alone is this one"
            )
        self._folder = folder.rstrip("/")

    @property
    def root(self) -> str:
        return NODE + self._folder

    async def read(self) -> Snapshot:
        import asyncio

        return await asyncio.to_thread(self._read)

    def _read(self) -> Snapshot:
        from bulkhead.sources import node
        from bulkhead.sources.machine import Machine

        folder = Path(self._folder or "/")
        if not folder.is_dir():
            raise SourceError("there is no such folder", where=self.root)
        return node.read(Machine(folder), self.root if self._folder else NODE + platform.node())


class _Aws:
    """An account of AWS in one region; ``aws://`` alone is the region of the environment or the profile."""

    def __init__(self, region: str, *, layers: bool) -> None:
        self._region = region
        self._layers = layers

    @property
    def root(self) -> str:
        return AWS + self._region

    async def read(self) -> Snapshot:
        from bulkhead.clients.cloud import AwsClient
        from bulkhead.sources.cloud import aws, layers

        files = layers.Layers(docker.kept()) if self._layers else None
        async with AwsClient(self._region) as client:
            return await aws.read(client, files)


class _Inventory:
    """What a cloud's own tool exported: a file of JSON, or a folder of them. Nothing changes it."""

    def __init__(self, scheme: str, path: str) -> None:
        from pathlib import Path

        self._scheme = scheme
        # The same files are the same root from wherever they are named.
        self._path = str(Path(path).absolute())

    @property
    def root(self) -> str:
        return self._scheme + self._path

    async def read(self) -> Snapshot:
        import asyncio

        from bulkhead.sources.cloud import azure, gcp

        return await asyncio.to_thread(gcp.read if self._scheme == GCP else azure.read, self._path)


class _WatchedCluster(_Cluster):
    """The same, held in memory between two readings. Opened as a context."""

    async def __aenter__(self) -> Self:
        from bulkhead.clients.kube import KubeClient
        from bulkhead.sources.kubernetes.watching import Watching

        notes = (
            ("the server's certificate is not looked at (insecure-skip-tls-verify)",) if self._cluster.insecure else ()
        )
        self._client = await KubeClient(self._cluster).__aenter__()
        self._watching = Watching(self._client, self._cluster.name, self._wanted(), notes)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.__aexit__(None, None, None)

    async def read(self) -> Snapshot:
        return await self.with_tools(await self._watching.read())

    def changes(self) -> AsyncIterator[None]:
        return self._watching.changes()


@asynccontextmanager
async def watched(target: str, opened: Root) -> AsyncIterator[Watched]:
    """A live world that tells its changes.

    Raises:
        UsageError: the target is no world that does.
    """
    if target.startswith(DOCKER):
        yield _Docker(docker.address(target), layers=opened.settings.image_layers)
    elif target.startswith(KUBERNETES):
        from bulkhead.posture import wanted

        kinds = wanted.kinds(opened.catalogue.controls)
        async with _WatchedCluster(target.removeprefix(KUBERNETES), lambda: kinds) as cluster:
            yield cluster
    else:
        raise UsageError("only engines and clusters tell their changes", where=target, hint=f"{DOCKER} or {KUBERNETES}")


def world(target: str, opened: Root) -> LiveWorld:
    """The world of a target.

    Raises:
        UsageError: no world is called like that.
        SettingsError: the kubeconfig is wrong.
    """
    if target.startswith(DOCKER):
        return _Docker(docker.address(target), layers=opened.settings.image_layers)
    if target.startswith(KUBERNETES):
        from bulkhead.posture import wanted

        return _Cluster(target.removeprefix(KUBERNETES), lambda: wanted.kinds(opened.catalogue.controls))
    if target.startswith(NODE):
        return _Node(target.removeprefix(NODE))
    if target.startswith(AWS):
        return _Aws(target.removeprefix(AWS).strip("/"), layers=opened.settings.image_layers)
    for scheme in (GCP, AZURE):
        if target.startswith(scheme):
            return _Inventory(scheme, target.removeprefix(scheme))
    raise UsageError("no world is called like that", where=target, hint=f"one of {', '.join(SCHEMES)}")


def hands(root: str, settings: Settings) -> Mapping[str, LiveHands]:
    """Who changes the world of this root, by channel; empty where nothing does."""
    if root.startswith(DOCKER):
        from bulkhead.actuators.docker import DockerHands
        from bulkhead.actuators.node import NodeHands

        socket = root.removeprefix(DOCKER)
        return {"docker": DockerHands(socket), "node": NodeHands(socket, restart=settings.docker_restart)}
    if root.startswith(KUBERNETES):
        from bulkhead.actuators.kube import KubeHands
        from bulkhead.clients.kube import load

        return {
            "kubernetes": KubeHands(load(root.removeprefix(KUBERNETES)), rollout_seconds=settings.rollout.wait_seconds)
        }
    if root.startswith(NODE):
        from bulkhead.actuators.node import NodeHands

        return {"node": NodeHands("", root=Path(root.removeprefix(NODE) or "/"))}
    if root.startswith(AWS):
        from bulkhead.actuators.cloud import AwsHands

        return {"aws": AwsHands()}
    return {}


def read(world: LiveWorld, opened: Root) -> Snapshot:
    """The world as it is, without what is kept for an undo.

    Raises:
        SourceError: it cannot be asked.
    """
    from bulkhead.app import live

    snapshot = run(world.read())
    if not opened.remember:
        return snapshot
    return live.without_kept(snapshot, live.kept(opened.journal, world.root, tenant=opened.settings.tenant))


def found_here() -> list[tuple[str, str]]:
    """Live worlds that this user has at hand, as targets with names for people: an engine's socket, a kubeconfig."""
    from bulkhead.clients.kube.config import there

    found = []
    try:
        if Path(docker.address(DOCKER)).exists():
            found.append((DOCKER, "This machine's Docker engine"))
    except UsageError:
        # An engine that is somewhere else.
        pass
    if there():
        found.append((KUBERNETES, "The kubeconfig's current cluster"))
    return found
