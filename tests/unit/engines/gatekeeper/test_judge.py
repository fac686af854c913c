"""Requests judged: what Rego sees, what CEL sees, and errors that are no pass."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.core.errors import ParseError
from bulkhead.engines.gatekeeper import judge
from bulkhead.engines.gatekeeper.model import of_object, of_review
from bulkhead.engines.rego.program import Budget
from tests.fakes.policies import review_of
from tests.unit.engines.gatekeeper.things import Cluster, cel, constraint, namespace, pod, template

LABELS = {"labels": ["owner", "team"]}


def said(rego: str, thing: Any = None, world: Cluster | None = None, **spec: Any) -> list[str]:
    found = judge(constraint(template(rego), **spec), of_object(thing or pod()), world or Cluster())
    return [item.message for item in found]


def seen(text: str, request: Any, world: Cluster | None = None) -> str:
    """What a policy sees at an expression."""
    rego = f'package p\n\nviolation[{{"msg": msg}}] {{ msg := json.marshal({text}) }}\n'
    [found] = judge(constraint(template(rego)), request, world or Cluster())
    assert not found.error, found
    return found.message


def test_a_violation_has_its_message_and_details() -> None:
    [found] = judge(constraint(parameters=LABELS), of_object(pod(team="a")), Cluster())
    assert (found.kind, found.name, found.message) == ("RequiredLabels", "c", 'you must provide labels: {"owner"}')
    assert found.details == {"missing": ["owner"]}
    assert not found.error
    assert judge(constraint(parameters=LABELS), of_object(pod(team="a", owner="b")), Cluster()) == ()


def test_what_it_is_not_about_it_says_nothing_of() -> None:
    asked = constraint(parameters=LABELS, match={"excludedNamespaces": ["shop"]})
    assert judge(asked, of_object(pod()), Cluster()) == ()


def test_the_review_is_seen_as_gatekeeper_shows_it() -> None:
    request = of_review(review_of(pod(), old=pod(a="b"), operation="UPDATE"))
    assert seen("input.review.operation", request) == '"UPDATE"'
    assert seen("input.review.kind", request) == '{"group":"","kind":"Pod","version":"v1"}'
    assert seen("input.review.oldObject.metadata.labels.a", request) == '"b"'
    assert seen("input.review.userInfo.username", request) == '"admin"'
    assert seen('object.get(input, "parameters", 1)', request) == "{}"
    deleted = of_review(review_of(None, old=pod(a="b"), operation="DELETE"))
    assert seen("input.review.object.metadata.labels", deleted) == '{"a":"b"}'
    alone = of_object(pod())
    assert seen("input.review.oldObject", alone) == "null"
    assert seen("input.review.operation", alone) == '""'
    world = Cluster(namespace("shop", team="x"))
    assert seen("input.review.namespaceObject.metadata.labels.team", alone, world) == '"x"'


def test_a_deletion_that_does_not_tell_what_is_refused() -> None:
    with pytest.raises(ParseError, match="oldObject"):
        of_review(review_of(pod(), operation="DELETE"))
    with pytest.raises(ParseError, match="kind"):
        of_object({"metadata": {}})


def test_the_inventory_is_data() -> None:
    rego = """package p

violation[{"msg": name}] {
    other := data.inventory.namespace[space]["v1"]["Pod"][name]
    other.metadata.labels.app == input.review.object.metadata.labels.app
    name != input.review.object.metadata.name
}
"""
    world = Cluster(pod("old", app="x"), pod("other", "elsewhere", app="y"), namespace("shop"))
    assert said(rego, pod("new", app="x"), world) == ["old"]
    assert seen('data.inventory.cluster["v1"].Namespace.shop.metadata.name', of_object(pod()), world) == '"shop"'


def test_libraries_are_the_template_s_own() -> None:
    library = 'package lib.words\n\nsaid(x) = y { y := sprintf("<%v>", [x]) }\n'
    rego = 'package p\n\nimport data.lib.words\n\nviolation[{"msg": words.said(input.review.object.metadata.name)}] { true }\n'
    assert [
        item.message for item in judge(constraint(template(rego, libs=[library])), of_object(pod()), Cluster())
    ] == ["<web>"]


def test_external_data_is_asked_through_the_port() -> None:
    rego = """package p

violation[{"msg": msg}] {
    images := [image | image := input.review.object.spec.containers[_].image]
    response := external_data({"provider": "checker", "keys": images})
    error := response.errors[_]
    msg := sprintf("%v", [error])
}
"""
    world = Cluster(
        providers={
            "checker": lambda keys: {
                "responses": [],
                "errors": [[key, "unsigned"] for key in keys],
                "status_code": 200,
                "system_error": "",
            }
        }
    )
    assert said(rego, world=world) == ['["nginx:1", "unsigned"]']
    assert world.asked == [("checker", ["nginx:1"])]
    [found] = judge(constraint(template(rego)), of_object(pod()), Cluster())
    assert found.error
    assert "no such provider" in found.message


@pytest.mark.parametrize(
    "rego",
    [
        'package p\n\nviolation[{"message": "x"}] { true }\n',
        'package p\n\nviolation[{"msg": 1}] { true }\n',
        "package p\n\nviolation[1] { true }\n",
        'package p\n\nviolation[{"msg": "x"}] { http.send({"method": "GET", "url": "http://a"}).status_code == 200 }\n',
        'package p\n\nviolation[{"msg": "x"}] { f(1) == 1 }\nf(x) = 1 { true }\nf(x) = 2 { true }\n',
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_a_violation_that_says_so(rego: str) -> None:
    [found] = judge(constraint(template(rego)), of_object(pod()), Cluster())
    assert found.error


def test_an_explosive_policy_ends_with_an_error() -> None:
    rego = 'package p\n\nviolation[{"msg": "x"}] { numbers.range(1, 4000)[_] + numbers.range(1, 4000)[_] == 0 }\n'
    [found] = judge(constraint(template(rego)), of_object(pod()), Cluster(), budget=Budget(steps=100_000))
    assert found.error


def test_a_namespace_that_cannot_be_looked_up_is_an_error_and_no_skip() -> None:
    [found] = judge(
        constraint(match={"namespaceSelector": {"matchLabels": {"a": "b"}}}), of_object(pod()), Cluster(blind=True)
    )
    assert found.error
    [unknown] = judge(constraint(match={"namespaceSelector": {"matchLabels": {"a": "b"}}}), of_object(pod()), Cluster())
    assert unknown.error


def test_cel_sees_parameters_the_object_and_what_is_deleted() -> None:
    text = "variables.anyObject.metadata.name in variables.params.labels"
    one = constraint(cel(text), parameters={"labels": ["web"]})
    assert judge(one, of_object(pod()), Cluster()) == ()
    assert judge(one, of_review(review_of(None, old=pod(), operation="DELETE")), Cluster()) == ()
    [found] = judge(one, of_object(pod("other")), Cluster())
    assert not found.error
    [deleted] = judge(one, of_review(review_of(None, old=pod("other"), operation="DELETE")), Cluster())
    assert not deleted.error
    null = constraint(cel("object == null || has(request.operation) && request.operation != 'DELETE'"))
    assert judge(null, of_review(review_of(None, old=pod(), operation="DELETE")), Cluster()) == ()


def test_an_error_of_cel_follows_the_failure_policy() -> None:
    text = "object.metadata.annotations.absent == 'x'"
    [found] = judge(constraint(cel(text)), of_object(pod()), Cluster())
    assert found.error
    assert judge(constraint(cel(text, failurePolicy="Ignore")), of_object(pod()), Cluster()) == ()


def test_operations_of_a_template_bound_it() -> None:
    asked = constraint(template(operations=["CREATE"]), parameters=LABELS)
    assert judge(asked, of_review(review_of(pod())), Cluster())
    assert judge(asked, of_review(review_of(pod(), old=pod(), operation="UPDATE")), Cluster()) == ()
    assert judge(asked, of_object(pod()), Cluster()), "what nobody asks for is judged all the same"
