"""Images made by hand: layers from a few words, then an archive of docker save, an OCI layout, or a registry's content."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.registry import Registry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def item(
    name: str,
    data: bytes = b"",
    *,
    mode: int = 0o644,
    kind: bytes = tarfile.REGTYPE,
    target: str = "",
    pax: dict[str, str] | None = None,
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.mode, info.type, info.linkname, info.size = mode, kind, target, len(data)
    info.pax_headers = pax or {}
    return info, data


def folder(name: str, mode: int = 0o755) -> tuple[tarfile.TarInfo, bytes]:
    return item(name, mode=mode, kind=tarfile.DIRTYPE)


def symlink(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return item(name, kind=tarfile.SYMTYPE, target=target)


def tar(*items: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in items:
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass
class Built:
    """An image's documents and blobs. ``stored`` are the layers as they are kept, ``layers`` their tar files."""

    layers: tuple[bytes, ...]
    config: dict[str, Any] = field(default_factory=dict)
    tag: str = "example.com/shop/web:1"
    stored: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        self.stored = self.stored or tuple(gzip.compress(layer, 1, mtime=0) for layer in self.layers)

    @property
    def config_bytes(self) -> bytes:
        base = {"os": "linux", "architecture": "amd64", "created": "2026-01-02T03:04:05Z"}
        rootfs = {"type": "layers", "diff_ids": [sha256(layer) for layer in self.layers]}
        return json.dumps(base | self.config | {"rootfs": rootfs}).encode()

    @property
    def manifest_bytes(self) -> bytes:
        layers = [{"mediaType": LAYER, "digest": sha256(data), "size": len(data)} for data in self.stored]
        config = {"mediaType": CONFIG, "digest": sha256(self.config_bytes), "size": len(self.config_bytes)}
        return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}).encode()

    @property
    def index_bytes(self) -> bytes:
        entry = {
            "mediaType": MANIFEST,
            "digest": sha256(self.manifest_bytes),
            "size": len(self.manifest_bytes),
            "annotations": {"io.containerd.image.name": self.tag},
            "platform": {"os": "linux", "architecture": "amd64"},
        }
        return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).encode()

    def blobs(self) -> dict[str, bytes]:
        return {sha256(data): data for data in (self.config_bytes, self.manifest_bytes, *self.stored)}

    def oci_files(self) -> dict[str, bytes]:
        files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": self.index_bytes}
        return files | {"blobs/" + digest.replace(":", "/"): data for digest, data in self.blobs().items()}

    def oci_folder(self, path: Path) -> Path:
        for name, data in self.oci_files().items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
        return path

    def oci_tar(self, path: Path) -> Path:
        path.write_bytes(tar(*(item(name, data) for name, data in self.oci_files().items())))
        return path

    def saved_bytes(self) -> bytes:
        """The archive of docker save before version 25: plain layers, no manifest of the registry's kind."""
        config_name = sha256(self.config_bytes)[7:] + ".json"
        names = [f"{at:064x}/layer.tar" for at in range(len(self.layers))]
        manifest = [{"Config": config_name, "RepoTags": [self.tag], "Layers": names}]
        files = dict(zip(names, self.layers, strict=True)) | {
            config_name: self.config_bytes,
            "manifest.json": json.dumps(manifest).encode(),
        }
        return tar(*(item(name, data) for name, data in files.items()))

    def push(self, registry: Registry, *tags: str) -> None:
        for data in self.blobs().values():
            registry.add_blob(data)
        registry.add_manifest(MANIFEST, self.manifest_bytes, *tags)
