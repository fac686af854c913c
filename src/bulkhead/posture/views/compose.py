"""Compose services as pods with one container (compose-spec, 05-services)."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from bulkhead.core.patterns import later
from bulkhead.core.plan import Edit
from bulkhead.core.resource import UNKNOWN, DocumentPath, Resource
from bulkhead.posture.views import quantities
from bulkhead.posture.views.model import ContainerView, PodView, is_number

_PORT = later(
    r"^(?:(\[[0-9a-fA-F:]+\]|[0-9]+(?:\.[0-9]+){3}):)?(?:([0-9]+(?:-[0-9]+)?)?:)?([0-9]+)(?:-[0-9]+)?(?:/(tcp|udp|sctp))?$"
)


def pods(resource: Resource) -> tuple[PodView, ...]:
    services = resource.data.get("services") if isinstance(resource.data, dict) else None
    if not isinstance(services, dict):
        return ()
    return tuple(
        _service(resource, str(name), _interpolated(data)) for name, data in services.items() if isinstance(data, dict)
    )


# Here a variable is an answer in itself: the value is not in the file.
_LITERAL = frozenset({"environment", "labels", "command", "entrypoint"})
_VARIABLE = later(r"\$(?:\$|\{[A-Za-z_][A-Za-z0-9_]*(?::?-([^${}]*))?[^{}]*\}|[A-Za-z_][A-Za-z0-9_]*)")


def _interpolated(data: dict[str, Any]) -> dict[str, Any]:
    """Defaults of variables filled in; a variable without one makes its whole value unknown (compose-spec, 12)."""
    return {key: value if key in _LITERAL else _filled(value) for key, value in data.items()}


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item) for item in value]
    if not isinstance(value, str) or "$" not in value:
        return value
    if any(match[0] != "$$" and match[1] is None for match in _VARIABLE.finditer(value)):
        return UNKNOWN
    return _VARIABLE.sub(lambda match: "$" if match[0] == "$$" else match[1], value)


_SWITCHES = (
    ("network_mode", "hostNetwork"),
    ("pid", "hostPID"),
    ("ipc", "hostIPC"),
    ("uts", "hostUTS"),
    ("userns_mode", "hostUsers"),
)


def _service(resource: Resource, name: str, data: dict[str, Any]) -> PodView:
    base: DocumentPath = ("services", name)
    volumes, mounts = _volumes(data)
    spec: dict[str, Any] = {"volumes": volumes}
    for key, field in _SWITCHES:
        if data.get(key) is not None:
            spec[field] = data[key] if data[key] is UNKNOWN else data[key] == "host"
    if data.get("restart") is not None:
        spec["restartPolicy"] = data["restart"]
    lens = _Lens(base, data)
    view = PodView(resource, "compose", spec, {"labels": _pairs(data.get("labels"))}, True, lens, f"services[{name}]")
    view.containers.append(ContainerView(view, _container(name, data, mounts), "container", f"services[{name}]", lens))
    return view


def _container(name: str, data: dict[str, Any], mounts: list[dict[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {"name": name, "volumeMounts": mounts}
    if data.get("image") is not None:
        out["image"] = data["image"]
    if "build" in data:
        out["built"] = True
    for key, field in (("command", "args"), ("entrypoint", "command")):
        value = data.get(key)
        if value is not None:
            out[field] = [value] if isinstance(value, str) else value
    if data.get("environment") is not None:
        out["env"] = [{"name": key, "value": value} for key, value in _pairs(data["environment"]).items()]
    # A port that cannot be read keeps its place, so that indexes agree with the file.
    out["ports"] = [_port(item) for item in _list(data.get("ports"))]
    out["securityContext"] = _security(data)
    resources = _resources(data)
    if resources:
        out["resources"] = resources
    _extras(data, out)
    return out


def _extras(data: dict[str, Any], out: dict[str, Any]) -> None:
    health = data.get("healthcheck")
    if isinstance(health, dict) and not health.get("disable") and health.get("test") not in (["NONE"], "NONE"):
        out["livenessProbe"] = {"exec": {"command": _list(health.get("test"))}}
    if data.get("pull_policy") is not None:
        out["imagePullPolicy"] = {"always": "Always", "never": "Never"}.get(data["pull_policy"], "IfNotPresent")
    pids = _below(data, "deploy", "resources", "limits", "pids")
    if pids is None:
        pids = data.get("pids_limit")
    if pids is not None:
        out["pidsLimit"] = pids
    for key in ("build", "devices", "ulimits", "logging", "cgroup_parent", "secrets"):
        if data.get(key) is not None:
            out[key] = data[key]


def _security(data: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if data.get("privileged") is not None:
        out["privileged"] = data["privileged"]
    if data.get("read_only") is not None:
        out["readOnlyRootFilesystem"] = data["read_only"]
    capabilities = {
        field: data[key] for key, field in (("cap_add", "add"), ("cap_drop", "drop")) if isinstance(data.get(key), list)
    }
    if capabilities:
        out["capabilities"] = capabilities
    for option in _list(data.get("security_opt")):
        if option is UNKNOWN:
            out.update(
                dict.fromkeys(
                    ("allowPrivilegeEscalation", "seccompProfile", "appArmorProfile", "seLinuxOptions"), UNKNOWN
                )
            )
        else:
            _security_option(str(option), out)
    user = data.get("user")
    if user is UNKNOWN:
        out.update(runAsUser=UNKNOWN, runAsNonRoot=UNKNOWN)
    elif user is not None:
        _user(str(user), out)
    return out


def _security_option(option: str, out: dict[str, Any]) -> None:
    """One ``security_opt`` (``name:value`` or ``name=value``)."""
    name, _, value = option.replace("=", ":", 1).partition(":")
    if name == "no-new-privileges":
        out["allowPrivilegeEscalation"] = value not in ("", "true")
    elif name == "seccomp":
        out["seccompProfile"] = {"type": "Unconfined" if value == "unconfined" else "Localhost"}
    elif name == "apparmor":
        out["appArmorProfile"] = {"type": "Unconfined" if value == "unconfined" else "Localhost"}
    elif name == "label":
        out["seLinuxOptions"] = {"type": "disable" if value == "disable" else value}


def _user(user: str, out: dict[str, Any]) -> None:
    uid, _, gid = user.partition(":")
    if is_number(uid):
        out["runAsUser"] = int(uid)
    if uid == "root":
        out["runAsUser"] = 0
    out["runAsNonRoot"] = uid not in ("root", "") and out.get("runAsUser") != 0
    if is_number(gid):
        out["runAsGroup"] = int(gid)


def _resources(data: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for side, field in (("limits", "limits"), ("reservations", "requests")):
        found = _below(data, "deploy", "resources", side)
        if isinstance(found, dict):
            values = {
                name: value
                for name, value in (("cpu", found.get("cpus")), ("memory", _memory(found.get("memory"))))
                if value is not None
            }
            if values:
                out[field] = values
    if data.get("mem_limit") is not None:
        out.setdefault("limits", {}).setdefault("memory", _memory(data["mem_limit"]))
    if data.get("cpus") is not None:
        out.setdefault("limits", {}).setdefault("cpu", data["cpus"])
    if data.get("mem_reservation") is not None:
        out.setdefault("requests", {}).setdefault("memory", _memory(data["mem_reservation"]))
    return out


def _memory(value: Any) -> Any:
    """Compose's bytes as a Kubernetes quantity (a plain number of bytes)."""
    number = None if value is None else quantities.compose_bytes(value)
    return value if number is None else str(int(number))


def _volumes(data: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    volumes: list[dict[str, Any]] = []
    mounts: list[dict[str, Any]] = []
    for index, item in enumerate(_list(data.get("volumes"))):
        source, target, read_only, propagation, kind = _volume(item)
        if target is None:
            continue
        name = f"volume-{index}"
        host = kind == "bind" or (isinstance(source, str) and source.startswith(("/", ".", "~", "$")))
        volumes.append(
            {"name": name, "hostPath": {"path": source}}
            if host
            else {"name": name, "persistentVolumeClaim": {"claimName": source or ""}}
        )
        mount: dict[str, Any] = {"name": name, "mountPath": target, "readOnly": read_only}
        if propagation:
            mount["mountPropagation"] = "Bidirectional" if "shared" in propagation else propagation
        mounts.append(mount)
    return volumes, mounts


def _volume(item: Any) -> tuple[Any, Any, bool, str, str]:
    if isinstance(item, dict):
        bind = item.get("bind")
        propagation = bind.get("propagation", "") if isinstance(bind, dict) else ""
        return (
            item.get("source"),
            item.get("target"),
            item.get("read_only") is True,
            str(propagation),
            str(item.get("type", "volume")),
        )
    if item is UNKNOWN:
        return UNKNOWN, UNKNOWN, False, "", "bind"
    parts = str(item).split(":")
    if len(parts) == 1:
        return None, parts[0], False, "", "volume"
    options = parts[2].split(",") if len(parts) > 2 else []
    propagation = next((option for option in options if "shared" in option or "slave" in option), "")
    return parts[0], parts[1], "ro" in options, propagation, ""


def _port(item: Any) -> Any:
    if isinstance(item, dict):
        out = {"containerPort": item.get("target"), "protocol": str(item.get("protocol", "tcp")).upper()}
        if item.get("published") is not None:
            published = str(item["published"])
            out["hostPort"] = int(published) if published.isdigit() else published
        if item.get("host_ip"):
            out["hostIP"] = item["host_ip"]
        return out
    match = _PORT.match(str(item))
    if match is None:
        return UNKNOWN
    port: dict[str, Any] = {"containerPort": int(match[3]), "protocol": (match[4] or "tcp").upper()}
    if match[2]:
        port["hostPort"] = int(match[2].split("-")[0])
    if match[1]:
        port["hostIP"] = match[1].strip("[]")
    return port


def _pairs(value: Any) -> dict[str, Any]:
    """``environment`` and ``labels`` come as a map or as a list of ``key=value``."""
    if isinstance(value, dict):
        return value
    out: dict[str, Any] = {}
    for item in _list(value):
        key, _, text = str(item).partition("=")
        out[key] = text
    return out


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _below(data: Any, *path: str) -> Any:
    for part in path:
        if not isinstance(data, dict):
            return None
        data = data.get(part)
    return data


_FIELDS: dict[DocumentPath, DocumentPath] = {
    ("image",): ("image",),
    ("command",): ("entrypoint",),
    ("args",): ("command",),
    ("env",): ("environment",),
    ("ports",): ("ports",),
    ("volumeMounts",): ("volumes",),
    ("volumes",): ("volumes",),
    ("securityContext",): (),
    ("securityContext", "privileged"): ("privileged",),
    ("securityContext", "readOnlyRootFilesystem"): ("read_only",),
    ("securityContext", "allowPrivilegeEscalation"): ("security_opt",),
    ("securityContext", "seccompProfile"): ("security_opt",),
    ("securityContext", "seccompProfile", "type"): ("security_opt",),
    ("securityContext", "appArmorProfile"): ("security_opt",),
    ("securityContext", "appArmorProfile", "type"): ("security_opt",),
    ("securityContext", "seLinuxOptions"): ("security_opt",),
    ("securityContext", "seLinuxOptions", "type"): ("security_opt",),
    ("securityContext", "runAsUser"): ("user",),
    ("securityContext", "runAsGroup"): ("user",),
    ("securityContext", "runAsNonRoot"): ("user",),
    ("securityContext", "capabilities"): ("cap_drop",),
    ("securityContext", "capabilities", "add"): ("cap_add",),
    ("securityContext", "capabilities", "drop"): ("cap_drop",),
    ("resources",): ("deploy", "resources"),
    ("resources", "limits"): ("deploy", "resources", "limits"),
    ("resources", "limits", "memory"): ("deploy", "resources", "limits", "memory"),
    ("resources", "limits", "cpu"): ("deploy", "resources", "limits", "cpus"),
    ("resources", "requests", "memory"): ("deploy", "resources", "reservations", "memory"),
    ("resources", "requests", "cpu"): ("deploy", "resources", "reservations", "cpus"),
    ("pidsLimit",): ("deploy", "resources", "limits", "pids"),
    ("livenessProbe",): ("healthcheck",),
    ("imagePullPolicy",): ("pull_policy",),
    ("restartPolicy",): ("restart",),
    ("hostNetwork",): ("network_mode",),
    ("hostPID",): ("pid",),
    ("hostIPC",): ("ipc",),
    ("hostUTS",): ("uts",),
    ("hostUsers",): ("userns_mode",),
    ("devices",): ("devices",),
    ("ulimits",): ("ulimits",),
    ("logging",): ("logging",),
    ("cgroup_parent",): ("cgroup_parent",),
    ("secrets",): ("secrets",),
    ("build",): ("build",),
    ("build", "provenance"): ("build", "provenance"),
    ("build", "sbom"): ("build", "sbom"),
}  # fmt: skip
_HOST_SWITCHES = frozenset({"hostNetwork", "hostPID", "hostIPC", "hostUTS", "hostUsers"})
_LISTED = frozenset({"ports", "env", "volumeMounts", "volumes"})


class _Lens(msgspec.Struct, frozen=True):
    base: DocumentPath
    data: dict[str, Any]

    def target(self, path: DocumentPath) -> DocumentPath | None:
        if not path:
            return self.base
        if path in _FIELDS:
            found = _FIELDS[path]
            if path == ("resources", "limits", "memory") and "mem_limit" in self.data:
                found = ("mem_limit",)
            return self.base + found
        if path[0] in _LISTED and len(path) >= 2 and isinstance(path[1], int) and path[0] != "env":
            return (*self.base, *_FIELDS[(path[0],)], path[1])
        if path[0] in _LISTED:
            return self.base + _FIELDS[(path[0],)]
        if path[:3] in (("securityContext", "capabilities", "add"), ("securityContext", "capabilities", "drop")):
            return self.base + _FIELDS[path[:3]] + path[3:]
        return None

    def edits(self, op: str, path: DocumentPath, value: Any) -> tuple[Edit, ...] | None:
        if op == "set" and path == ("securityContext", "allowPrivilegeEscalation") and value is False:
            return self._no_new_privileges()
        if path[:1] == ("securityContext",) and path[-1] in ("runAsUser", "runAsNonRoot"):
            return self._user(op, path, value)
        if len(path) == 1 and path[0] in _HOST_SWITCHES and (op == "remove" or value is False):
            key = _FIELDS[path][0]
            return (Edit(op="remove", path=(*self.base, key)),) if key in self.data else ()
        if path[:1] == ("ports",) and path[-1] == "hostIP" and op == "set" and isinstance(path[1], int):
            return self._host_ip(path[1], str(value))
        if path[:2] == ("securityContext", "seccompProfile") or path[:2] == ("securityContext", "appArmorProfile"):
            return self._profile(str(path[1]))
        return self._plain(op, path, value)

    def _plain(self, op: str, path: DocumentPath, value: Any) -> tuple[Edit, ...] | None:
        target = self.target(path)
        if target is None or op not in ("set", "remove", "append") or (path[0] in _LISTED and len(path) > 2):
            return None
        if path[-1] == "memory":
            value = quantities.to_compose_bytes(value)
        elif path[-1] == "cpu":
            value = quantities.to_cpus(value)
        if op != "remove" and value is None:
            return None
        return (Edit(op=op, path=target, value=value),)  # type: ignore[arg-type]  # narrowed above

    def _no_new_privileges(self) -> tuple[Edit, ...]:
        options = _list(self.data.get("security_opt"))
        edits = [
            Edit(op="set", path=(*self.base, "security_opt", index), value="no-new-privileges:true")
            for index, option in enumerate(options)
            if str(option).startswith("no-new-privileges")
        ]
        return tuple(edits) or (Edit(op="append", path=(*self.base, "security_opt"), value="no-new-privileges:true"),)

    def _user(self, op: str, path: DocumentPath, value: Any) -> tuple[Edit, ...] | None:
        """``user`` carries both; a number is written, "not root" alone names nobody."""
        if op != "set" or path[-1] != "runAsUser":
            return None
        group = self.data.get("user")
        gid = str(group).partition(":")[2] if group is not None else ""
        return (Edit(op="set", path=(*self.base, "user"), value=f"{value}:{gid or value}"),)

    def _profile(self, field: str) -> tuple[Edit, ...] | None:
        """The engine's default profile is what remains when the option that replaces it is gone."""
        name = "seccomp" if field == "seccompProfile" else "apparmor"
        options = _list(self.data.get("security_opt"))
        keep = [option for option in options if not re.match(rf"{name}[:=]unconfined$", str(option))]
        if len(keep) == len(options):
            return None
        at = (*self.base, "security_opt")
        return (Edit(op="set", path=at, value=keep),) if keep else (Edit(op="remove", path=at),)

    def _host_ip(self, index: int, address: str) -> tuple[Edit, ...] | None:
        items = _list(self.data.get("ports"))
        if index >= len(items):
            return None
        item = items[index]
        at = (*self.base, "ports", index)
        if isinstance(item, dict):
            return (Edit(op="set", path=(*at, "host_ip"), value=address),)
        match = _PORT.match(str(item))
        if match is None or not match[2]:
            return None
        rest = str(item)[len(match[1]) + 1 :] if match[1] else str(item)
        return (Edit(op="set", path=at, value=f"{address}:{rest}"),)
