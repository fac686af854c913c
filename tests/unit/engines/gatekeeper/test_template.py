"""What a template may say, and what is refused in it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bulkhead.core.errors import BulkheadError, ExpressionError, ParseError
from bulkhead.engines.gatekeeper import compile_template
from tests.unit.engines.gatekeeper.things import REGO, cel, constraint, template


def changed(path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(template())
    holder: Any = made
    *steps, last = path.split(".")
    for step in steps:
        holder = holder[int(step) if step.isdigit() else step]
    holder[last] = value
    return made


def test_rego_of_both_versions_and_cel_are_taken() -> None:
    assert compile_template(template()).engine == "Rego"
    text = 'package p\n\nviolation contains {"msg": "no"} if input.review.object.kind == "Pod"\n'
    source = {"engine": "Rego", "source": {"rego": text, "version": "v1"}}
    assert compile_template(template("", code=[source])).rego is not None
    both = [source, {"engine": "K8sNativeValidation", "source": {"validations": [{"expression": "true"}]}}]
    assert compile_template(template("", code=both)).engine == "K8sNativeValidation"
    for version in ("v1beta1", "v1alpha1"):
        assert compile_template(changed("apiVersion", f"templates.gatekeeper.sh/{version}")).kind == "RequiredLabels"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("apiVersion", "templates.gatekeeper.sh/v2", "no ConstraintTemplate"),
        ("metadata.name", "labels", "requiredlabels"),
        ("spec.more", {}, "spec has no more"),
        ("spec.targets", [], "one target"),
        ("spec.targets.0.target", "elsewhere", "no target"),
        ("spec.targets.0.regos", "", "has no regos"),
        ("spec.targets.0.operations", ["PATCH"], "no operation"),
        ("spec.targets.0.rego", "", "no code"),
        ("spec.targets.0.code", [{"engine": "Wasm", "source": {}}], "no engine 'Wasm'"),
        ("spec.crd.spec.validation.openAPIV3Schema", {"typ": "object"}, "no typ"),
        ("spec.crd.spec.names.kind", "Required Labels", "kind of the constraints"),
    ],
)
def test_what_is_not_known_is_refused_and_told(path: str, value: Any, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        compile_template(changed(path, value))


@pytest.mark.parametrize(
    ("rego", "said"),
    [
        ("package p\n\ndeny[msg] { msg := 1 }\n", "no rule 'violation'"),
        ("package p\n\nviolation { true }\n", "set of violations"),
        ("package p\n\nviolation(x) { x }\n", "set of violations"),
        ("package lib.p\n\nviolation[{}] { true }\n", "below lib"),
        ('package p\n\nviolation[{"msg": "x"}] { data.other.secret }\n', r"data\[other\]"),
        ('package p\n\nimport data.system.tokens\n\nviolation[{"msg": "x"}] { tokens }\n', "data.system.tokens"),
        ('package p\n\nviolation[{"msg": "x"}] { data[input.parameters.which] }\n', "neither data.lib"),
    ],
)
def test_rego_that_gatekeeper_does_not_take_is_refused(rego: str, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        compile_template(template(rego))


def test_rego_that_does_not_compile_is_refused() -> None:
    with pytest.raises(ExpressionError):
        compile_template(template('package p\n\nviolation[{"msg": "x"}] { no_such_function(1) }\n'))
    with pytest.raises(ParseError, match="below lib"):
        compile_template(template(libs=["package other\n\nx = 1\n"]))


def test_two_templates_with_one_package_do_not_meet() -> None:
    first = compile_template(template(kind="One"))
    other = REGO.replace("count(missing) > 0", "count(missing) > 100")
    second = compile_template(template(other, kind="Two"))
    assert first.rego is not second.rego


@pytest.mark.parametrize(
    "source",
    [
        {"variables": [{"name": "params", "expression": "1"}]},
        {"variables": [{"name": "anyObject", "expression": "1"}]},
        {"variables": [{"name": "gatekeeper_internal_x", "expression": "1"}]},
        {"matchCondition": [{"name": "gatekeeper_internal_x", "expression": "true"}]},
        {"failurePolicy": "Perhaps"},
        {"validation": []},
    ],
)
def test_cel_with_names_of_gatekeeper_s_own_is_refused(source: dict[str, Any]) -> None:
    with pytest.raises(ParseError):
        compile_template(cel("true", **source))


@pytest.mark.parametrize("expression", ["object.", "nothing", "1 + 'a'", "object.metadata.name"])
def test_cel_that_the_api_server_refuses_is_refused(expression: str) -> None:
    if expression == "object.metadata.name":
        # Its type is not known before there is an object: it is found out then, and is no pass.
        assert compile_template(cel(expression)).cel is not None
        return
    with pytest.raises(BulkheadError):
        compile_template(cel(expression))


def test_parameters_follow_the_schema() -> None:
    assert constraint(parameters={"labels": ["a"]}).parameters == {"labels": ["a"]}
    wrong: list[Any] = [{"labels": "a"}, {"labels": [1]}, {"label": ["a"]}, ["a"]]
    for given in wrong:
        with pytest.raises(ParseError, match="schema"):
            constraint(parameters=given)
    open_ = template(schema="{type: object, x-kubernetes-preserve-unknown-fields: true}")
    assert constraint(open_, parameters={"anything": 1}).parameters == {"anything": 1}
    several = "{type: object, properties: {level: {type: string, default: high}, port: {x-kubernetes-int-or-string: true}, name: {type: string, nullable: true}}}"
    made = constraint(template(schema=several), parameters={"port": "80", "name": None})
    assert made.parameters == {"level": "high", "port": "80", "name": None}


def test_actions_are_told_for_each_point() -> None:
    assert constraint().actions["validation.gatekeeper.sh"] == ("deny",)
    assert set(constraint(enforcementAction="dryrun").actions.values()) == {("dryrun",)}
    scoped = [
        {"action": "warn", "enforcementPoints": [{"name": "*"}]},
        {"action": "deny", "enforcementPoints": [{"name": "validation.gatekeeper.sh"}]},
    ]
    made = constraint(enforcementAction="scoped", scopedEnforcementActions=scoped)
    assert made.actions["validation.gatekeeper.sh"] == ("warn", "deny")
    assert made.actions["audit.gatekeeper.sh"] == ("warn",)
    none = constraint(enforcementAction="scoped", scopedEnforcementActions=[])
    assert none.actions == {}
    wrong: list[dict[str, Any]] = [
        {"enforcementAction": "deni"},
        {"enforcementActions": "deny"},
        {
            "enforcementAction": "scoped",
            "scopedEnforcementActions": [{"action": "deny", "enforcementPoints": [{"name": "x"}]}],
        },
        {"match": {"namespace": ["a"]}},
        {"match": {"labelSelector": {"matchLabel": {}}}},
        {"match": {"scope": "namespaced"}},
        {"match": {"source": "Elsewhere"}},
    ]
    for spec in wrong:
        with pytest.raises(ParseError):
            constraint(**spec)
