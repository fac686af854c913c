"""Trees that somebody made to break us: each ends in a gap or an error with where and why, in little time, without a traceback."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from bulkhead.cli.main import main

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: x, namespace: %s}
spec:
  containers:
  - {name: c, image: "a:1", securityContext: {privileged: true}}
"""


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BULKHEAD_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    made = tmp_path / "tree"
    made.mkdir()
    monkeypatch.chdir(made)
    return made


def scanned(capsysbinary: pytest.CaptureFixture[bytes]) -> tuple[int, dict[str, Any]]:
    code = main(["scan", ".", "--format", "json", "--forget"])
    return code, json.loads(capsysbinary.readouterr().out)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("compose.yaml", "services: []\n"),
        ("compose.yaml", "services: {a: []}\n"),
        ("compose.yaml", "[]\n"),
        ("daemon.json", "[]"),
        ("t.yaml", 'AWSTemplateFormatVersion: "2010-09-09"\nResources: []\n'),
        ("t.yaml", 'AWSTemplateFormatVersion: "2010-09-09"\nResources: {"Fn::Transform": {Name: x}}\n'),
        ("k.yaml", "apiVersion: 1\nkind: Pod\nmetadata: {name: x}\n"),
        ("k.yaml", "apiVersion: v1\nkind: [Pod]\n"),
        ("k.yaml", "apiVersion: v1\nkind: List\nitems: {a: b}\n"),
        ("kustomization.yaml", "resources: [.]\n"),
        ("Dockerfile", "FROM a\n" + "ONBUILD " * 5000 + "RUN x\n"),
    ],
)
def test_what_has_not_its_shape_is_a_gap(
    tree: Path, capsysbinary: pytest.CaptureFixture[bytes], name: str, text: str
) -> None:
    (tree / name).write_text(text)
    code, report = scanned(capsysbinary)
    assert code == 3
    assert report["gaps"][0]["where"] in (name, ".")


def test_a_list_deep_in_lists_is_a_gap(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    value: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}
    for _ in range(9):
        value = {"apiVersion": "v1", "kind": "List", "items": [value]}
    (tree / "l.json").write_text(json.dumps(value))
    code, report = scanned(capsysbinary)
    assert code == 3
    assert report["gaps"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Dockerfile", "ARG X=ab\n" + "ARG X=${X}${X}\n" * 60 + "FROM ${X}\n"),
        ("Dockerfile", "FROM a\nENV " + "A=b " * 20_000 + "\n"),
        ("Dockerfile", "# hadolint ignore=DL3000\n" * 5_000 + "FROM a\n"),
        (
            "t.yaml",
            'AWSTemplateFormatVersion: x\nParameters: {P: {Type: String, Default: "' + "x" * 100_000 + '"}}\n'
            'Resources:\n  A: {Type: "AWS::ECS::TaskDefinition", Properties: {X: !Sub "' + "${P}" * 20_000 + '"}}\n',
        ),
        (
            "r.yaml",
            "---\n".join(
                "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n"
                f"metadata: {{name: r{number}, labels: {{a: b}}}}\n"
                "aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}\n"
                "rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]\n"
                for number in range(60)
            ),
        ),
    ],
)
def test_what_grows_out_of_itself_is_bounded(
    tree: Path, capsysbinary: pytest.CaptureFixture[bytes], name: str, text: str
) -> None:
    (tree / name).write_text(text)
    before = time.process_time()
    code, _ = scanned(capsysbinary)
    assert code in (0, 1, 3)
    assert time.process_time() - before < 20


@pytest.mark.parametrize("namespace", ["../../../evil", "/evil", "a/../../b", "..", '"a\\nb"'])
def test_no_file_is_made_from_a_name_that_leads_away(tree: Path, namespace: str) -> None:
    (tree / "p.yaml").write_text(POD % (namespace if namespace.startswith('"') else f'"{namespace}"'))
    assert main(["fix", ".", "--consent", "propose", "--apply"]) == 0
    assert {path.name for path in tree.rglob("*")} == {"p.yaml"}
    assert {path.name for path in tree.parent.iterdir()} <= {"tree", "state", "config"}


def test_a_file_name_that_is_no_text_is_scanned_and_left(tree: Path) -> None:
    name = os.fsencode(tree) + b"/\xff.yaml"
    Path(os.fsdecode(name)).write_text(POD % "n")
    (tree / "good.yaml").write_text(POD % "n")
    assert main(["fix", ".", "--apply"]) == 0
    assert Path(os.fsdecode(name)).read_text() == POD % "n"
    assert (tree / "good.yaml").read_text() != POD % "n"
    assert main(["undo"]) == 0
    assert (tree / "good.yaml").read_text() == POD % "n"


def test_a_lone_surrogate_in_a_value_is_told(tree: Path) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "\ud800"},
        "spec": {"containers": [{"name": "\udfff"}]},
    }
    (tree / "p.json").write_text(json.dumps(pod))
    for words in (["fix", ".", "--apply"], ["fix", ".", "--format", "json"], ["scan", "."], ["paths", "."]):
        assert main(words) in (0, 1, 3)


@pytest.mark.parametrize("text", ["a = " + "[" * 50_000, "\xff", 'exceptions = "/dev/zero"', "controls = 3"])
def test_settings_of_strangers_are_told(tree: Path, text: str) -> None:
    (tree / "bulkhead.toml").write_bytes(text.encode("latin-1"))
    assert main(["scan", "."]) == 2


def test_output_that_cannot_be_written_is_told(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", ".", "--output", str(tree / "none" / "x")]) == 3
    assert "No such file" in capsys.readouterr().err


def test_a_name_in_a_message_cannot_command_a_terminal(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "\x1b[31mred.yaml").write_text(POD % "n")
    main(["fix", "."])
    assert "\x1b" not in capsys.readouterr().err
