"""Plans for live worlds: limits, waves, windows, records, and what belongs somewhere else. Pure: no world is asked."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bulkhead.core.control import MitigationClass
from bulkhead.core.errors import PlanRefused
from bulkhead.core.plan import Plan, Rollout, Step, Window
from bulkhead.core.resource import Ref, Resource, Snapshot
from bulkhead.mitigation import live, patches, records, rollout
from bulkhead.mitigation.channels import docker, kubernetes, node
from bulkhead.mitigation.choosing import Consent
from bulkhead.mitigation.operations import DoesNotApply
from bulkhead.posture.evaluate import Request, evaluate
from bulkhead.posture.world import World
from tests.catalogue_check import catalogue


def step(
    name: str, *, risk: Any = "none", namespace: str = "shop", new: bool = False, verify: tuple[str, ...] = ()
) -> Step:
    return Step(
        id=name, channel="kubernetes", target=name, limit=1, needs=(), before=None if new else b"{}", change=b"[]", repairs=(), verify=verify or (name,),
        undo="", ref=Ref(source="kubernetes", kind="X", namespace=namespace, name=name, origin="c"), risk=risk,
    )  # fmt: skip


# Limits and waves.


def test_the_canary_is_what_risks_least_and_nothing_is_lost() -> None:
    steps = [step("a", risk="outage"), step("b"), step("c", risk="restart")]
    waves = rollout.in_waves(steps, Rollout(canary=1))
    assert [(item.id, item.wave) for item in waves] == [("b", 0), ("a", 1), ("c", 1)]
    assert {item.wave for item in rollout.in_waves(steps, Rollout(canary=0))} == {0}
    assert {item.wave for item in rollout.in_waves(steps, Rollout(canary=3))} == {0}


@pytest.mark.parametrize(("share", "living", "allowed"), [(100, 4, 4), (50, 4, 2), (10, 4, 1), (1, 1, 1)])
def test_a_share_of_a_group_is_taken_and_never_less_than_one(share: int, living: int, allowed: int) -> None:
    steps = [step(str(number)) for number in range(living)]
    kept, left = rollout.within(steps, Rollout(share=share), {("c", "shop"): living})
    assert len(kept) == allowed
    assert set(left) == {item.id for item in steps} - {item.id for item in kept}


def test_what_is_new_takes_no_share_and_half_of_a_repair_is_none() -> None:
    steps = [step("a"), step("b", new=True, verify=("f",)), step("c", new=True, verify=("f",)), step("d")]
    kept, left = rollout.within(steps, Rollout(share=1, most=2), {("c", "shop"): 4})
    assert [item.id for item in kept] == ["a"]
    assert set(left) == {"b", "c", "d"}
    assert left["b"] == "another step of the same repair is left"


# Windows.


@pytest.mark.parametrize(
    ("window", "now", "open_"),
    [
        (Window(start="22:00", end="04:00"), "2026-11-27T23:00:00+00:00", True), (Window(start="22:00", end="04:00"), "2026-11-27T04:00:00+00:00", False),
        (Window(days=("fri",), start="22:00", end="04:00"), "2026-11-28T03:59:00+00:00", True), (Window(days=("sat",), start="22:00", end="04:00"), "2026-11-28T03:59:00+00:00", False),
        (Window(days=("fri",)), "2026-11-27T00:00:00+00:00", True), (Window(start="12:00", end="13:00", zone="Europe/Zurich"), "2026-11-27T11:30:00+00:00", True),
        (Window(start="12:00", end="13:00", zone="Europe/Zurich"), "2026-07-27T11:30:00+00:00", False), (Window(start="10:00", end="24:00"), "2026-11-27T23:59:00+00:00", True),
    ],
)  # fmt: skip
def test_windows(window: Window, now: str, open_: bool) -> None:
    said = rollout.closed(step("a", risk="restart"), Rollout(windows=(window,)), now)
    assert (said == "") is open_
    assert rollout.closed(step("a"), Rollout(windows=(window,)), now) == ""


@pytest.mark.parametrize(
    "window",
    [
        Window(days=("someday",)),
        Window(start="25:00"),
        Window(end="12"),
        Window(zone="Mars/Olympus"),
        Window(start="1:99"),
    ],
)
def test_a_window_that_cannot_be_understood_is_refused_and_not_open(window: Window) -> None:
    with pytest.raises(PlanRefused):
        rollout.check((window,))


# Methods.


def container(**host: Any) -> dict[str, Any]:
    return {
        "Name": "/a",
        "Config": {},
        "HostConfig": host,
        "Mounts": [],
        "NetworkSettings": {"Networks": {"bridge": {}}},
    }


@pytest.mark.parametrize(
    ("path", "method"),
    [
        (("HostConfig", "Memory"), "update"),
        (("NetworkSettings", "Networks", "x"), "networks"),
        (("HostConfig", "Privileged"), "recreate"),
        (("Config", "User"), "recreate"),
    ],
)
def test_the_gentlest_method_is_taken(path: tuple[str, ...], method: str) -> None:
    assert docker.container_method(container(), frozenset({path})).name == method


def test_making_anew_asks_a_person_whatever_the_class() -> None:
    assert (
        docker.container_method(container(), frozenset({("HostConfig", "Privileged")})).asks is MitigationClass.PROPOSE
    )


@pytest.mark.parametrize(
    "record", [container(AutoRemove=True), {**container(), "Config": {"Labels": {"io.kubernetes.pod.name": "x"}}}]
)
def test_what_could_not_come_back_is_left(record: dict[str, Any]) -> None:
    with pytest.raises(DoesNotApply):
        docker.container_method(record, frozenset({("HostConfig", "Privileged")}))


def test_the_order_in_which_an_engine_tells_mounts_says_nothing() -> None:
    one, two = {"Destination": "/a"}, {"Destination": "/b"}
    assert docker.container({**container(), "Mounts": [one, two]}) == docker.container(
        {**container(), "Mounts": [two, one]}
    )


def test_a_setting_of_the_command_line_is_not_written_into_the_file() -> None:
    record = {"config": {"icc": True}, "config_file": "/etc/docker/daemon.json", "flags": ["icc"]}
    with pytest.raises(DoesNotApply, match="command line sets icc"):
        node.daemon_method(record, frozenset({("config", "icc")}))
    assert node.daemon_method({**record, "flags": []}, frozenset({("config", "icc")})).name == "restart"
    assert node.daemon_method(record, frozenset({("config", "live-restore")})).name == "reload"


def test_differences_are_as_deep_as_mappings_go() -> None:
    assert set(records.differences({"a": {"b": 1, "c": [1]}, "d": 1}, {"a": {"b": 2, "c": [2]}, "e": 1})) == {
        ("a", "b"),
        ("a", "c"),
        ("d",),
        ("e",),
    }
    assert set(records.differences({"a": True}, {"a": 1})) == {("a",)}


# Owners.


@pytest.mark.parametrize(
    ("metadata", "tool"),
    [
        ({}, None), ({"labels": {"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "r"}}, kubernetes.Owner("Helm", "r")),
        ({"labels": {"app.kubernetes.io/instance": "r"}}, None), ({"managedFields": [{"manager": "kustomize-controller"}]}, kubernetes.Owner("Flux")),
        ({"managedFields": [{"manager": "kubectl"}]}, None),
    ],
)  # fmt: skip
def test_who_keeps_an_object(metadata: dict[str, Any], tool: kubernetes.Owner | None) -> None:
    assert kubernetes.owner({"metadata": metadata}) == tool


def test_a_patch_says_what_differs_and_nothing_else() -> None:
    before = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "n"},
        "spec": {"containers": [{"name": "a", "image": "x", "env": [{"name": "A", "value": "1"}]}, {"name": "b"}]},
    }
    after = msgspec.json.decode(msgspec.json.encode(before))
    after["spec"]["containers"][0]["securityContext"] = {"privileged": False}
    del after["spec"]["containers"][0]["env"]
    found = patches.difference(before, after)
    assert found == {"spec": {"containers": [{"name": "a", "env": None, "securityContext": {"privileged": False}}]}}
    text = patches.text(before, after, why="line one\nline two")
    assert text.startswith("# line one line two\n")
    assert "image" not in text


# Plans.


def planned(
    *resources: Resource,
    controls: tuple[str, ...],
    consent: MitigationClass = MitigationClass.AUTO,
    limits: Rollout | None = None,
) -> Plan:
    chosen = [item for item in catalogue().controls if item.id in controls]
    snapshot = Snapshot(tuple(resources))
    assessment = evaluate(snapshot, Request(catalogue(), chosen))
    return live.make(World(snapshot), assessment, Consent(consent), limits or Rollout(), tenant="t", root="r")


def running(name: str, **host: Any) -> Resource:
    data = {**container(**host), "Name": f"/{name}", "Observed": {"pids": 3, "memory": {"usage": 1, "peak": 1}}}
    return Resource(Ref(source="docker", kind="DockerContainer", name=name, origin="docker://h"), data)


def test_a_harmless_class_does_not_stop_a_container() -> None:
    plan = planned(running("a"), controls=("container.privilege-escalation", "container.pids-limit"))
    assert [(item.method, item.risk) for item in plan.steps] == [("update", "none")]
    assert "propose: it takes a recreate of a" in plan.unfixed[0].reason
    plan = planned(
        running("a"),
        controls=("container.privilege-escalation", "container.pids-limit"),
        consent=MitigationClass.PROPOSE,
    )
    assert [(item.method, item.approval) for item in plan.steps] == [("recreate", "propose")]


def test_a_plan_is_the_same_for_the_same_world() -> None:
    one = planned(running("a"), running("b"), controls=("container.pids-limit",))
    two = planned(running("b"), running("a"), controls=("container.pids-limit",))
    assert one.id == two.id
    assert one.rollout == Rollout()


def test_an_object_of_another_shape_is_left_and_does_not_take_others_along() -> None:
    odd = Resource(
        Ref(source="docker", kind="DockerContainer", name="odd", origin="docker://h"),
        {**container(), "Mounts": 7, "Observed": {"pids": 1}},
    )
    plan = planned(odd, running("a"), controls=("container.pids-limit",))
    assert [item.target for item in plan.steps] == ["DockerContainer/a"]
