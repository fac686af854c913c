"""Mutators: where they put what, what they leave alone, and when they come to an end."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

from bulkhead.core.errors import BulkheadError, ParseError
from bulkhead.engines.gatekeeper.mutation import Mutator, compile_mutator, conflicts, mutate
from bulkhead.engines.gatekeeper.mutation import images as references
from bulkhead.engines.gatekeeper.mutation.apply import NotConverging
from bulkhead.engines.gatekeeper.mutation.mutators import Image
from bulkhead.engines.gatekeeper.mutation.paths import Field, Items, parse
from tests.unit.engines.gatekeeper.things import Cluster, pod

PODS = [{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}]


def mutator(kind: str = "Assign", name: str = "m", **spec: Any) -> Mutator:
    applies = {} if kind == "AssignMetadata" else {"applyTo": PODS}
    return compile_mutator({
        "apiVersion": "mutations.gatekeeper.sh/v1", "kind": kind, "metadata": {"name": name}, "spec": {**applies, **spec},
    })  # fmt: skip


def assign(location: str, value: Any, name: str = "m", **parameters: Any) -> Mutator:
    return mutator(name=name, location=location, parameters={"assign": {"value": value}, **parameters})


def after(*mutators: Mutator, thing: Any = None, world: Cluster | None = None, **more: Any) -> Any:
    given = thing or pod()
    before = copy.deepcopy(given)
    made = mutate(mutators, given, world or Cluster(), **more)
    assert given == before, "what is given stays as it is"
    return made.object


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("spec.replicas", (Field("spec"), Field("replicas"))),
        ("spec.containers[name: main].image", (Field("spec"), Field("containers"), Items("name", "main"), Field("image"))),
        ("spec.containers[name:*].image", (Field("spec"), Field("containers"), Items("name"), Field("image"))),
        ("spec.ports[port: 80]", (Field("spec"), Field("ports"), Items("port", 80))),
        ("spec.ports[port: '80']", (Field("spec"), Field("ports"), Items("port", "80"))),
        ('metadata.annotations."a.b/c \\" d"', (Field("metadata"), Field("annotations"), Field('a.b/c " d'))),
        (" spec . a ", (Field("spec"), Field("a"))),
    ],
)  # fmt: skip
def test_paths(text: str, path: Any) -> None:
    assert parse(text) == path


@pytest.mark.parametrize("text", ["spec.", ".spec", "spec..a", "spec[", "spec[name]", "spec[name:]", "spec[name: a", "spec[a: b][c: d]", "spec a", "spec.'a", "spec/a", "*", "a" * 5000])  # fmt: skip
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(ParseError):
        parse(text)


def test_values_are_put_where_the_path_says() -> None:
    assert after(assign("spec.securityContext.runAsNonRoot", True))["spec"]["securityContext"] == {"runAsNonRoot": True}
    assert after(assign("spec.containers[name: *].imagePullPolicy", "Always"))["spec"]["containers"] == [
        {"name": "main", "image": "nginx:1", "imagePullPolicy": "Always"}
    ]
    assert after(assign("spec.containers[name: other].image", "x"))["spec"]["containers"][1] == {
        "name": "other",
        "image": "x",
    }
    volume = {"name": "v", "emptyDir": {}}
    assert after(assign("spec.volumes[name: v]", volume))["spec"]["volumes"] == [volume]
    thing = pod()
    thing["spec"]["volumes"] = [{"name": "v", "hostPath": {"path": "/"}}, {"name": "w"}]
    assert after(assign("spec.volumes[name: v]", volume), thing=thing)["spec"]["volumes"] == [volume, {"name": "w"}]
    named = mutator(location="spec.hostname", parameters={"assign": {"fromMetadata": {"field": "namespace"}}})
    assert after(named)["spec"]["hostname"] == "shop"


def test_path_tests_bound_a_change() -> None:
    must = [{"subPath": "spec.containers[name: *].securityContext", "condition": "MustExist"}]
    assert after(assign("spec.containers[name: *].securityContext.privileged", False, pathTests=must)) == pod()
    never = [{"subPath": "spec.containers[name: *].image", "condition": "MustNotExist"}]
    assert after(assign("spec.containers[name: *].image", "x", pathTests=never)) == pod()
    none = [{"subPath": "spec.dnsPolicy", "condition": "MustNotExist"}]
    assert after(assign("spec.dnsPolicy", "None", pathTests=none))["spec"]["dnsPolicy"] == "None"


def test_labels_that_are_there_stay() -> None:
    label = mutator("AssignMetadata", location="metadata.labels.owner", parameters={"assign": {"value": "a"}})
    assert after(label)["metadata"]["labels"] == {"owner": "a"}
    assert after(label, thing=pod(owner="b"))["metadata"]["labels"] == {"owner": "b"}


def test_sets_are_merged_and_pruned() -> None:
    thing = pod()
    thing["spec"]["tolerations"] = ["a", 1, "b"]
    merge = mutator(
        "ModifySet",
        location="spec.tolerations",
        parameters={"operation": "merge", "values": {"fromList": ["b", "c", True]}},
    )
    assert after(merge, thing=thing)["spec"]["tolerations"] == ["a", 1, "b", "c", True]
    prune = mutator(
        "ModifySet", location="spec.tolerations", parameters={"operation": "prune", "values": {"fromList": ["b", True]}}
    )
    assert after(prune, thing=thing)["spec"]["tolerations"] == ["a", 1]
    assert after(prune) == pod()
    thing["spec"]["tolerations"] = {}
    with pytest.raises(ParseError, match="no list"):
        after(merge, thing=thing)


@pytest.mark.parametrize(
    ("reference", "parts", "made"),
    [
        ("nginx:1", ("registry.example", "", ""), "registry.example/nginx:1"),
        ("docker.io/library/nginx@sha256:" + "a" * 64, ("", "", ":2"), "docker.io/library/nginx:2"),
        ("localhost:5000/a/b:1", ("registry.example:443", "c/d", ""), "registry.example:443/c/d:1"),
        ("a/b", ("", "", "@sha256:" + "b" * 64), "a/b@sha256:" + "b" * 64),
    ],
)
def test_references_are_changed_in_parts(reference: str, parts: tuple[str, str, str], made: str) -> None:
    references.check(*parts)
    assert references.changed(reference, *parts) == made
    assert references.changed(made, *parts) == made


@pytest.mark.parametrize("parts", [("", "", ""), ("nodot", "", ""), ("a b.c", "", ""), ("", "A", ""), ("", "gcr.io/a", ""), ("", "", "1"), ("", "", ":a b"), ("", "", "@sha256:short")])  # fmt: skip
def test_what_is_no_part_of_a_reference(parts: tuple[str, str, str]) -> None:
    with pytest.raises(ParseError):
        references.check(*parts)


def test_images_are_assigned() -> None:
    image = mutator(
        "AssignImage", location="spec.containers[name: *].image", parameters={"assignDomain": "registry.example"}
    )
    assert after(image)["spec"]["containers"][0]["image"] == "registry.example/nginx:1"


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Assign", {"location": "metadata.labels.a", "parameters": {"assign": {"value": "x"}}}),
        ("Assign", {"location": "spec.a", "parameters": {"assign": {}}}),
        ("Assign", {"location": "spec.a", "parameters": {}}),
        ("Assign", {"location": "", "parameters": {"assign": {"value": 1}}}),
        ("Assign", {"location": "spec.a", "parameters": {"assign": {"value": 1, "fromMetadata": {"field": "name"}}}}),
        ("Assign", {"location": "spec.a", "parameters": {"assign": {"fromMetadata": {"field": "uid"}}}}),
        ("Assign", {"location": "spec.a", "parameters": {"assign": {"value": 1}, "assignIf": {}}}),
        ("Assign", {"location": "spec.a", "applyTo": [], "parameters": {"assign": {"value": 1}}}),
        ("Assign", {"location": "spec.a", "applyTo": [{"groups": ["*"], "versions": ["v1"], "kinds": ["Pod"]}], "parameters": {"assign": {"value": 1}}}),
        ("Assign", {"location": "spec.a[name: *]", "parameters": {"assign": {"value": {"name": "x"}}}}),
        ("Assign", {"location": "spec.a[name: x]", "parameters": {"assign": {"value": {"name": "y"}}}}),
        ("Assign", {"location": "spec.a[name: x].name", "parameters": {"assign": {"value": "y"}}}),
        ("Assign", {"location": "spec.a", "parameters": {"assign": {"value": 1}, "pathTests": [{"subPath": "spec.b", "condition": "MustExist"}]}}),
        ("Assign", {"location": "spec.a", "parameters": {"assign": {"value": 1}, "pathTests": [{"subPath": "spec", "condition": "MustNotExist"}, {"subPath": "spec.a", "condition": "MustExist"}]}}),
        ("Assign", {"location": "spec.a", "match": {"kind": ["Pod"]}, "parameters": {"assign": {"value": 1}}}),
        ("AssignMetadata", {"location": "metadata.name", "parameters": {"assign": {"value": "x"}}}),
        ("AssignMetadata", {"location": "metadata.labels.a", "parameters": {"assign": {"value": 1}}}),
        ("ModifySet", {"location": "spec.a", "parameters": {"operation": "add", "values": {"fromList": []}}}),
        ("ModifySet", {"location": "spec.a[name: x]", "parameters": {"values": {"fromList": []}}}),
        ("AssignImage", {"location": "spec.a", "parameters": {}}),
        ("AssignNothing", {"location": "spec.a", "parameters": {}}),
    ],
)  # fmt: skip
def test_mutators_that_gatekeeper_refuses(kind: str, spec: dict[str, Any]) -> None:
    with pytest.raises(ParseError):
        mutator(kind, **spec)


def test_a_path_through_what_is_no_object_is_an_error() -> None:
    with pytest.raises(ParseError, match="no object"):
        after(assign("spec.containers.name", "x"))
    with pytest.raises(ParseError, match="there is none"):
        after(assign("spec[name: x].y", "x"))


def test_match_kinds_and_operations_bound_a_mutator() -> None:
    creating = [{**PODS[0], "operations": ["CREATE"]}]
    made = mutator(location="spec.a", applyTo=creating, parameters={"assign": {"value": 1}})
    assert after(made, operation="CREATE") != pod()
    assert after(made, operation="UPDATE") == pod()
    assert after(made, operation="DELETE") == pod()
    other = mutator(location="spec.a", match={"namespaces": ["other"]}, parameters={"assign": {"value": 1}})
    assert after(other) == pod()
    blind = mutator(
        location="spec.a", match={"namespaceSelector": {"matchLabels": {"a": "b"}}}, parameters={"assign": {"value": 1}}
    )
    with pytest.raises(BulkheadError):
        after(blind, world=Cluster(blind=True))


def test_one_may_build_on_another_in_any_order() -> None:
    second = assign("spec.b.d", 2, name="a", pathTests=[{"subPath": "spec.b", "condition": "MustExist"}])
    first = assign("spec.b.c", 1, name="z")
    assert after(first, second)["spec"]["b"] == {"c": 1, "d": 2} == after(second, first)["spec"]["b"]


def test_what_does_not_come_to_an_end_is_told() -> None:
    image = mutator("AssignImage", location="spec.containers[name: *].image", parameters={"assignDomain": "a.b"})
    # Refused where it is compiled, for what it does here: its path becomes a domain, and is put behind it again.
    growing = msgspec.structs.replace(image, change=Image("", "gcr.io/x", ""))
    with pytest.raises(NotConverging, match="AssignImage/m"):
        after(growing)
    assert after(assign("spec.a", 1, name="m1"), assign("spec.a", 2, name="m2"))["spec"]["a"] == 2, (
        "the last has its way"
    )


def test_contradicting_locations_leave_both_out() -> None:
    one, other, third = (
        assign("spec.a.b", 1, name="one"),
        assign("spec.a[name: x].b", 1, name="other"),
        assign("spec.c", 1, name="third"),
    )
    assert conflicts([one, other, third]) == {
        ("Assign", "one"): ("Assign/other",),
        ("Assign", "other"): ("Assign/one",),
    }
    made = mutate([one, other, third], pod(), Cluster())
    assert made.object["spec"]["c"] == 1
    assert "a" not in made.object["spec"]
    assert made.applied == ("Assign/third",)
    assert set(made.left_out) == {("Assign", "one"), ("Assign", "other")}
    keys = assign("spec.l[name: x].a", 1, name="k1"), assign("spec.l[id: x].a", 1, name="k2")
    assert len(conflicts(keys)) == 2
    assert conflicts([assign("spec.a", 1, name="k1"), assign("spec.a.b", 1, name="k2")]) == {}


def external(failure: str = "Fail", source: str = "ValueAtLocation", **more: str) -> Mutator:
    data = {"provider": "p", "dataSource": source, "failurePolicy": failure, **more}
    return mutator(location="spec.containers[name: *].image", parameters={"assign": {"externalData": data}})


def test_external_data_takes_the_place_of_what_is_there() -> None:
    world = Cluster(providers={"p": lambda keys: {"responses": [[key, f"mirror/{key}"] for key in keys]}})
    assert after(external(), world=world)["spec"]["containers"][0]["image"] == "mirror/nginx:1"
    assert world.asked == [("p", ["nginx:1"])]
    assert (
        after(external(source="Username"), world=world, username="ada")["spec"]["containers"][0]["image"]
        == "mirror/ada"
    )
    wrong = Cluster(providers={"p": lambda keys: {"errors": [[key, "unknown"] for key in keys]}})
    with pytest.raises(ParseError, match="unknown"):
        after(external(), world=wrong)
    assert after(external("Ignore"), world=wrong)["spec"]["containers"][0]["image"] == "nginx:1"
    assert after(external("UseDefault", default="safe"), world=wrong)["spec"]["containers"][0]["image"] == "safe"
    with pytest.raises(ParseError, match="no such provider"):
        after(external())
    missing = Cluster(providers={"p": lambda _: {"responses": []}})
    with pytest.raises(ParseError, match="no answer"):
        after(external(), world=missing)
