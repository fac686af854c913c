"""Changes of a running container's view, as changes of what the engine tells of it (Engine API 1.41, ContainerInspect).

The places are those of the inspect answer; the engine's channel makes them true by an update or by making the container anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from bulkhead.core.plan import Edit
from bulkhead.core.resource import DocumentPath
from bulkhead.posture.views import quantities

FIELDS: Final[dict[DocumentPath, DocumentPath]] = {
    ("image",): ("Config", "Image"),
    ("command",): ("Config", "Entrypoint"),
    ("args",): ("Config", "Cmd"),
    ("env",): ("Config", "Env"),
    ("ports",): ("HostConfig", "PortBindings"),
    ("volumeMounts",): ("Mounts",),
    ("volumes",): ("Mounts",),
    ("securityContext",): ("HostConfig",),
    ("securityContext", "privileged"): ("HostConfig", "Privileged"),
    ("securityContext", "readOnlyRootFilesystem"): ("HostConfig", "ReadonlyRootfs"),
    ("securityContext", "runAsUser"): ("Config", "User"),
    ("securityContext", "runAsGroup"): ("Config", "User"),
    ("securityContext", "runAsNonRoot"): ("Config", "User"),
    ("securityContext", "capabilities"): ("HostConfig", "CapAdd"),
    ("securityContext", "capabilities", "add"): ("HostConfig", "CapAdd"),
    ("securityContext", "capabilities", "drop"): ("HostConfig", "CapDrop"),
    ("resources",): ("HostConfig",),
    ("resources", "limits"): ("HostConfig",),
    ("resources", "limits", "memory"): ("HostConfig", "Memory"),
    ("resources", "limits", "cpu"): ("HostConfig", "NanoCpus"),
    ("pidsLimit",): ("HostConfig", "PidsLimit"),
    ("livenessProbe",): ("Config", "Healthcheck"),
    ("restartPolicy",): ("HostConfig", "RestartPolicy"),
    ("hostNetwork",): ("HostConfig", "NetworkMode"),
    ("hostPID",): ("HostConfig", "PidMode"),
    ("hostIPC",): ("HostConfig", "IpcMode"),
    ("hostUTS",): ("HostConfig", "UTSMode"),
    ("hostUsers",): ("HostConfig", "UsernsMode"),
    ("devices",): ("HostConfig", "Devices"),
    ("ulimits",): ("HostConfig", "Ulimits"),
    ("logging",): ("HostConfig", "LogConfig"),
    ("cgroup_parent",): ("HostConfig", "CgroupParent"),
}
_OPTIONS: Final = {
    "allowPrivilegeEscalation": "no-new-privileges", "seccompProfile": "seccomp", "appArmorProfile": "apparmor",
    "seLinuxOptions": "label",
}  # fmt: skip
_LISTED: Final = ("ports", "env", "volumeMounts", "volumes")
_SECURITY: Final = ("HostConfig", "SecurityOpt")
_ALONE: Final = {
    "hostPID": ("PidMode", ""),
    "hostUTS": ("UTSMode", ""),
    "hostUsers": ("UsernsMode", ""),
    "hostIPC": ("IpcMode", "private"),
}
_UNNAMED: Final = frozenset({"hostPID", "hostIPC"})
"""The engine adds ``label=disable`` to containers that share these with the host, or are privileged."""
_SCRATCH: Final = ("/tmp", "/var/tmp", "/run", "/var/run", "/var/lock", "/var/cache")  # noqa: S108 (folders of a container)
"""Folders that hold nothing of an image: a file system in memory may take their place."""


class Lens(msgspec.Struct, frozen=True):
    """``data`` is the engine's answer that the view was made from."""

    data: dict[str, Any]

    def target(self, path: DocumentPath) -> DocumentPath | None:
        if not path:
            return ()
        if path[0] == "securityContext" and len(path) > 1 and path[1] in _OPTIONS:
            return _SECURITY
        if path[0] in _LISTED:
            return FIELDS[path[:1]]
        return FIELDS.get(path)

    def edits(self, op: str, path: DocumentPath, value: Any) -> tuple[Edit, ...] | None:
        made = self._security(op, path, value) if path[:1] == ("securityContext",) else self._setting(op, path, value)
        return None if made is None else tuple(made)

    def _host(self) -> dict[str, Any]:
        host = self.data.get("HostConfig")
        return host if isinstance(host, dict) else {}

    def _set(self, name: str, value: Any) -> Edit:
        return Edit(op="set", path=("HostConfig", name), value=value)

    def _setting(self, op: str, path: DocumentPath, value: Any) -> list[Edit] | None:
        if path[:2] == ("resources", "limits") and op == "set":
            return self._limit(str(path[-1]), value)
        if path == ("pidsLimit",) and op == "set":
            return [self._set("PidsLimit", int(value))]
        if path == ("restartPolicy",) and op == "set":
            name, _, count = str(value).partition(":")
            return [self._set("RestartPolicy", {"Name": name, "MaximumRetryCount": int(count or 0)})]
        if len(path) == 1 and path[0] in _ALONE and (op == "remove" or value is False):
            name, alone = _ALONE[str(path[0])]
            return [self._set(name, alone), *(self._unlabelled() if path[0] in _UNNAMED else ())]
        if path == ("hostNetwork",) and (op == "remove" or value is False):
            return self._own_network()
        if path == ("cgroup_parent",) and op == "remove":
            return [self._set("CgroupParent", "")]
        if path == ("devices",) and op == "set":
            return [self._set("Devices", value)]
        if path == ("ulimits",) and op == "set" and isinstance(value, dict):
            return [self._set("Ulimits", [_ulimit(name, bound) for name, bound in value.items()])]
        if path[:1] == ("ports",) and path[2:] == ("hostIP",) and op == "set" and isinstance(path[1], int):
            return self._host_ip(path[1], str(value))
        if path[:1] == ("volumeMounts",) and len(path) > 1 and isinstance(path[1], int):
            return self._mount(op, path[1], path[2:])
        return None

    def _limit(self, name: str, value: Any) -> list[Edit] | None:
        if name == "memory":
            size = quantities.from_kubernetes(value)
            if size is None:
                return None
            # The engine's own rule for a limit without one for swap: as much again.
            return [self._set("Memory", int(size)), self._set("MemorySwap", 2 * int(size))]
        if name == "cpu":
            cpus = quantities.from_kubernetes(value)
            return None if cpus is None else [self._set("NanoCpus", int(cpus * 1_000_000_000))]
        return None

    def _security(self, op: str, path: DocumentPath, value: Any) -> list[Edit] | None:
        field = path[1] if len(path) > 1 else ""
        if field == "privileged" and op == "set" and value is False:
            # Paths that are hidden from an unprivileged container are the engine's to choose.
            bare = [
                Edit(op="remove", path=("HostConfig", name))
                for name in ("MaskedPaths", "ReadonlyPaths")
                if name in self._host()
            ]
            return [self._set("Privileged", False), *bare, *self._unlabelled()]
        if field == "readOnlyRootFilesystem" and op == "set" and value is True:
            return self._read_only()
        if field == "runAsUser" and op == "set":
            group = str((self.data.get("Config") or {}).get("User") or "").partition(":")[2]
            return [
                Edit(
                    op="set",
                    path=("Config", "User"),
                    value=f"{value}:{group if group not in ('', '0', 'root') else value}",
                )
            ]
        if field == "allowPrivilegeEscalation" and op == "set" and value is False:
            gone = [self._option(index) for index in self._options("no-new-privileges")]
            return [*gone, Edit(op="append", path=_SECURITY, value="no-new-privileges")]
        if field in ("seccompProfile", "appArmorProfile", "seLinuxOptions"):
            gone = [self._option(index) for index in self._options(_OPTIONS[str(field)]) if self._off(index)]
            return gone or None
        if path[:2] == ("securityContext", "capabilities") and len(path) > 2 and path[2] in ("add", "drop"):
            target = (*FIELDS[path[:3]], *path[3:])
            return [Edit(op=op, path=target, value=value)] if op in ("set", "remove", "append") else None  # type: ignore[arg-type]  # narrowed
        return None

    def _options(self, name: str) -> Iterator[int]:
        """Where an option of this name stands in ``SecurityOpt``: ``name``, ``name=value`` or ``name:value``."""
        for index, option in enumerate(self._host().get("SecurityOpt") or ()):
            if str(option).replace("=", ":").partition(":")[0] == name:
                yield index

    def _off(self, index: int) -> bool:
        return str(self._host()["SecurityOpt"][index]).endswith(("unconfined", "disable"))

    def _option(self, index: int) -> Edit:
        return Edit(op="remove", path=(*_SECURITY, index))

    def _unlabelled(self) -> list[Edit]:
        return [self._option(index) for index in self._options("label") if self._off(index)]

    def _read_only(self) -> list[Edit] | None:
        """With memory for scratch folders that it was seen to write to; where it writes elsewhere, or nobody saw, a person decides."""
        observed = self.data.get("Observed")
        written = observed.get("written") if isinstance(observed, dict) else None
        if not isinstance(written, list):
            return None
        scratch = {next((top for top in _SCRATCH if f"{folder}/".startswith(f"{top}/")), "") for folder in written}
        if "" in scratch:
            return None
        known = self._host().get("Tmpfs") or {}
        folders = [
            Edit(op="set", path=("HostConfig", "Tmpfs", folder), value="rw,noexec,nosuid,nodev")
            for folder in sorted(scratch)
            if folder not in known
        ]
        return [self._set("ReadonlyRootfs", True), *folders]

    def _own_network(self) -> list[Edit]:
        name = f"bulkhead-{str(self.data.get('Name', '')).lstrip('/')}"
        networks: dict[str, Any] = {name: {}}
        return [self._set("NetworkMode", name), Edit(op="set", path=("NetworkSettings", "Networks"), value=networks)]

    def _host_ip(self, wanted: int, address: str) -> list[Edit] | None:
        """The view counts all bindings of all ports; the engine keeps a list for each."""
        index = 0
        for port, bindings in (self._host().get("PortBindings") or {}).items():
            for place, _ in enumerate(bindings or ()):
                if index == wanted:
                    return [Edit(op="set", path=("HostConfig", "PortBindings", port, place, "HostIp"), value=address)]
                index += 1
        return None

    def _mount(self, op: str, index: int, below: DocumentPath) -> list[Edit] | None:
        """A mount is told twice: as it is, and as it was asked for (``Binds`` or ``Mounts`` of ``HostConfig``)."""
        mounts = self.data.get("Mounts") or []
        if index >= len(mounts):
            return None
        destination = mounts[index].get("Destination")
        asked = [
            ("Binds", at)
            for at, bind in enumerate(self._host().get("Binds") or ())
            if _destination(str(bind)) == destination
        ]
        asked += [
            ("Mounts", at)
            for at, mount in enumerate(self._host().get("Mounts") or ())
            if mount.get("Target") == destination
        ]
        if not asked:
            return None
        if op == "remove" and not below:
            gone = [Edit(op="remove", path=("HostConfig", name, at)) for name, at in asked]
            return [Edit(op="remove", path=("Mounts", index)), *gone]
        if below == ("mountPropagation",):
            return [
                Edit(op="set", path=("Mounts", index, "Propagation"), value="rslave"),
                *(self._slave(*place) for place in asked),
            ]
        return None

    def _slave(self, name: str, at: int) -> Edit:
        if name == "Mounts":
            return Edit(op="set", path=("HostConfig", "Mounts", at, "BindOptions", "Propagation"), value="rslave")
        parts = str(self._host()["Binds"][at]).split(":")
        options = [option for option in (parts[2].split(",") if len(parts) > 2 else []) if "shared" not in option]
        return Edit(
            op="set", path=("HostConfig", "Binds", at), value=":".join([*parts[:2], ",".join([*options, "rslave"])])
        )


def _destination(bind: str) -> str:
    return [*bind.split(":"), ""][1]


def _ulimit(name: str, bound: Any) -> dict[str, Any]:
    soft, hard = (bound["soft"], bound["hard"]) if isinstance(bound, dict) else (bound, bound)
    return {"Name": name, "Soft": soft, "Hard": hard}
