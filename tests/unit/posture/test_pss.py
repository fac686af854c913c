"""Pod Security Standards: what breaks each level."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.posture.facts import namespaces, pss
from tests.unit.posture.worlds import world

_GOOD: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
    "capabilities": {"drop": ["ALL"]},
}


def _pod(context: dict[str, Any] | None = None, container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    own = {"name": "a", "image": "a", "securityContext": {**_GOOD, **(context or {})}, **(container or {})}
    return {"containers": [own], **spec}


@pytest.mark.parametrize(
    ("spec", "annotations", "level"),
    [
        (_pod(), {}, "restricted"),
        (_pod({"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}), {}, "restricted"),
        (_pod(volumes=[{"name": "v", "emptyDir": {}}]), {}, "restricted"),
        (_pod({"runAsNonRoot": None}, securityContext={"runAsNonRoot": True}), {}, "restricted"),
        (_pod({"runAsNonRoot": False}), {}, "baseline"),
        (_pod({"runAsUser": 0}), {}, "baseline"),
        (_pod({"allowPrivilegeEscalation": None}), {}, "baseline"),
        (_pod({"seccompProfile": None}), {}, "baseline"),
        (_pod({"capabilities": {"drop": ["NET_RAW"]}}), {}, "baseline"),
        (_pod({"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}), {}, "baseline"),
        (_pod(volumes=[{"name": "v", "nfs": {"server": "a", "path": "/"}}]), {}, "baseline"),
        (_pod({"privileged": True}), {}, "privileged"),
        (_pod(hostPID=True), {}, "privileged"),
        (_pod(hostNetwork=True), {}, "privileged"),
        (_pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}]), {}, "privileged"),
        (_pod(container={"ports": [{"containerPort": 1, "hostPort": 1}]}), {}, "privileged"),
        (_pod({"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}), {}, "privileged"),
        (_pod({"procMount": "Unmasked"}), {}, "privileged"),
        (_pod({"seccompProfile": {"type": "Unconfined"}}), {}, "privileged"),
        (_pod({"seLinuxOptions": {"type": "spc_t"}}), {}, "privileged"),
        (_pod(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}), {}, "privileged"),
        (_pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]}), {}, "restricted"),
        (_pod(container={"livenessProbe": {"httpGet": {"host": "10.0.0.1", "port": 80}}}), {}, "privileged"),
        (_pod(), {"container.apparmor.security.beta.kubernetes.io/a": "unconfined"}, "privileged"),
        (_pod(), {"container.apparmor.security.beta.kubernetes.io/a": "runtime/default"}, "restricted"),
        (_pod(initContainers=[{"name": "i", "image": "i"}]), {}, "baseline"),
    ],
)  # fmt: skip
def test_levels(spec: dict[str, Any], annotations: dict[str, str], level: str) -> None:
    assert pss.level(spec, annotations) == level


def test_the_namespace_has_the_level_of_its_weakest_pod() -> None:
    pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{{spec}}}\n"
    here = world(
        pod.format(name="a", namespace="shop", spec="containers: [{name: a, image: a}]")
        + pod.format(name="b", namespace="shop", spec="hostPID: true, containers: [{name: a, image: a}]")
        + pod.format(name="c", namespace="bank", spec="containers: [{name: a, image: a}]")
    )
    assert namespaces.pss_level(here, "shop") == "privileged"
    assert namespaces.pss_level(here, "bank") == "baseline"
    assert namespaces.pss_level(here, "empty") == "restricted"
