"""The double of the Kubernetes API against a recorded one: the same requests, the same answers; and our reading of the recordings."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest

from bulkhead.clients.kube import ApiResource, Cluster, Expired, Forbidden, KubeClient, Limits, Unauthorised, Vanished
from bulkhead.clients.kube.config import Identity
from bulkhead.clients.kube.refusals import refused, warnings_of
from bulkhead.core.errors import BulkheadError, Conflict, PlanRefused, SourceError
from bulkhead.core.resource import Snapshot
from bulkhead.posture import wanted
from bulkhead.sources import kubernetes
from tests.catalogue_check import catalogue
from tests.contract.kube_ledger import ALL, SOME
from tests.contract.recordings import SETUP, TOKEN, ask, differences, nothing, recordings, restored
from tests.corpora import ROOT
from tests.fakes.kube import KubeDouble

_PLACE = ROOT / "recorded" / "kubernetes-1.36" / "api"
NAMES = sorted(path.stem for path in _PLACE.glob("*.json") if path.stem != "index") or ["none"]


@pytest.mark.parametrize("name", NAMES)
def test_the_double_answers_as_the_recorded_server_did(name: str) -> None:
    recorded = recordings()[name]
    with KubeDouble(token=TOKEN) as double:
        restored(double)
        SETUP.get(name, nothing)(double)
        found = differences(recorded, ask(double, name))
    if name in ALL:
        assert found, f"the double gives this answer by now: the ledger's line has gone stale ({ALL[name]})"
    else:
        assert found == SOME.get(name, ("", frozenset()))[1]


def test_the_ledger_speaks_of_recordings_only() -> None:
    recordings()
    assert set(NAMES) >= set(SOME) | set(ALL)
    assert not set(SOME) & set(ALL)
    assert len(NAMES) - len(SOME) - len(ALL) >= 80


# What our client makes of what the server says.

_WRITES = ("POST", "PUT", "PATCH", "DELETE")
_KINDS: dict[str, type[BulkheadError]] = {
    "error-401-bad-token": Unauthorised, "error-404-pod": Vanished, "error-404-resource": Vanished, "error-404-delete": Vanished,
    "error-404-unknown-namespace": Vanished, "error-410-exact-resourceversion": Expired, "error-410-expired-continue": Expired,
    "error-409-already-exists": Conflict, "error-409-conflict-update": Conflict, "error-409-delete-precondition": Conflict,
    "apply-conflict-409": Conflict, "error-422-json-patch-test": Conflict, "error-403-exceeded-quota": PlanRefused,
    "podsecurity-enforce-403-baseline": PlanRefused, "podsecurity-enforce-403-restricted": PlanRefused, "error-403-create": Forbidden,
    "error-403-rbac-bind": Forbidden, "error-403-rbac-escalation": Forbidden, "selfsubjectreview-anonymous": Forbidden,
    "error-403-anonymous": Forbidden, "error-403-nonresource": Forbidden, "error-403-serviceaccount": Forbidden, "node-proxy-403": Forbidden,
    "watch-403": Forbidden, "pods-list-future-resourceversion-504": SourceError, "error-406": SourceError,
    "pods-list-bad-continue-400": SourceError, "pods-list-bad-fieldselector-400": SourceError, "pods-list-bad-labelselector-400": SourceError,
    "watch-sendinitialevents-invalid-422": SourceError,
}  # fmt: skip


def _refusals() -> list[str]:
    return [name for name in NAMES if name != "none" and recordings()[name]["status"] >= 400]


@pytest.mark.parametrize("name", _refusals() if _PLACE.is_dir() else ["none"])
def test_every_recorded_refusal_has_its_error_and_says_what_the_server_said(name: str) -> None:
    recorded = recordings()[name]
    method, path = recorded["request"]["method"], recorded["request"]["path"]
    data = json.dumps(recorded["body"]).encode() if "body" in recorded else recorded["bodyText"].encode()
    error = refused(recorded["status"], data, path, reading=method not in _WRITES)
    # What is refused on writing, without a class of its own, is the plan's fault.
    assert type(error) is _KINDS.get(name, PlanRefused)
    assert error.where == path
    assert str(recorded["status"]) in error.message
    said = recorded.get("body", {}).get("message", "")
    assert said[:60].split("\n")[0] in error.message
    assert len(error.message) < 700
    if isinstance(error, Unauthorised):
        assert "log in again" in error.hint
    if name == "error-403-exceeded-quota" or name.startswith("podsecurity-enforce"):
        assert error.hint == "an admission policy or a quota refuses it"
    if isinstance(error, Forbidden):
        assert "quota" not in error.hint


def test_every_recorded_warning_is_told_whole() -> None:
    seen = 0
    for name, recorded in recordings().items():
        for header in recorded["headers"].get("Warning") or ():
            [text] = warnings_of(header)
            assert header.endswith(text.replace("\\", "\\\\").replace('"', '\\"') + '"') or len(text) == 600, name
            seen += 1
    assert seen >= 8


# What the source reads of it.


@lru_cache(maxsize=1)
def kinds() -> frozenset[str]:
    return wanted.kinds(catalogue().controls)


class _Recorded:
    """A server that has the recorded lists, each on one page, and nothing else."""

    async def discover(self) -> Any:
        class Asked:
            async def raw(self, path: str, *, accept: str = "application/json") -> Any:
                return recordings()[f"{path.strip('/')}-aggregated-discovery"]["body"]

        from bulkhead.clients.kube.discovery import discover

        return await discover(Asked())

    async def collect(self, resource: ApiResource) -> tuple[list[dict[str, Any]], str]:
        named = {
            "pods": ("pods-list-resourceversion-0",), "nodes": ("nodes-list",), "namespaces": ("namespaces-list",),
            "configmaps": ("configmaps-list-page1", "configmaps-list-page2", "configmaps-list-page3"), "deployments": ("deployments-list-page1",),
        }.get(resource.plural, ())  # fmt: skip
        items = [item for name in named for item in recordings()[name]["body"]["items"]]
        if resource.plural == "secrets":
            items = [recordings()["secret-get"]["body"]]
        return [{"apiVersion": resource.api_version, "kind": resource.kind, **item} for item in items], "1411"

    async def raw(self, path: str) -> Any:
        if path == "/version":
            return recordings()["version"]["body"]
        return recordings()["node-configz"]["body"]


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    recordings()
    return asyncio.run(kubernetes.read(_Recorded(), context="recorded", wanted=kinds()))


def test_the_recorded_cluster_is_read(snapshot: Snapshot) -> None:
    found: dict[str, set[str]] = {}
    for item in snapshot.resources:
        found.setdefault(item.ref.kind, set()).add(item.ref.name)
    assert found["KubernetesCluster"] == {"recorded"}
    assert found["Node"] == {"vm"}
    pods = recordings()["pods-list-resourceversion-0"]["body"]["items"]
    assert found["Pod"] == {
        item["metadata"]["name"] for item in pods if item["status"]["phase"] not in ("Succeeded", "Failed")
    }
    assert len(found["ConfigMap"]) == 11
    assert found["Deployment"] == {"applied"}
    assert "kubelet" in found["Component"]
    assert [gap for gap in snapshot.gaps if gap.hides == ("*",)] == []


def test_the_recorded_kubelet_is_read_with_its_settings_in_force(snapshot: Snapshot) -> None:
    [kubelet] = [item for item in snapshot.resources if item.ref.kind == "Component" and item.ref.name == "kubelet"]
    assert kubelet.data["config"]["authentication"]["anonymous"]["enabled"] is False
    assert kubelet.ref.uid == "vm"


def test_the_recorded_secret_does_not_enter(snapshot: Snapshot) -> None:
    assert "dg==" not in repr(snapshot)


@pytest.fixture
def double() -> Iterator[KubeDouble]:
    recordings()
    with KubeDouble(token=TOKEN) as made:
        restored(made)
        yield made


def test_the_client_reads_the_recorded_pods_over_the_wire_page_by_page(double: KubeDouble) -> None:
    pods = ApiResource("", "v1", "Pod", "pods", namespaced=True)

    async def main() -> tuple[list[str], str]:
        async with KubeClient(Cluster("c", double.url, Identity(token=TOKEN)), limits=Limits(page=10)) as client:
            items, version = await client.collect(pods, namespace="demo")
            return [item["metadata"]["name"] for item in items], version

    names, version = asyncio.run(main())
    assert names == [item["metadata"]["name"] for item in recordings()["pods-list-resourceversion-0"]["body"]["items"]]
    assert version == "1411"
    assert len(double.requests) == 5
    # The tokens are those that the recorded server gave.
    assert double.requests[1][1].split("continue=")[1] in recordings()["pods-list-page2"]["request"]["path"]
