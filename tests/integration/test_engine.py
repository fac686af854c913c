"""What a real engine saves and pushes is read like what the tests make by hand.

The image is busybox with faults in it: imported as a first layer, changed by a container that ran, and committed.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bulkhead.clients.docker import DockerClient
from bulkhead.clients.registry import RegistryClient
from bulkhead.core.resource import Snapshot
from bulkhead.sources import docker as docker_source
from bulkhead.sources.docker import Layers
from bulkhead.sources.images.archive import read_archive
from bulkhead.sources.images.registry import read_registry
from bulkhead.store.kept import KeptFacts
from tests.fakes.images import folder, item, symlink, tar
from tests.integration.engine import docker, missing, program, registry, require_engine

TOKEN = "ghp_" + "c0ffee" * 6
# What the second layer replaces or deletes of the first.
REPLACED, DELETED = b"2" * 5000, f"GITHUB={TOKEN}\n".encode()
IN_CONTAINER = "set -e; PATH=/bin; echo 3 > /etc/settings; rm /app/deploy.txt; mkdir -m 0777 /data; echo 4 > /data/x"


@dataclass(frozen=True)
class Saved:
    name: str
    archive: Path
    image_id: str


def first_layer() -> bytes:
    busybox = Path(program("busybox", "busybox-static")).read_bytes()
    return tar(
        folder("app"),
        folder("bin"),
        folder("etc"),
        item("bin/busybox", busybox, mode=0o755),
        *(symlink(f"bin/{applet}", "busybox") for applet in ("sh", "rm", "mkdir")),
        item("bin/su", b"1", mode=0o4755),
        item("etc/settings", REPLACED),
        item("app/deploy.txt", DELETED),
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    require_engine()
    own = f"bulkhead-test-{os.getpid()}"
    base, name = f"{own}:base", f"{own}:web"
    first = changes("USER 1000", "ENV DB_PASSWORD=hunter2hunter2", "EXPOSE 22/tcp")
    second = changes("USER 1000", 'CMD ["/bin/sh"]', "LABEL team=shop")
    archive = tmp_path_factory.mktemp("saved") / "web.tar"
    try:
        docker("import", *first, "-", base, data=first_layer())
        docker("run", "--name", own, "--network", "none", "--user", "0", base, "/bin/sh", "-c", IN_CONTAINER)
        docker("commit", *second, own, name)
        docker("save", "--output", str(archive), name)
        yield Saved(name, archive, docker("image", "inspect", "--format", "{{.Id}}", name))
    finally:
        # Whatever of it came to be; what did not is no error here.
        for gone in (["rm", "--force", own], ["image", "rm", name, base]):
            subprocess.run(["docker", *gone], capture_output=True, check=False, timeout=120)


def changes(*instructions: str) -> list[str]:
    return [word for instruction in instructions for word in ("--change", instruction)]


def seen(snapshot: Snapshot) -> dict[str, Any]:
    """The one image of a snapshot, with what every way of reading it has to tell."""
    assert (snapshot.gaps, len(snapshot.resources)) == ((), 1)
    data: dict[str, Any] = snapshot.resources[0].data
    assert "hunter2" not in repr(data)
    assert TOKEN not in repr(data)
    config, files = data["config"], data["files"]
    assert (config["User"], config["Cmd"], config["ExposedPorts"]) == ("1000", ["/bin/sh"], ["22/tcp"])
    assert config["Labels"] == {"team": "shop"}
    assert data["config_secrets"] == [{"where": "Env", "name": "DB_PASSWORD", "kind": "named"}]
    assert [(step["empty_layer"], bool(step["created"])) for step in data["history"]] == [(False, True)] * 2
    assert data["history"][1]["created_by"] == f"/bin/sh -c {IN_CONTAINER}"
    assert (files["setuid"], files["world_writable"]) == (["/bin/su"], ["/data"])
    assert files["shells"] == ["/bin/busybox", "/bin/sh"]
    first = data["layers"][0]["digest"]
    assert files["secrets"] == [{"path": "/app/deploy.txt", "kind": "github-token", "layer": first, "deleted": True}]
    assert data["wasted_bytes"] == len(REPLACED) + len(DELETED)
    assert [layer["wasted"] for layer in data["layers"]] == [len(REPLACED) + len(DELETED), 0]
    return data


def scanned(target: str, state: Path, *words: str) -> dict[str, str]:
    """The outcomes of the image command by control, from the program that a user starts."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment = kept | {"BULKHEAD_STATE": str(state)}
    command = [sys.executable, "-m", "bulkhead", "image", "scan", target, "--format", "json", *words]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, env=environment, cwd=state)
    assert done.returncode == 1, done.stderr.decode(errors="replace")
    assert b"hunter2" not in done.stdout
    assert TOKEN.encode() not in done.stdout
    report = json.loads(done.stdout)
    return {finding["control"]: finding["outcome"] for finding in report["findings"]}


def parts(archive: Path) -> set[str]:
    with tarfile.open(archive) as opened:
        return set(opened.getnames())


def test_an_archive_of_docker_save(saved: Saved) -> None:
    data = seen(read_archive(saved.archive))
    assert (data["reference"], data["layers_count"]) == (saved.name, 2)


def test_an_oci_layout_of_containerd(saved: Saved, tmp_path: Path) -> None:
    """The engine's own containerd writes the layout that Docker before 25 does not."""
    if not os.environ.get("CONTAINERD_ADDRESS"):
        missing("CONTAINERD_ADDRESS does not name the socket of a containerd")
    program("ctr", "containerd")
    archive = tmp_path / "layout.tar"
    name = f"docker.io/library/{saved.name}"
    steps = (["import", "--no-unpack", str(saved.archive)], ["export", str(archive), name], ["rm", name])
    for words in steps:
        subprocess.run(["ctr", "--namespace", "bulkhead-test", "image", *words], capture_output=True, check=True)
    assert {"oci-layout", "index.json"} <= parts(archive)
    data = seen(read_archive(archive))
    assert (data["reference"], data["id"], data["layers_count"]) == (name, saved.image_id, 2)
    assert data["digest"] != data["id"]


def test_an_archive_scanned_by_the_command(saved: Saved, tmp_path: Path) -> None:
    found = scanned(str(saved.archive), tmp_path)
    for control in ("image.secrets", "image.setuid", "docker.image.healthcheck"):
        assert found[control] == "fail", control


def test_an_image_pushed_and_scanned_by_reference(saved: Saved, tmp_path: Path) -> None:
    with registry(tmp_path) as address:
        name = f"{address}/shop/web:1"
        docker("tag", saved.name, name)
        try:
            docker("push", "--quiet", name)
            pushed = docker("image", "inspect", "--format", '{{join .RepoDigests " "}}', name)
        finally:
            docker("image", "rm", name)
        data = seen(asyncio.run(pulled(name)))
        remote = scanned(name, tmp_path, "--plain-http")
    assert (data["id"], f"{address}/shop/web@{data['digest']}") == (saved.image_id, pushed)
    # The list of trusted registries knows the public ones, and not this machine.
    assert remote == scanned(str(saved.archive), tmp_path) | {"docker.image.trusted-base": "fail"}


async def pulled(name: str) -> Snapshot:
    async with RegistryClient(use_proxy=False) as client:
        return await read_registry(name, client)


def test_the_engine_s_own_images_are_read_with_their_files(saved: Saved, tmp_path: Path) -> None:
    """The same image, out of the engine: as the archive tells it, and nothing of it is left on the disk."""
    socket = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    async def look() -> Snapshot:
        async with DockerClient(socket) as client:
            layers = Layers(client, KeptFacts(tmp_path / "kept", "1"), folder=scratch)
            return await docker_source.read(client, socket, machine=None, now=datetime.now(UTC), layers=layers)

    found = asyncio.run(look())
    [data] = [one.data for one in found.resources if one.ref.kind == "Image" and saved.name in one.data["tags"]]
    [archived] = [one.data for one in read_archive(saved.archive).resources]
    assert data["files"] == archived["files"]
    assert any(secret["kind"] for secret in data["files"]["secrets"])
    assert list(scratch.iterdir()) == []
