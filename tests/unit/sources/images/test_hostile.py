"""Broken and hostile archives end in Gaps, what they hide is unknown, and nobody's memory pays for it."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import resource
import tarfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkhead.clients.registry import RegistryClient
from bulkhead.core.errors import BulkheadError
from bulkhead.core.resource import UNKNOWN, Snapshot
from bulkhead.sources.images.archive import read_archive
from bulkhead.sources.images.bounds import MIB, Bounds
from bulkhead.sources.images.registry import read_registry
from bulkhead.sources.images.stream import Expanded
from bulkhead.sources.images.tar import Tar
from tests.corpora import folder
from tests.fakes.images import INDEX, Built, item, sha256, tar
from tests.fakes.registry import Answer, Registry

LAYER = tar(item("bin/x", b"1", mode=0o4755), item("y", b"2" * 5000))


def hidden(snapshot: Snapshot, *words: str) -> None:
    """The image is there, what its layers tell is unknown, and a Gap says why."""
    (image,) = snapshot.resources
    assert image.data["files"] is UNKNOWN
    assert image.data["wasted_percent"] is UNKNOWN
    assert snapshot.gaps[0].hides == ("Image",)
    assert any(word in snapshot.gaps[0].reason for word in words), snapshot.gaps


def absent(snapshot: Snapshot, *words: str) -> None:
    assert snapshot.resources == ()
    assert any(word in snapshot.gaps[0].reason for word in words), snapshot.gaps


def test_zstd_without_a_decompressor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    snapshot = read_archive(Built((LAYER,), stored=(b"\x28\xb5\x2f\xfd" + b"x" * 99,)).oci_tar(tmp_path / "i.tar"))
    hidden(snapshot, "zstd")
    assert "zstandard" in snapshot.gaps[0].hint


@pytest.mark.parametrize("magic", [b"BZh9", b"\xfd7zXZ\0", b"\x04\x22\x4d\x18"])
def test_other_compressions(tmp_path: Path, magic: bytes) -> None:
    hidden(read_archive(Built((LAYER,), stored=(magic + b"x" * 99,)).oci_tar(tmp_path / "i.tar")), "do not use")


@pytest.mark.parametrize(
    "stored",
    [
        gzip.compress(LAYER)[:-2000],
        gzip.compress(LAYER[:-8000]),
        gzip.compress(LAYER)[:60] + b"\xff" * 60,
        b"\x1f\x8b" + b"\0" * 50,
        b"",
        b"\x1f\x8b",
        b"not a tar" * 100,
    ],
)
def test_broken_layers(tmp_path: Path, stored: bytes) -> None:
    hidden(
        read_archive(Built((LAYER,), stored=(stored or b"\0",)).oci_tar(tmp_path / "i.tar")),
        "cut short", "not gzip", "not a tar", "another digest",
    )  # fmt: skip


def test_a_layer_that_is_not_the_one_described(tmp_path: Path) -> None:
    image = Built((LAYER,))
    files = image.oci_files()
    other = gzip.compress(tar(item("other", b"")), mtime=0)
    files["blobs/" + sha256(image.stored[0]).replace(":", "/")] = other
    path = tmp_path / "i.tar"
    path.write_bytes(tar(*(item(name, data) for name, data in files.items())))
    hidden(read_archive(path), "another digest")


def test_a_saved_layer_that_is_not_the_one_described(tmp_path: Path) -> None:
    data = Built((LAYER,)).saved_bytes()
    (tmp_path / "i.tar").write_bytes(data.replace(b"2" * 5000, b"3" * 5000))
    hidden(read_archive(tmp_path / "i.tar"), "another digest")


@pytest.mark.parametrize("which", ["config", "manifest"])
def test_documents_that_are_not_the_ones_described(tmp_path: Path, which: str) -> None:
    image = Built((LAYER,))
    files = image.oci_files()
    data = image.config_bytes if which == "config" else image.manifest_bytes
    files["blobs/" + sha256(data).replace(":", "/")] = data + b" "
    (tmp_path / "i.tar").write_bytes(tar(*(item(name, content) for name, content in files.items())))
    absent(read_archive(tmp_path / "i.tar"), "another digest")


def test_a_bomb(tmp_path: Path) -> None:
    """Four gigabytes of zeros from four megabytes: stopped by the ratio, in little memory."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = tarfile.TarInfo("big")
    head.size = 4 * 1024 * MIB
    stored = squeeze.compress(head.tobuf()) + b"".join(squeeze.compress(bytes(4 * MIB)) for _ in range(80))
    stored += squeeze.flush()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path = Built((b"",), stored=(stored,)).oci_tar(tmp_path / "i.tar")
    hidden(read_archive(path, bounds=Bounds(ratio_floor=64 * MIB)), "suspiciously")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def test_bounds(tmp_path: Path) -> None:
    path = Built((LAYER, LAYER)).oci_tar(tmp_path / "i.tar")
    hidden(read_archive(path, bounds=Bounds(members=3)), "more entries")
    hidden(read_archive(path, bounds=Bounds(expanded=100)), "expands to more")
    absent(read_archive(path, bounds=Bounds(layers=1)), "more layers")
    absent(read_archive(path, bounds=Bounds(outer_members=2)), "more entries")
    absent(read_archive(path, bounds=Bounds(document=10)), "larger than the limit")
    absent(read_archive(path, bounds=Bounds(images=0)), "more images")


def test_a_bomb_around_the_archive(tmp_path: Path) -> None:
    head = tarfile.TarInfo("big")
    head.size = 300 * MIB
    with gzip.open(tmp_path / "i.tar.gz", "wb", compresslevel=1) as file:
        file.write(head.tobuf())
        for _ in range(300):
            file.write(bytes(MIB))
    absent(read_archive(tmp_path / "i.tar.gz", bounds=Bounds(ratio=10, ratio_floor=MIB)), "expands to more")


def test_headers_that_claim_too_much(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, 1 << 33
    layer = info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)
    hidden(read_archive(Built((layer,)).oci_tar(tmp_path / "i.tar")), "header is larger")


@pytest.mark.parametrize("count", [10, 5000])
def test_headers_without_end(tmp_path: Path, count: int) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2
    layer = (info.tobuf(tarfile.GNU_FORMAT) + b"a\0".ljust(512, b"\0")) * count
    snapshot = read_archive(Built((layer + tar(item("x", b"1")),)).oci_tar(tmp_path / "i.tar"))
    assert snapshot.gaps == ()


@pytest.mark.parametrize(
    "record",
    [b"x", b"5 a=b\n", b"99999999999999999999 a=b\n", b"-5 a=b\n", b"0 a=b\n", b"10 size=-1\n", b"12 size=abc\n"],
)
def test_broken_pax_headers(tmp_path: Path, record: bytes) -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, len(record)
    layer = info.tobuf(tarfile.USTAR_FORMAT) + record.ljust(512, b"\0") + tar(item("x", b"1"))
    hidden(read_archive(Built((layer,)).oci_tar(tmp_path / "i.tar")), "pax", "cut short")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no index.json"),
        ({"index.json": b"{"}, "not what"),
        ({"index.json": b"[" * 100_000}, "not what"),
        ({"index.json": b'{"schemaVersion":1}'}, "schema 1"),
        ({"manifest.json": b'[{"Config":"gone.json","Layers":[]}]'}, "lacks a file"),
        ({"manifest.json": b'[{"Config":"../../etc/passwd","Layers":[]}]'}, "lacks a file"),
        ({"manifest.json": b'[{"Config":"c","Layers":["x"]}]', "c": b"{}"}, "does not have"),
        ({"manifest.json": b'[{"Config":"c","Layers":[]}]', "c": b'{"rootfs":7}'}, "not what"),
        ({"index.json": b'{"manifests":[{"digest":"sha256:../x","size":1}]}'}, "not sha256"),
        ({"index.json": json.dumps({"manifests": [{"digest": "sha256:" + "a" * 64, "size": 1}]}).encode()}, "lacks"),
    ],
)
def test_broken_archives(tmp_path: Path, files: dict[str, bytes], words: str) -> None:
    (tmp_path / "i.tar").write_bytes(tar(*(item(name, data) for name, data in files.items())))
    absent(read_archive(tmp_path / "i.tar"), words)


def test_a_nested_index_ends(tmp_path: Path) -> None:
    files = {}
    data = b'{"schemaVersion":2,"manifests":[]}'
    for _ in range(10):
        files["blobs/" + sha256(data).replace(":", "/")] = data
        entry = {"mediaType": INDEX, "digest": sha256(data), "size": len(data)}
        data = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
    files["index.json"] = data
    (tmp_path / "i.tar").write_bytes(tar(*(item(name, content) for name, content in files.items())))
    absent(read_archive(tmp_path / "i.tar"), "deeper")


def test_what_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_bytes(b"hello" * 1000)
    (tmp_path / "cut.gz").write_bytes(gzip.compress(Built((LAYER,)).saved_bytes())[:300])
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("empty", "text", "cut.gz", "pipe", "folder", "gone"):
        absent(read_archive(tmp_path / name), "")


def test_a_cut_archive(tmp_path: Path) -> None:
    data = Built((LAYER,)).oci_tar(tmp_path / "i.tar").read_bytes()
    for length in range(0, len(data), 1500):
        (tmp_path / "i.tar").write_bytes(data[:length])
        snapshot = read_archive(tmp_path / "i.tar")
        assert snapshot.gaps or length > len(data) - 12_000


def test_links_in_a_layout_are_not_followed(tmp_path: Path) -> None:
    image = Built((LAYER,))
    layout = image.oci_folder(tmp_path / "layout")
    blob = layout / "blobs" / sha256(image.stored[0]).replace(":", "/")
    blob.rename(tmp_path / "outside")
    blob.symlink_to(tmp_path / "outside")
    hidden(read_archive(layout), "link inside")


def test_attestations_and_other_platforms_are_notes(tmp_path: Path) -> None:
    image = Built((LAYER,))
    inner = json.loads(image.index_bytes)
    inner["manifests"] += [
        {"digest": "sha256:" + "b" * 64, "size": 1, "platform": {"os": "linux", "architecture": "arm64"}},
        {"digest": "sha256:" + "c" * 64, "size": 1, "platform": {"os": "unknown", "architecture": "unknown"}},
    ]
    data = json.dumps(inner).encode()
    files = image.oci_files() | {"blobs/" + sha256(data).replace(":", "/"): data}
    outer = {"manifests": [{"mediaType": INDEX, "digest": sha256(data), "size": len(data)}]}
    files["index.json"] = json.dumps(outer).encode()
    (tmp_path / "i.tar").write_bytes(tar(*(item(name, content) for name, content in files.items())))
    snapshot = read_archive(tmp_path / "i.tar")
    assert (len(snapshot.resources), snapshot.gaps, len(snapshot.notes)) == (1, (), 2)


def test_artifacts_are_notes() -> None:
    """Signed layouts of the Notary Project's own tests: the signatures are no images that could not be read."""
    layout = folder("supply", "notation", "test", "e2e", "testdata", "registry", "oci_layout", "e2e-valid-signature")
    snapshot = read_archive(layout)
    assert len(snapshot.notes) == 2
    # The subject says that it is an image and has an empty configuration.
    assert [gap.reason for gap in snapshot.gaps] == ["the configuration does not have the manifest's layers"]


def test_platforms_of_a_registry() -> None:
    async def run() -> list[Snapshot]:
        registry = Registry()
        entries = []
        for architecture in ("amd64", "arm64", "unknown"):
            image = Built((LAYER,), {"architecture": architecture})
            image.push(registry)
            platform = {"os": "linux", "architecture": architecture}
            entries.append({"digest": sha256(image.manifest_bytes), "size": 1, "platform": platform})
        registry.add_manifest(INDEX, json.dumps({"schemaVersion": 2, "manifests": entries}).encode(), "1")
        async with registry.listening(), RegistryClient(use_proxy=False) as client:
            name = f"{registry.host}/a/b:1"
            return [await read_registry(name, client, platform=word) for word in ("linux/arm64", "*", "linux/s390x")]

    one, both, none = asyncio.run(run())
    assert [item.data["architecture"] for item in one.resources] == ["arm64"]
    assert "1 images for other platforms" in one.notes[0]
    assert [item.data["architecture"] for item in both.resources] == ["amd64", "arm64"]
    assert len({item.ref.uid for item in both.resources}) == 2
    absent(none, "only linux/amd64, linux/arm64")


def test_registry_gaps() -> None:
    async def run() -> list[Snapshot]:
        registry = Registry()
        image = Built((LAYER,))
        image.push(registry, "1")
        del registry.blobs[sha256(image.stored[0])]
        registry.add_manifest(INDEX, b'{"schemaVersion":2,"manifests":[]}', "none")
        registry.add_manifest("text/plain", b"hello", "odd")
        async with registry.listening(), RegistryClient(use_proxy=False) as client:
            found = [await read_registry(f"{registry.host}/a/b:{tag}", client) for tag in ("1", "gone", "none", "odd")]
            registry.hook = lambda request: Answer(500)
            found.append(await read_registry(f"{registry.host}/a/b:1", client))
            return found

    layer, gone, none, odd, down = asyncio.run(run())
    hidden(layer, "no such image")
    absent(gone, "no such image")
    absent(none, "no image for linux/amd64")
    absent(odd, "not what")
    absent(down, "answers 500")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_broken_bytes_raise_only_our_errors(data: st.DataObject) -> None:
    """Flip bytes anywhere in a layer: it is read, or refused in our words."""
    raw = bytearray(data.draw(st.sampled_from([LAYER, gzip.compress(LAYER, mtime=0)])))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        for member in Tar(Expanded(io.BytesIO(bytes(raw)), Bounds()), header_limit=1000):
            assert member.size >= 0
    except BulkheadError:
        pass
