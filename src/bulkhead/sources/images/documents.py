"""Manifests, indexes and configurations (OCI image specification 1.1 and Docker's schema 2), checked as they are read."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from bulkhead.core.errors import ParseError
from bulkhead.report.mask import MASK, mask, mask_source
from bulkhead.report.text import clean
from bulkhead.sources.images.secrets import is_telling, kind_in_text

_Document = TypeVar("_Document")
INDEX_TYPES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)


class Platform(msgspec.Struct, frozen=True):
    os: str = ""
    architecture: str = ""
    variant: str = ""


class Descriptor(msgspec.Struct, frozen=True, rename="camel"):
    digest: str
    size: int
    media_type: str = ""
    platform: Platform | None = None
    annotations: dict[str, str] | None = None

    @property
    def note(self) -> dict[str, str]:
        return self.annotations or {}


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """A manifest or an index: which of the two is told by what it has."""

    schema_version: int = 2
    media_type: str = ""
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[Descriptor, ...] | None = None


class Saved(msgspec.Struct, frozen=True, rename="pascal"):
    """An image in the ``manifest.json`` of ``docker save``."""

    config: str
    layers: tuple[str, ...] = ()
    repo_tags: tuple[str, ...] | None = None


class _RootFs(msgspec.Struct, frozen=True):
    diff_ids: tuple[str, ...] = ()


class Config(msgspec.Struct, frozen=True):
    created: str | None = None
    os: str = ""
    architecture: str = ""
    config: dict[str, Any] | None = None
    history: tuple[dict[str, Any], ...] | None = None
    rootfs: _RootFs = _RootFs()


def decode_manifest(data: bytes, where: str) -> Manifest:
    manifest = _decode(data, Manifest, where)
    if manifest.schema_version != 2:
        raise ParseError(f"manifest schema {manifest.schema_version} is not supported", where=where)
    return manifest


def decode_saved(data: bytes, where: str) -> tuple[Saved, ...]:
    return _decode(data, tuple[Saved, ...], where)


def decode_config(data: bytes, where: str) -> Config:
    return _decode(data, Config, where)


def _decode(data: bytes, kind: type[_Document], where: str) -> _Document:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(f"not what it should be: {mask(clean(str(error)))[:256]}", where=where) from None


_KEPT = (
    "User",
    "Entrypoint",
    "Cmd",
    "ExposedPorts",
    "Volumes",
    "WorkingDir",
    "Healthcheck",
    "StopSignal",
    "OnBuild",
    "Shell",
)


def config_facts(config: Config, limit: int) -> dict[str, Any]:
    """The part of an image's data that its configuration gives, with the values of secrets masked."""
    given = config.config or {}
    env = [str(item) for item in _listed(given.get("Env"), limit)]
    labels = given.get("Labels")
    kept: dict[str, Any] = {key: _masked(given[key]) for key in _KEPT if given.get(key) is not None}
    kept["User"] = str(kept.get("User", ""))
    for key in ("Entrypoint", "Cmd", "OnBuild"):
        kept[key] = [str(item) for item in _listed(kept.get(key), limit)]
    for key in ("ExposedPorts", "Volumes"):
        kept[key] = sorted(map(str, kept[key]))[:limit] if isinstance(kept.get(key), dict | list) else []
    kept["Env"] = [_masked_variable(item) for item in env]
    kept["Labels"] = {str(k): _masked(str(v)) for k, v in labels.items()} if isinstance(labels, dict) else {}
    return {
        "created": config.created or "",
        "os": config.os,
        "architecture": config.architecture,
        "config": kept,
        "config_secrets": _config_secrets(env, given, limit),
        "history": [_history(item) for item in (config.history or ())[:limit]],
    }


def _listed(value: Any, limit: int) -> list[Any]:
    return value[:limit] if isinstance(value, list) else [value] if isinstance(value, str) else []


def _masked(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [_masked(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {str(key): _masked(item, depth + 1) for key, item in value.items()}
    return value


def _masked_variable(item: str) -> str:
    name, equals, value = item.partition("=")
    return f"{name}={MASK}" if equals and value and is_telling(name) else mask(item)


def _config_secrets(env: list[str], given: dict[str, Any], limit: int) -> list[dict[str, str]]:
    """Where the configuration itself holds a secret: the setting, its name, and the kind."""
    out: list[dict[str, str]] = []
    variables = [item.partition("=") for item in env]
    out += [
        {"where": "Env", "name": name, "kind": kind_in_text(value) or "named"}
        for name, _, value in variables
        if value and (is_telling(name) or kind_in_text(value))
    ]
    labels = given.get("Labels")
    for name, value in labels.items() if isinstance(labels, dict) else ():
        if kind := kind_in_text(str(value)):
            out.append({"where": "Labels", "name": str(name), "kind": kind})
    for where in ("Cmd", "Entrypoint"):
        if kind := kind_in_text(" ".join(str(item) for item in _listed(given.get(where), limit))):
            out.append({"where": where, "name": "", "kind": kind})
    return out[:limit]


def _history(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "created": str(item.get("created") or ""),
        "created_by": mask_source(str(item.get("created_by") or ""))[:4096],
        "empty_layer": item.get("empty_layer") is True,
    }
