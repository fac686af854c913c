"""The files that matter to an engine, by role (docs/resources.md, NodeFile)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from bulkhead.core.resource import Gap, Ref, Resource
from bulkhead.sources.machine import Machine

_PROGRAMS: Final = ("containerd", "containerd-shim", "containerd-shim-runc-v1", "containerd-shim-runc-v2", "runc")
_FOLDERS: Final = ("/usr/bin", "/usr/local/bin", "/usr/sbin", "/usr/local/sbin", "/bin", "/sbin")
_UNITS: Final = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_FIXED: Final = {
    "docker-config-folder": "/etc/docker",
    "docker-default": "/etc/default/docker",
    "docker-sysconfig": "/etc/sysconfig/docker",
    "containerd-config": "/etc/containerd/config.toml",
    "containerd-runtime-folder": "/run/containerd",
}
_KEYS: Final = {"docker-tls-ca": "tlscacert", "docker-tls-certificate": "tlscert", "docker-tls-key": "tlskey"}


def read(
    machine: Machine, daemon: str, config_file: str, config: Mapping[str, Any], info: Mapping[str, Any], sockets: list[str], origin: str
) -> Iterator[Resource | Gap]:  # fmt: skip
    """Every file with its facts; a gap for one that may not be looked at."""
    audited = machine.audited()
    for role, path in _places(machine, daemon, config_file, config, info, sockets):
        try:
            facts = machine.facts(path)
        except OSError as error:
            yield Gap(
                where=f"{origin}:{path}",
                code="B200",
                reason=f"the file cannot be looked at: {error.strerror}",
                hides=("NodeFile",),
            )
            continue
        watched = any(str(PurePosixPath(path)) == rule for rule in audited)
        data = {"role": role, "path": path, **facts, "audited": watched}
        yield Resource(Ref(source="docker", kind="NodeFile", name=path, origin=origin, uid=role), data)


def _places(
    machine: Machine, daemon: str, config_file: str, config: Mapping[str, Any], info: Mapping[str, Any], sockets: list[str]
) -> Iterator[tuple[str, str]]:  # fmt: skip
    yield "dockerd", daemon or _first(machine, "dockerd", _FOLDERS)
    for name in _PROGRAMS:
        yield name, _first(machine, name, _FOLDERS)
    for name in ("docker.service", "docker.socket"):
        yield name, _first(machine, name, _UNITS)
    yield from _FIXED.items()
    yield "docker-daemon-json", config_file
    if isinstance(info.get("DockerRootDir"), str):
        yield "docker-data", info["DockerRootDir"]
    for path in sockets:
        yield "docker-socket", path
    yield "containerd-socket", _containerd(config, info)
    for role, key in _KEYS.items():
        if isinstance(config.get(key), str):
            yield role, config[key]
    try:
        for file in sorted(machine.at("/etc/docker/certs.d").glob("*/*"))[:1000]:
            yield "docker-registry-certificate", "/" + str(file.relative_to(machine.at("/")))
    except OSError:
        return


def _first(machine: Machine, name: str, folders: tuple[str, ...]) -> str:
    """Where the file is, else its usual place."""
    return next(
        (f"{folder}/{name}" for folder in folders if not machine.absent(f"{folder}/{name}")), f"{folders[0]}/{name}"
    )


def _containerd(config: Mapping[str, Any], info: Mapping[str, Any]) -> str:
    told = info.get("Containerd")
    address = told.get("Address") if isinstance(told, dict) else config.get("containerd")
    return str(address).removeprefix("unix://") if address else "/run/containerd/containerd.sock"
