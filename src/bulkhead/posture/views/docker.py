"""Running containers as pods, from the engine's inspect answer (Engine API 1.43, ContainerInspect)."""

from __future__ import annotations

from typing import Any

from bulkhead.core.resource import Resource
from bulkhead.posture.views.docker_lens import Lens
from bulkhead.posture.views.model import ContainerView, PodView, is_number


def pods(resource: Resource) -> tuple[PodView, ...]:
    data = resource.data
    if not isinstance(data, dict) or not isinstance(data.get("HostConfig"), dict):
        return ()
    host = data["HostConfig"]
    config = data.get("Config")
    if not isinstance(config, dict):
        config = {}
    spec: dict[str, Any] = {
        "hostNetwork": host.get("NetworkMode") == "host",
        "hostPID": host.get("PidMode") == "host",
        "hostIPC": host.get("IpcMode") in ("host", "shareable"),
        "hostUTS": host.get("UTSMode") == "host",
        "restartPolicy": _restarts(host.get("RestartPolicy") or {}),
    }
    if host.get("UsernsMode"):
        spec["hostUsers"] = host["UsernsMode"] == "host"
    volumes, mounts = _mounts(data)
    spec["volumes"] = volumes
    lens = Lens(data)
    name = str(data.get("Name", "")).lstrip("/") or str(data.get("Id", ""))[:12]
    view = PodView(resource, "docker", spec, {"labels": config.get("Labels") or {}}, False, lens, "container")
    view.containers.append(ContainerView(view, _container(name, config, host, mounts), "container", "container", lens))
    return (view,)


def _restarts(policy: dict[str, Any]) -> str:
    """The policy in Compose's words; the engine has no bound when the count is 0."""
    name, count = policy.get("Name") or "no", policy.get("MaximumRetryCount")
    return f"{name}:{count}" if name == "on-failure" and count else str(name)


def _container(name: str, config: dict[str, Any], host: dict[str, Any], mounts: list[dict[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {"name": name, "volumeMounts": mounts, "ports": _ports(host)}
    if config.get("Image"):
        out["image"] = config["Image"]
    for key, field in (("Cmd", "args"), ("Entrypoint", "command")):
        if config.get(key):
            out[field] = config[key]
    if config.get("Env"):
        out["env"] = [{"name": item.partition("=")[0], "value": item.partition("=")[2]} for item in config["Env"]]
    out["securityContext"] = _security(config, host)
    limits: dict[str, Any] = {}
    if host.get("Memory"):
        limits["memory"] = str(host["Memory"])
    if host.get("NanoCpus"):
        limits["cpu"] = f"{host['NanoCpus'] // 1_000_000}m"
    elif host.get("CpuQuota", 0) > 0:
        limits["cpu"] = f"{host['CpuQuota'] * 1000 // (host.get('CpuPeriod') or 100_000)}m"
    elif host.get("CpuShares"):
        limits["cpu"] = f"{host['CpuShares'] * 1000 // 1024}m"
    out["resources"] = {"limits": limits} if limits else {}
    if (host.get("PidsLimit") or 0) > 0:
        out["pidsLimit"] = host["PidsLimit"]
    if config.get("Healthcheck") and (config["Healthcheck"].get("Test") or ["NONE"])[0] != "NONE":
        out["livenessProbe"] = {"exec": {"command": config["Healthcheck"]["Test"]}}
    for key, field in (
        ("Devices", "devices"),
        ("Ulimits", "ulimits"),
        ("CgroupParent", "cgroup_parent"),
        ("LogConfig", "logging"),
    ):
        if host.get(key):
            out[field] = host[key]
    return out


def _security(config: dict[str, Any], host: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {
        "privileged": bool(host.get("Privileged")),
        "readOnlyRootFilesystem": bool(host.get("ReadonlyRootfs")),
        "capabilities": {"add": host.get("CapAdd") or [], "drop": host.get("CapDrop") or []},
    }
    for option in host.get("SecurityOpt") or ():
        name, _, value = str(option).replace("=", ":", 1).partition(":")
        if name == "no-new-privileges":
            out["allowPrivilegeEscalation"] = value == "false"
        elif name == "seccomp":
            out["seccompProfile"] = {"type": "Unconfined" if value == "unconfined" else "Localhost"}
        elif name == "apparmor":
            out["appArmorProfile"] = {"type": "Unconfined" if value == "unconfined" else "Localhost"}
        elif name == "label" and value == "disable":
            out["seLinuxOptions"] = {"type": "disable"}
    user = str(config.get("User") or "")
    uid, _, gid = user.partition(":")
    if is_number(uid):
        out["runAsUser"] = int(uid)
    if uid in ("", "root"):
        out["runAsUser"] = 0
    if is_number(gid):
        out["runAsGroup"] = int(gid)
    # 00 is 0 as well.
    out["runAsNonRoot"] = uid not in ("", "root") and out.get("runAsUser") != 0
    return out


def _ports(host: dict[str, Any]) -> list[dict[str, Any]]:
    out = []
    for inner, bindings in (host.get("PortBindings") or {}).items():
        port, _, protocol = inner.partition("/")
        for binding in bindings or ():
            entry: dict[str, Any] = {
                "containerPort": int(port),
                "protocol": protocol.upper() or "TCP",
                "hostIP": binding.get("HostIp") or "0.0.0.0",  # noqa: S104 (what the engine binds when nothing is said)
            }
            if str(binding.get("HostPort", "")).isdigit():
                entry["hostPort"] = int(binding["HostPort"])
            out.append(entry)
    return out


def _mounts(data: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    volumes: list[dict[str, Any]] = []
    mounts: list[dict[str, Any]] = []
    for index, mount in enumerate(data.get("Mounts") or ()):
        name = f"mount-{index}"
        source = mount.get("Source", "")
        volumes.append(
            {"name": name, "hostPath": {"path": source}}
            if mount.get("Type") == "bind"
            else {"name": name, "persistentVolumeClaim": {"claimName": mount.get("Name", "")}}
        )
        entry: dict[str, Any] = {
            "name": name,
            "mountPath": mount.get("Destination", ""),
            "readOnly": not mount.get("RW", True),
        }
        if mount.get("Propagation") in ("shared", "rshared"):
            entry["mountPropagation"] = "Bidirectional"
        mounts.append(entry)
    return volumes, mounts
