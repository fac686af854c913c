"""The checks of the level ``baseline``: what leads out of a pod (Kubernetes, "Pod Security Standards")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bulkhead.engines.pss import pods
from bulkhead.engines.pss.pods import Spec, at, containers, items, named, plural, quoted, security, unique

Meta = Mapping[str, Any]
Found = tuple[str, str] | None
"""Reason and detail of what is forbidden; None for nothing."""

_CAPABILITIES: Final = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP",
    "SETUID", "SYS_CHROOT",
})  # fmt: skip
_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD: Final = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP: Final = "container.seccomp.security.alpha.kubernetes.io/"
_SELINUX: Final = frozenset({"", "container_t", "container_init_t", "container_kvm_t"})
_SYSCTLS: Final = {
    0: ("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start"),
    27: ("net.ipv4.ip_local_reserved_ports",),
    29: ("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"),
    32: ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
    37: ("net.ipv4.tcp_notsent_lowat", "net.ipv4.tcp_slow_start_after_idle"),
}  # fmt: skip
"""By the minor version from which they are allowed."""


def host_namespaces(_: Meta, spec: Spec, __: int) -> Found:
    found = [name for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name) is True]
    return ("host namespaces", ", ".join(f"{name}=true" for name in found)) if found else None


def privileged(_: Meta, spec: Spec, __: int) -> Found:
    found = [item for item in containers(spec) if security(item, "privileged") is True]
    return ("privileged", f"{named(found)} must not set securityContext.privileged=true") if found else None


def capabilities(_: Meta, spec: Spec, __: int) -> Found:
    found, added = [], set()
    for item in containers(spec):
        bad = [name for name in _listed(item, "add") if name not in _CAPABILITIES]
        if bad:
            found.append(item)
            added.update(bad)
    if not found:
        return None
    return (
        "non-default capabilities",
        f"{named(found)} must not include {quoted(unique(added))} in securityContext.capabilities.add",
    )


def _listed(container: Mapping[str, Any], name: str) -> list[str]:
    value = security(container, "capabilities", name)
    return [str(item) for item in value] if isinstance(value, list) else []


def host_path(_: Meta, spec: Spec, __: int) -> Found:
    names = [str(volume.get("name", "")) for volume in items(spec, "volumes") if volume.get("hostPath") is not None]
    return ("hostPath volumes", f"{plural(len(names), 'volume', 'volumes')} {quoted(names)}") if names else None


def host_ports(_: Meta, spec: Spec, __: int) -> Found:
    found, used = [], set()
    for item in containers(spec):
        numbers = [port["hostPort"] for port in items(item, "ports") if port.get("hostPort") not in (None, 0)]
        if numbers:
            found.append(item)
            used.update(numbers)
    if not found:
        return None
    ports = ", ".join(map(str, sorted(used, key=str)))
    return (
        "hostPort",
        f"{named(found)} {plural(len(found), 'uses', 'use')} {plural(len(used), 'hostPort', 'hostPorts')} {ports}",
    )


def apparmor(meta: Meta, spec: Spec, _: int) -> Found:
    bad = []
    pod = security(spec, "appArmorProfile", "type")
    if pod is not None and pod not in ("RuntimeDefault", "Localhost"):
        bad.append(f'pod must not set AppArmor profile type to "{pod}"')
    found = [
        item
        for item in containers(spec)
        if (security(item, "appArmorProfile", "type") or "RuntimeDefault") not in ("RuntimeDefault", "Localhost")
    ]
    if found:
        types = quoted(unique(security(item, "appArmorProfile", "type") for item in found))
        bad.append(f"{named(found)} must not set AppArmor profile type to {types}")
    notes = meta.get("annotations")
    wrong = sorted(
        f'{key}="{value}"'
        for key, value in (notes.items() if isinstance(notes, Mapping) else ())
        if key.startswith(_APPARMOR)
        and value not in ("", "runtime/default")
        and not str(value).startswith("localhost/")
    )
    if wrong:
        bad.append(f"{plural(len(wrong), 'annotation', 'annotations')} {', '.join(wrong)}")
    return (
        (plural(len(bad), "forbidden AppArmor profile", "forbidden AppArmor profiles"), " and ".join(bad))
        if bad
        else None
    )


def selinux(_: Meta, spec: Spec, minor: int) -> Found:
    allowed = _SELINUX | ({"container_engine_t"} if minor >= 31 else set())
    found, types, other, in_pod = [], set(), [], False
    for holder in (spec, *containers(spec)):
        options = security(holder, "seLinuxOptions")
        if not isinstance(options, Mapping):
            continue
        bad = [name for name in ("user", "role") if options.get(name)]
        if (options.get("type") or "") not in allowed:
            types.add(options["type"])
        elif not bad:
            continue
        other += [name for name in bad if name not in other]
        if holder is spec:
            in_pod = True
        else:
            found.append(holder)
    if not found and not in_pod:
        return None
    said = [f"{plural(len(types), 'type', 'types')} {quoted(unique(types))}"] if types else []
    said += [f"{name} may not be set" for name in ("user", "role") if name in other]
    who = " and ".join([*(["pod"] if in_pod else []), *([named(found)] if found else [])])
    return "seLinuxOptions", f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(said)}"


def proc_mount(_: Meta, spec: Spec, minor: int) -> Found:
    if minor >= 35 and pods.has_own_users(spec):
        return None
    return unmasked(spec)


def unmasked(spec: Spec) -> Found:
    found = [item for item in containers(spec) if security(item, "procMount") not in (None, "", "Default")]
    if not found:
        return None
    types = quoted(unique(security(item, "procMount") for item in found))
    return "procMount", f"{named(found)} must not set securityContext.procMount to {types}"


def seccomp(meta: Meta, spec: Spec, minor: int) -> Found:
    if minor < 19:
        return _seccomp_notes(meta, spec)
    said = []
    if security(spec, "seccompProfile", "type") == "Unconfined":
        said.append("pod")
    found = [item for item in containers(spec) if security(item, "seccompProfile", "type") == "Unconfined"]
    if found:
        said.append(named(found))
    return (
        ("seccompProfile", f'{" and ".join(said)} must not set securityContext.seccompProfile.type to "Unconfined"')
        if said
        else None
    )


def _seccomp_notes(meta: Meta, spec: Spec) -> Found:
    notes = meta.get("annotations")
    notes = notes if isinstance(notes, Mapping) else {}
    keys = [_SECCOMP_POD, *(f"{_SECCOMP}{item.get('name', '')}" for item in containers(spec))]
    bad = [f'{key}="{notes[key]}"' for key in keys if key in notes and not _confines(notes[key])]
    return (
        ("seccompProfile", f"forbidden {plural(len(bad), 'annotation', 'annotations')} {', '.join(bad)}")
        if bad
        else None
    )


def _confines(value: Any) -> bool:
    return value in ("runtime/default", "docker/default") or str(value).startswith("localhost/")


def sysctls(_: Meta, spec: Spec, minor: int) -> Found:
    allowed = {name for since, names in _SYSCTLS.items() if minor >= since for name in names}
    context = at(spec, "securityContext")
    listed = items(context, "sysctls") if isinstance(context, Mapping) else ()
    bad = [str(item.get("name", "")) for item in listed if item.get("name") not in allowed]
    return ("forbidden sysctls", ", ".join(bad)) if bad else None


def windows_host_process(_: Meta, spec: Spec, __: int) -> Found:
    found = [item for item in containers(spec) if security(item, "windowsOptions", "hostProcess") is True]
    in_pod = security(spec, "windowsOptions", "hostProcess") is True
    who = " and ".join([*(["pod"] if in_pod else []), *([named(found)] if found else [])])
    return ("hostProcess", f"{who} must not set securityContext.windowsOptions.hostProcess=true") if who else None


def probe_hosts(_: Meta, spec: Spec, minor: int) -> Found:
    """From 1.34 on, probes and hooks may not have the kubelet ask another host."""
    if minor < 34:
        return None
    found, hosts = [], set()
    for item in containers(spec):
        handlers = [item.get(name) for name in ("livenessProbe", "readinessProbe", "startupProbe")]
        handlers += [at(item, "lifecycle", name) for name in ("postStart", "preStop")]
        mine = {
            at(handler, kind, "host")
            for handler in handlers
            if isinstance(handler, Mapping)
            for kind in ("httpGet", "tcpSocket")
        } - {None, ""}
        if mine:
            found.append(item)
            hosts |= mine
    if not found:
        return None
    said = f"{plural(len(found), 'uses', 'use')} probe or lifecycle {plural(len(hosts), 'host', 'hosts')} {quoted(unique(hosts))}"
    return "probe or lifecycle host", f"{named(found)} {said}"
