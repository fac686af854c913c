"""A change of a Kubernetes object as a patch for the repository that holds its source: what differs, under the object's name.

The text is a strategic merge patch (kustomize takes it under ``patches:``), for a person to put where the object is made.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

from bulkhead.formats.changes import same
from bulkhead.mitigation.operations import DoesNotApply

# The keys by which items of these lists are one and the same (``patchMergeKey`` of the Kubernetes API types).
_KEYS: Final = {
    "containers": "name", "initContainers": "name", "ephemeralContainers": "name", "volumes": "name", "env": "name",
    "volumeMounts": "mountPath", "ports": "containerPort", "imagePullSecrets": "name", "secrets": "name",
}  # fmt: skip
_WHO = ("apiVersion", "kind")


def text(before: dict[str, Any], after: dict[str, Any], *, why: str) -> str:
    """The patch as YAML, with a comment that says why.

    Raises:
        DoesNotApply: what is there holds a value that YAML cannot.
    """
    metadata = before.get("metadata") or {}
    patch: dict[str, Any] = {name: before[name] for name in _WHO if name in before}
    patch["metadata"] = {name: metadata[name] for name in ("name", "namespace") if name in metadata}
    for key, value in difference(before, after).items():
        patch[key] = {**patch["metadata"], **value} if key == "metadata" else value
    try:
        body = yaml.safe_dump(patch, sort_keys=False, default_flow_style=False, width=120)
    except yaml.YAMLError as exc:
        raise DoesNotApply("what is there holds a value that cannot be written") from exc
    return f"# {' '.join(why.split())}\n{body}"


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What a strategic merge must say to make one of the other; null takes a field away."""
    out: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if key in before and same(old, value):
            continue
        if isinstance(old, dict) and isinstance(value, dict):
            out[key] = difference(old, value)
        elif key in _KEYS and _named(old, _KEYS[key]) and _named(value, _KEYS[key]):
            out[key] = _items(old, value, _KEYS[key])
        else:
            out[key] = value
    return out


def _named(items: Any, key: str) -> bool:
    return isinstance(items, list) and all(isinstance(item, dict) and key in item for item in items)


def _items(before: Any, after: Any, key: str) -> list[dict[str, Any]]:
    known = {item[key]: item for item in before}
    out = [{"$patch": "delete", key: name} for name in known if name not in {item[key] for item in after}]
    for item in after:
        old = known.get(item[key])
        if old is None:
            out.append(item)
        elif not same(old, item):
            out.append({key: item[key], **difference(old, item)})
    return out
