"""The double in tests/fakes answers as a real registry does: the same reads over both.

The real one is Debian's ``docker-registry``, from PATH or ``BULKHEAD_DOCKER_REGISTRY``.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bulkhead.clients.registry import Credential, Manifest, RegistryClient, parse
from bulkhead.core.errors import SourceError
from bulkhead.sources.images.registry import read_registry
from tests.fakes.images import MANIFEST, Built, item, sha256, tar
from tests.fakes.registry import Registry

IMAGE = Built((tar(item("bin/su", b"1", mode=0o4755)), tar(item("etc/x", b"2" * 300_000))))
# bcrypt of the password "pw", as htpasswd -B writes it.
HTPASSWD = "ada:$2y$05$abcdefghijklmnopqrstuuHIrMEWpUCQe2YqFR3sXwQ75u4od..9q\n"
ADA = Credential("ada", "pw")


def debian_binary() -> str:
    found = os.environ.get("BULKHEAD_DOCKER_REGISTRY") or shutil.which("docker-registry")
    if not found:
        pytest.skip("docker-registry is not installed (apt-get install docker-registry)")
    return found


def started(binary: str, config: Path) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen([binary, "serve", str(config)], stdout=quiet, stderr=quiet)


@asynccontextmanager
async def debian(folder: Path, *, password: bool) -> AsyncIterator[str]:
    binary = debian_binary()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "htpasswd").write_text(HTPASSWD)
    auth = f"auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}\n" if password else ""
    (folder / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n{auth}"
    )
    process = started(binary, folder / "config.yml")
    try:
        await push(f"http://127.0.0.1:{port}", password=password)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


async def push(base: str, *, password: bool) -> None:
    async with httpx.AsyncClient(base_url=base, auth=("ada", "pw") if password else None, trust_env=False) as http:
        end = time.monotonic() + 10
        while True:
            try:
                assert (await http.get("/v2/")).status_code == 200
                break
            except httpx.TransportError:
                assert time.monotonic() < end
                await asyncio.sleep(0.05)
        for data in (IMAGE.config_bytes, *IMAGE.stored):
            place = (await http.post("/v2/shop/web/blobs/uploads/")).headers["location"]
            done = await http.put(place, params={**httpx.URL(place).params, "digest": sha256(data)}, content=data)
            assert done.status_code == 201, done.text
        done = await http.put(
            "/v2/shop/web/manifests/1", content=IMAGE.manifest_bytes, headers={"Content-Type": MANIFEST}
        )
        assert done.status_code == 201, done.text


@asynccontextmanager
async def double(*, password: bool) -> AsyncIterator[str]:
    registry = Registry(user="ada" if password else "", password="pw", basic=True, repository="shop/web")
    IMAGE.push(registry, "1")
    async with registry.listening():
        yield registry.host


@pytest.fixture(params=["double", "debian"])
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == "debian":
        debian_binary()
    return str(request.param)


@asynccontextmanager
async def opened(
    kind: str, folder: Path, *, password: bool = False, credential: Credential | None = None
) -> AsyncIterator[tuple[str, RegistryClient]]:
    registry = debian(folder, password=password) if kind == "debian" else double(password=password)
    async with registry as host:
        credentials = {host: credential} if credential else {}
        async with RegistryClient(credentials=credentials, use_proxy=False) as client:
            yield host, client


def test_manifest_by_tag_and_digest(kind: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(kind, tmp_path) as (host, client):
            expected = Manifest(MANIFEST, sha256(IMAGE.manifest_bytes), IMAGE.manifest_bytes)
            reference = parse(f"{host}/shop/web:1")
            assert await client.manifest(reference) == expected
            assert await client.manifest(reference.at(expected.digest)) == expected

    asyncio.run(run())


def test_what_is_not_there(kind: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(kind, tmp_path) as (host, client):
            reference = parse(f"{host}/shop/web:1")
            for missing in (f"{host}/shop/web:2", f"{host}/gone:1", f"{host}/shop/web@sha256:{'0' * 64}"):
                with pytest.raises(SourceError, match="no such image"):
                    await client.manifest(parse(missing))
            with pytest.raises(SourceError, match="no such image"):
                await client.blob(reference, "sha256:" + "0" * 64, size=1, write=bytearray().extend)

    asyncio.run(run())


def test_a_whole_image(kind: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(kind, tmp_path) as (host, client):
            snapshot = await read_registry(f"{host}/shop/web:1", client)
            assert snapshot.gaps == ()
            data = snapshot.resources[0].data
            assert (data["digest"], data["size"]) == (sha256(IMAGE.manifest_bytes), 300_001)
            assert data["files"]["setuid"] == ["/bin/su"]

    asyncio.run(run())


def test_a_password(kind: str, tmp_path: Path) -> None:
    async def run(credential: Credential | None, folder: str) -> Manifest:
        (tmp_path / folder).mkdir()
        async with opened(kind, tmp_path / folder, password=True, credential=credential) as (host, client):
            return await client.manifest(parse(f"{host}/shop/web:1"))

    assert asyncio.run(run(ADA, "right")).data == IMAGE.manifest_bytes
    with pytest.raises(SourceError, match="does not accept who we are"):
        asyncio.run(run(Credential("ada", "wrong"), "wrong"))
    with pytest.raises(SourceError, match="asks for a password"):
        asyncio.run(run(None, "none"))
