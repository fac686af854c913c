"""Writes of the double: create, update, patch in its four forms, apply, delete; each with its guards and its dry run."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.fakes.kube import checks, fields
from tests.fakes.kube.kinds import HAS_STATUS, Kind
from tests.fakes.kube.status import UNPROCESSABLE, Refused, about, qualified
from tests.fakes.kube.store import TIME, Key, Store

Object = dict[str, Any]


class Write:
    """One request to write. ``deny`` is the admission that a test plays: why an object is refused."""

    def __init__(
        self,
        store: Store,
        method: str,
        kind: Kind,
        namespace: str,
        name: str,
        query: dict[str, str],
        headers: dict[str, str],
        part: str = "",
    ) -> None:
        self.store, self.method, self.kind, self.namespace, self.name = store, method, kind, namespace, name
        self.query, self.part = query, part
        self.content = headers.get("content-type", "")
        self.manager = query.get("fieldManager") or headers.get("user-agent", "unknown").partition("/")[0]
        self.warnings: list[str] = []

    def done(self, body: bytes, deny: Callable[[Object], str] | None) -> tuple[int, Object]:
        """The answer. Raises Refused."""
        checks.options(self.method, self.query, self.content)
        given = checks.decoded(self.method, self.kind, self.content, body)
        if self.method == "DELETE":
            return 200, self._deleted(given)
        old = self.store.objects.get(self._key) if self.name else None
        made = copy.deepcopy(self._made(old, given))
        managed = made["metadata"].pop("managedFields", None) if self._applies else None
        self.warnings += checks.strict(
            self.kind,
            made,
            self.query.get("fieldValidation", "Warn"),
            patched=self.method == "PATCH" and not self._applies,
        )
        if self.part:
            made = {**copy.deepcopy(old or {}), "status": made.get("status", {})}
        elif self.kind[2] in HAS_STATUS:
            # The status has a part of its own; what is said of it here is not heard.
            made["status"] = copy.deepcopy((old or {}).get("status", {}))
        stored = self.store.put(self._key, made, dry=True)
        checks.impossible(self.kind, self.name, stored)
        if old is not None:
            checks.unchangeable(self.kind, self.name, old, stored)
        if deny is not None and (reason := deny(stored)):
            raise Refused(403, f'admission webhook "policy.example.test" denied the request: {reason}')
        made["metadata"]["managedFields"] = (
            managed if managed is not None else fields.updated(old, stored, self.manager)
        )
        for name in ("uid", "creationTimestamp"):
            made["metadata"].setdefault(name, stored["metadata"][name])
        answer = self.store.put(self._key, made, dry=self.query.get("dryRun") == "All")
        return 200 if old is not None else 201, answer

    @property
    def _key(self) -> Key:
        return self.kind[0], self.kind[3], self.namespace, self.name

    @property
    def _applies(self) -> bool:
        return self.method == "PATCH" and "apply-patch" in self.content

    def held(self) -> Object:
        found = self.store.objects.get(self._key)
        if found is None:
            raise Refused(404, f'{qualified(self.kind)} "{self.name}" not found', about(self.kind, self.name))
        return found

    def _conflict(self, said: str, kind: str = "") -> Refused:
        details = about(self.kind, self.name) | ({"kind": kind} if kind else {})
        return Refused(
            409, f'Operation cannot be fulfilled on {kind or qualified(self.kind)} "{self.name}": {said}', details
        )

    def _made(self, old: Object | None, given: Any) -> Object:
        if self.method == "POST":
            return self._created(given)
        if self._applies:
            return self._applied(old, given)
        held = self.held()
        if self.method == "PUT":
            checks.identity(self.kind, self.namespace, self.name, given)
            made: Object = given
        elif "json-patch" in self.content:
            made = json_patch(held, given)
        else:
            made = merge_patch(held, given)
        wanted = made["metadata"].get("resourceVersion")
        if wanted and wanted != held["metadata"]["resourceVersion"]:
            raise self._conflict(
                "the object has been modified; please apply your changes to the latest version and try again"
            )
        return made

    def _created(self, given: Object) -> Object:
        checks.identity(self.kind, self.namespace, "", given)
        metadata = given.setdefault("metadata", {})
        self.name = str(metadata.get("name") or f"{metadata.get('generateName', '')}x7k2p")
        self._placed(metadata)
        if self._key in self.store.objects:
            said = f'{qualified(self.kind)} "{self.name}" already exists'
            raise Refused(409, said, about(self.kind, self.name), reason="AlreadyExists")
        return given

    def _placed(self, metadata: Object) -> None:
        metadata |= {"name": self.name} | ({"namespace": self.namespace} if self.kind[4] else {})
        there = {key[2] for key in self.store.objects} | {
            key[3] for key in self.store.objects if key[1] == "namespaces"
        }
        if self.kind[4] and self.namespace not in there | {"default", "demo"}:
            details = {"name": self.namespace, "kind": "namespaces"}
            raise Refused(404, f'namespaces "{self.namespace}" not found', details)

    def _applied(self, old: Object | None, given: Object) -> Object:
        checks.identity(self.kind, self.namespace, self.name, given)
        if (given.get("metadata") or {}).get("managedFields") is not None:
            raise Refused(400, "metadata.managedFields must be nil")
        found = fields.conflicts(old, given, self.manager) if old is not None else []
        if found and self.query.get("force") != "true":
            said = [f"conflict with {who}" for who, _ in found]
            causes = [
                {"reason": "FieldManagerConflict", "message": message, "field": fields.dotted(path)}
                for message, (_, path) in zip(said, found, strict=True)
            ]
            lines = ", ".join(
                f"{message}: {fields.dotted(path)}" for message, (_, path) in zip(said, found, strict=True)
            )
            word = "conflict" if len(found) == 1 else "conflicts"
            raise Refused(409, f"Apply failed with {len(found)} {word}: {lines}", {"causes": causes})
        self._placed(given["metadata"])
        return fields.applied(old, given, self.manager)

    def _deleted(self, given: Object) -> Object:
        held = self.held()
        metadata = held["metadata"]
        conditions = given.get("preconditions") or {}
        for field, word in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
            wanted = conditions.get(field)
            if wanted and wanted != metadata[field]:
                said = f"the {word} in the precondition ({wanted}) does not match the {word} in record ({metadata[field]})."
                raise self._conflict(f"{said} The object might have been deleted and then recreated", self.kind[2])
        if self.query.get("dryRun") != "All":
            self.store.remove(self._key)
        if self.kind[2] == "Pod":
            # A pod is asked to end first; the answer is the pod.
            seconds = held["spec"].get("terminationGracePeriodSeconds", 30)
            ending = {
                "deletionTimestamp": TIME,
                "deletionGracePeriodSeconds": seconds,
                "generation": metadata.get("generation", 1) + 1,
            }
            return {**held, "metadata": {**metadata, **ending}}
        details = {**about(self.kind, self.name), "uid": metadata["uid"]}
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def merge_patch(old: Any, new: Any) -> Any:
    """RFC 7386."""
    if not isinstance(new, dict):
        return copy.deepcopy(new)
    out = dict(old) if isinstance(old, dict) else {}
    for name, value in new.items():
        if value is None:
            out.pop(name, None)
        else:
            out[name] = merge_patch(out.get(name), value)
    return out


def json_patch(data: Object, operations: list[Any]) -> Object:
    """RFC 6902: add, remove, replace, test. Raises Refused as the server does, for whatever does not fit."""
    out = copy.deepcopy(data)
    for operation in operations:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in str(operation["path"]).split("/")[1:]]
        try:
            parent: Any = out
            for part in parts[:-1]:
                parent = parent[int(part)] if isinstance(parent, list) else parent[part]
            _one(parent, parts[-1], operation)
        except (KeyError, IndexError, TypeError, ValueError):
            raise Refused(422, UNPROCESSABLE, {}) from None
    return out


def _one(parent: Any, last: str, operation: Object) -> None:
    """Raises KeyError or IndexError where it does not fit."""
    kind = operation["op"]
    place: Any = (len(parent) if last == "-" else int(last)) if isinstance(parent, list) else last
    if kind == "add" and isinstance(parent, list):
        parent.insert(place, operation["value"])
    elif kind == "add":
        parent[place] = operation["value"]
    elif kind == "remove":
        del parent[place]
    elif kind == "replace":
        parent[place] = operation["value"] if parent[place] is not ... else None
    elif parent[place] != operation["value"]:
        raise KeyError(last)
