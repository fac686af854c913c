"""The command line as a user meets it: exit codes, data on stdout, talk on stderr."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bulkhead.cli.main import main

SHOP = Path(__file__).resolve().parents[3] / "examples" / "shop"
GOOD = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: c, namespace: shop, labels: {app: a}}
data: {colour: blue}
"""
BAD = """\
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers: [{name: a, image: a, securityContext: {privileged: true}}]
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKHEAD_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "tree").mkdir()
    monkeypatch.chdir(tmp_path / "tree")


def put(name: str, text: str) -> None:
    Path(name).write_text(text)


def test_clean_is_0_findings_are_1_usage_is_2_unread_is_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "."]) == 0
    put("p.yaml", BAD)
    assert main(["scan", "."]) == 1
    assert main(["scan", ".", "--fail-on", "never", "--control", "container.privileged"]) == 0
    assert main(["scan", "nowhere"]) == 2
    assert main(["scan", ".", "--fail-on", "gigantic"]) == 2
    assert main(["scan", ".", "--control", "no.such.control"]) == 2
    assert main(["dance"]) == 2
    Path("p.yaml").unlink()
    put("q.yaml", "a: [")
    assert main(["scan", "."]) == 3
    capsys.readouterr()


def test_one_broken_file_does_not_hide_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    put("broken.yaml", "a: [")
    put("p.yaml", BAD)
    assert main(["scan", ".", "--format", "json", "--control", "container.privileged"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [gap["where"] for gap in report["gaps"]] == ["broken.yaml"]
    assert any(
        finding["control"] == "container.privileged" and finding["outcome"] == "fail" for finding in report["findings"]
    )


@pytest.mark.parametrize("wanted", ["json", "sarif", "junit", "html", "md", "policyreport", "ocsf", "csv", "table"])
def test_every_format_writes_to_a_file(wanted: str, capsys: pytest.CaptureFixture[str]) -> None:
    put("p.yaml", BAD)
    assert main(["scan", ".", "--format", wanted, "--output", "out", "--control", "container.*"]) == 1
    assert Path("out").stat().st_size > 200
    assert capsys.readouterr().out == ""


def test_fix_shows_apply_writes_undo_takes_back(capsys: pytest.CaptureFixture[str]) -> None:
    put("p.yaml", BAD)
    assert main(["fix", ".", "--control", "container.privileged"]) == 0
    assert "+" in capsys.readouterr().out
    assert Path("p.yaml").read_text() == BAD
    assert main(["fix", ".", "--control", "container.privileged", "--apply"]) == 0
    assert "privileged: false" in Path("p.yaml").read_text()
    assert main(["journal"]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert "applied" in line
    assert main(["journal", line.split()[0]]) == 0
    assert "-  containers" in capsys.readouterr().out
    assert main(["undo"]) == 0
    assert Path("p.yaml").read_text() == BAD
    assert main(["undo"]) == 2, "nothing is applied any more"


def test_a_baseline_counts_only_what_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    put("p.yaml", BAD)
    assert main(["scan", "."]) == 1
    assert main(["scan", ".", "--baseline", "--control", "container.privileged"]) == 0
    put("q.yaml", BAD.replace("name: p", "name: q"))
    assert main(["scan", ".", "--baseline", "--control", "container.privileged"]) == 1
    capsys.readouterr()


def test_settings_are_read_from_the_scanned_folder_and_refused_when_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    put("p.yaml", BAD)
    put("bulkhead.toml", 'fail_on = "never"\n')
    assert main(["scan", ".", "--control", "container.privileged"]) == 0
    put("bulkhead.toml", "fale_on = 1\n")
    assert main(["scan", "."]) == 2
    assert "fale_on" in capsys.readouterr().err


def test_paths_finds_the_way_and_the_cut(capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(SHOP, "shop")
    assert main(["paths", "shop"]) == 1
    out = capsys.readouterr().out
    assert "to admin cluster" in out
    assert "the fewest fixes" in out


def test_controls_answers_questions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["controls", "list", "--practice", "K4"]) == 0
    assert "k8s.network" in capsys.readouterr().out
    assert main(["controls", "explain", "CKV_K8S_16"]) == 0
    assert "How it is attacked" in capsys.readouterr().out
    assert main(["controls", "profiles"]) == 0
    assert "pss" in capsys.readouterr().out
    assert main(["controls", "stats", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["controls"] > 300
    assert main(["controls", "blindness", "container.privileged"]) == 0
    assert "0 verdicts turned to pass" in capsys.readouterr().out


def test_ones_own_controls_are_judged_too(capsys: pytest.CaptureFixture[str]) -> None:
    Path("own/mine").mkdir(parents=True)
    Path("own/mine/blind.yaml").write_text("""\
id: mine.blind
revision: 1
title: Pods have a label
severity: low
status: active
class: propose
applies_to: [Pod]
needs: {fields: [metadata.labels]}
check: {expression: "object.?metadata.?labels.?team.orValue('nobody') != ''", message: no team}
rationale: somebody has to be asked
attack: nobody notices
fix: add the label
maps_to: {}
examples:
  pass: [{object: {apiVersion: v1, kind: Pod, metadata: {name: p, labels: {team: a}}, spec: {containers: []}}}]
""")
    assert main(["controls", "list", "mine.*", "--catalogue", "own"]) == 0
    assert "mine.blind" in capsys.readouterr().out
    assert main(["controls", "blindness", "mine.blind", "--catalogue", "own"]) == 0


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for name in ("scan", "fix", "undo", "journal", "paths", "controls", "image", "demo"):
        assert f"  {name} " in out
        assert main([name, "--help"]) == 0
    assert main([]) == 2


def test_an_image_archive_is_judged(capsys: pytest.CaptureFixture[str]) -> None:
    put("broken.tar", "not a tar")
    assert main(["image", "scan", "broken.tar"]) == 3
    assert "broken.tar" in capsys.readouterr().out
