"""kubeconfig in all its forms, and what must not come out of it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from bulkhead.clients.kube import Cluster, KubeClient, load
from bulkhead.clients.kube.config import Identity, from_files
from bulkhead.clients.kube.credentials import Credentials
from bulkhead.core.errors import SettingsError, SourceError
from tests.fakes.kube import KubeDouble


def written(folder: Path, name: str = "config", **changes: Any) -> Path:
    config: dict[str, Any] = {
        "current-context": "dev",
        "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://api.example:6443/"}}],
        "users": [{"name": "u", "user": {"token": "s3cr3t"}}],
        **changes,
    }
    path = folder / name
    path.write_text(json.dumps(config))
    return path


def user(**how: Any) -> list[dict[str, Any]]:
    return [{"name": "u", "user": how}]


def test_the_current_context(tmp_path: Path) -> None:
    cluster = from_files([written(tmp_path)])
    assert (cluster.name, cluster.server, cluster.namespace) == ("dev", "https://api.example:6443", "shop")
    assert cluster.identity.token == "s3cr3t"
    assert "s3cr3t" not in repr(cluster)


def test_files_are_merged_and_the_first_wins(tmp_path: Path) -> None:
    first = written(tmp_path, "a", clusters=[])
    second = written(tmp_path, "b", users=user(token="other"))
    cluster = from_files([first, second])
    assert cluster.server == "https://api.example:6443"
    assert cluster.identity.token == "s3cr3t"


def test_material_in_place_and_in_files_beside_the_config(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("CA")
    (tmp_path / "token").write_text("t")
    data = base64.b64encode(b"CERT").decode()
    path = written(
        tmp_path, clusters=[{"name": "c", "cluster": {"server": "https://a", "certificate-authority": "ca.pem"}}],
        users=user(**{"client-certificate-data": data, "client-key-data": data, "tokenFile": "token"}),
    )  # fmt: skip
    cluster = from_files([path])
    assert cluster.authority == b"CA"
    assert cluster.identity.certificate == b"CERT"
    assert cluster.identity.token_file == str(tmp_path / "token")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"current-context": ""}, "no context is current"), ({"current-context": "x"}, "there is no context 'x'"),
        ({"clusters": []}, "a cluster that is not there"), ({"users": []}, "a user that is not there"),
        ({"clusters": [{"name": "c", "cluster": {}}]}, "no server"), ({"users": user(**{"auth-provider": {"name": "gcp"}})}, "auth-provider"),
        ({"users": user(**{"client-certificate-data": "eA=="})}, "needs its key"), ({"users": user(**{"client-key-data": "?"})}, "not base64"),
        ({"users": user(exec={"command": "x", "apiVersion": "v0"})}, "exec speaks"), ({"users": user(exec={})}, None),
        ({"users": user(exec={"command": "x", "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Always"})}, "ask a person"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, changes: dict[str, Any], said: str | None) -> None:
    path = written(tmp_path, **changes)
    if said is None:
        from_files([path])
        return
    with pytest.raises(SettingsError, match=said) as caught:
        from_files([path])
    assert str(path) in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("text", ["a: &a [x]\nb: [*a, *a]\n", "- 1\n", "token: s3cr3t: {", "\x00", "[" * 5000])
def test_bombs_and_other_texts_are_refused_without_being_quoted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        from_files([path])
    assert "s3cr3t" not in str(caught.value)


def test_no_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(SettingsError, match="no kubeconfig"):
        load()


def plugin(folder: Path, body: str) -> Identity:
    path = folder / "plugin"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return Identity(
        exec={
            "command": str(path),
            "args": [],
            "env": {"GIVEN": "yes"},
            "apiVersion": "client.authentication.k8s.io/v1",
            "info": True,
        }
    )


def credential(**status: str) -> str:
    return json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status})


def test_a_plugin_is_run_again_when_its_credential_ends_or_is_refused(tmp_path: Path) -> None:
    count = tmp_path / "count"
    answer = credential(token="good", expirationTimestamp="2999-01-01T00:00:00Z")
    early = credential(token="bad", expirationTimestamp="2999-01-01T00:00:00Z")
    body = f'echo x >> {count}; test "$GIVEN" = yes || exit 9; case "$KUBERNETES_EXEC_INFO" in *server*) ;; *) exit 8;; esac; '
    body += f"if test $(wc -l < {count}) -gt 1; then echo '{answer}'; else echo '{early}'; fi"
    with KubeDouble() as double:

        async def main() -> Any:
            async with KubeClient(Cluster("c", double.url, plugin(tmp_path, body))) as client:
                await client.raw("/version")
                return await client.raw("/version")

        assert asyncio.run(main())["gitVersion"] == "v1.36.2"
    assert count.read_text().count("x") == 2


@pytest.mark.parametrize(
    "body", ["exit 3", "echo '{}'", "echo nothing", "head -c 3000000 /dev/zero", f"echo '{credential()}'"]
)
def test_a_plugin_that_fails_is_an_error(tmp_path: Path, body: str) -> None:
    credentials = Credentials(Cluster("c", "https://a", plugin(tmp_path, body)))
    with pytest.raises(SourceError, match="plug-in"):
        asyncio.run(credentials.header())


def test_a_pod_finds_its_own_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bulkhead.clients.kube import config

    (tmp_path / "token").write_text("t")
    (tmp_path / "ca.crt").write_text("CA")
    monkeypatch.setattr(config, "_ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBECONFIG", os.devnull)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    cluster = load()
    assert cluster.server == "https://[fd00::1]:6443"
    assert cluster.authority == b"CA"
