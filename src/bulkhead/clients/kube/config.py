"""kubeconfig (clientcmd api v1) and the service account of a pod, as one answer: where the API is, and who we are there."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bulkhead.core.errors import SettingsError

_LIMIT = 1024 * 1024
_FILES = 20
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


# A dataclass and not a struct: what is secret stays out of its text.
@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are. At most one way is set; ``exec`` is the words and variables of a credential plug-in."""

    token: str = field(default="", repr=False)
    token_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    exec: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the API is, and our identity there.

    Attributes:
        name: the context's.
        server: its address, without a slash at the end.
        authority: certificates that sign the server's, as PEM; empty for those of the machine.
        insecure: the server's certificate is not looked at. Told as a note wherever it is used.
        server_name: the name that the certificate must bear, where it is not the address's.
        namespace: of the context.
        proxy: the address of a proxy; empty for none.
    """

    name: str
    server: str
    identity: Identity
    authority: bytes = b""
    insecure: bool = False
    server_name: str = ""
    namespace: str = "default"
    proxy: str = ""


def load(context: str = "") -> Cluster:
    """The cluster of a context: of ``$KUBECONFIG``, else of ``~/.kube/config``, else of the pod that we run in.

    Raises:
        SettingsError: there is none, or it is wrong; with the file and the context, never with a secret.
    """
    told = os.environ.get("KUBECONFIG", "")
    paths = [Path(part) for part in told.split(os.pathsep) if part] if told else [Path.home() / ".kube" / "config"]
    found = [path for path in paths[:_FILES] if path.is_file()]
    if found:
        return from_files(found, context)
    if not context and os.environ.get("KUBERNETES_SERVICE_HOST") and (_ACCOUNT / "token").is_file():
        return _in_cluster()
    raise SettingsError("there is no kubeconfig", where=str(paths[0]), hint="set KUBECONFIG, or run it in a pod")


def there() -> bool:
    """Whether there is a kubeconfig, or a service account, to try."""
    told = os.environ.get("KUBECONFIG", "")
    paths = [Path(part) for part in told.split(os.pathsep) if part] if told else [Path.home() / ".kube" / "config"]
    return any(path.is_file() for path in paths) or (
        bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and (_ACCOUNT / "token").is_file()
    )


def _in_cluster() -> Cluster:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    address = f"[{host}]" if ":" in host else host
    authority = _bytes(_ACCOUNT / "ca.crt")
    return Cluster("in-cluster", f"https://{address}:{port}", Identity(token_file=str(_ACCOUNT / "token")), authority)


def from_files(paths: Sequence[Path], context: str = "") -> Cluster:
    """Several files are one: the first that names a thing has it (kubectl, "Merging kubeconfig files").

    Raises:
        SettingsError: as ``load``.
    """
    merged: dict[str, dict[str, tuple[Any, Path]]] = {"clusters": {}, "users": {}, "contexts": {}}
    current = ""
    for path in paths:
        data = _read(path)
        current = current or str(data.get("current-context") or "")
        for kind, singular in (("clusters", "cluster"), ("users", "user"), ("contexts", "context")):
            for item in _list(data.get(kind)):
                if isinstance(item, dict) and isinstance(item.get(singular), dict):
                    merged[kind].setdefault(str(item.get("name")), (item[singular], path))
    wanted = context or current
    if not wanted:
        raise SettingsError("no context is current", where=str(paths[0]), hint="name one: kubernetes://CONTEXT")
    if wanted not in merged["contexts"]:
        known = ", ".join(sorted(merged["contexts"])[:10]) or "none"
        raise SettingsError(f"there is no context '{wanted}'", where=str(paths[0]), hint=f"there are: {known}")
    chosen, path = merged["contexts"][wanted]
    where = f"{path} (context {wanted})"
    cluster, cluster_path = _named(merged["clusters"], chosen.get("cluster"), "cluster", where)
    user, user_path = _named(merged["users"], chosen["user"], "user", where) if chosen.get("user") else ({}, path)
    server = str(cluster.get("server") or "").rstrip("/")
    if not server.startswith(("https://", "http://")):
        raise SettingsError("the cluster has no server", where=where)
    return Cluster(
        name=wanted, server=server, identity=_identity(user, user_path, where), insecure=cluster.get("insecure-skip-tls-verify") is True,
        authority=_material(cluster, "certificate-authority", cluster_path, where), server_name=str(cluster.get("tls-server-name") or ""),
        namespace=str(chosen.get("namespace") or "default"), proxy=str(cluster.get("proxy-url") or ""),
    )  # fmt: skip


def _named(found: Mapping[str, tuple[Any, Path]], name: Any, kind: str, where: str) -> tuple[dict[str, Any], Path]:
    if str(name) not in found:
        raise SettingsError(f"the context names a {kind} that is not there: '{name}'", where=where)
    return found[str(name)]


def _identity(user: Mapping[str, Any], path: Path, where: str) -> Identity:
    if user.get("auth-provider"):
        raise SettingsError(
            "auth-provider is not spoken", where=where, hint="use its exec plug-in (client-go 1.26 dropped it too)"
        )
    if user.get("exec"):
        return Identity(exec=_plugin(user["exec"], path, where))
    certificate = _material(user, "client-certificate", path, where)
    key = _material(user, "client-key", path, where)
    if bool(certificate) != bool(key):
        raise SettingsError("a client certificate needs its key, and the key its certificate", where=where)
    token_file = str(user.get("tokenFile") or "")
    return Identity(
        token=str(user.get("token") or ""), token_file=str(path.parent / token_file) if token_file else "",
        username=str(user.get("username") or ""), password=str(user.get("password") or ""), certificate=certificate, key=key,
    )  # fmt: skip


def _plugin(given: Any, path: Path, where: str) -> dict[str, Any]:
    """client.authentication.k8s.io ExecConfig; a command with a slash is relative to its file."""
    if not isinstance(given, dict) or not given.get("command"):
        raise SettingsError("exec names no command", where=where)
    version = str(given.get("apiVersion") or "")
    if version not in ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"):
        raise SettingsError(f"exec speaks '{version}'", where=where, hint="client.authentication.k8s.io/v1 or v1beta1")
    if given.get("interactiveMode") == "Always":
        raise SettingsError("exec wants to ask a person, and nobody is there", where=where)
    command = str(given["command"])
    variables = {
        str(item["name"]): str(item.get("value", ""))
        for item in _list(given.get("env"))
        if isinstance(item, dict) and "name" in item
    }
    return {
        "command": str(path.parent / command) if "/" in command else command, "args": [str(word) for word in _list(given.get("args"))],
        "env": variables, "apiVersion": version, "info": given.get("provideClusterInfo") is True,
    }  # fmt: skip


def _material(data: Mapping[str, Any], name: str, path: Path, where: str) -> bytes:
    """PEM given in place (base64) or as a file."""
    inline = data.get(f"{name}-data")
    if inline:
        try:
            return base64.b64decode(str(inline), validate=True)
        except (binascii.Error, ValueError) as error:
            raise SettingsError(f"{name}-data is not base64", where=where) from error
    return _bytes(path.parent / str(data[name])) if data.get(name) else b""


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LIMIT)
    except OSError as error:
        raise SettingsError(f"it cannot be read: {error.strerror}", where=str(path)) from error


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _read(path: Path) -> dict[str, Any]:
    data = _bytes(path)
    if len(data) >= _LIMIT:
        raise SettingsError(f"larger than {_LIMIT} bytes", where=str(path))
    try:
        # No kubeconfig needs an alias, and a bomb is made of them.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(data, yaml.CSafeLoader)):
            raise yaml.YAMLError("aliases are not taken")
        found = yaml.load(data, yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        # The parser's own words may quote the line, and the line may hold a token.
        raise SettingsError(f"it is not the YAML of a kubeconfig ({type(error).__name__})", where=str(path)) from error
    if not isinstance(found, dict):
        raise SettingsError("it is not a kubeconfig", where=str(path))
    return found
