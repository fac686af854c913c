"""What a file is, by what stands in it."""

from __future__ import annotations

import json

import pytest

from bulkhead.core.resource import UNKNOWN, Resource
from bulkhead.formats.hcl.scope import Scope
from bulkhead.formats.recognise import format_by_name, recognise


def found(path: str, text: str) -> list[Resource]:
    snapshot = recognise(path, text.encode())
    assert not snapshot.gaps
    return list(snapshot.resources)


def named(path: str, text: str) -> list[tuple[str, str]]:
    return [(resource.ref.kind, resource.ref.name) for resource in found(path, text)]


def test_objects_lists_and_repeats() -> None:
    text = """apiVersion: v1
kind: List
items:
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: ns}}
- {apiVersion: v1, kind: PodList, items: [{metadata: {name: p}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: ns}
---
apiVersion: example.org/v1
kind: Whatever
metadata: {name: w}
---
replicas: 3
"""
    first, pod, second, custom = found("x/y.yaml", text)
    assert (first.ref.group, first.ref.namespace, first.path, first.document) == ("apps", "ns", ("items", 0), 0)
    assert (pod.ref.kind, pod.path, pod.data["kind"]) == ("Pod", ("items", 1, "items", 0), "Pod")
    assert (second.ref.uid, second.document, second.ref.origin) == ("#2", 1, "x/y.yaml")
    assert (custom.ref.group, custom.ref.kind) == ("example.org", "Whatever")
    assert first.text is custom.text


def test_static_pods_are_components_too() -> None:
    text = """apiVersion: v1
kind: Pod
metadata: {name: kube-apiserver}
spec:
  containers:
  - name: x
    command: [kube-apiserver, --anonymous-auth=false, --audit, --api-audiences=a, --api-audiences=b]
"""
    pod, component = found("manifests/kube-apiserver.yaml", text)
    assert pod.ref.kind == "Pod"
    assert (component.ref.kind, component.ref.name) == ("Component", "kube-apiserver")
    assert component.data["flags"] == {"anonymous-auth": "false", "audit": "true", "api-audiences": ["a", "b"]}


def test_compose_by_name_and_by_content() -> None:
    assert named("docker-compose.prod.yml", "services: {a: {}}\n") == [("Compose", "")]
    assert named("stack.yml", "name: s\nservices: {a: {image: x}}\n") == [("Compose", "s")]
    assert named("other.yml", "services: {a: {}}\n") == []


def test_cloudformation_resolves_what_it_can() -> None:
    text = """AWSTemplateFormatVersion: '2010-09-09'
Parameters: {P: {Type: String, Default: d}, Q: {Type: String}}
Resources:
  R:
    Type: AWS::ECR::Repository
    Properties: {A: !Ref P, B: !Ref Q, C: !Sub 'x-${P}', D: !Sub '${Q}', E: !Ref AWS::NoValue, F: !If [a, b, c]}
"""
    (resource,) = found("t.yaml", text)
    assert (resource.ref.kind, resource.ref.name, resource.path) == ("AWS::ECR::Repository", "R", ("Resources", "R"))
    properties = resource.data["Properties"]
    assert properties == {"A": "d", "B": UNKNOWN, "C": "x-d", "D": UNKNOWN, "F": UNKNOWN}


def test_terraform_and_its_containers() -> None:
    text = """variable "x" { default = true }
resource "aws_ecs_task_definition" "t" {
  container_definitions = jsonencode([{ name = "a", privileged = var.x }])
}
resource "aws_ecs_task_definition" "u" {
  container_definitions = <<EOF
[{"name": "b"}]
EOF
}
"""
    one, two = recognise("a/main.tf", text.encode(), scope=Scope(variables={"x": True})).resources
    assert (one.ref.kind, one.ref.name, one.document) == ("aws_ecs_task_definition", "t", 1)
    assert one.data["container_definitions"] == [{"name": "a", "privileged": True}]
    assert two.data["container_definitions"] == [{"name": "b"}]
    document = {"resource": {"aws_x": {"y": {"a": "${b.c}", "d": 1}}}}
    (resource,) = found("main.tf.json", json.dumps(document))
    assert (resource.ref.kind, resource.data, resource.path) == (
        "aws_x",
        {"a": UNKNOWN, "d": 1},
        ("resource", "aws_x", "y"),
    )


def test_the_kubernetes_provider_makes_objects() -> None:
    text = """resource "kubernetes_deployment_v1" "d" {
  metadata {
    name = "web"
    labels = { app_name = "x" }
  }
  spec {
    template {
      spec {
        host_pid = true
        container {
          name = "a"
          security_context {
            run_as_non_root = true
          }
          resources {
            limits = { cpu = "1" }
          }
        }
        volume {
          name = "v"
          secret {
            secret_name = "s"
          }
        }
      }
    }
  }
}
"""
    block, made = found("main.tf", text)
    assert (block.ref.kind, made.ref.kind, made.ref.name, made.ref.group) == (
        "kubernetes_deployment_v1", "Deployment", "web", "apps",
    )  # fmt: skip
    assert made.data["metadata"] == {"name": "web", "labels": {"app_name": "x"}}
    assert made.data["spec"]["template"]["spec"] == {
        "hostPID": True,
        "containers": [{"name": "a", "securityContext": {"runAsNonRoot": True}, "resources": {"limits": {"cpu": "1"}}}],
        "volumes": [{"name": "v", "secret": {"secretName": "s"}}],
    }


def test_json_of_ours() -> None:
    assert named("etc/daemon.json", "{}") == [("DaemonConfig", "")]
    task = {"family": "f", "containerDefinitions": [{"name": "a"}]}
    assert named("task.json", json.dumps(task)) == [("EcsTaskDefinition", "f")]
    assert named("task.json", json.dumps({"taskDefinition": task})) == [("EcsTaskDefinition", "f")]
    assert named("package.json", '{"name": "x", // comment\n}') == []
    assert named("pod.json", '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}') == [("Pod", "p")]
    assert named("kubelet.conf", "apiVersion: v1\nkind: Config\n") == [("Config", "")]
    assert named("nginx.conf", "events {}\n") == []


def test_a_dockerfile() -> None:
    assert named("Dockerfile", "FROM scratch\n") == [("Dockerfile", "")]


@pytest.mark.parametrize(
    ("path", "data", "hidden"),
    [
        ("a.yaml", b"a: [", ("*",)),
        ("a.yaml", b"a: 1\na: 2\n", ("*",)),
        ("a.tf", b"a = ", ("terraform:*",)),
        ("daemon.json", b"{", ("DaemonConfig",)),
        ("pod.json", b'{"apiVersion": ', ("*",)),
        ("Dockerfile", b"\x00\x01", ("Dockerfile",)),
        ("a.yaml", "a: 1".encode("utf-16"), ("*",)),
        ("a.yaml", b"[" * 9999, ("*",)),
    ],
)
def test_what_cannot_be_read_is_a_gap(path: str, data: bytes, hidden: tuple[str, ...]) -> None:
    snapshot = recognise(path, data)
    assert not snapshot.resources
    assert [(gap.where, gap.hides) for gap in snapshot.gaps] == [(path, hidden)]


@pytest.mark.parametrize(
    ("name", "form"),
    [("Dockerfile", "dockerfile"), ("x/Dockerfile.prod", "dockerfile"), ("web.Dockerfile", "dockerfile"),
     ("Containerfile", "dockerfile"), ("Containerfile.x", "dockerfile"), ("Dockerfile.dockerignore", ""),
     ("a.YML", "yaml"), ("a.tf", "hcl"), ("a.tf.json", "json"), ("a.txt", ""), ("DockerfileParser.java", ""), ("dockerfile.png", "")],
)  # fmt: skip
def test_names(name: str, form: str) -> None:
    assert format_by_name(name) == form
