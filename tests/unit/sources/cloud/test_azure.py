"""Inventories of Azure: the tools' flattened lists and ARM's own shape say the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import Snapshot
from bulkhead.posture.evaluate import Request, evaluate
from bulkhead.sources.cloud import azure
from tests.catalogue_check import catalogue

GROUP = "/subscriptions/s-1/resourceGroups/Shop/providers"
AKS = f"{GROUP}/Microsoft.ContainerService/managedClusters/main"
ACR = f"{GROUP}/Microsoft.ContainerRegistry/registries/shopacr"
ACI = f"{GROUP}/Microsoft.ContainerInstance/containerGroups/job"
FLAT: list[dict[str, Any]] = [
    {
        "id": AKS, "name": "main", "type": "Microsoft.ContainerService/ManagedClusters", "location": "westeurope", "enableRbac": True,
        "disableLocalAccounts": None, "diskEncryptionSetId": "/x", "apiServerAccessProfile": {"authorizedIpRanges": ["10.0.0.0/8"]},
        "agentPoolProfiles": [{"name": "a", "enableNodePublicIp": True}], "addonProfiles": {"omsagent": {"enabled": True}},
    },
    {
        "id": ACR, "name": "shopacr", "type": "Microsoft.ContainerRegistry/registries", "adminUserEnabled": True, "anonymousPullEnabled": False,
        "publicNetworkAccess": "Disabled", "policies": {"retentionPolicy": {"status": "enabled"}},
    },
    {
        "id": ACI, "name": "job", "type": "Microsoft.ContainerInstance/containerGroups", "subnetIds": None,
        "containers": [{"name": "c", "image": "i", "environmentVariables": [{"name": "A", "value": "hunter2", "secureValue": None}]}],
        "identity": {"type": "SystemAssigned"},
    },
]  # fmt: skip
ARM: list[dict[str, Any]] = [
    {
        "id": AKS, "name": "main", "type": "microsoft.containerservice/managedclusters", "location": "westeurope",
        "properties": {
            "enableRBAC": True, "diskEncryptionSetID": "/x", "apiServerAccessProfile": {"authorizedIPRanges": ["10.0.0.0/8"]},
            "agentPoolProfiles": [{"name": "a", "enableNodePublicIP": True}], "addonProfiles": {"omsagent": {"enabled": True}},
        },
    },
    {
        "id": ACR, "name": "shopacr",
        "properties": {
            "adminUserEnabled": True, "anonymousPullEnabled": False, "publicNetworkAccess": "Disabled",
            "policies": {"retentionPolicy": {"status": "enabled"}},
        },
    },
    {
        "id": ACI, "name": "job", "type": "Microsoft.ContainerInstance/containerGroups", "identity": {"type": "SystemAssigned"},
        "properties": {
            "containers": [{"name": "c", "properties": {"image": "i", "environmentVariables": [{"name": "A", "value": "hunter2"}]}}],
        },
    },
]  # fmt: skip
ROLES: list[dict[str, Any]] = [
    {"type": "Microsoft.Authorization/roleAssignments", "scope": ACR, "roleDefinitionName": "Contributor"},
    {
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {"scope": "/subscriptions/s-1", "roleDefinitionId": "/x/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"},
    },
    {"type": "Microsoft.Authorization/roleAssignments", "scope": f"{ACR}2", "roleDefinitionName": "AcrPull"},
]
DIAGNOSTIC = {"id": f"{AKS.lower()}/providers/microsoft.insights/diagnosticSettings/audit", "name": "audit", "logs": []}


def read(folder: Path, records: Any) -> Snapshot:
    path = folder / "list.json"
    path.write_text(json.dumps(records))
    return azure.read(str(path))


def said(snapshot: Snapshot) -> dict[str, Outcome]:
    controls = tuple(item for item in catalogue().controls if item.id.startswith("cloud.azure."))
    found = evaluate(snapshot, Request(catalogue(), controls, keep_passes=True)).findings
    return {item.control.removeprefix("cloud.azure."): item.outcome for item in found}


@pytest.mark.parametrize("shape", [FLAT, ARM], ids=["flat", "arm"])
def test_both_shapes_have_the_right_verdicts(tmp_path: Path, shape: list[dict[str, Any]]) -> None:
    snapshot = read(tmp_path, [*shape, *ROLES, DIAGNOSTIC])
    assert snapshot.gaps == ()
    found = said(snapshot)
    right = {
        "aks-rbac": Outcome.PASS, "aks-local-accounts": Outcome.FAIL, "aks-disk-encryption": Outcome.PASS, "aks-api-ip-ranges": Outcome.PASS,
        "aks-private-nodes": Outcome.FAIL, "aks-logging": Outcome.PASS, "acr-admin": Outcome.FAIL, "acr-anonymous-pull": Outcome.PASS,
        "acr-public-network": Outcome.PASS, "acr-retention": Outcome.PASS, "acr-access": Outcome.FAIL, "aci-secure-env": Outcome.FAIL,
        "aci-identity": Outcome.PASS, "aci-vnet": Outcome.FAIL,
    }  # fmt: skip
    assert {name: found[name] for name in right} == right
    assert "hunter2" not in repr(snapshot)


def test_what_other_lists_say_is_tied_by_the_id(tmp_path: Path) -> None:
    snapshot = read(tmp_path, [*FLAT, *ROLES, DIAGNOSTIC])
    by_kind = {item.ref.kind: item for item in snapshot.resources}
    assert by_kind["AzureRegistry"].data["roleAssignments"] == [
        {"roleName": "Contributor", "inherited": False}, {"roleName": "Owner", "inherited": True},
    ]  # fmt: skip
    assert by_kind["AksCluster"].data["diagnosticSettings"] == [{"name": "audit"}]
    assert by_kind["AksCluster"].ref.origin == "azure://s-1"


def test_a_list_that_is_missing_is_an_error_and_named(tmp_path: Path) -> None:
    snapshot = read(tmp_path, FLAT)
    found = said(snapshot)
    assert found["aks-logging"] is Outcome.ERROR
    assert found["acr-access"] is Outcome.ERROR
    hints = {gap.hides: gap.hint for gap in snapshot.gaps}
    assert "az monitor diagnostic-settings list" in hints["AksCluster",]
    assert "az role assignment list" in hints["AzureRegistry",]
    inherited = read(tmp_path, [*FLAT, ROLES[1]])
    assert said(inherited)["acr-access"] is Outcome.ERROR


def test_a_wrapped_list_is_read_too(tmp_path: Path) -> None:
    assert len(read(tmp_path, {"value": ARM}).resources) == 3
    assert len(read(tmp_path, {"data": ARM, "count": 3}).resources) == 3


def test_what_is_of_another_shape_ends_no_reading(tmp_path: Path) -> None:
    odd = [
        {"id": AKS, "type": "Microsoft.ContainerService/managedClusters", "properties": [], "agentPoolProfiles": 3},
        {"id": ACI, "type": "Microsoft.ContainerInstance/containerGroups", "containers": [3, {"environmentVariables": "x"}]},
        {"id": 5, "type": 6}, {"type": "Microsoft.Authorization/roleAssignments", "scope": {}}, {"id": "///providers/"},
    ]  # fmt: skip
    assert Outcome.PASS not in {
        said(read(tmp_path, odd)).get(name) for name in ("aks-rbac", "aks-private-nodes", "acr-access")
    }


def test_nothing_of_ours_is_a_gap(tmp_path: Path) -> None:
    [gap] = read(tmp_path, []).gaps
    assert set(gap.hides) == set(azure.KINDS.values())
