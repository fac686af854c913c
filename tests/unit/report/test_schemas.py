"""Reports hold to the schemas that their readers publish."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import yaml

from bulkhead.core.finding import Waiver
from bulkhead.report import json, ocsf, policyreport, sarif
from bulkhead.report.model import FileChange, Fix, Report
from tests.corpora import folder
from tests.fakes.reports import finding, large, small
from tests.unit.report.test_injection import hostile, leaking


def validator_of_sarif() -> Any:
    path = folder("supply", "scanner-grype", "grype", "presenter", "sarif", "testdata", "sarif-schema-2.1.0.json")
    return jsonschema_rs.validator_for(msgspec.json.decode(path.read_bytes()), validate_formats=True)


@pytest.mark.parametrize("make", [small, hostile, leaking, lambda: large(300)])
def test_sarif_is_valid(make: Any) -> None:
    log = msgspec.json.decode(sarif.render(make()))
    assert [f"{error.instance_path}: {error.message}" for error in validator_of_sarif().iter_errors(log)] == []


def run_of(report: Report) -> dict[str, Any]:
    run: dict[str, Any] = msgspec.json.decode(sarif.render(report))["runs"][0]
    return run


def test_sarif_joins_rules_and_taxa() -> None:
    run = run_of(small())
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert result["ruleId"] == rules[result["ruleIndex"]]["id"]
    for rule in rules:
        for relation in rule["relationships"]:
            target = relation["target"]
            taxonomy = run["taxonomies"][target["toolComponent"]["index"]]
            assert target["toolComponent"]["name"] == taxonomy["name"]
            assert target["id"] == taxonomy["taxa"][target["index"]]["id"]


def test_sarif_tells_gaps_waivers_and_fixes() -> None:
    run = run_of(small())
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert [
        note["descriptor"]["id"] for note in invocation["toolExecutionNotifications"] if note["level"] == "error"
    ] == ["helm-missing", "B220"]
    assert sum("suppressions" in result for result in run["results"]) == 1
    fixes = [fix for result in run["results"] for fix in result.get("fixes", [])]
    replacement = fixes[0]["artifactChanges"][0]["replacements"][0]
    assert (replacement["deletedRegion"]) == {
        "byteOffset": 240,
        "byteLength": 0,
        "startLine": 13,
        "startColumn": 1,
        "endLine": 13,
        "endColumn": 1,
    }
    assert "runAsNonRoot: true" in replacement["insertedContent"]["text"]


def test_sarif_fix_applies() -> None:
    """A consumer that follows the standard gets the repaired bytes."""
    source = b"a: 1\nb: wrong\nc: 3\n"
    first = finding()
    change = FileChange(
        path="x.yaml", start_line=2, start_column=4, end_line=2, end_column=9, start_byte=8, end_byte=13,
        inserted_text="right",
    )  # fmt: skip
    report = msgspec.structs.replace(
        small(), findings=(first,), fixes={first.fingerprint: (Fix(description="x", changes=(change,)),)}
    )
    replacement = run_of(report)["results"][0]["fixes"][0]["artifactChanges"][0]["replacements"][0]
    region, text = replacement["deletedRegion"], replacement["insertedContent"]["text"]
    start = region["byteOffset"]
    assert source[:start] + text.encode() + source[start + region["byteLength"] :] == b"a: 1\nb: right\nc: 3\n"


def test_sarif_leaves_out_a_fix_that_would_carry_a_secret() -> None:
    assert not [result for result in run_of(leaking())["results"] if "fixes" in result]


def test_sarif_suppression_kinds() -> None:
    waivers = {"comment: checkov:skip": "inSource", "deploy/web.yaml:3": "inSource", "exceptions.yaml": "external"}
    for origin, kind in waivers.items():
        report = msgspec.structs.replace(small(), findings=(finding(waiver=Waiver(reason="r", origin=origin)),))
        assert kind == run_of(report)["results"][0]["suppressions"][0]["kind"]


@pytest.mark.parametrize("make", [small, hostile, leaking, lambda: large(1200)])
def test_policyreport_fits_the_crd(make: Any) -> None:
    crds = folder("posture", "policyreport", "crd", "v1alpha2")
    validators = {}
    for path in crds.glob("wgpolicyk8s.io_*.yaml"):
        crd = yaml.safe_load(path.read_text())
        version = next(version for version in crd["spec"]["versions"] if version["name"] == "v1alpha2")
        kind = crd["spec"]["names"]["kind"]
        validators[kind] = jsonschema_rs.validator_for(strict(version["schema"]["openAPIV3Schema"]))
    for document in yaml.load_all(policyreport.render(make()), yaml.CSafeLoader):
        errors = validators[document["kind"]].iter_errors(document)
        assert [f"{error.instance_path}: {error.message}" for error in errors] == []
        assert sum(document["summary"].values()) == len(document["results"]) <= policyreport.PER_REPORT


def strict(schema: Any) -> Any:
    """The CRD's schema with unknown fields refused, which an API server would prune without a word."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: strict(item) for key, item in schema.items() if not key.startswith("x-kubernetes") and key != "format"}
    if isinstance(out.get("properties"), dict) and out.get("type") == "object":
        out["additionalProperties"] = False
    if out.get("type") == "object" and "properties" not in out and "additionalProperties" not in out:
        out["additionalProperties"] = True
    return out


def test_policyreport_words() -> None:
    documents = list(yaml.safe_load_all(policyreport.render(small())))
    cluster, shop = documents
    assert cluster["summary"] == {"pass": 0, "fail": 1, "warn": 0, "error": 2, "skip": 0}
    assert shop["summary"] == {"pass": 0, "fail": 1, "warn": 2, "error": 1, "skip": 1}


def test_ocsf_has_what_the_class_requires() -> None:
    lines = [msgspec.json.decode(line) for line in ocsf.render(small()).splitlines()]
    assert len(lines) == 8
    for event in lines:
        assert {"activity_id", "category_uid", "class_uid", "type_uid", "time", "metadata", "severity_id"} <= set(event)
        assert (event["class_uid"], event["category_uid"], event["type_uid"]) == (2003, 2, 200301)
        assert event["class_uid"] * 100 + event["activity_id"] == event["type_uid"]
        assert {"uid", "title"} <= set(event["finding_info"])
        assert {"control", "status_id", "standards"} <= set(event["compliance"])
        assert event["time"] == 1795442401500
    assert [event["compliance"]["status_id"] for event in lines] == [3, 3, 0, 2, 99, 3, 0, 0]


def test_json_describes_every_field_it_writes() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "report-json.md").read_text()
    document = msgspec.json.decode(json.render(small()))
    named = {*document, *document["findings"][0], *document["gaps"][0], *next(iter(document["controls"].values()))}
    assert sorted(name for name in named if f"`{name}" not in text) == []
    assert [document["summary"]["severity"]["info"], document["summary"]["gaps"]] == [0, 2]


def test_json_of_nothing() -> None:
    empty = Report(tool_version="0", tenant="t", root="/", started="", finished="", profile="p")
    for render in (json.render, sarif.render, ocsf.render):
        render(empty)
    assert msgspec.json.decode(json.render(empty))["findings"] == []
