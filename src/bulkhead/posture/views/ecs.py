"""ECS task definitions as pods: CloudFormation, Terraform and the API's own JSON spell the same fields differently."""

from __future__ import annotations

from typing import Any

import msgspec

from bulkhead.core.plan import Edit
from bulkhead.core.resource import UNKNOWN, DocumentPath, Resource
from bulkhead.posture.views import quantities
from bulkhead.posture.views.model import ContainerView, PodView

KINDS = frozenset({"AWS::ECS::TaskDefinition", "aws_ecs_task_definition", "EcsTaskDefinition"})


def pods(resource: Resource) -> tuple[PodView, ...]:
    """One pod for the task; containers that are not known here are one unknown container."""
    if not isinstance(resource.data, dict):
        return ()
    base: DocumentPath = ("Properties",) if resource.ref.kind.startswith("AWS::") else ()
    body = resource.data.get("Properties") if base else resource.data
    if not isinstance(body, dict):
        return ()
    task = {_key(key): (key, value) for key, value in body.items()}
    spec = _spec(task)
    lens = _Lens(base, {}, {name: key for name, (key, _) in task.items()})
    view = PodView(resource, "ecs", spec, {}, True, lens, "task")
    key, definitions = task.get("containerDefinitions", ("containerDefinitions", []))
    if definitions is UNKNOWN:
        definitions = [UNKNOWN]
    for index, item in enumerate(definitions if isinstance(definitions, list) else []):
        at = (*base, key, index)
        if not isinstance(item, dict):
            view.containers.append(
                ContainerView(view, {"name": UNKNOWN}, "container", f"containers[{index}]", _Lens(at, {}, {}))
            )
            continue
        fields = {_key(name): (name, value) for name, value in item.items()}
        data = _container(fields)
        name = data.get("name")
        label = name if isinstance(name, str) else str(index)
        names = {known: original for known, (original, _) in fields.items()}
        view.containers.append(ContainerView(view, data, "container", f"containers[{label}]", _Lens(at, item, names)))
    return (view,)


def _key(name: str) -> str:
    """``ReadonlyRootFilesystem`` and ``readonly_root_filesystem`` are ``readonlyRootFilesystem``."""
    head, *rest = name.split("_")
    return head[:1].lower() + head[1:] + "".join(part[:1].upper() + part[1:] for part in rest)


def _plain(value: Any) -> Any:
    """All keys of a nested value in the API's own case."""
    if isinstance(value, dict):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _spec(task: dict[str, tuple[str, Any]]) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    for name, field in (("networkMode", "hostNetwork"), ("pidMode", "hostPID"), ("ipcMode", "hostIPC")):
        if name in task:
            value = task[name][1]
            spec[field] = value if value is UNKNOWN else value == "host"
    volumes: dict[str, Any] = {}
    for name in ("volumes", "volume"):
        found = task.get(name, ("", []))[1]
        if found is UNKNOWN:
            return {**spec, "volumes": UNKNOWN}
        for item in found or ():
            volume = _plain(item)
            if isinstance(volume, dict):
                host = volume.get("host")
                source = volume.get("hostPath") or (host.get("sourcePath") if isinstance(host, dict) else None)
                volumes[str(volume.get("name"))] = {"hostPath": {"path": source}} if source else {"emptyDir": {}}
    spec["volumes"] = [{"name": name, **volume} for name, volume in volumes.items()]
    return spec


def _container(fields: dict[str, tuple[str, Any]]) -> dict[str, Any]:
    plain = {name: _plain(value) for name, (_, value) in fields.items()}
    out: dict[str, Any] = {"name": plain.get("name", "")}
    for name, field in (("image", "image"), ("command", "args"), ("entryPoint", "command"), ("ulimits", "ulimits")):
        if plain.get(name) is not None:
            out[field] = plain[name]
    if plain.get("environment") is not None:
        out["env"] = plain["environment"]
    ports = plain.get("portMappings")
    out["ports"] = ports if ports is UNKNOWN else [_port(item) for item in ports or ()]
    out["securityContext"] = _security(plain)
    limits = {
        name: value
        for name, value in (("memory", _mib(plain.get("memory"))), ("cpu", _cpu(plain.get("cpu"))))
        if value is not None
    }
    requests = {name: value for name, value in (("memory", _mib(plain.get("memoryReservation"))),) if value is not None}
    out["resources"] = {key: value for key, value in (("limits", limits), ("requests", requests)) if value}
    health = plain.get("healthCheck")
    if health is UNKNOWN or health:
        out["livenessProbe"] = {"exec": {"command": health.get("command") if isinstance(health, dict) else UNKNOWN}}
    if plain.get("logConfiguration") is not None:
        out["logging"] = plain["logConfiguration"]
    mounts = plain.get("mountPoints")
    out["volumeMounts"] = mounts if mounts is UNKNOWN else [_mount(mount) for mount in mounts or ()]
    linux = plain.get("linuxParameters")
    devices = linux.get("devices") if isinstance(linux, dict) else linux
    if devices is UNKNOWN or devices:
        out["devices"] = devices
    return out


def _mount(mount: Any) -> Any:
    if not isinstance(mount, dict):
        return UNKNOWN
    return {
        "name": mount.get("sourceVolume"),
        "mountPath": mount.get("containerPath"),
        "readOnly": mount.get("readOnly") is True,
    }


def _security(plain: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, field in (("privileged", "privileged"), ("readonlyRootFilesystem", "readOnlyRootFilesystem")):
        if plain.get(name) is not None:
            out[field] = plain[name] if not isinstance(plain[name], str) else plain[name].lower() == "true"
    linux = plain.get("linuxParameters")
    capabilities = linux.get("capabilities") if isinstance(linux, dict) else linux
    if capabilities is UNKNOWN:
        out["capabilities"] = UNKNOWN
    elif isinstance(capabilities, dict):
        found = {key: capabilities[key] for key in ("add", "drop") if key in capabilities}
        out["capabilities"] = {key: [] if names is None else names for key, names in found.items()}
    options = plain.get("dockerSecurityOptions")
    if options is UNKNOWN:
        out["allowPrivilegeEscalation"] = UNKNOWN
    for option in options if isinstance(options, list) else ():
        if option is UNKNOWN or str(option).startswith("no-new-privileges"):
            out["allowPrivilegeEscalation"] = UNKNOWN if option is UNKNOWN else False
    user = plain.get("user")
    if user is UNKNOWN:
        out["runAsNonRoot"] = out["runAsUser"] = UNKNOWN
    elif user is not None:
        uid = str(user).partition(":")[0]
        if uid.isdigit():
            out["runAsUser"] = int(uid)
        out["runAsNonRoot"] = uid not in ("root", "0", "")
        if uid == "root":
            out["runAsUser"] = 0
    return out


def _port(item: Any) -> Any:
    if not isinstance(item, dict):
        return UNKNOWN
    out = {key: item[key] for key in ("containerPort", "hostPort") if item.get(key) is not None}
    out["protocol"] = str(item.get("protocol", "tcp")).upper()
    return out


def _mib(value: Any) -> Any:
    """ECS counts memory in MiB."""
    if value is None or value is UNKNOWN:
        return value
    return f"{value}Mi" if str(value).isdigit() and int(value) > 0 else None


def _cpu(value: Any) -> Any:
    """ECS counts CPU in 1,024ths; 0 means none set."""
    if value is None or value is UNKNOWN:
        return value
    return f"{int(value) * 1000 // 1024}m" if str(value).isdigit() and int(value) > 0 else None


_FIELDS: dict[DocumentPath, tuple[str, ...]] = {
    ("image",): ("image",),
    ("command",): ("entryPoint",),
    ("args",): ("command",),
    ("env",): ("environment",),
    ("ports",): ("portMappings",),
    ("volumeMounts",): ("mountPoints",),
    ("volumes",): ("volumes",),
    ("securityContext",): (),
    ("securityContext", "privileged"): ("privileged",),
    ("securityContext", "readOnlyRootFilesystem"): ("readonlyRootFilesystem",),
    ("securityContext", "runAsUser"): ("user",),
    ("securityContext", "runAsNonRoot"): ("user",),
    ("securityContext", "capabilities"): ("linuxParameters", "capabilities"),
    ("securityContext", "capabilities", "add"): ("linuxParameters", "capabilities", "add"),
    ("securityContext", "capabilities", "drop"): ("linuxParameters", "capabilities", "drop"),
    ("resources",): ("memory",),
    ("resources", "limits"): ("memory",),
    ("resources", "limits", "memory"): ("memory",),
    ("resources", "limits", "cpu"): ("cpu",),
    ("resources", "requests", "memory"): ("memoryReservation",),
    ("livenessProbe",): ("healthCheck",),
    ("logging",): ("logConfiguration",),
    ("ulimits",): ("ulimits",),
    ("dockerSecurityOptions",): ("dockerSecurityOptions",),
    ("devices",): ("linuxParameters", "devices"),
    ("hostNetwork",): ("networkMode",),
    ("hostPID",): ("pidMode",),
    ("hostIPC",): ("ipcMode",),
}


class _Lens(msgspec.Struct, frozen=True):
    """``names`` maps a field of the API to the spelling that stands in the file."""

    base: DocumentPath
    item: dict[str, Any]
    names: dict[str, str]

    def target(self, path: DocumentPath) -> DocumentPath | None:
        if not path:
            return self.base
        found = _FIELDS.get(path)
        rest: DocumentPath = ()
        if found is None and path[0] in ("ports", "env", "volumeMounts") and len(path) > 1 and isinstance(path[1], int):
            found, rest = _FIELDS[path[:1]], (path[1],)
        return None if found is None else self.base + tuple(self._spelled(part) for part in found) + rest

    def _spelled(self, name: str) -> str:
        if name in self.names:
            return self.names[name]
        capital = self.base[:1] == ("Properties",)
        return name[:1].upper() + name[1:] if capital else name

    def edits(self, op: str, path: DocumentPath, value: Any) -> tuple[Edit, ...] | None:
        target = self.target(path)
        if target is None or op not in ("set", "remove", "append"):
            return None
        if path[-1] in ("runAsNonRoot", "runAsGroup"):
            return None
        if path[-1] in ("hostNetwork", "hostPID", "hostIPC") and (op == "remove" or value is False):
            return (
                (Edit(op="set", path=target, value="awsvpc"),)
                if path[-1] == "hostNetwork"
                else (Edit(op="remove", path=target),)
            )
        if path[-1] == "memory" and op == "set":
            number = quantities.from_kubernetes(value)
            value = None if number is None else int(number // 2**20)
        elif path[-1] == "cpu" and op == "set":
            number = quantities.from_kubernetes(value)
            value = None if number is None else int(number * 1024)
        elif path[-1] == "runAsUser":
            value = str(value)
        if op != "remove" and value is None:
            return None
        return (Edit(op=op, path=target, value=value),)  # type: ignore[arg-type]  # narrowed above
