"""Flags of control-plane programs: where they stand in a static pod, and that only their items are edited."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.core.plan import Edit
from bulkhead.core.resource import Resource
from bulkhead.formats import recognise, texts
from bulkhead.posture.views import component

_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: kube-apiserver, namespace: kube-system}
spec:
  containers:
  - name: sidecar
    image: registry.example/sidecar:1
    command: [sidecar]
  - name: kube-apiserver
    image: registry.k8s.io/kube-apiserver:v1.34.1
    command:
    - kube-apiserver   # the program
    - --anonymous-auth=true   # probes
    - "--profiling"
    - "true"
    - --authorization-mode=Node
    - --authorization-mode=RBAC
    ports: []
"""


def _component(text: str) -> Resource:
    found = recognise.recognise("kube-apiserver.yaml", text.encode())
    return next(resource for resource in found.resources if resource.ref.kind == "Component")


def _edited(text: str, op: str, flag: str, value: Any = None) -> str:
    resource = _component(text)
    edits = component.lens(resource).edits(op, ("flags", flag), value)
    assert edits is not None
    assert resource.text is not None
    placed = [
        Edit(op=edit.op, document=resource.document, path=resource.path + edit.path, value=edit.value) for edit in edits
    ]
    return _plain(texts.apply(resource.text, placed).decode())


def _plain(text: str) -> str:
    """Without quotes: how a word is quoted is the writer's business and tested there."""
    return text.replace('"', "")


def test_flags_are_read_from_command_and_args() -> None:
    resource = _component(_POD)
    assert resource.ref.name == "kube-apiserver"
    assert resource.path == ("spec", "containers", 1)
    assert resource.data["flags"] == {
        "anonymous-auth": "true",
        "profiling": "true",
        "authorization-mode": ["Node", "RBAC"],
    }


def test_set_changes_the_item_and_nothing_else() -> None:
    changed = _edited(_POD, "set", "anonymous-auth", "false")
    assert changed == _plain(_POD).replace("--anonymous-auth=true ", "--anonymous-auth=false ")


def test_set_of_an_absent_flag_is_a_new_item_at_the_end() -> None:
    changed = _edited(_POD, "set", "audit-log-maxage", 30)
    assert changed == _plain(_POD).replace(
        "    - --authorization-mode=RBAC\n", "    - --authorization-mode=RBAC\n    - --audit-log-maxage=30\n"
    )


def test_a_flag_in_two_words_becomes_one_item() -> None:
    changed = _edited(_POD, "set", "profiling", "false")
    assert changed == _plain(_POD).replace("    - --profiling\n    - true\n", "    - --profiling=false\n")


def test_a_flag_given_twice_is_left_once() -> None:
    changed = _edited(_POD, "set", "authorization-mode", "Node,RBAC")
    assert changed == _plain(_POD).replace(
        "    - --authorization-mode=Node\n    - --authorization-mode=RBAC\n", "    - --authorization-mode=Node,RBAC\n"
    )


def test_remove_takes_every_item_of_the_flag() -> None:
    assert _edited(_POD, "remove", "profiling") == _plain(_POD).replace("    - --profiling\n    - true\n", "")
    assert "authorization-mode" not in _edited(_POD, "remove", "authorization-mode")
    assert _edited(_POD, "remove", "absent") == _plain(_POD)


def test_flags_go_where_flags_are() -> None:
    text = """\
apiVersion: v1
kind: Pod
metadata: {name: etcd}
spec:
  containers:
  - name: etcd
    command: [etcd]
    args: [--auto-tls=false]
"""
    assert "args: [--auto-tls=false, --client-cert-auth=true]" in _edited(text, "set", "client-cert-auth", "true")


def test_a_name_that_begins_alike_is_another_flag() -> None:
    lens = component.Flags({"argv": {"command": ["etcd", "--peer-auto-tls=true", "--auto-tls-x=1", "-auto-tls=true"]}})
    assert lens.target(("flags", "auto-tls")) == ("command", 3)
    assert lens.target(("flags", "peer-auto-tls")) == ("command", 1)


@pytest.mark.parametrize(
    ("data", "place"),
    [({}, ("command",)), ({"argv": {"command": ["etcd"]}}, ("command",)), ({"argv": {"args": ["etcd"]}}, ("args",))],
)
def test_an_absent_flag_is_pointed_at_in_its_list(data: dict[str, Any], place: tuple[str, ...]) -> None:
    assert component.Flags(data).target(("flags", "auto-tls")) == place


def test_what_has_no_list_cannot_be_edited() -> None:
    process = component.Flags({"flags": {"auto-tls": "true"}})
    assert process.edits("set", ("flags", "auto-tls"), "false") is None
    pod = component.Flags({"argv": {"command": ["etcd"]}})
    assert pod.edits("append", ("flags", "auto-tls"), "false") is None
    assert pod.edits("set", ("config", "x"), 1) is None


_HOSTED = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: control-plane}
spec:
  template:
    spec:
      containers:
      - name: etcd
        image: registry.example:5000/etcd-amd64:3.6.5@sha256:00
        args: [--auto-tls=true]
      - name: other
        image: registry.example/etcd-backup:1
        args: [--auto-tls=true]
      - name: started-by-the-image
        image: registry.k8s.io/kube-scheduler:v1.34.1
      - name: wrapped
        image: registry.k8s.io/kube-scheduler:v1.34.1
        command: []
"""


def test_a_program_is_known_by_its_image_where_only_flags_are_given() -> None:
    resource = _component(_HOSTED)
    assert (resource.ref.name, resource.data["flags"]) == ("etcd", {"auto-tls": "true"})
    assert resource.path == ("spec", "template", "spec", "containers", 0)
    assert "args: [--auto-tls=false]" in _edited(_HOSTED, "set", "auto-tls", "false")


def test_what_is_not_told_is_not_guessed() -> None:
    found = recognise.recognise("control-plane.yaml", _HOSTED.encode())
    assert [resource.ref.name for resource in found.resources if resource.ref.kind == "Component"] == ["etcd"]


def test_a_setting_from_the_environment_is_not_shadowed_by_a_flag() -> None:
    text = _HOSTED.replace(
        "        args: [--auto-tls=true]\n      - name: other",
        "        env: [{name: ETCD_AUTO_TLS, value: 'true'}, {name: POD, valueFrom: {}}]\n        args: [--name=a]\n      - name: other",
    )
    resource = _component(text)
    assert resource.data["env"] == {"ETCD_AUTO_TLS": "true"}
    assert component.lens(resource).edits("set", ("flags", "auto-tls"), "false") is None
    assert component.lens(resource).edits("remove", ("flags", "auto-tls"), None) is None
    assert component.lens(resource).edits("set", ("flags", "peer-auto-tls"), "false") is not None
