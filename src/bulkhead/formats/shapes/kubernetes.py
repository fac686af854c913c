"""Kubernetes objects, lists of them, and control-plane components that run as static pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bulkhead.core.resource import DocumentPath
from bulkhead.formats.shapes import kubeadm
from bulkhead.formats.shapes.model import Shape, text_of

COMPONENTS: Final = frozenset(
    ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kubelet", "kube-proxy")
)


def shapes(document: Any) -> Iterator[Shape]:
    """The objects of a document; nothing when it holds none."""
    yield from _object(without_nulls(document), (), "", "")


def without_nulls(value: Any) -> Any:
    """The API server drops keys whose value is null (``limits:`` with nothing behind it); items of lists stay."""
    if isinstance(value, dict):
        if None in value.values():
            value = {key: item for key, item in value.items() if item is not None}
        for key, item in value.items():
            if isinstance(item, (dict, list)):
                kept = without_nulls(item)
                if kept is not item:
                    value = {**value, key: kept}
    elif isinstance(value, list):
        made = [without_nulls(item) if isinstance(item, (dict, list)) else item for item in value]
        if any(new is not old for new, old in zip(made, value, strict=True)):
            return made
    return value


def _object(value: Any, path: DocumentPath, version: str, kind: str) -> Iterator[Shape]:
    if not isinstance(value, dict):
        return
    version = text_of(value.get("apiVersion")) or version
    kind = text_of(value.get("kind")) or kind
    if not version or not kind:
        return
    items = value.get("items")
    if kind.endswith("List") and isinstance(items, list) and len(path) < 8:
        inner = kind.removesuffix("List")
        for index, item in enumerate(items):
            # Items of a typed list (PodList) need not repeat what they are.
            yield from _object(item, (*path, "items", index), version if inner else "", inner)
        return
    if "apiVersion" not in value or "kind" not in value:
        value = {"apiVersion": version, "kind": kind, **value}
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    shape = Shape(
        kind=kind,
        data=value,
        name=text_of(metadata.get("name")) or text_of(metadata.get("generateName")),
        group=version.rpartition("/")[0],
        namespace=text_of(metadata.get("namespace")),
        path=path,
    )
    yield shape
    if kind == "ClusterConfiguration":
        yield from kubeadm.components(shape)
    yield from _components(shape)


def _components(workload: Shape) -> Iterator[Shape]:
    """Programs of the control plane in a pod or in the pods that a controller makes (self-hosted control planes)."""
    path: DocumentPath = ("spec",) if workload.kind == "Pod" else ("spec", "template", "spec")
    spec: Any = workload.data
    for part in path:
        spec = spec.get(part) if isinstance(spec, dict) else None
    containers = spec.get("containers") if isinstance(spec, dict) else None
    for index, container in enumerate(containers if isinstance(containers, list) else ()):
        if not isinstance(container, dict):
            continue
        words = [
            word
            for part in (container.get("command"), container.get("args"))
            if isinstance(part, list)
            for word in part
            if isinstance(word, str)
        ]
        name = _program(container, words)
        if name in COMPONENTS:
            argv = {key: container[key] for key in ("command", "args") if isinstance(container.get(key), list)}
            given = words[1:] if words and not words[0].startswith("-") else words
            data = {"flags": flags(given), "config": {}, "source": "static-pod", "argv": argv, "env": _env(container)}
            place = (*workload.path, *path, "containers", index)
            owner = "/".join(part for part in (workload.kind, workload.namespace, workload.name) if part)
            yield Shape(kind="Component", data=data, name=name, path=place, owner=owner)


def _env(container: dict[str, Any]) -> dict[str, Any]:
    """The variables that are given a value; etcd takes its settings from them too."""
    listed = container.get("env")
    return {
        item["name"]: item["value"]
        for item in (listed if isinstance(listed, list) else ())
        if isinstance(item, dict) and isinstance(item.get("name"), str) and "value" in item
    }


def _program(container: dict[str, Any], words: list[str]) -> str:
    """What the container runs: the first word, or, where only flags are given, what its image is named after."""
    if words and not words[0].startswith("-"):
        return words[0].rpartition("/")[2]
    if "command" in container or not words:
        return ""
    image = text_of(container.get("image")).partition("@")[0].rpartition("/")[2].partition(":")[0]
    return image.removesuffix("-amd64").removesuffix("-arm64")


def flags(words: list[str]) -> dict[str, Any]:
    """Command-line flags by name: text, or a list of texts when one is given more than once."""
    found: dict[str, Any] = {}
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if not word.startswith("-"):
            continue
        name, equals, value = word.lstrip("-").partition("=")
        if not equals:
            value = "true"
            if index < len(words) and not words[index].startswith("-"):
                value = words[index]
                index += 1
        old = found.get(name)
        found[name] = value if old is None else [*old, value] if isinstance(old, list) else [old, value]
    return found
