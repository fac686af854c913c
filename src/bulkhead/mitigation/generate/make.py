"""One generator by name: where the new file goes and what it holds."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import Any

import yaml

from bulkhead.mitigation.generate import audit, bounds, disruption, ignore, isolation, mesh, policies
from bulkhead.mitigation.operations import DoesNotApply
from bulkhead.posture.evaluate import Verdict
from bulkhead.posture.world import World

# Names as Kubernetes takes them (RFC 1123 subdomains, as in ``apimachinery/pkg/util/validation``); roles may hold colons.
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,200})")
_HEADER = "# Written by bulkhead: {why}\n"


def make(generator: str, world: World, verdict: Verdict, content: dict[str, Any] | None = None) -> tuple[str, bytes]:
    """The path of the new file, relative to the root, and its bytes.

    ``content`` is the object itself, where the mitigation writes it out and no generator is asked.

    Raises:
        DoesNotApply: the generator is unknown, or what is there does not tell enough.
    """
    if content is not None:
        metadata = content["metadata"]
        label = f"{content['kind'].lower()}-{metadata['name']}"
        body = _HEADER.format(why=verdict.runnable.control.title) + _dump(content)
        return _path(_folder(world, metadata.get("namespace", ""), ""), label), body.encode()
    if generator in _TEXTS:
        target, data = _TEXTS[generator](verdict)
        if any("\ud800" <= char <= "\udfff" for char in target):
            raise DoesNotApply("the name of the folder is not UTF-8")
        return target, data
    namespace, why, label, made = _built(generator, world, verdict)
    body = _HEADER.format(why=why) + "---\n".join(_dump(item) for item in made)
    return _path(_folder(world, namespace, verdict.element.resource.ref.origin), label), body.encode()


def objects(generator: str, world: World, verdict: Verdict, content: dict[str, Any] | None = None) -> list[Any]:
    """The same objects for a live cluster, where they need no file.

    Raises:
        DoesNotApply: as ``make``; and the generator makes a text, which a cluster has no place for.
    """
    if content is not None:
        return [content]
    if generator in _TEXTS:
        raise DoesNotApply("it is a file beside the sources")
    return _built(generator, world, verdict)[3]


def _built(generator: str, world: World, verdict: Verdict) -> tuple[str, str, str, list[dict[str, Any]]]:
    builder = _GENERATORS.get(generator)
    if builder is None:
        raise DoesNotApply(f"no generator is called '{generator}'")
    ref = verdict.element.resource.ref
    namespace = ref.name if ref.kind == "Namespace" else ref.namespace
    return namespace, *builder(world, verdict, namespace)


def _path(folder: str, label: str) -> str:
    """The new file in its folder. Names of objects come from strangers: only those that Kubernetes takes make a file.

    Raises:
        DoesNotApply: the name would lead somewhere else, or the folder's own name is not UTF-8.
    """
    if not _LABEL.fullmatch(label) or any("\ud800" <= char <= "\udfff" for char in folder):
        raise DoesNotApply("the name of the object or of its folder makes no file name")
    return posixpath.join(folder, f"bulkhead-{label}.yaml")


def _dump(value: dict[str, Any]) -> str:
    try:
        return yaml.safe_dump(value, sort_keys=False, default_flow_style=False, width=120)
    except yaml.YAMLError as exc:
        # An unknown value, or a character that YAML cannot hold, came in from what is there.
        raise DoesNotApply("what is there holds a value that cannot be written") from exc


def _folder(world: World, namespace: str, origin: str) -> str:
    """Beside the namespace's own file, or beside the first object that lives in it; without a namespace, beside the finding's."""
    if not namespace:
        return posixpath.dirname(origin)
    for resource in world.by_kind.get("Namespace", ()):
        if resource.ref.name == namespace and resource.text is not None and not resource.text.generated:
            return posixpath.dirname(resource.text.path)
    for resource in world.snapshot.resources:
        if resource.ref.namespace == namespace and resource.text is not None and not resource.text.generated:
            return posixpath.dirname(resource.text.path)
    return posixpath.dirname(origin)


Builder = Callable[[World, Verdict, str], tuple[str, str, list[dict[str, Any]]]]
_TEXTS: dict[str, Callable[[Verdict], tuple[str, bytes]]] = {"dockerignore": ignore.ignore}
_GENERATORS: dict[str, Builder] = {
    "default-deny": isolation.default_deny,
    "resource-quota": bounds.resource_quota,
    "limit-range": bounds.limit_range,
    "namespace": bounds.namespace,
    "pod-disruption-budget": disruption.budget,
    "audit-policy": audit.policy,
    "admission-policy": policies.validating,
    "image-policy": policies.images,
    "peer-authentication": mesh.peer_authentication,
    "authorization-policy": mesh.authorization,
}
