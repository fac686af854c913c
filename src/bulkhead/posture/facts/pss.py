"""Pod Security Standards (kubernetes.io/docs/concepts/security/pod-security-standards, v1.34 wording).

Each rule answers with what breaks it; a level is kept when nothing is answered. Restricted includes baseline.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

BASELINE_CAPABILITIES = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
})  # fmt: skip
SAFE_SYSCTLS = frozenset({
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
})  # fmt: skip
SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
VOLUME_TYPES = frozenset({
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret", "image",
})  # fmt: skip
_PROFILES = frozenset({"RuntimeDefault", "Localhost"})
_ACTIONS = frozenset({"livenessProbe", "readinessProbe", "startupProbe", "lifecycle"})
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def containers(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in ("initContainers", "containers", "ephemeralContainers"):
        for item in spec.get(key) or ():
            if isinstance(item, dict):
                yield item


def _contexts(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "pod", _map(spec.get("securityContext"))
    for container in containers(spec):
        yield f"container {container.get('name', '?')}", _map(container.get("securityContext"))


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def baseline(spec: dict[str, Any], annotations: dict[str, Any]) -> list[str]:
    """What keeps the pod out of the baseline level."""
    out = [f"{field} is true" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field) is True]
    out += [
        f"volume {volume.get('name', '?')} is a hostPath"
        for volume in spec.get("volumes") or ()
        if isinstance(volume, dict) and volume.get("hostPath") is not None
    ]
    for where, context in _contexts(spec):
        out += [f"{where}: {what}" for what in _baseline_context(context)]
    for container in containers(spec):
        out += [
            f"container {container.get('name', '?')}: host port {port['hostPort']}"
            for port in container.get("ports") or ()
            if isinstance(port, dict) and port.get("hostPort")
        ]
        out += [f"container {container.get('name', '?')}: {what}" for what in _host_probes(container)]
    for sysctl in _map(spec.get("securityContext")).get("sysctls") or ():
        if isinstance(sysctl, dict) and sysctl.get("name") not in SAFE_SYSCTLS:
            out.append(f"sysctl {sysctl.get('name')}")
    for key, value in annotations.items():
        if key.startswith(_APPARMOR) and not (value == "runtime/default" or str(value).startswith("localhost/")):
            out.append(f"AppArmor profile {value}")
    return out


def _baseline_context(context: dict[str, Any]) -> Iterator[str]:
    if not context:
        return
    if context.get("privileged") is True:
        yield "privileged"
    if _map(context.get("windowsOptions")).get("hostProcess") is True:
        yield "hostProcess"
    added = _map(context.get("capabilities")).get("add") or ()
    extra = sorted({str(name) for name in added} - BASELINE_CAPABILITIES)
    if extra:
        yield f"adds {', '.join(extra)}"
    if context.get("procMount") not in (None, "Default"):
        yield f"procMount {context['procMount']}"
    if _map(context.get("seccompProfile")).get("type") == "Unconfined":
        yield "seccomp Unconfined"
    if _map(context.get("appArmorProfile")).get("type") == "Unconfined":
        yield "AppArmor Unconfined"
    selinux = _map(context.get("seLinuxOptions"))
    if (selinux.get("type") or "") not in SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield "SELinux options"


def _host_probes(container: dict[str, Any]) -> Iterator[str]:
    """Since 1.34 a probe or a hook may not name another host."""
    if container.keys().isdisjoint(_ACTIONS):
        return
    actions = [(name, _map(container.get(name))) for name in ("livenessProbe", "readinessProbe", "startupProbe")]
    actions += [(name, _map(_map(container.get("lifecycle")).get(name))) for name in ("postStart", "preStop")]
    for name, action in actions:
        for kind in ("httpGet", "tcpSocket"):
            host = _map(action.get(kind)).get("host")
            if host not in (None, "", "127.0.0.1", "::1"):
                yield f"{name} asks host {host}"


def restricted(spec: dict[str, Any], annotations: dict[str, Any]) -> list[str]:
    """What keeps the pod out of the restricted level."""
    return baseline(spec, annotations) + _beyond_baseline(spec)


def _beyond_baseline(spec: dict[str, Any]) -> list[str]:
    windows = _map(spec.get("os")).get("name") == "windows"
    above = _map(spec.get("securityContext"))
    out = [
        f"volume {volume.get('name', '?')} of a type that is not allowed"
        for volume in spec.get("volumes") or ()
        if isinstance(volume, dict) and not (set(volume) - {"name"} <= VOLUME_TYPES)
    ]
    for container in containers(spec):
        context = _map(container.get("securityContext"))
        out += [
            f"container {container.get('name', '?')}: {what}"
            for what in _restricted_container(context, above, windows=windows)
        ]
    if above.get("runAsUser") == 0:
        out.append("pod: runAsUser is 0")
    return out


def _restricted_container(context: dict[str, Any], above: dict[str, Any], *, windows: bool) -> Iterator[str]:
    if not windows and context.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    nonroot = context.get("runAsNonRoot")
    if (above.get("runAsNonRoot") if nonroot is None else nonroot) is not True:
        yield "runAsNonRoot is not true"
    if context.get("runAsUser") == 0:
        yield "runAsUser is 0"
    if windows:
        return
    profile = _map(context.get("seccompProfile")).get("type") or _map(above.get("seccompProfile")).get("type")
    if profile not in _PROFILES:
        yield "no seccomp profile"
    capabilities = _map(context.get("capabilities"))
    if "ALL" not in (capabilities.get("drop") or ()):
        yield "does not drop ALL capabilities"
    extra = sorted({str(name) for name in capabilities.get("add") or ()} - {"NET_BIND_SERVICE"})
    if extra:
        yield f"adds {', '.join(extra)}"


def level(spec: dict[str, Any], annotations: dict[str, Any]) -> str:
    """The strictest level that admits the pod."""
    if baseline(spec, annotations):
        return "privileged"
    return "baseline" if _beyond_baseline(spec) else "restricted"


def facts(spec: dict[str, Any], meta: dict[str, Any]) -> dict[str, Any]:
    """What expressions see as ``pss``: what breaks each level, as text."""
    annotations = _map(meta.get("annotations"))
    kept_out = baseline(spec, annotations)
    return {"baseline": kept_out, "restricted": kept_out + _beyond_baseline(spec)}
