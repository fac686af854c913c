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


def _component(text: str, name: str = "") -> Resource:
    found = recognise.recognise("kube-apiserver.yaml", text.encode())
    return next(
        resource for resource in found.resources if resource.ref.kind == "Component" and name in ("", resource.ref.name)
    )


def _edited(text: str, op: str, flag: str, value: Any = None, name: str = "") -> str:
    resource = _component(text, name)
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


_MAPPED = """\
apiVersion: kubeadm.k8s.io/v1beta3
kind: ClusterConfiguration
apiServer:
  extraArgs:
    profiling: "false"   # quiet
    audit-log-maxage: 7
etcd:
  external: {endpoints: [https://10.0.0.9:2379]}
"""
_LISTED = """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
apiServer:
  extraArgs:
  - name: anonymous-auth
    value: "true"
  - name: authorization-mode
    value: AlwaysAllow
  - name: authorization-mode
    value: RBAC
"""


def test_kubeadm_gives_flags_of_its_own() -> None:
    flags = _component(_MAPPED, "kube-apiserver").data["flags"]
    assert flags["authorization-mode"] == "Node,RBAC"
    assert (flags["profiling"], flags["audit-log-maxage"]) == ("false", "7")
    assert _component(_LISTED, "kube-apiserver").data["flags"]["authorization-mode"] == ["AlwaysAllow", "RBAC"]
    assert _component(_LISTED, "etcd").data["flags"]["client-cert-auth"] == "true"


def test_external_etcd_is_not_kubeadms() -> None:
    found = recognise.recognise("kubeadm.yaml", _MAPPED.encode())
    names = [resource.ref.name for resource in found.resources if resource.ref.kind == "Component"]
    assert names == ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]


def test_mapped_arguments_are_edited_in_place() -> None:
    changed = _edited(_MAPPED, "set", "audit-log-maxage", 30, "kube-apiserver")
    assert changed == _plain(_MAPPED).replace("audit-log-maxage: 7", "audit-log-maxage: 30")
    assert "    audit-log-maxage: 7\n    anonymous-auth: false\n" in _edited(
        _MAPPED, "set", "anonymous-auth", False, "kube-apiserver"
    )
    assert "profiling" not in _edited(_MAPPED, "remove", "profiling", None, "kube-apiserver")


def test_a_section_that_is_not_there_is_made() -> None:
    changed = _edited(_MAPPED, "set", "profiling", "false", "kube-scheduler")
    assert changed.startswith(_plain(_MAPPED))
    flags = _component(changed.replace("false", "'false'"), "kube-scheduler").data["flags"]
    assert flags == {"bind-address": "127.0.0.1", "profiling": "false"}


def test_listed_arguments_are_edited_in_place() -> None:
    changed = _edited(_LISTED, "set", "anonymous-auth", "false", "kube-apiserver")
    assert changed == _plain(_LISTED).replace("value: true", "value: false")
    once = _edited(_LISTED, "set", "authorization-mode", "Node,RBAC", "kube-apiserver")
    assert once.count("authorization-mode") == 1
    added = _edited(_LISTED, "set", "profiling", "false", "kube-controller-manager")
    assert _component(added, "kube-controller-manager").data["extra"] == [{"name": "profiling", "value": False}]


def test_what_kubeadm_gives_by_itself_cannot_be_removed() -> None:
    lens = component.lens(_component(_LISTED, "kube-apiserver"))
    assert lens.edits("remove", ("flags", "allow-privileged"), None) is None
