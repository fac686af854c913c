"""Inventories of Google Cloud: what the tools export becomes what the checks read, and what is missing is never a pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import Snapshot
from bulkhead.posture.evaluate import Request, evaluate
from bulkhead.sources.cloud import gcp
from tests.catalogue_check import catalogue

PLACE = "projects/shop/locations/europe-west1"
CLUSTER = {
    "name": "main", "network": "vpc", "selfLink": f"https://container.googleapis.com/v1/{PLACE}/clusters/main",
    "legacyAbac": {"enabled": True}, "shieldedNodes": {"enabled": True},
    "nodePools": [{"name": "pool", "config": {"serviceAccount": "nodes@shop.iam.gserviceaccount.com", "tags": ["node"]}, "management": {"autoRepair": True}}],
}  # fmt: skip
ABOVE = ["projects/77", "folders/5", "organizations/9"]


def asset(kind: str, name: str, data: Any = None, **more: Any) -> dict[str, Any]:
    service = kind.partition("/")[0]
    made: dict[str, Any] = {"name": f"//{service}/{name}", "assetType": kind, **more}
    return made | ({"resource": {"version": "v1", "data": data}} if data is not None else {})


def policy(
    kind: str, name: str, role: str = "", member: str = "", ancestors: list[str] | None = None
) -> dict[str, Any]:
    bindings = [{"role": role, "members": [member]}] if role else []
    return asset(kind, name, iamPolicy={"bindings": bindings}, ancestors=ancestors or ABOVE)


def rule(name: str, **more: Any) -> dict[str, Any]:
    return asset(
        "compute.googleapis.com/Firewall", f"projects/shop/global/firewalls/{name}",
        {"name": name, "network": "https://x/projects/shop/global/networks/vpc", "direction": "INGRESS", **more},
    )  # fmt: skip


HOLDER = "cloudresourcemanager.googleapis.com"
FULL = [
    asset("container.googleapis.com/Cluster", f"{PLACE}/clusters/main", CLUSTER),
    asset(f"{HOLDER}/Project", "projects/shop", {"projectId": "shop", "projectNumber": "77"}, ancestors=ABOVE),
    asset("serviceusage.googleapis.com/Service", "projects/77/services/containerscanning.googleapis.com", {"state": "ENABLED"}),
    asset("serviceusage.googleapis.com/Service", "projects/77/services/off.googleapis.com", {"state": "DISABLED"}),
    asset("artifactregistry.googleapis.com/Repository", f"{PLACE}/repositories/app", {"format": "DOCKER"}),
    asset("artifactregistry.googleapis.com/Repository", f"{PLACE}/repositories/own", {"format": "DOCKER"}),
    policy("artifactregistry.googleapis.com/Repository", f"{PLACE}/repositories/app", "roles/artifactregistry.reader", "allUsers"),
    rule("all", sourceRanges=["0.0.0.0/0"]), rule("tagged", sourceRanges=["10.0.0.0/8"], targetTags=["node"]),
    rule("others", sourceRanges=["0.0.0.0/0"], targetTags=["db"]), rule("off", sourceRanges=["0.0.0.0/0"], disabled=True),
    rule("out", direction="EGRESS"), rule("inner", sourceTags=["web"]),
    policy(f"{HOLDER}/Project", "projects/shop", "roles/artifactregistry.reader", "serviceAccount:nodes@shop.iam.gserviceaccount.com"),
    policy(f"{HOLDER}/Folder", "folders/5", "roles/editor", "serviceAccount:nodes@shop.iam.gserviceaccount.com", ABOVE[1:]),
    policy(f"{HOLDER}/Organization", "organizations/9", ancestors=ABOVE[2:]),
]  # fmt: skip


def read(folder: Path, *records: Any) -> Snapshot:
    path = folder / "assets.ndjson"
    path.write_text("\n".join(json.dumps(item) for item in records))
    return gcp.read(str(path))


def data(snapshot: Snapshot, kind: str, name: str) -> Any:
    [found] = [item.data for item in snapshot.resources if item.ref.kind == kind and item.ref.name == name]
    return found


def said(snapshot: Snapshot) -> dict[tuple[str, str], Outcome]:
    controls = tuple(item for item in catalogue().controls if item.id.startswith("cloud.gcp."))
    found = evaluate(snapshot, Request(catalogue(), controls, keep_passes=True)).findings
    return {(item.control.removeprefix("cloud.gcp."), item.resource.name): item.outcome for item in found}


def test_an_export_of_assets_is_tied_together(tmp_path: Path) -> None:
    found = read(tmp_path, *FULL)
    assert found.gaps == ()
    rules = data(found, "GkeCluster", "main")["firewallRules"]
    assert [(item["name"], item["sourceRanges"]) for item in rules] == [
        ("all", ["0.0.0.0/0"]), ("tagged", ["10.0.0.0/8"]), ("inner", []),
    ]  # fmt: skip
    assert data(found, "GkeNodePool", "pool")["serviceAccountRoles"] == [
        "roles/artifactregistry.reader",
        "roles/editor",
    ]
    assert data(found, "GcpProject", "shop")["enabledServices"] == ["containerscanning.googleapis.com"]
    assert data(found, "ArtifactRepository", "app")["bindings"][0]["members"] == ["allUsers"]
    assert data(found, "ArtifactRepository", "own")["bindings"] == []
    assert {item.ref.origin for item in found.resources} == {"gcp://shop"}


def test_its_verdicts_are_right(tmp_path: Path) -> None:
    found = said(read(tmp_path, *FULL))
    assert found["gke-abac", "main"] is Outcome.FAIL
    assert found["gke-shielded", "main"] is Outcome.PASS
    assert found["gke-node-firewall", "main"] is Outcome.FAIL
    assert found["gke-registry-readonly", "pool"] is Outcome.FAIL
    assert found["gke-auto-repair", "pool"] is Outcome.PASS
    assert found["gke-registry-public", "app"] is Outcome.FAIL
    assert found["gke-registry-public", "own"] is Outcome.PASS
    assert found["gke-image-scanning", "shop"] is Outcome.PASS


def test_what_an_export_does_not_hold_is_an_error_and_a_gap_that_names_it(tmp_path: Path) -> None:
    whole = said(read(tmp_path, *FULL))
    for left in range(len(FULL)):
        snapshot = read(tmp_path, *FULL[:left], *FULL[left + 1 :])
        for key, outcome in said(snapshot).items():
            # Leaving a rule or a grant out of a complete export cannot be seen; leaving out what ties them can.
            if outcome is Outcome.PASS and FULL[left]["assetType"] != "compute.googleapis.com/Firewall":
                assert whole[key] is Outcome.PASS, (FULL[left]["name"], key)
    bare = read(tmp_path, FULL[0])
    found = said(bare)
    for key in (("gke-node-firewall", "main"), ("gke-registry-readonly", "pool"), ("gke-image-scanning", "shop")):
        assert found[key] is Outcome.ERROR
    assert {kind for gap in bare.gaps for kind in gap.hides} == {"GkeCluster", "GkeNodePool", "GcpProject"}
    assert all(gap.hint.startswith("add the export: ") for gap in bare.gaps)


def test_lists_of_gcloud_are_read_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "clusters.json").write_text(json.dumps([CLUSTER]))
    (tmp_path / "services.json").write_text(
        json.dumps([{"name": "projects/shop/services/a.googleapis.com", "state": "ENABLED"}])
    )
    (tmp_path / "repositories.json").write_text(json.dumps([{"name": f"{PLACE}/repositories/app", "format": "DOCKER"}]))
    link = "https://www.googleapis.com/compute/v1/projects/shop/global/firewalls/all"
    wide = {
        "kind": "compute#firewall",
        "name": "all",
        "selfLink": link,
        "network": "x/networks/vpc",
        "sourceRanges": ["::/0"],
    }
    (tmp_path / "firewalls.json").write_text(json.dumps([wide]))
    found = gcp.read(str(tmp_path))
    assert data(found, "GkeCluster", "main")["firewallRules"] == [{"name": "all", "sourceRanges": ["::/0"]}]
    assert data(found, "GcpProject", "shop")["enabledServices"] == ["a.googleapis.com"]
    assert "bindings" not in data(found, "ArtifactRepository", "app")


def test_what_is_of_another_shape_ends_no_reading(tmp_path: Path) -> None:
    odd: list[Any] = [
        {"assetType": "container.googleapis.com/Cluster"}, {"assetType": 7, "name": []}, {"selfLink": {}}, {"name": None},
        asset("container.googleapis.com/Cluster", f"{PLACE}/clusters/x", {"nodePools": {"a": 1}, "networkConfig": 3}),
        asset("compute.googleapis.com/Firewall", "projects/shop/global/firewalls/x", {"sourceRanges": 5, "targetTags": "x"}),
        {"assetType": "container.googleapis.com/NodePool", "name": "//x/" + f"{PLACE}/clusters/x/nodePools/y", "resource": {"data": []}},
        {"assetType": f"{HOLDER}/Project", "name": "//x/projects/shop", "iamPolicy": {"bindings": [3, {"members": {}}]}, "ancestors": "x"},
    ]  # fmt: skip
    found = read(tmp_path, *odd)
    assert any("have no data" in gap.reason for gap in found.gaps)
    said(found)


def test_nothing_of_ours_is_a_gap(tmp_path: Path) -> None:
    [gap] = read(tmp_path, {"a": 1}).gaps
    assert set(gap.hides) == set(gcp.KINDS)
