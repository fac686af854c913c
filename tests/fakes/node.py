"""A machine of a cluster laid out below a folder: processes, static pods, settings, keys. Made well; tests break one thing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_PKI = "/etc/kubernetes/pki"
_CIPHERS = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
FLAGS: dict[str, dict[str, str]] = {
    "kube-apiserver": {
        "anonymous-auth": "false", "authorization-mode": "Node,RBAC", "client-ca-file": f"{_PKI}/ca.crt",
        "kubelet-client-certificate": f"{_PKI}/apiserver-kubelet-client.crt", "kubelet-client-key": f"{_PKI}/apiserver-kubelet-client.key",
        "kubelet-certificate-authority": f"{_PKI}/ca.crt", "tls-cert-file": f"{_PKI}/apiserver.crt",
        "tls-private-key-file": f"{_PKI}/apiserver.key", "etcd-cafile": f"{_PKI}/etcd/ca.crt",
        "etcd-certfile": f"{_PKI}/apiserver-etcd-client.crt", "etcd-keyfile": f"{_PKI}/apiserver-etcd-client.key",
        "enable-admission-plugins": "NodeRestriction,AlwaysPullImages,EventRateLimit,DenyServiceExternalIPs,ServiceAccount",
        "profiling": "false", "audit-log-path": "/var/log/kubernetes/audit/audit.log", "audit-log-maxage": "30",
        "audit-log-maxbackup": "10", "audit-log-maxsize": "100", "request-timeout": "60s", "service-account-lookup": "true",
        "service-account-key-file": f"{_PKI}/sa.pub", "service-account-signing-key-file": f"{_PKI}/sa.key",
        "encryption-provider-config": "/etc/kubernetes/encryption.yaml", "audit-policy-file": "/etc/kubernetes/audit.yaml",
        "admission-control-config-file": "/etc/kubernetes/admission.yaml", "tls-cipher-suites": _CIPHERS,
        "service-account-extend-token-expiration": "false", "secure-port": "6443",
    },
    "kube-controller-manager": {
        "terminated-pod-gc-threshold": "1000", "profiling": "false", "use-service-account-credentials": "true",
        "service-account-private-key-file": f"{_PKI}/sa.key", "root-ca-file": f"{_PKI}/ca.crt", "bind-address": "127.0.0.1",
        "feature-gates": "RotateKubeletServerCertificate=true", "kubeconfig": "/etc/kubernetes/controller-manager.conf",
    },
    "kube-scheduler": {"profiling": "false", "bind-address": "127.0.0.1", "kubeconfig": "/etc/kubernetes/scheduler.conf"},
    "etcd": {
        "cert-file": f"{_PKI}/etcd/server.crt", "key-file": f"{_PKI}/etcd/server.key", "client-cert-auth": "true",
        "peer-cert-file": f"{_PKI}/etcd/peer.crt", "peer-key-file": f"{_PKI}/etcd/peer.key", "peer-client-cert-auth": "true",
        "cipher-suites": _CIPHERS,
        "trusted-ca-file": f"{_PKI}/etcd/ca.crt", "peer-trusted-ca-file": f"{_PKI}/etcd/ca.crt", "data-dir": "/var/lib/etcd",
    },
    "kubelet": {"config": "/var/lib/kubelet/config.yaml", "kubeconfig": "/etc/kubernetes/kubelet.conf"},
    "kube-proxy": {"config": "/var/lib/kube-proxy/config.conf"},
}  # fmt: skip
KUBELET: dict[str, Any] = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
    "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True}, "x509": {"clientCAFile": f"{_PKI}/ca.crt"}},
    "authorization": {"mode": "Webhook"}, "readOnlyPort": 0, "streamingConnectionIdleTimeout": "4h", "protectKernelDefaults": True,
    "makeIPTablesUtilChains": True, "eventRecordQPS": 5, "rotateCertificates": True, "serverTLSBootstrap": True,
    "tlsCertFile": "/var/lib/kubelet/pki/kubelet.crt", "tlsPrivateKeyFile": "/var/lib/kubelet/pki/kubelet.key",
    "featureGates": {"RotateKubeletServerCertificate": True}, "tlsCipherSuites": _CIPHERS.split(","), "podPidsLimit": 4096,
    "seccompDefault": True, "staticPodPath": "/etc/kubernetes/manifests", "evictionHard": dict.fromkeys(
        ("memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available", "imagefs.inodesFree"), "10%"
    ),
}  # fmt: skip
_KEY = "-----BEGIN " + "PRIVATE KEY-----\nMAA=\n-----END " + "PRIVATE KEY-----\n"
_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
ETCD = 61_999
"""The user whose folder etcd's is; only root can give it one."""
SECRET = "c2VjcmV0IG9mIHRoZSBlbmNyeXB0aW9uIGtleSBoZXJl"


def files() -> dict[str, tuple[str, int]]:
    """Path → text and mode."""
    found = {
        "/etc/passwd": (f"root:x:{os.geteuid()}:0::/root:/bin/sh\netcd:x:{ETCD}:{ETCD}::/:/bin/false\n", 0o644),
        "/etc/group": (f"root:x:{os.getegid()}:\netcd:x:{ETCD}:\n", 0o644),
        "/etc/kubernetes/encryption.yaml": (yaml.safe_dump(_encryption()), 0o600),
        "/etc/kubernetes/audit.yaml": ("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n", 0o600),
        "/etc/kubernetes/admission.yaml": (yaml.safe_dump(_admission()), 0o600),
        "/etc/kubernetes/eventconfig.yaml": (yaml.safe_dump(_LIMITS), 0o600),
        "/var/lib/kubelet/config.yaml": (yaml.safe_dump(KUBELET), 0o600),
        "/var/lib/kube-proxy/config.conf": (yaml.safe_dump(_PROXY), 0o600),
        "/var/lib/kube-proxy/kubeconfig.conf": ("apiVersion: v1\nkind: Config\n", 0o600),
        "/etc/systemd/system/kubelet.service": ("[Service]\nExecStart=/usr/bin/kubelet\n", 0o600),
        "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf": ("[Service]\n", 0o600),
        "/etc/cni/net.d/10-net.conflist": ("{}", 0o600),
        "/var/log/kubernetes/audit/audit.log": ("{}\n", 0o600),
    }
    for name in ("admin", "super-admin", "kubelet", "controller-manager", "scheduler"):
        found[f"/etc/kubernetes/{name}.conf"] = ("apiVersion: v1\nkind: Config\n", 0o600)
    for flags in FLAGS.values():
        for value in flags.values():
            if value.startswith(_PKI) and not value.endswith(".pub"):
                found[value] = (_KEY if value.endswith(".key") else _CERTIFICATE, 0o600)
    found[f"{_PKI}/sa.pub"] = ("-----BEGIN PUBLIC KEY-----\n", 0o600)
    return found


_PROXY = {
    "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "metricsBindAddress": "127.0.0.1:10249",
    "clientConnection": {"kubeconfig": "/var/lib/kube-proxy/kubeconfig.conf"},
}  # fmt: skip
_LIMITS = {
    "apiVersion": "eventratelimit.admission.k8s.io/v1alpha1", "kind": "Configuration",
    "limits": [{"type": "Server", "qps": 50, "burst": 100}],
}  # fmt: skip


def _encryption() -> dict[str, Any]:
    provider = {"secretbox": {"keys": [{"name": "key1", "secret": SECRET}]}}
    return {
        "apiVersion": "apiserver.config.k8s.io/v1", "kind": "EncryptionConfiguration",
        "resources": [{"resources": ["secrets"], "providers": [provider, {"identity": {}}]}],
    }  # fmt: skip


def _admission() -> dict[str, Any]:
    return {
        "apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration",
        "plugins": [{"name": "EventRateLimit", "path": "eventconfig.yaml"}],
    }  # fmt: skip


def static_pod(name: str, flags: Mapping[str, str]) -> str:
    container = {"name": name, "image": f"registry.k8s.io/{name}:v1.36.0", "command": [name, *words(flags)]}
    return yaml.safe_dump({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "kube-system"}, "spec": {"containers": [container]}
    })  # fmt: skip


def words(flags: Mapping[str, str]) -> list[str]:
    return [f"--{name}={value}" for name, value in flags.items()]


def write(root: Path, path: str, text: str, mode: int = 0o600) -> None:
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    place.chmod(mode)


def process(root: Path, pid: int, argv: list[str], *, environ: str | None = "", started: int = 0) -> None:
    """A process as proc(5) tells it; ``started`` in seconds after the boot, which was at 1,000,000,000."""
    place = root / "proc" / str(pid)
    place.mkdir(parents=True, exist_ok=True)
    (place / "comm").write_text(argv[0].rpartition("/")[2][:15] + "\n")
    (place / "cmdline").write_text("\0".join(argv) + "\0")
    ticks = started * os.sysconf("SC_CLK_TCK")
    (place / "stat").write_text(f"{pid} (x) S " + "0 " * 18 + f"{ticks} 0\n")
    (root / "proc" / "stat").write_text("btime 1000000000\n")
    if environ is not None:
        (place / "environ").write_text(environ)


def kubeadm(
    root: Path, *, but: Mapping[str, Mapping[str, str | None]] | None = None, running: tuple[str, ...] = tuple(FLAGS), kubelet: Mapping[str, Any] | None = None
) -> Path:  # fmt: skip
    """A control-plane node as kubeadm makes it, hardened.

    Args:
        root: the empty folder below which it is laid out.
        but: program → flags that are another way, or None for left out.
        running: the programs that run; the others are there as static pods alone.
        kubelet: settings that are another way.
    """
    for path, (text, mode) in files().items():
        write(root, path, text, mode)
    if kubelet:
        write(root, "/var/lib/kubelet/config.yaml", yaml.safe_dump({**KUBELET, **kubelet}))
    for pid, (name, good) in enumerate(FLAGS.items(), 100):
        flags = {flag: value for flag, value in {**good, **((but or {}).get(name) or {})}.items() if value is not None}
        if name not in ("kubelet", "kube-proxy"):
            write(root, f"/etc/kubernetes/manifests/{name}.yaml", static_pod(name, flags))
        if name in running:
            process(root, pid, [f"/usr/local/bin/{name}", *words(flags)], started=2_000_000_000)
    (root / "var/lib/etcd").mkdir(parents=True, exist_ok=True)
    (root / "var/lib/etcd").chmod(0o700)
    if os.geteuid() == 0:
        os.chown(root / "var/lib/etcd", ETCD, ETCD)
    (root / "var/log/pods").mkdir(parents=True, exist_ok=True)
    (root / "var/log/kubernetes/audit").chmod(0o700)
    return root
