"""The control plane that a kubeadm ClusterConfiguration will start: kubeadm's own flags under its extraArgs.

kubeadm.k8s.io v1beta3 writes extraArgs as a mapping, v1beta4 as a list of names and values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bulkhead.core.resource import DocumentPath
from bulkhead.formats.shapes.model import Shape, text_of

_PKI: Final = "/etc/kubernetes/pki"
SECTIONS: Final[dict[str, DocumentPath]] = {
    "kube-apiserver": ("apiServer",),
    "kube-controller-manager": ("controllerManager",),
    "kube-scheduler": ("scheduler",),
    "etcd": ("etcd", "local"),
}
# cmd/kubeadm/app/phases/controlplane/manifests.go and phases/etcd/local.go: what is there without being asked for.
_GIVEN: Final[dict[str, dict[str, str]]] = {
    "kube-apiserver": {
        "allow-privileged": "true",
        "authorization-mode": "Node,RBAC",
        "client-ca-file": f"{_PKI}/ca.crt",
        "enable-admission-plugins": "NodeRestriction",
        "enable-bootstrap-token-auth": "true",
        "etcd-cafile": f"{_PKI}/etcd/ca.crt",
        "etcd-certfile": f"{_PKI}/apiserver-etcd-client.crt",
        "etcd-keyfile": f"{_PKI}/apiserver-etcd-client.key",
        "kubelet-client-certificate": f"{_PKI}/apiserver-kubelet-client.crt",
        "kubelet-client-key": f"{_PKI}/apiserver-kubelet-client.key",
        "secure-port": "6443",
        "service-account-key-file": f"{_PKI}/sa.pub",
        "service-account-signing-key-file": f"{_PKI}/sa.key",
        "tls-cert-file": f"{_PKI}/apiserver.crt",
        "tls-private-key-file": f"{_PKI}/apiserver.key",
    },
    "kube-controller-manager": {
        "bind-address": "127.0.0.1",
        "client-ca-file": f"{_PKI}/ca.crt",
        "cluster-signing-cert-file": f"{_PKI}/ca.crt",
        "cluster-signing-key-file": f"{_PKI}/ca.key",
        "root-ca-file": f"{_PKI}/ca.crt",
        "service-account-private-key-file": f"{_PKI}/sa.key",
        "use-service-account-credentials": "true",
    },
    "kube-scheduler": {"bind-address": "127.0.0.1"},
    "etcd": {
        "cert-file": f"{_PKI}/etcd/server.crt",
        "client-cert-auth": "true",
        "data-dir": "/var/lib/etcd",
        "key-file": f"{_PKI}/etcd/server.key",
        "peer-cert-file": f"{_PKI}/etcd/peer.crt",
        "peer-client-cert-auth": "true",
        "peer-key-file": f"{_PKI}/etcd/peer.key",
        "peer-trusted-ca-file": f"{_PKI}/etcd/ca.crt",
        "trusted-ca-file": f"{_PKI}/etcd/ca.crt",
    },
}


def components(configuration: Shape) -> Iterator[Shape]:
    """One component for each program that kubeadm starts from this configuration."""
    etcd = configuration.data.get("etcd")
    listed = configuration.group == "kubeadm.k8s.io" and not _older(configuration)
    for name, section in SECTIONS.items():
        if name == "etcd" and isinstance(etcd, dict) and "external" in etcd:
            continue
        value: Any = configuration.data
        for part in (*section, "extraArgs"):
            value = value.get(part) if isinstance(value, dict) else None
        data = {
            "flags": _GIVEN[name] | _given(value),
            "config": {},
            "source": "kubeadm",
            "extra": value if isinstance(value, (dict, list)) else [] if listed else {},
            "section": list(section),
        }
        yield Shape(kind="Component", data=data, name=name, path=configuration.path)


def _older(configuration: Shape) -> bool:
    version = text_of(configuration.data.get("apiVersion")).rpartition("/")[2]
    return version in ("v1alpha3", "v1beta1", "v1beta2", "v1beta3")


def _given(extra: Any) -> dict[str, Any]:
    """The flags of extraArgs; one that is listed more than once is a list, as on a command line."""
    if isinstance(extra, dict):
        return {str(name): _text(value) for name, value in extra.items()}
    found: dict[str, Any] = {}
    for item in extra if isinstance(extra, list) else ():
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            continue
        old, value = found.get(item["name"]), _text(item.get("value", ""))
        found[item["name"]] = value if old is None else [*old, value] if isinstance(old, list) else [old, value]
    return found


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, (int, float)) else value
