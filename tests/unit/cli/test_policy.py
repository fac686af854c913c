"""``bulkhead policy`` as a user meets it: suites, queries and manifests, exit codes, and what is refused aloud."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from bulkhead.cli.main import main
from tests.unit.engines.gatekeeper.things import cel, pod, template

MODULE_0 = 'package shop\n\ndeny[msg] { input.kind == "Pod"; msg := "no pods" }\n'
TESTS_0 = (
    'package shop\n\ntest_pods { deny["no pods"] with input as {"kind": "Pod"} }\n\ntest_wrong { count(deny) == 7 }\n'
)
MODULE_1 = 'package shop\n\ndeny contains "no pods" if input.kind == "Pod"\n\nsecret := data.shop_data.key\n'
CONSTRAINT = {
    "apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "RequiredLabels", "metadata": {"name": "owner"},
    "spec": {"parameters": {"labels": ["owner"]}},
}  # fmt: skip
SUITE = """\
apiVersion: test.gatekeeper.sh/v1alpha1
kind: Suite
tests:
- name: owner
  template: template.yaml
  constraint: constraint.yaml
  cases:
  - {name: bad, object: bad.yaml, assertions: [{violations: yes, message: 'provide labels: .*owner'}]}
  - {name: good, object: good.yaml, assertions: [{violations: no}]}
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(name: str, value: Any) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(value if isinstance(value, str) else yaml.safe_dump(value))


def gator() -> None:
    put("p/template.yaml", template())
    put("p/constraint.yaml", CONSTRAINT)
    put("p/bad.yaml", pod())
    put("p/good.yaml", pod(owner="ada"))
    put("p/suite.yaml", SUITE)


def lines(capsys: pytest.CaptureFixture[str]) -> list[Any]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_suites_run_unmodified(capsys: pytest.CaptureFixture[str]) -> None:
    gator()
    assert main(["policy", "test", "p"]) == 0
    assert capsys.readouterr().out == "2 pass\n"
    put("p/good.yaml", pod())
    assert main(["policy", "test", "p/suite.yaml"]) == 1
    assert "fail     suite.yaml owner/good[0]: 1 violations, no wanted" in capsys.readouterr().out
    put("p/template.yaml", template("package p\n\nviolation[{"))
    assert main(["policy", "test", "p", "--format", "json"]) == 3
    *_, told, counts = lines(capsys)
    assert told["outcome"] == "refused"
    assert counts["counts"]["pass"] == 0


def test_a_suite_reads_nothing_outside(capsys: pytest.CaptureFixture[str]) -> None:
    gator()
    put("secret.yaml", pod(owner="x"))
    put("p/suite.yaml", SUITE.replace("good.yaml", "../secret.yaml"))
    assert main(["policy", "test", "p"]) == 3
    assert "outside" in capsys.readouterr().out


def test_rules_of_rego_are_run_and_what_is_not_true_fails(capsys: pytest.CaptureFixture[str]) -> None:
    put("r/shop.rego", MODULE_0)
    put("r/shop_test.rego", TESTS_0)
    assert main(["policy", "test", "r"]) == 1
    assert capsys.readouterr().out == "fail     shop_test.rego data.shop.test_wrong: it is not true\n1 pass, 1 fail\n"
    assert main(["policy", "test", "r", "--rego-version", "1"]) == 3
    put("none/a.yaml", pod())
    assert main(["policy", "test", "none"]) == 2
    put("k/kyverno-test.yaml", {"apiVersion": "cli.kyverno.io/v1alpha1", "kind": "Test"})
    assert main(["policy", "test", "k"]) == 3
    assert "not run here yet" in capsys.readouterr().out


def test_a_query_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    put("m.rego", MODULE_1)
    put("d.json", '{"shop_data": {"key": "k"}}')
    put("i.yaml", {"kind": "Pod"})
    words = ["policy", "eval", "-d", "m.rego", "-d", "d.json", "-i", "i.yaml", "--format", "json"]
    assert main([*words, "data.shop.deny"]) == 0
    assert lines(capsys) == [{"result": [["no pods"]]}]
    assert main([*words, "data.shop.secret"]) == 0
    assert lines(capsys) == [{"result": ["k"]}]
    assert main([*words, 'x = data.shop.deny[_]; y = "z"']) == 0
    assert lines(capsys) == [{"result": [{"x": "no pods", "y": "z"}]}]
    assert main(["policy", "eval", "data.nothing"]) == 0
    assert capsys.readouterr().out == "undefined\n"
    assert main([*words, "data.shop.deny", "--profile"]) == 0
    assert "times  " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x = "], "B310"),
        (["no_such(1)"], "undefined function"),
        (["1/0", "--strict"], "divide by zero"),
        (["numbers.range(1, 90000000)"], "no answer"),
        (["data.x", "-d", "two.yaml", "-d", "two.yaml"], "there already"),
        (["data.x", "-i", "two.yaml"], "input is one"),
        (["data.x", "-d", "broken.yaml"], "not read: broken.yaml"),
    ],
)
def test_what_cannot_be_answered_is_no_answer(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    put("two.yaml", "a: 1\n---\nb: 1\n")
    put("broken.yaml", "a: [")
    assert main(["policy", "eval", *words]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


def test_policies_are_held_against_manifests(capsys: pytest.CaptureFixture[str]) -> None:
    gator()
    put(
        "q/warn.yaml",
        {
            **CONSTRAINT,
            "metadata": {"name": "soft"},
            "spec": {"enforcementAction": "warn", "parameters": {"labels": ["team"]}},
        },
    )
    put("o/pods.yaml", yaml.safe_dump_all([pod(owner="a"), pod("bare"), {"no": "object"}]))
    assert main(["policy", "apply", "p/template.yaml", "p/constraint.yaml", "q", "--to", "o"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        'deny        RequiredLabels/owner  Pod/shop/bare (pods.yaml)  you must provide labels: {"owner"}',
        'warn        RequiredLabels/soft  Pod/shop/bare (pods.yaml)  you must provide labels: {"team"}',
        'warn        RequiredLabels/soft  Pod/shop/web (pods.yaml)  you must provide labels: {"team"}',
        "2 policies, 2 objects: 1 deny, 2 warn",
    ]
    assert "1 documents are no objects of Kubernetes" in err
    assert main(["policy", "apply", "p/template.yaml", "q", "--to", "o"]) == 0
    assert main(["policy", "apply", "p/template.yaml", "q", "--to", "o", "--fail-on", "warn"]) == 1
    capsys.readouterr()


def test_vap_is_applied_with_its_binding_and_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "names"},
        "spec": {
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}, "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]},
            "validations": [{"expression": "object.metadata.name != params.data.name", "message": "not this name"}],
        },
    }  # fmt: skip
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "all"},
        "spec": {"policyName": "names", "validationActions": ["Deny", "Audit"], "paramRef": {"name": "p", "namespace": "shop", "parameterNotFoundAction": "Deny"}},
    }  # fmt: skip
    parameter = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "p", "namespace": "shop"},
        "data": {"name": "bare"},
    }
    put("v/all.yaml", yaml.safe_dump_all([binding, policy, parameter]))
    put("o/pods.yaml", yaml.safe_dump_all([pod("bare"), pod("other")]))
    assert main(["policy", "apply", "v", "--to", "o", "--format", "json"]) == 1
    assert [(told["object"], told["action"], told["message"]) for told in lines(capsys)] == [
        ("Pod/shop/bare", "deny", "not this name"), ("Pod/shop/bare", "audit", "not this name"),
    ]  # fmt: skip


def test_what_is_not_spoken_is_refused_aloud(capsys: pytest.CaptureFixture[str]) -> None:
    put("p/a.yaml", yaml.safe_dump_all([
        {"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": "k"}},
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy", "metadata": {"name": "m"}},
        {"apiVersion": "externaldata.gatekeeper.sh/v1beta1", "kind": "Provider", "metadata": {"name": "e"}},
        CONSTRAINT, cel("object.", kind="Broken"), template(kind="Alone"),
            template(kind="Alone"),
    ]))  # fmt: skip
    put("o/pod.yaml", pod())
    assert main(["policy", "apply", "p", "--to", "o"]) == 3
    err = capsys.readouterr().err
    for said in (
        "ClusterPolicy/k: policies of Kyverno",
        "MutatingAdmissionPolicy/m",
        "Provider/e",
        "no ConstraintTemplate for RequiredLabels",
        "ConstraintTemplate/broken",
        "Alone has no constraint",
        "another template of this name",
    ):
        assert said in err


def test_an_error_is_no_pass(capsys: pytest.CaptureFixture[str]) -> None:
    put("p/t.yaml", cel("object.metadata.annotations.absent == 'x'"))
    put("p/c.yaml", {**CONSTRAINT, "kind": "ByCel", "spec": {}})
    put("o/pod.yaml", pod())
    assert main(["policy", "apply", "p", "--to", "o"]) == 3
    assert "deny, error" in capsys.readouterr().out
    assert main(["policy", "apply", "nowhere", "--to", "o"]) == 2
