"""The files that matter to a node of Kubernetes, by role (docs/resources.md, NodeFile)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from bulkhead.core.errors import BulkheadError
from bulkhead.core.resource import Gap, Ref, Resource
from bulkhead.sources.machine import Machine
from bulkhead.sources.node.settings import text_of

_UNITS: Final = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_SERVICES: Final = (
    "kubelet", "k3s", "k3s-agent", "k0scontroller", "k0sworker", "rke2-server", "rke2-agent", "microshift",
    "snap.microk8s.daemon-kubelite",
)  # fmt: skip
_ADMIN: Final = ("/etc/kubernetes/admin.conf", "/etc/kubernetes/super-admin.conf")
_USUAL: Final = {
    "kubelet-kubeconfig": "/etc/kubernetes/kubelet.conf",
    "kubelet-config": "/var/lib/kubelet/config.yaml",
    "kube-controller-manager-kubeconfig": "/etc/kubernetes/controller-manager.conf",
    "kube-scheduler-kubeconfig": "/etc/kubernetes/scheduler.conf",
    "azure-json": "/etc/kubernetes/azure.json",
    "pod-logs": "/var/log/pods",
}
_PKI: Final = ("/etc/kubernetes/pki", "/etc/kubernetes/static-pod-resources")
_CERTIFICATES: Final = (
    "client-ca-file", "tls-cert-file", "kubelet-client-certificate", "kubelet-certificate-authority", "etcd-cafile",
    "etcd-certfile", "proxy-client-cert-file", "requestheader-client-ca-file", "root-ca-file", "cluster-signing-cert-file",
    "cert-file", "trusted-ca-file", "peer-cert-file", "peer-trusted-ca-file",
)  # fmt: skip
_KEYS: Final = (
    "tls-private-key-file", "kubelet-client-key", "etcd-keyfile", "proxy-client-key-file", "service-account-key-file",
    "service-account-private-key-file", "service-account-signing-key-file", "cluster-signing-key-file", "key-file",
    "peer-key-file",
)  # fmt: skip
_OF_SERVERS: Final = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
_OF_OPENSHIFT: Final = ("/var/log/kube-apiserver", "/var/log/openshift-apiserver", "/var/log/oauth-apiserver")
_DEEP: Final = 8
_MOST: Final = 5_000
"""Files of keys and certificates."""


class Known(msgspec.Struct, frozen=True):
    """What is known of a machine before its files are looked at.

    Attributes:
        components: name → data (docs/resources.md, Component) of each program.
        manifests: role and path of each static pod's file.
        drop_ins: files that a kubelet lays over its settings.
    """

    components: tuple[tuple[str, Mapping[str, Any]], ...]
    manifests: tuple[tuple[str, str], ...]
    drop_ins: tuple[str, ...] = ()

    def flags(self, *names: str) -> Iterator[Mapping[str, Any]]:
        return (data["flags"] for name, data in self.components if name in names)


def read(machine: Machine, known: Known, origin: str) -> Iterator[Resource | Gap]:
    """Every file with its facts; a gap for one that may not be looked at. A link stands for what it leads to."""
    audited = machine.audited()
    seen: set[tuple[str, str]] = set()
    for found in _places(machine, known, origin):
        if isinstance(found, Gap):
            yield found
            continue
        role, given = found
        try:
            path = machine.real(given)
            facts = machine.facts(path)
        except OSError as error:
            yield _gap(origin, given, f"the file cannot be looked at: {error.strerror}")
            continue
        if (role, path) not in seen:
            seen.add((role, path))
            data = {"role": role, "path": path, **facts, "audited": path in audited}
            yield Resource(Ref(source="node", kind="NodeFile", name=path, origin=origin, uid=role), data)


def _gap(origin: str, path: str, reason: str) -> Gap:
    return Gap(where=f"{origin}{path}", code="B200", reason=reason, hides=("NodeFile",))


def _places(machine: Machine, known: Known, origin: str) -> Iterator[tuple[str, str] | Gap]:
    yield from _services(machine)
    for role, name, flag in (
        ("kubelet-kubeconfig", "kubelet", "kubeconfig"),
        ("kubelet-config", "kubelet", "config"),
        ("kube-controller-manager-kubeconfig", "kube-controller-manager", "kubeconfig"),
        ("kube-scheduler-kubeconfig", "kube-scheduler", "kubeconfig"),
    ):
        given = [text_of(flags[flag]) for flags in known.flags(name) if flags.get(flag)]
        for path in given or [_USUAL[role]]:
            yield role, path
    for path in known.drop_ins:
        yield "kubelet-config", path
    for name, data in known.components:
        if name == "kube-proxy":
            path = _proxy(data)
            if path:
                yield "kube-proxy-kubeconfig", path
        if name == "kubelet":
            path = _kubelet_ca(data)
            if path:
                yield "kubelet-client-ca", path
        if name == "etcd":
            yield "etcd-data", _data_dir(data)
    yield from known.manifests
    for path in _ADMIN:
        yield "admin-kubeconfig", path
    for role in ("azure-json", "pod-logs"):
        yield role, _USUAL[role]
    yield from _pki(machine, known, origin)
    yield from _cni(machine, known, origin)
    yield from _audit_logs(machine, known, origin)


def _services(machine: Machine) -> Iterator[tuple[str, str]]:
    there = False
    for name in _SERVICES:
        for folder in _UNITS:
            unit = f"{folder}/{name}.service"
            drop_ins = _below(machine, f"{unit}.d", (".conf",))
            for path in ([] if machine.absent(unit) else [unit]) + drop_ins:
                there = True
                yield "kubelet-service", path
    if not there:
        yield "kubelet-service", f"{_UNITS[0]}/kubelet.service"


def _below(machine: Machine, folder: str, endings: tuple[str, ...]) -> list[str]:
    try:
        return [path for path in machine.listed(folder) if path.endswith(endings)]
    except (OSError, BulkheadError):
        # The folder itself is then what cannot be looked at: its path tells.
        return [folder]


def _proxy(data: Mapping[str, Any]) -> str:
    connection = data["config"].get("clientConnection")
    given = connection.get("kubeconfig") if isinstance(connection, dict) else None
    return text_of(data["flags"].get("kubeconfig") or given or "")


def _kubelet_ca(data: Mapping[str, Any]) -> str:
    value: Any = data["config"]
    for part in ("authentication", "x509", "clientCAFile"):
        value = value.get(part) if isinstance(value, dict) else None
    return text_of(data["flags"].get("client-ca-file") or value or "")


def _data_dir(data: Mapping[str, Any]) -> str:
    given = data["flags"].get("data-dir") or data["env"].get("ETCD_DATA_DIR")
    return text_of(given or "/var/lib/etcd")


def _pki(machine: Machine, known: Known, origin: str) -> Iterator[tuple[str, str] | Gap]:
    """What servers name in their flags, and everything below the usual folders."""
    named = [
        (text_of(flags[flag]), default)
        for flags in known.flags(*_OF_SERVERS)
        for listed, default in ((_CERTIFICATES, "pki-certificate"), (_KEYS, "pki-key"))
        for flag in listed
        if flags.get(flag)
    ]
    for path, default in named:
        if not machine.absent(path):
            yield _kind_of(machine, path, default), path
    left = _MOST
    for root in _PKI:
        for found in _tree(machine, root, origin, _DEEP):
            if isinstance(found, Gap):
                yield found
                continue
            role = {
                "key": "pki-key",
                "crt": "pki-certificate",
                "pem": "pki-certificate",
                "cert": "pki-certificate",
            }.get(found.rpartition(".")[2])
            if role is None:
                continue
            left -= 1
            if left < 0:
                yield _gap(origin, root, f"more than {_MOST} keys and certificates: the rest was not looked at")
                return
            yield _kind_of(machine, found, role), found


def _kind_of(machine: Machine, path: str, default: str) -> str:
    """A file of the two together is a key; what may not be read is what its name says."""
    text = machine.text(path)
    if text is None or "-----BEGIN " not in text:
        return default
    return "pki-key" if "PRIVATE KEY-----" in text else "pki-certificate"


def _tree(machine: Machine, folder: str, origin: str, deep: int | None) -> Iterator[str | Gap]:
    """Files below a folder, ``deep`` folders further down; None leaves folders in it alone. No link to a folder is gone into."""
    try:
        paths = machine.listed(folder)
    except OSError as error:
        yield _gap(origin, folder, f"the folder cannot be looked into: {error.strerror}")
        return
    except BulkheadError as error:
        yield _gap(origin, folder, error.message)
        return
    for path in paths:
        try:
            inner = machine.at(path, follow=False)
            is_folder = inner.is_dir() and not inner.is_symlink()
        except OSError as error:
            yield _gap(origin, path, f"the file cannot be looked at: {error.strerror}")
            continue
        if not is_folder:
            yield path
        elif deep:
            yield from _tree(machine, path, origin, deep - 1)
        elif deep is not None:
            yield _gap(origin, path, "the folder lies too deep: it was not looked into")


def _cni(machine: Machine, known: Known, origin: str) -> Iterator[tuple[str, str] | Gap]:
    folders: Sequence[str] = [
        text_of(flags["cni-conf-dir"]) for flags in known.flags("kubelet") if flags.get("cni-conf-dir")
    ]
    for folder in dict.fromkeys([*folders, "/etc/cni/net.d", "/etc/kubernetes/cni/net.d", "/run/multus/cni/net.d"]):
        for found in _tree(machine, folder, origin, 2):
            yield found if isinstance(found, Gap) else ("cni-config", found)


def _audit_logs(machine: Machine, known: Known, origin: str) -> Iterator[tuple[str, str] | Gap]:
    """The log that the API server writes, and folders that are there for such logs alone."""
    logs = [text_of(flags["audit-log-path"]) for flags in known.flags("kube-apiserver") if flags.get("audit-log-path")]
    for log in logs:
        if log != "-" and not machine.absent(log):
            yield "audit-log", log
    own = [folder for folder in map(_parent, logs) if "audit" in folder.rpartition("/")[2]]
    for folder in dict.fromkeys([*own, *_OF_OPENSHIFT]):
        if machine.absent(folder):
            continue
        yield "audit-log-folder", folder
        for found in _tree(machine, folder, origin, None):
            if isinstance(found, Gap):
                yield found
            elif found.rpartition("/")[2].startswith("audit"):
                yield "audit-log", found


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
