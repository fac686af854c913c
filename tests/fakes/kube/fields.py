"""Who manages which fields (FieldsV1, structured-merge-diff v6): kept for every write, asked by server-side apply.

A path is a tuple of ``f:NAME``, ``k:{KEYS}`` and, at its end, ``.`` for the thing itself.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from tests.fakes.kube.store import TIME

Object = dict[str, Any]
Path = tuple[str, ...]

# Lists whose items are told apart by keys; every other list is one value.
_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",), "initContainers": ("name",), "ephemeralContainers": ("name",), "volumes": ("name",), "env": ("name",),
    "imagePullSecrets": ("name",), "webhooks": ("name",), "volumeMounts": ("mountPath",), "conditions": ("type",), "hostAliases": ("ip",),
    "ownerReferences": ("uid",),
}  # fmt: skip
_ATOMIC = frozenset(
    {"selector", "nodeSelector", "podSelector", "roleRef", "secretKeyRef", "configMapKeyRef", "fieldRef"}
)
# Parts that an empty object has already.
_THERE = frozenset({"spec", "metadata", "template", "containers", "strategy", "updateStrategy", "jobTemplate"})
_IDENTITY = frozenset(
    {"name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink",
     "deletionTimestamp", "deletionGracePeriodSeconds"}
)  # fmt: skip


def paths(data: Object, *, applied: bool) -> dict[Path, Any]:
    """Every field that the object sets, with its value; ``.`` paths have none."""
    out: dict[Path, Any] = {}
    for name, value in data.items():
        if name in ("apiVersion", "kind", "status"):
            continue
        if name == "metadata":
            for inner, held in value.items():
                if inner not in _IDENTITY:
                    out |= _below(inner, held, ("f:metadata", f"f:{inner}"), applied=applied)
        else:
            out |= _below(name, value, (f"f:{name}",), applied=applied)
    return out


def _below(name: str, value: Any, path: Path, *, applied: bool) -> dict[Path, Any]:
    out: dict[Path, Any] = {}
    if isinstance(value, dict) and value and name not in _ATOMIC:
        if not applied and name not in _THERE:
            out[*path, "."] = None
        for inner, held in value.items():
            out |= _below(inner, held, (*path, f"f:{inner}"), applied=applied)
    elif isinstance(value, list) and value and (keys := keys_of(name, value)):
        if not applied and name not in _THERE:
            out[*path, "."] = None
        for item in value:
            here = (*path, _key(item, keys))
            out[*here, "."] = None
            for inner, held in item.items():
                out |= _below(inner, held, (*here, f"f:{inner}"), applied=applied)
    else:
        out[path] = value
    return out


def keys_of(name: str, value: list[Any]) -> tuple[str, ...]:
    if not all(isinstance(item, dict) for item in value):
        return ()
    if name == "ports":
        if all("containerPort" in item for item in value):
            return ("containerPort", "protocol")
        return ("port", "protocol") if all("port" in item for item in value) else ()
    return _KEYS.get(name, ())


def _key(item: Object, keys: tuple[str, ...]) -> str:
    told = {key: item.get(key, "TCP" if key == "protocol" else "") for key in keys}
    return "k:" + json.dumps(told, separators=(",", ":"), sort_keys=True)


def encoded(found: set[Path]) -> Object:
    out: Object = {}
    for path in sorted(found):
        here = out
        for part in path:
            here = here.setdefault(part, {})
    return out


def decoded(data: Object, path: Path = ()) -> Iterator[Path]:
    for part, inner in data.items():
        if inner:
            yield from decoded(inner, (*path, part))
        else:
            yield (*path, part)


def dotted(path: Path) -> str:
    """As the causes of a conflict write it."""
    out = ""
    for part in path:
        if part.startswith("f:"):
            out += f".{part[2:]}"
        elif part.startswith("k:"):
            told = ",".join(f"{key}={json.dumps(value)}" for key, value in json.loads(part[2:]).items())
            out += f"[{told}]"
    return out


def updated(old: Object | None, made: Object, manager: str, subresource: str = "") -> list[Object]:
    """The managers after an update: who changes a field has it, and alone."""
    before = paths(old, applied=False) if old is not None else {}
    after = paths(made, applied=False)
    changed = {path for path, value in after.items() if path not in before or before[path] != value}
    gone = set(before) - set(after)
    entries, mine = [], False
    for entry in ((old or made)["metadata"].get("managedFields") or ()) if old is not None else ():
        held = set(decoded(entry.get("fieldsV1", {}))) - gone
        same = (entry["manager"], entry["operation"], entry.get("subresource", "")) == (manager, "Update", subresource)
        held = held | changed if same else held - changed
        mine = mine or same
        if held:
            entries.append({**entry, "fieldsV1": encoded(held)})
    if changed and not mine:
        entries.append(_entry(manager, "Update", made, changed, subresource))
    return entries


def conflicts(old: Object, body: Object, manager: str) -> list[tuple[str, Path]]:
    """The fields that another manager has, with another value than this one applies."""
    mine, there = paths(body, applied=True), paths(old, applied=True)
    out = []
    for entry in old["metadata"].get("managedFields") or ():
        if (entry["manager"], entry["operation"]) == (manager, "Apply") or entry.get("subresource"):
            continue
        held = set(decoded(entry.get("fieldsV1", {})))
        out += [
            (_told(entry), path)
            for path, value in mine.items()
            if path in held and path[-1] != "." and there.get(path) != value
        ]
    return out


def _told(entry: Object) -> str:
    using = f" using {entry.get('apiVersion')}" if entry["operation"] == "Update" else ""
    return f'"{entry["manager"]}"{using}'


def applied(old: Object | None, body: Object, manager: str) -> Object:
    """The object after an apply: merged, without what this manager applied before and does not any more."""
    mine = set(paths(body, applied=True))
    entries, dropped = [], set()
    lost = {path for _, path in conflicts(old, body, manager)} if old is not None else set()
    for entry in (old or {}).get("metadata", {}).get("managedFields") or ():
        held = set(decoded(entry.get("fieldsV1", {})))
        if (entry["manager"], entry["operation"]) == (manager, "Apply"):
            dropped = held - mine
        elif held - lost:
            entries.append({**entry, "fieldsV1": encoded(held - lost)})
    others = {path for entry in entries for path in decoded(entry.get("fieldsV1", {}))}
    made: Object = merged("", old or {}, body)
    for path in dropped - others:
        _take_out(made, path)
    made["metadata"]["managedFields"] = [_entry(manager, "Apply", body, mine), *entries]
    return made


def _entry(manager: str, operation: str, data: Object, found: set[Path], subresource: str = "") -> Object:
    return {
        "manager": manager, "operation": operation, "apiVersion": data["apiVersion"], "time": TIME, "fieldsType": "FieldsV1",
        "fieldsV1": encoded(found), **({"subresource": subresource} if subresource else {}),
    }  # fmt: skip


def merged(name: str, old: Any, new: Any) -> Any:
    """Apply's merge: mappings and lists with keys item by item, everything else whole."""
    if isinstance(old, dict) and isinstance(new, dict) and name not in _ATOMIC:
        return {**old, **{key: merged(key, old.get(key), value) for key, value in new.items()}}
    keys = keys_of(name, new) if isinstance(new, list) else ()
    if keys and isinstance(old, list):
        given = {_key(item, keys): item for item in new}
        kept = [merged("", item, given.pop(_key(item, keys), {})) for item in old]
        return kept + [copy.deepcopy(item) for item in given.values()]
    return copy.deepcopy(new)


def _take_out(data: Any, path: Path) -> None:
    names = [part[2:] for part in path if part.startswith("f:")]
    if any(part.startswith("k:") for part in path) or path[-1] == ".":
        return
    for name in names[:-1]:
        data = data.get(name) if isinstance(data, dict) else None
    if isinstance(data, dict):
        data.pop(names[-1], None)
