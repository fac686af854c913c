"""What an image's layers and configuration tell."""

from __future__ import annotations

import asyncio
import gzip
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from bulkhead.clients.registry import RegistryClient
from bulkhead.core.resource import Snapshot
from bulkhead.sources.images.archive import read_archive
from bulkhead.sources.images.registry import read_registry
from tests.fakes.images import Built, folder, item, symlink, tar
from tests.fakes.registry import Registry

KEY = b"-----BEGIN OPENSSH " + b"PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n"
AWS = b"AKIA" + b"QYLPMN5HHHFPZAM2"


def data_of(snapshot: Snapshot) -> Any:
    assert snapshot.gaps == ()
    (resource,) = snapshot.resources
    return resource.data


def read(tmp_path: Path, *layers: bytes, **config: Any) -> Any:
    return data_of(read_archive(Built(layers, {"config": config} if config else {}).oci_tar(tmp_path / "image.tar")))


BASE = tar(
    folder("./"),
    folder("usr/"),
    folder("usr/bin"),
    symlink("bin", "usr/bin"),
    item("usr/bin/su", b"#!", mode=0o4755),
    item("usr/bin/wall", b"#!", mode=0o2755),
    item("usr/bin/ping", b"#!", mode=0o755, pax={"SCHILY.xattr.security.capability": "x"}),
    item("usr/bin/bash", b"#!", mode=0o755),
    symlink("usr/bin/sh", "bash"),
    item("usr/bin/apt-get", b"#!", mode=0o755),
    item("usr/bin/curl", b"#!", mode=0o755),
    item("usr/sbin/sshd", b"#!", mode=0o755),
    folder("tmp", 0o1777),
    folder("open", 0o777),
    item("etc/loose", b"x", mode=0o666),
    item("etc/passwd", b"root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\nada:x:1000:1000::/:/bin/sh\n"),
    item("etc/shadow", b"root:*:1::::::\nada::1::::::\ntoor:$6$hash:1::::::\n"),
    item("var/lib/apt/lists/deb_main", b"p" * 700),
    item("var/lib/apt/lists/lock", b""),
    item("entry.sh", b"#!/bin/sh"),
    item("app/.git/config", b"[core]"),
    item("root/.bash_history", b"ls"),
)


def test_files(tmp_path: Path) -> None:
    data = read(tmp_path, BASE)
    files = data["files"]
    assert files["setuid"] == ["/usr/bin/su"]
    assert files["setgid"] == ["/usr/bin/wall"]
    assert files["capabilities"] == ["/usr/bin/ping"]
    assert files["world_writable"] == ["/etc/loose", "/open"]
    assert files["shells"] == ["/usr/bin/bash", "/usr/bin/sh"]
    assert files["package_managers"] == ["/usr/bin/apt-get"]
    assert files["debug_tools"] == ["/usr/bin/curl", "/usr/bin/ping"]
    assert files["sshd"] is True
    assert files["root_files"] == ["/entry.sh"]
    assert files["unneeded"] == ["/app/.git", "/root/.bash_history"]
    assert files["empty_passwords"] == ["ada"]
    assert files["duplicate_uids"] == ["0"]
    assert data["package_cache"] == [{"path": "/var/lib/apt/lists", "files": 1, "size": 700}]
    assert "hash" not in repr(data)


def test_later_layers_hide(tmp_path: Path) -> None:
    """Overwritten, whited out, opaque and replaced files are gone from the facts and counted as waste."""
    second = tar(
        item("bin/su", b"12345", mode=0o755),
        item("usr/bin/.wh.wall"),
        item("var/lib/apt/lists/.wh..wh..opq"),
        item("app/.wh..git"),
        item("open", b"now a file"),
    )
    data = read(tmp_path, BASE, second)
    files = data["files"]
    assert (files["setuid"], files["setgid"], files["world_writable"]) == ([], [], ["/etc/loose"])
    assert data["package_cache"] == []
    assert files["unneeded"] == ["/root/.bash_history"]
    assert data["wasted_bytes"] == 2 + 2 + 700 + 6
    assert [layer["wasted"] for layer in data["layers"]] == [710, 0]
    assert data["wasted_percent"] == round(100 * 710 / data["size"], 1)


def test_a_whiteout_does_not_hide_its_own_layer(tmp_path: Path) -> None:
    first = tar(item("d/old", b"old!"), item("d/both", b"x", mode=0o4755))
    second = tar(item("d/new", b"n", mode=0o4755), item("d/.wh..wh..opq"), item("d/.wh.new"), item(".wh.d"))
    assert read(tmp_path, first, second)["files"]["setuid"] == ["/d/new"]


def test_secrets_stay_in_their_layer(tmp_path: Path) -> None:
    """Deleted later, a secret is still there for everyone who can pull; its value is nowhere in the facts."""
    first = tar(
        item("root/.ssh/id_ed25519", KEY),
        item("app/settings.py", b"KEY = '" + AWS + b"'\n"),
        item("app/.env", b"DB_HOST=db\nDB_PASSWORD=hunter2hunter2\n"),
        item("app/.env.example", b"DB_PASSWORD=hunter2hunter2\n"),
        item("root/.npmrc", b"//registry.npmjs.org/:_authToken=abcdefgh\n"),
        item("root/.npmrc.txt", b"registry=https://registry.npmjs.org\n"),
        item("etc/tls/ca.pem", b"-----BEGIN CERTIFICATE-----\n"),
        item("usr/share/doc/x/key.pem", KEY),
        item("app/reader.py", b'MARKER = "' + KEY[:35] + b'"\nDATA = 1\n'),
        item("app/account.json", b'{"private_key": "' + KEY.replace(b"\n", b"\\n") + b'"}'),
        item("srv/store.p12", b"\0" * 40),
        item("app/docs.md", b"AKIAIOSFODNN7EXAMPLE is not a key\n"),
    )
    data = read(tmp_path, first, tar(item("root/.ssh/.wh.id_ed25519"), item("app/settings.py", b"KEY = None      \n")))
    found = {(secret["path"], secret["kind"], secret["deleted"]) for secret in data["files"]["secrets"]}
    assert found == {
        ("/root/.ssh/id_ed25519", "private-key", True),
        ("/app/settings.py", "aws-access-key", True),
        ("/app/.env", "settings-password", False),
        ("/root/.npmrc", "npm-token", False),
        ("/app/account.json", "private-key", False),
        ("/srv/store.p12", "key-store", False),
    }
    assert {secret["layer"] for secret in data["files"]["secrets"]} == {data["layers"][0]["digest"]}
    for value in ("hunter2", "b3BlbnNzaC", AWS.decode(), "abcdefgh"):
        assert value not in repr(data)


def test_configuration(tmp_path: Path) -> None:
    config = {
        "User": "app",
        "Env": ["PATH=/bin", "DB_PASSWORD=hunter2hunter2", "KEY_FILE=/run/key", "AWS=" + AWS.decode(), "TOKEN="],
        "Entrypoint": ["/entry.sh"],
        "ExposedPorts": {"8080/tcp": {}, "22/tcp": {}},
        "Volumes": {"/data": {}},
        "Labels": {"a": "b"},
        "Healthcheck": {"Test": ["CMD", "true"]},
        "OnBuild": ["RUN x"],
    }
    image = Built(
        (BASE,),
        {
            "config": config,
            "history": [
                {"created": "2026-01-01T00:00:00Z", "created_by": "ARG API_TOKEN=hunter2hunter2", "empty_layer": True},
                {"created_by": "ADD file"},
            ],
        },
    )
    snapshot = read_archive(image.oci_tar(tmp_path / "i.tar"))
    data = data_of(snapshot)
    held = data["config"]
    assert held["Env"] == ["PATH=/bin", "DB_PASSWORD=********", "KEY_FILE=/run/key", "AWS=********", "TOKEN="]
    assert (held["User"], held["ExposedPorts"], held["Volumes"]) == ("app", ["22/tcp", "8080/tcp"], ["/data"])
    assert (held["Entrypoint"], held["Cmd"], held["OnBuild"]) == (["/entry.sh"], [], ["RUN x"])
    assert data["config_secrets"] == [
        {"where": "Env", "name": "DB_PASSWORD", "kind": "named"},
        {"where": "Env", "name": "AWS", "kind": "aws-access-key"},
    ]
    assert [entry["empty_layer"] for entry in data["history"]] == [True, False]
    assert "hunter2" not in repr(data)
    assert (data["os"], data["architecture"], data["created"]) == ("linux", "amd64", "2026-01-02T03:04:05Z")
    ref = snapshot.resources[0].ref
    assert (ref.source, ref.kind, ref.name, ref.uid) == ("image", "Image", "example.com/shop/web:1", data["digest"])


def test_every_form_tells_the_same(tmp_path: Path) -> None:
    image = Built((BASE, tar(item("app/x", b"1" * 10_000))))
    (tmp_path / "saved.tar").write_bytes(image.saved_bytes())
    (tmp_path / "saved.tar.gz").write_bytes(gzip.compress(image.saved_bytes()))
    (tmp_path / "oci.tar.gz").write_bytes(gzip.compress(image.oci_tar(tmp_path / "oci.tar").read_bytes()))
    forms = ["saved.tar", "saved.tar.gz", "oci.tar", "oci.tar.gz"]
    found = [data_of(read_archive(tmp_path / form)) for form in forms]
    found.append(data_of(read_archive(image.oci_folder(tmp_path / "layout"))))

    async def pull() -> Snapshot:
        registry = Registry()
        image.push(registry, "1")
        async with registry.listening(), RegistryClient(use_proxy=False) as client:
            return await read_registry(f"{registry.host}/shop/web:1", client)

    found.append(data_of(asyncio.run(pull())))
    for data in found[1:]:
        for key in ("config", "size", "wasted_bytes", "package_cache", "id", "layers_count"):
            assert data[key] == found[0][key]
        assert {**data["files"], "secrets": 0} == {**found[0]["files"], "secrets": 0}
    assert found[2]["digest"] == found[4]["digest"] == found[5]["digest"]
    assert found[0]["digest"] == found[0]["id"]


def test_formats_of_tar(tmp_path: Path) -> None:
    """Long names, sparse files, hard links and old headers are read like the plain ones."""
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        path = tmp_path / f"{form}.tar"
        long = "d/" + "n" * 90 if form == tarfile.USTAR_FORMAT else "d/" * 60 + "n" * 200
        with tarfile.open(path, "w", format=form) as archive:
            for info, data in (item(long, b"x", mode=0o4755), item("etc/shadow", b"ada::1\n"), item("z", b"z" * 1000)):
                import io

                archive.addfile(info, io.BytesIO(data))
            archive.addfile(item("hard", mode=0o4755, kind=tarfile.LNKTYPE, target=long)[0])
        files = read(tmp_path, path.read_bytes())["files"]
        assert files["setuid"] == [f"/{long}", "/hard"]
        assert files["empty_passwords"] == ["ada"]


def test_links_in_paths_stay_inside(tmp_path: Path) -> None:
    layer = tar(
        symlink("loop", "loop"),
        symlink("a", "../../../../b"),
        folder("b"),
        item("a/x", b"1", mode=0o4755),
        item("loop/y", b"1", mode=0o4755),
    )
    assert read(tmp_path, layer)["files"]["setuid"] == ["/b/x", "/loop/y"]


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/../evil", "d/" * 300 + "x", "x" * 5000])
def test_names_that_leave_the_root_are_told(tmp_path: Path, name: str) -> None:
    path = Built((tar(item(name, KEY, mode=0o4755), item("ok", b"1", mode=0o4755)),)).oci_tar(tmp_path / "i.tar")
    snapshot = read_archive(path)
    assert "leave the root" in snapshot.gaps[0].reason
    assert snapshot.resources[0].data["files"]["setuid"] == ["/ok"]


def sparse(name: str, stored: bytes, *, maps: int) -> bytes:
    """A GNU sparse member: its header, further blocks of the map, and only the bytes that are not zeros."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mode = tarfile.GNUTYPE_SPARSE, len(stored), 0o4755
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT)[:512])
    block[482] = maps > 0
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    more = b"".join(bytes(504) + bytes([at < maps - 1]) + bytes(7) for at in range(maps))
    return bytes(block) + more + stored.ljust(-(-len(stored) // 512) * 512, b"\0")


@pytest.mark.parametrize("maps", [0, 1, 3])
def test_sparse_files_take_what_they_store(tmp_path: Path, maps: int) -> None:
    data = read(tmp_path, sparse("big", b"x" * 700, maps=maps) + tar(item("after", b"y", mode=0o4755)))
    assert (data["size"], data["files"]["setuid"]) == (701, ["/after", "/big"])


def test_large_numbers_and_global_headers(tmp_path: Path) -> None:
    """Binary numbers (GNU) and defaults for all members (pax), as reproducible builds and git archive write them."""
    info = tarfile.TarInfo("x")
    info.uid, info.mode = 1 << 40, 0o4755
    comment = tarfile.TarInfo.create_pax_global_header({"comment": "c" * 40})
    assert read(tmp_path, comment + info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))["files"]["setuid"] == ["/x"]


def test_old_archives_share_layers_by_links(tmp_path: Path) -> None:
    layer = tar(item("bin/su", b"1", mode=0o4755))
    image = Built((layer, layer))
    names = [f"{at:064x}/layer.tar" for at in range(2)]
    manifest = [{"Config": "c.json", "RepoTags": None, "Layers": names}]
    (tmp_path / "i.tar").write_bytes(
        tar(
            item(names[0], layer),
            symlink(names[1], f"../{names[0]}"),
            item("c.json", image.config_bytes),
            item("manifest.json", json.dumps(manifest).encode()),
        )
    )
    data = data_of(read_archive(tmp_path / "i.tar"))
    assert (data["reference"], data["layers_count"], data["wasted_bytes"]) == ("i.tar", 2, 1)


def test_zstd(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard", reason="zstandard is not installed")
    stored = zstandard.ZstdCompressor().compress(BASE)
    whole = Built((BASE,), stored=(stored,)).oci_tar(tmp_path / "i.tar")
    assert data_of(read_archive(whole))["files"]["setuid"] == ["/usr/bin/su"]
    cut = Built((BASE,), stored=(stored[:-100],)).oci_tar(tmp_path / "cut.tar")
    assert [gap.hides for gap in read_archive(cut).gaps] == [("Image",)]
