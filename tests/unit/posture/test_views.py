"""One container view over four platforms, and the way back into each."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.core.plan import Edit
from bulkhead.core.resource import UNKNOWN, Ref, Resource
from bulkhead.formats import recognise
from bulkhead.posture.views.model import ContainerView
from bulkhead.posture.views.pods import effective
from bulkhead.posture.world import views


def compose(**service: Any) -> ContainerView:
    data = {"services": {"app": service}}
    [view] = views(Resource(Ref(source="file", kind="Compose"), data))
    return view.containers[0]


def docker(**host: Any) -> ContainerView:
    data = {"Name": "/a", "Config": host.pop("Config", {}), "HostConfig": host, "Mounts": []}
    [view] = views(Resource(Ref(source="docker", kind="DockerContainer"), data))
    return view.containers[0]


@pytest.mark.parametrize(
    ("service", "path", "expected"),
    [
        ({"privileged": True}, ("securityContext", "privileged"), True),
        ({"read_only": True}, ("securityContext", "readOnlyRootFilesystem"), True),
        ({"cap_drop": ["ALL"]}, ("securityContext", "capabilities", "drop"), ["ALL"]),
        ({"security_opt": ["no-new-privileges"]}, ("securityContext", "allowPrivilegeEscalation"), False),
        ({"security_opt": ["no-new-privileges:false"]}, ("securityContext", "allowPrivilegeEscalation"), True),
        ({"security_opt": ["seccomp=unconfined"]}, ("securityContext", "seccompProfile", "type"), "Unconfined"),
        ({"user": "1000:2000"}, ("securityContext", "runAsGroup"), 2000),
        ({"user": "root"}, ("securityContext", "runAsUser"), 0),
        ({"user": "${USER_ID}"}, ("securityContext", "runAsUser"), UNKNOWN),
        ({"user": "${USER_ID:-1000}"}, ("securityContext", "runAsUser"), 1000),
        ({"mem_limit": "1g"}, ("resources", "limits", "memory"), str(2**30)),
        ({"deploy": {"resources": {"limits": {"cpus": "0.5"}}}}, ("resources", "limits", "cpu"), "0.5"),
    ],
)
def test_compose_says_the_same_in_its_own_words(service: dict[str, Any], path: tuple[str, ...], expected: Any) -> None:
    value: Any = compose(**service).data
    for part in path:
        value = value[part]
    assert value == expected or value is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80", {"containerPort": 80, "protocol": "TCP"}),
        ("8080:80", {"containerPort": 80, "hostPort": 8080, "protocol": "TCP"}),
        ("127.0.0.1:8080:80/udp", {"containerPort": 80, "hostPort": 8080, "hostIP": "127.0.0.1", "protocol": "UDP"}),
        ("[::1]:8080:80", {"containerPort": 80, "hostPort": 8080, "hostIP": "::1", "protocol": "TCP"}),
        ("127.0.0.1::80", {"containerPort": 80, "hostIP": "127.0.0.1", "protocol": "TCP"}),
        ("8000-8010:80-90", {"containerPort": 80, "hostPort": 8000, "protocol": "TCP"}),
    ],
)
def test_compose_ports(text: str, expected: dict[str, Any]) -> None:
    assert compose(ports=[text]).data["ports"] == [expected]


def test_a_port_that_cannot_be_read_keeps_its_place() -> None:
    ports = compose(ports=["${PORT}:80", "8080:80"]).data["ports"]
    assert ports[0] is UNKNOWN
    assert ports[1]["hostPort"] == 8080


@pytest.mark.parametrize(
    ("service", "op", "path", "value", "expected"),
    [
        ({"privileged": True}, "set", ("securityContext", "privileged"), False, ("set", ("services", "app", "privileged"), False)),
        ({}, "set", ("securityContext", "allowPrivilegeEscalation"), False, ("append", ("services", "app", "security_opt"), "no-new-privileges:true")),
        ({"security_opt": ["no-new-privileges:false"]}, "set", ("securityContext", "allowPrivilegeEscalation"), False, ("set", ("services", "app", "security_opt", 0), "no-new-privileges:true")),
        ({}, "set", ("resources", "limits", "memory"), "256Mi", ("set", ("services", "app", "deploy", "resources", "limits", "memory"), "256m")),
        ({"mem_limit": 0}, "set", ("resources", "limits", "memory"), "256Mi", ("set", ("services", "app", "mem_limit"), "256m")),
        ({}, "set", ("resources", "limits", "cpu"), "500m", ("set", ("services", "app", "deploy", "resources", "limits", "cpus"), "0.5")),
        ({"network_mode": "host"}, "remove", ("hostNetwork",), None, ("remove", ("services", "app", "network_mode"), None)),
        ({"ports": ["8080:80"]}, "set", ("ports", 0, "hostIP"), "127.0.0.1", ("set", ("services", "app", "ports", 0), "127.0.0.1:8080:80")),
        ({"user": "0:5"}, "set", ("securityContext", "runAsUser"), 7, ("set", ("services", "app", "user"), "7:5")),
    ],
)  # fmt: skip
def test_a_repair_of_the_view_is_a_repair_of_the_file(
    service: dict[str, Any], op: str, path: tuple[Any, ...], value: Any, expected: tuple[Any, ...]
) -> None:
    [edit] = compose(**service).lens.edits(op, path, value) or ()
    assert edit == Edit(op=expected[0], path=expected[1], value=expected[2])


def test_a_setting_that_a_platform_does_not_have_has_no_place_and_no_repair() -> None:
    assert compose().lens.target(("securityContext", "procMount")) is None
    assert compose().lens.edits("set", ("securityContext", "procMount"), "Default") is None


def test_a_running_container_is_seen_as_the_engine_tells_it() -> None:
    view = docker(
        Privileged=True,
        NetworkMode="host",
        Memory=1024,
        CapAdd=["SYS_ADMIN"],
        SecurityOpt=["no-new-privileges"],
        PidsLimit=5,
    )
    assert view.data["securityContext"]["privileged"] is True
    assert view.data["securityContext"]["allowPrivilegeEscalation"] is False
    assert view.data["securityContext"]["runAsUser"] == 0
    assert view.data["resources"]["limits"]["memory"] == "1024"
    assert view.pod.spec["hostNetwork"] is True
    assert view.lens.edits("set", ("securityContext", "privileged"), value=False) == (
        Edit(op="set", path=("HostConfig", "Privileged"), value=False),
    )
    assert view.lens.edits("set", ("securityContext", "readOnlyRootFilesystem"), value=True) is None


def test_cloudformation_and_the_api_spell_ecs_differently_and_mean_the_same() -> None:
    text = b"""
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      NetworkMode: host
      ContainerDefinitions:
        - {Name: a, Image: "x:1", ReadonlyRootFilesystem: true, User: "10:10", LinuxParameters: {Capabilities: {Drop: [ALL]}}}
"""
    [resource] = recognise.recognise("t.yaml", text).resources
    [view] = views(resource)
    assert view.spec["hostNetwork"] is True
    assert view.containers[0].data["securityContext"] == {
        "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}, "runAsUser": 10, "runAsNonRoot": True,
    }  # fmt: skip
    [edit] = view.containers[0].lens.edits("set", ("securityContext", "privileged"), value=False) or ()
    assert edit.path == ("Properties", "ContainerDefinitions", 0, "Privileged")


def test_the_container_overrides_its_pod() -> None:
    merged = effective(
        {"securityContext": {"runAsUser": 1, "runAsNonRoot": True}}, {"securityContext": {"runAsUser": 2}}
    )
    assert merged == {"runAsUser": 2, "runAsNonRoot": True}
