"""A control's examples as snapshots: the tests, the documentation and the demo are made from the same lines."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from bulkhead.core.control import Control
from bulkhead.core.errors import CatalogueError
from bulkhead.core.resource import UNKNOWN, Gap, Ref, Resource, Snapshot
from bulkhead.formats import recognise
from bulkhead.formats.shapes import context

_FORMS = ("container", "pod", "object", "objects", "compose", "text", "files", "resource", "resources")
_EXTRAS = frozenset({"gaps", "file", "mitigates", "count", "why", "unknown", "parameters"})
_IMAGE = "registry.example/app:1.0@sha256:" + "0" * 64


def texts(example: Any) -> dict[str, bytes]:
    """The files of an example, by path; none when it is a live world's resource."""
    form = _form(example)
    value = example[form]
    if form == "text":
        return {str(example["file"]): str(value).encode()}
    if form == "files":
        return {str(name): str(text).encode() for name, text in value.items()}
    if form in ("resource", "resources"):
        return {}
    if form == "compose":
        return {"compose.yaml": _dump({"services": {"app": {"image": _IMAGE, **value}}})}
    if form == "container":
        value = {"containers": [{"name": "app", "image": _IMAGE, **value}]}
    if form in ("container", "pod"):
        value = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "example"},
            "spec": {"containers": [{"name": "app", "image": _IMAGE}], **value},
        }
    if form == "objects":
        return {"example.yaml": b"---\n".join(_dump(item) for item in value)}
    return {"example.yaml": _dump(value)}


def configured(control: Control, example: Any) -> Control:
    """The control with the parameters that the example sets in place of the defaults."""
    given = example.get("parameters", {}) if isinstance(example, dict) else {}
    if not given:
        return control
    changed = {
        name: msgspec.structs.replace(parameter, default=given.get(name, parameter.default))
        for name, parameter in control.parameters.items()
    }
    return msgspec.structs.replace(control, parameters=changed)


def snapshot(example: Any, control: Control, files: dict[str, bytes] | None = None) -> Snapshot:
    """The example as a source would have read it; ``files`` takes the place of its own texts.

    Raises:
        CatalogueError: the example has no form we know.
    """
    form = _form(example)
    resources: list[Resource] = []
    gaps = [
        Gap(where="example", code="example", reason="not readable in this example", hides=(str(kind),))
        for kind in example.get("gaps", ())
    ]
    if form in ("resource", "resources"):
        items = example[form] if form == "resources" else [example[form]]
        resources.extend(_live(item) for item in items)
    given = texts(example) if files is None else files
    for path, data in given.items():
        found = recognise.recognise(path, data)
        context.tell(path, found.resources, given.__contains__)
        resources.extend(found.resources)
        gaps.extend(found.gaps)
    if control.live:
        resources = [_moved(resource) for resource in resources]
    return Snapshot(tuple(resources), tuple(gaps))


def _form(example: Any) -> str:
    if not isinstance(example, dict):
        raise CatalogueError("an example is a mapping")
    forms = [form for form in _FORMS if form in example]
    if len(forms) != 1 or set(example) - set(forms) - _EXTRAS or ("text" in forms and "file" not in example):
        raise CatalogueError(f"an example has one of {', '.join(_FORMS)}; this one has {', '.join(map(str, example))}")
    return forms[0]


def _live(item: dict[str, Any]) -> Resource:
    known = {"kind", "name", "namespace", "group", "source", "origin", "data"}
    if set(item) - known:
        raise CatalogueError(f"a resource has {', '.join(sorted(known))}")
    ref = Ref(
        source=str(item.get("source", "live")), kind=str(item["kind"]), name=str(item.get("name", "example")),
        namespace=str(item.get("namespace", "")), group=str(item.get("group", "")), origin=str(item.get("origin", "")),
    )  # fmt: skip
    return Resource(ref, _unknowns(item.get("data", {})))


def _unknowns(value: Any) -> Any:
    """The word ``${unknown}`` stands for a value that could not be read."""
    if isinstance(value, dict):
        return {key: _unknowns(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unknowns(item) for item in value]
    return UNKNOWN if value == "${unknown}" else value


def _moved(resource: Resource) -> Resource:
    ref = resource.ref
    live = Ref(
        source="live",
        kind=ref.kind,
        group=ref.group,
        namespace=ref.namespace,
        name=ref.name,
        origin=ref.origin,
        uid=ref.uid,
    )
    return Resource(live, resource.data, resource.text, resource.document, resource.path)


def _dump(value: Any) -> bytes:
    return yaml.safe_dump(value, sort_keys=False, default_flow_style=False).encode()
