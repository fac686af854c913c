"""Every control of Google's and Microsoft's clouds is decided on an inventory: its own examples, written as the tools export them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bulkhead.core.control import Control
from bulkhead.core.outcome import join
from bulkhead.core.resource import Snapshot
from bulkhead.posture import examples
from bulkhead.posture.evaluate import Request, evaluate
from bulkhead.sources.cloud import azure, gcp
from tests.catalogue_check import catalogue, written

PLACE = "projects/shop/locations/europe-west1"
ACCOUNT = "nodes@shop.iam.gserviceaccount.com"
GROUP = "/subscriptions/s-1/resourceGroups/Shop/providers"
TYPES = {
    "AksCluster": "Microsoft.ContainerService/managedClusters", "AzureRegistry": "Microsoft.ContainerRegistry/registries",
    "AzureContainerGroup": "Microsoft.ContainerInstance/containerGroups",
}  # fmt: skip
GOOGLE = ("GkeCluster", "GkeNodePool", "ArtifactRepository", "GcpProject")


def _asset(kind: str, name: str, data: Any = None, **more: Any) -> dict[str, Any]:
    made = {"name": f"//{kind.partition('/')[0]}/{name}", "assetType": kind, **more}
    return made | ({} if data is None else {"resource": {"version": "v1", "data": data}})


def _google(kind: str, data: dict[str, Any]) -> list[dict[str, Any]]:
    """One thing as ``gcloud asset export`` prints it, and what other assets say of it."""
    own = {
        name: value
        for name, value in data.items()
        if name not in ("firewallRules", "serviceAccountRoles", "bindings", "enabledServices")
    }
    records: list[dict[str, Any]] = []
    if kind == "GkeCluster":
        records.append(_asset("container.googleapis.com/Cluster", f"{PLACE}/clusters/main", own))
        network = "vpc" if own.get("network") or own.get("networkConfig") else "default"
        network = str((own.get("networkConfig") or {}).get("network") or own.get("network") or network).rpartition("/")[
            2
        ]
        rules = data.get("firewallRules", [])
        for number, rule in enumerate([*rules, {"name": "none", "sourceRanges": ["10.0.0.0/8"], "disabled": True}]):
            more = {"network": f"https://x/projects/shop/global/networks/{network}", "direction": "INGRESS", **rule}
            records.append(_asset("compute.googleapis.com/Firewall", f"projects/shop/global/firewalls/r{number}", more))
    elif kind == "GkeNodePool":
        config = (
            {"serviceAccount": ACCOUNT, **(own.get("config") or {})}
            if "serviceAccountRoles" in data
            else own.get("config")
        )
        whole = own | ({"config": config} if config is not None else {})
        records.append(_asset("container.googleapis.com/NodePool", f"{PLACE}/clusters/main/nodePools/pool", whole))
        if "serviceAccountRoles" in data:
            account = str((config or {}).get("serviceAccount"))
            bindings = [
                {"role": role, "members": [f"serviceAccount:{account}"]} for role in data["serviceAccountRoles"]
            ]
            above = ["projects/77", "organizations/9"]
            holder = "cloudresourcemanager.googleapis.com"
            records += [
                _asset(
                    f"{holder}/Project", "projects/shop", {"projectId": "shop", "projectNumber": "77"}, ancestors=above
                ),
                _asset(f"{holder}/Project", "projects/shop", iamPolicy={"bindings": bindings}, ancestors=above),
                _asset(f"{holder}/Organization", "organizations/9", iamPolicy={"bindings": []}, ancestors=above[1:]),
            ]
    elif kind == "ArtifactRepository":
        name = f"{PLACE}/repositories/app"
        records.append(_asset("artifactregistry.googleapis.com/Repository", name, own or {"format": "DOCKER"}))
        if "bindings" in data:
            records.append(
                _asset("artifactregistry.googleapis.com/Repository", name, iamPolicy={"bindings": data["bindings"]})
            )
    else:
        records.append(
            _asset(
                "cloudresourcemanager.googleapis.com/Project",
                "projects/shop",
                {"projectId": "shop", "projectNumber": "77"},
            )
        )
        for service in [*data.get("enabledServices", []), "nothing.googleapis.com"]:
            state = "DISABLED" if service.startswith("nothing") else "ENABLED"
            records.append(
                _asset("serviceusage.googleapis.com/Service", f"projects/77/services/{service}", {"state": state})
            )
    return records


def _microsoft(kind: str, data: dict[str, Any], *, flat: bool) -> list[dict[str, Any]]:
    """One thing in ARM's shape, or as ``az … list`` flattens it, and what other lists say of it."""
    identity = f"{GROUP}/{TYPES[kind]}/main"
    own = {name: value for name, value in data.items() if name not in ("diagnosticSettings", "roleAssignments")}
    if flat:
        own = {**own.pop("properties", {}), **own}
        if kind == "AzureContainerGroup" and "containers" in own:
            own["containers"] = [
                {"name": item.get("name", "c"), **item.get("properties", {})} for item in own["containers"]
            ]
    records = [{**own, "id": identity, "name": "main", "type": TYPES[kind]}]
    if "diagnosticSettings" in data:
        records += [
            {"id": f"{identity}/providers/microsoft.insights/diagnosticSettings/{item['name']}", "name": item["name"], "type": "Microsoft.Insights/diagnosticSettings"}
            for item in data["diagnosticSettings"]
        ]  # fmt: skip
    for number, item in enumerate(data.get("roleAssignments", [])):
        scope = "/subscriptions/s-1" if item.get("inherited") else identity
        records.append(
            {
                "id": f"/r/{number}",
                "type": "Microsoft.Authorization/roleAssignments",
                "scope": scope,
                "roleDefinitionName": item["roleName"],
            }
        )
    return records


def _cases(kinds: tuple[str, ...]) -> Iterator[tuple[Control, str, str, dict[str, Any]]]:
    for control in catalogue().controls:
        for outcome, items in (
            (("pass", written(control).passing), ("fail", written(control).fail)) if control.checks else ()
        ):
            for example in items:
                given = example.get("resource", {})
                if given.get("kind") in kinds and not example.get("gaps"):
                    yield examples.configured(control, example), outcome, given["kind"], given.get("data", {})


def _told(found: Snapshot, control: Control, kind: str) -> str:
    told = evaluate(found, Request(catalogue(), [control], keep_passes=True)).findings
    mine = [finding.outcome for finding in told if finding.resource.kind == kind]
    return str(join(*mine)) if mine else "nothing"


def _read(folder: Path, records: list[dict[str, Any]], *, google: bool) -> Snapshot:
    path = folder / "export.json"
    path.write_text(json.dumps(records))
    return gcp.read(str(path)) if google else azure.read(str(path))


def test_google_s_controls_are_decided_on_an_export(tmp_path: Path) -> None:
    differ, seen = {}, set()
    for control, outcome, kind, data in _cases(GOOGLE):
        told = _told(_read(tmp_path, _google(kind, data), google=True), control, kind)
        seen.add(control.id)
        if told != outcome:
            differ[control.id, outcome, json.dumps(data)] = told
    assert differ == {}
    assert len(seen) > 25


@pytest.mark.parametrize("flat", [False, True], ids=["arm", "flattened"])
def test_microsoft_s_controls_are_decided_on_an_export(tmp_path: Path, flat: bool) -> None:
    differ, seen = {}, set()
    # A list of settings that is empty names no cluster: what it is about cannot be told, which is an error.
    untold = [case for case in _cases(tuple(TYPES)) if case[3].get("diagnosticSettings") == []]
    for control, _, kind, data in untold:
        assert _told(_read(tmp_path, _microsoft(kind, data, flat=flat), google=False), control, kind) == "error"
    for control, outcome, kind, data in (case for case in _cases(tuple(TYPES)) if case not in untold):
        told = _told(_read(tmp_path, _microsoft(kind, data, flat=flat), google=False), control, kind)
        seen.add(control.id)
        if told != outcome:
            differ[control.id, outcome, json.dumps(data)] = told
    assert differ == {}
    assert len(seen) > 20
