"""Every control of a cluster is switched on: its own examples, stored in an API server, are read and judged as they are written.

In memory for all of them; over HTTP, from an emulated OpenShift server, for the practice items O1 to O10.
"""

from __future__ import annotations

import asyncio
import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from bulkhead.clients.kube import ApiResource, Cluster, Discovered, KubeClient
from bulkhead.clients.kube.config import Identity
from bulkhead.core.control import Control
from bulkhead.core.errors import SourceError
from bulkhead.core.outcome import join
from bulkhead.core.resource import Snapshot
from bulkhead.posture import examples, wanted
from bulkhead.posture.evaluate import Request, evaluate
from bulkhead.sources import kubernetes
from tests.catalogue_check import catalogue, written
from tests.fakes.kube import KubeDouble

Object = dict[str, Any]
_DIFFER = {
    ("k8s.hygiene.duplicate-key", "fail"): "an API server keeps no key twice",
    ("k8s.pod.service-account-deprecated-field", "fail"): "an API server writes the name into both fields",
    ("k8s.secrets.secret-in-files", "pass"): "a Secret in a cluster is not in a file",
    ("k8s.secrets.secret-in-files", "fail"): "a Secret in a cluster is not in a file",
}
_NOT_IN_AN_API = {
    "k8s.control-plane.api-audit-coverage": "a file of the API server: read on its node",
    "k8s.secrets.encryption-at-rest": "a file of the API server: read on its node",
    "version.kubernetes": "what the server says of itself: see below",
    "openshift.audit-directories": "folders of a node: read there",
    "openshift.pod-log-directories": "folders of a node: read there",
    "openshift.unsigned-images": "a file of a node: read there",
    "image.secrets": "files of an image",
    "docker.image.healthcheck": "an image's settings",
    "dockerfile.healthcheck": "a file",
}
_WANTED = wanted.kinds(catalogue().controls)


class _Stored:
    """An API server that has these objects and nothing else."""

    def __init__(self, objects: list[Object]) -> None:
        self._lists: dict[ApiResource, list[Object]] = {}
        for item in objects:
            group, _, version = item["apiVersion"].rpartition("/")
            kind = ApiResource(group, version, item["kind"], item["kind"].lower() + "s", True, frozenset({"list"}))
            self._lists.setdefault(kind, []).append(item)

    async def discover(self) -> Discovered:
        return Discovered(tuple(self._lists))

    async def collect(self, resource: ApiResource) -> tuple[list[Object], str]:
        return self._lists[resource], "1"

    async def raw(self, path: str) -> Any:
        if path == "/version":
            return {"gitVersion": "v1.36.0"}
        raise SourceError("there is no such thing", where=path)


def _objects(control: Control, example: Any) -> list[Object] | None:
    """The objects of an example; None where it holds anything that no API server stores."""
    found = examples.snapshot(example, control)
    made = []
    for item in found.resources:
        if item.ref.kind == "Component":
            continue
        data = item.data
        if not isinstance(data, dict) or "apiVersion" not in data or not isinstance(data.get("metadata"), dict):
            return None
        if not isinstance(data["metadata"].get("name"), str) or item.ref.source not in ("file", "live", "kubernetes"):
            return None
        made.append(copy.deepcopy(data))
    if any(item.ref.kind == "Component" for item in found.resources):
        # A pod with a program of the control plane counts where the control plane's pods are.
        for pod in made:
            pod["metadata"]["namespace"] = "kube-system"
    return made or None


def _cases(controls: list[Control]) -> Iterator[tuple[Control, str, Any, list[Object]]]:
    for control in controls:
        if not control.checks:
            continue
        for outcome, items in (("pass", written(control).passing), ("fail", written(control).fail)):
            for example in items:
                objects = _objects(control, example) if not example.get("gaps") else None
                if objects is not None:
                    yield examples.configured(control, example), outcome, example, objects


def _told(snapshot: Snapshot, control: Control) -> str:
    findings = evaluate(snapshot, Request(catalogue(), [control], keep_passes=True)).findings
    return str(join(*(finding.outcome for finding in findings))) if findings else "nothing"


def test_examples_are_judged_in_a_cluster_as_they_are_written() -> None:
    differ = set()
    seen: set[str] = set()
    count = 0
    for control, outcome, _, objects in _cases(list(catalogue().controls)):
        found = asyncio.run(kubernetes.read(_Stored(objects), context="c", wanted=_WANTED))
        count += 1
        seen.add(control.id)
        if _told(found, control) != outcome:
            differ.add((control.id, outcome))
    assert count > 900
    assert len(seen) > 300
    assert differ == set(_DIFFER)


@pytest.mark.parametrize("item", [f"O{number}" for number in range(1, 11)])
def test_openshift_s_items_are_decided_over_the_wire(item: str) -> None:
    controls = [control for control in catalogue().controls if item in control.practices]
    cases = list(_cases(controls))
    told = {(control.id, outcome): _wire(control, objects) for control, outcome, _, objects in cases}
    assert {key: value for key, value in told.items() if value != key[1]} == {}
    decided = {control for control, _ in told}
    assert {outcome for _, outcome in told} == {"pass", "fail"}
    assert {control.id for control in controls if control.checks} - decided <= set(_NOT_IN_AN_API)


@pytest.mark.parametrize(("version", "outcome"), [("v1.36.2", "pass"), ("v1.21.1+1.25.4", "fail"), ("devel", "fail")])
def test_the_server_s_own_version_is_judged(version: str, outcome: str) -> None:
    [control] = catalogue().named("version.kubernetes")
    assert _wire(control, [], version) == outcome


def _wire(control: Control, objects: list[Object], version: str = "v1.36.2") -> str:
    double = KubeDouble()
    double.raws["/version"] = {"gitVersion": version}
    for item in objects:
        group, _, version = item["apiVersion"].rpartition("/")
        if not any(kind[0] == group and kind[2] == item["kind"] for kind in double.kinds):
            plural = re.sub(r"y$", "ie", item["kind"].lower()) + "s"
            double.define(group, version, item["kind"], plural, namespaced="namespace" in item["metadata"])
        double.put(item)

    async def main() -> Snapshot:
        async with KubeClient(Cluster("double", double.url, Identity(token="good"))) as client:
            return await kubernetes.read(client, context="double", wanted=_WANTED)

    with double:
        return _told(asyncio.run(main()), control)
