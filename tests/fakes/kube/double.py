"""The double's HTTP: requests into the store's answers, and the knobs of a test."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.fakes.kube.kinds import BUILT_IN, Kind
from tests.fakes.kube.store import Object, Refused, Store, at, json_patch, leaves, merged

USER = "system:serviceaccount:demo:app"
_PHRASES = {
    200: "OK",
    201: "Created",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    410: "Gone",
    422: "Unprocessable Entity",
}


class KubeDouble:
    """Use as ``with KubeDouble(objects) as double``; then ``double.url`` and ``double.kubeconfig(folder)``."""

    def __init__(self, objects: Iterable[Object] = (), *, token: str = "good") -> None:
        self.kinds: list[Kind] = list(BUILT_IN)
        self.store = Store()
        self.token = token
        self.requests: list[tuple[str, str]] = []
        self.raws: dict[str, Any] = {
            "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.2"},
            "/readyz": "ok",
        }
        self.forbidden: set[str] = set()
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.silent: dict[str, float] = {}
        self.throttled = 0
        self.expiring: set[str] = set()
        self.rollout_seconds: float | None = 0.0
        self._due: dict[str, float] = {}
        self.break_watch_after: int | None = None
        self.legacy = False
        self.before_write: Callable[[str, str], None] | None = None
        self.deny: Callable[[Object], str] | None = None
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._main(),), daemon=True)
        self._ready = threading.Event()
        self._given = list(objects)

    def __enter__(self) -> Self:
        for item in self._given:
            self.put(item)
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    # What a test says.

    def define(self, group: str, version: str, kind: str, plural: str, *, namespaced: bool = False) -> None:
        self.kinds.append((group, version, kind, plural, namespaced))

    def put(self, data: Object) -> Object:
        group, slash, _ = str(data["apiVersion"]).rpartition("/")
        found = next(item for item in self.kinds if item[2] == data["kind"] and item[0] == (group if slash else ""))
        metadata = data["metadata"]
        namespace = str(metadata.get("namespace", "default")) if found[4] else ""
        made = copy.deepcopy(data)
        if found[4]:
            made["metadata"]["namespace"] = namespace
        return self.store.put((found[0], found[3], namespace, str(metadata["name"])), made)

    def get(self, kind: str, name: str, namespace: str = "default") -> Object:
        found = next(item for item in self.kinds if item[2] == kind)
        return self.store.objects[found[0], found[3], namespace if found[4] else "", name]

    def remove(self, kind: str, name: str, namespace: str = "default") -> None:
        found = next(item for item in self.kinds if item[2] == kind)
        self.store.remove((found[0], found[3], namespace if found[4] else "", name))

    def kubeconfig(self, folder: Path) -> Path:
        path = folder / "kubeconfig"
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "double",
            "clusters": [{"name": "c", "cluster": {"server": self.url}}], "users": [{"name": "u", "user": {"token": self.token}}],
            "contexts": [{"name": "double", "context": {"cluster": "c", "user": "u"}}],
        }  # fmt: skip
        path.write_text(json.dumps(config))
        return path

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [item for item in self.requests if item[0] != "GET"]

    # The wire.

    async def _main(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        async with server:
            await self._stop.wait()
            server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ")
                headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:] if line}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                await self._answer(method, target, headers, body, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    async def _answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes, writer: asyncio.StreamWriter
    ) -> None:
        split = urlsplit(target)
        query = {key: values[-1] for key, values in parse_qs(split.query).items()}
        self.requests.append((method, target))
        if split.path in self.silent:
            await asyncio.sleep(self.silent[split.path])
        try:
            if self.throttled > 0:
                self.throttled -= 1
                raise Refused(429, "TooManyRequests", "too many requests, please try again later")
            if headers.get("authorization") != f"Bearer {self.token}":
                raise Refused(401, "Unauthorized", "Unauthorized")
            if split.path in self.answers:
                status, data = self.answers[split.path]
                await _write(writer, status, data)
                return
            if "watch" in query:
                await self._watch(split.path, query, writer)
                return
            status, value = self._route(method, split.path, query, headers, body)
            await _write(writer, status, value.encode() if isinstance(value, str) else json.dumps(value).encode())
        except Refused as refused:
            await _write(writer, refused.code, json.dumps(status_of(refused)).encode(), retry=refused.code == 429)

    def _kind(self, path: str) -> tuple[Kind, str, str, str]:
        """The kind, namespace, name and subresource of a path."""
        parts = path.strip("/").split("/")
        group, version, rest = ("", parts[1], parts[2:]) if parts[0] == "api" else (parts[1], parts[2], parts[3:])
        namespace = ""
        if rest[:1] == ["namespaces"] and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        found = next(
            (item for item in self.kinds if (item[0], item[1], item[3]) == (group, version, rest[0] if rest else "")),
            None,
        )
        if found is None:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        return found, namespace, rest[1] if len(rest) > 1 else "", "/".join(rest[2:])

    def _route(
        self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> tuple[int, Any]:
        if path in ("/api", "/apis"):
            return 200, self._discovery(path, headers)
        if (
            path.count("/") <= 3
            and path.startswith(("/api/", "/apis/"))
            and len(path.strip("/").split("/")) == (2 if path.startswith("/api/") else 3)
        ):
            return 200, self._resources(path)
        if path in self.raws:
            return 200, self.raws[path]
        if not path.startswith(("/api/", "/apis/")):
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        kind, namespace, name, part = self._kind(path)
        verb = {
            "GET": "get" if name else "list",
            "POST": "create",
            "PUT": "update",
            "PATCH": "patch",
            "DELETE": "delete",
        }[method]
        self._allowed(kind, verb, namespace, part, name)
        if method == "GET" and not name:
            return 200, self._list(kind, namespace, query)
        if method == "GET":
            return 200, self._held(kind, namespace, name)
        if self.before_write is not None:
            self.before_write(method, path)
        return self._written(method, kind, namespace, name, query, headers, json.loads(body or b"{}"))

    def _allowed(self, kind: Kind, verb: str, namespace: str, part: str, name: str) -> None:
        if not {kind[2], f"{verb}:{kind[2]}", f"{kind[2]}/{part.partition('/')[0]}" if part else ""} & self.forbidden:
            return
        resource = f"{kind[3]}/{part.partition('/')[0]}" if part else kind[3]
        subject = f'{kind[3]} "{name}"' if name else kind[3]
        where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
        message = f'{subject} is forbidden: User "{USER}" cannot {verb} resource "{resource}" in API group "{kind[0]}" {where}'
        raise Refused(403, "Forbidden", message, **({"name": name} if name else {}), kind=kind[3])

    def _discovery(self, path: str, headers: dict[str, str]) -> Any:
        kinds = [item for item in self.kinds if (item[0] == "") is (path == "/api")]
        groups: dict[str, dict[str, list[Kind]]] = {}
        for item in kinds:
            groups.setdefault(item[0], {}).setdefault(item[1], []).append(item)
        if self.legacy or "apidiscovery" not in headers.get("accept", ""):
            if path == "/api":
                return {"kind": "APIVersions", "versions": ["v1"]}
            listed = [
                {"name": group, "versions": [{"groupVersion": f"{group}/{version}", "version": version} for version in versions],
                 "preferredVersion": {"version": next(iter(versions))}}
                for group, versions in groups.items()
            ]  # fmt: skip
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}
        verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
        items = [
            {"metadata": {"name": group} if group else {}, "versions": [
                {"version": version, "freshness": "Current", "resources": [
                    {"resource": item[3], "responseKind": {"group": "", "version": "", "kind": item[2]}, "scope": "Namespaced" if item[4] else "Cluster", "verbs": verbs}
                    for item in held
                ]} for version, held in versions.items()
            ]} for group, versions in groups.items()
        ]  # fmt: skip
        return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}

    def _resources(self, path: str) -> Any:
        parts = path.strip("/").split("/")
        group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2])
        verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
        held = [
            {"name": item[3], "kind": item[2], "namespaced": item[4], "verbs": verbs}
            for item in self.kinds
            if item[:2] == (group, version)
        ]
        if not held:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": f"{group}/{version}" if group else version,
            "resources": held,
        }

    def _list(self, kind: Kind, namespace: str, query: dict[str, str]) -> Any:
        items = [
            item
            for item in self.store.within(kind[0], kind[3], namespace)
            if _selected(item, query.get("labelSelector", ""))
        ]
        start = 0
        if "continue" in query:
            try:
                token = json.loads(base64.b64decode(query["continue"]))
            except ValueError:
                raise Refused(400, "BadRequest", "continue key is not valid") from None
            start = int(token["start"])
            if query["continue"] in self.expiring and token["rv"] != -1:
                fresh = base64.b64encode(json.dumps({"rv": -1, "start": start}).encode()).decode()
                raise Refused(
                    410,
                    "Expired",
                    "The provided continue parameter is too old to display a consistent list result.",
                    continue_token=fresh,
                )
        limit = 0 if query.get("resourceVersion") == "0" else int(query.get("limit", 0))
        page = items[start : start + limit] if limit else items[start:]
        metadata: dict[str, Any] = {"resourceVersion": str(self.store.version)}
        if limit and start + limit < len(items):
            token_text = base64.b64encode(
                json.dumps({"rv": self.store.version, "start": start + limit}).encode()
            ).decode()
            metadata |= {"continue": token_text, "remainingItemCount": len(items) - start - limit}
        bare = [{key: value for key, value in item.items() if key not in ("apiVersion", "kind")} for item in page]
        return {
            "kind": f"{kind[2]}List",
            "apiVersion": f"{kind[0]}/{kind[1]}" if kind[0] else kind[1],
            "metadata": metadata,
            "items": bare,
        }

    def _held(self, kind: Kind, namespace: str, name: str) -> Object:
        found = self.store.objects.get((kind[0], kind[3], namespace, name))
        if found is None:
            raise Refused(
                404, "NotFound", f'{_qualified(kind)} "{name}" not found', name=name, **_group(kind), kind=kind[3]
            )
        self._roll(found)
        return found

    def _roll(self, found: Object) -> None:
        """A rollout that has had its time is done: what a controller would have written into the status."""
        uid = str(found["metadata"]["uid"])
        if uid not in self._due or self.rollout_seconds is None or time.time() < self._due[uid] + self.rollout_seconds:
            return
        replicas = found.get("spec", {}).get("replicas", 1)
        found["status"] = {
            "observedGeneration": found["metadata"]["generation"], "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": replicas,
            "availableReplicas": replicas, "currentNumberScheduled": 1, "desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberAvailable": 1,
        }  # fmt: skip
        del self._due[uid]

    def _written(
        self, method: str, kind: Kind, namespace: str, name: str, query: dict[str, str], headers: dict[str, str], body: Any
    ) -> tuple[int, Any]:  # fmt: skip
        dry = query.get("dryRun") == "All"
        key = (kind[0], kind[3], namespace, name)
        old = self.store.objects.get(key)
        if method == "DELETE":
            held = self._held(kind, namespace, name)
            for field in ("uid", "resourceVersion"):
                wanted = (body.get("preconditions") or {}).get(field)
                if wanted and wanted != held["metadata"][field]:
                    message = f'Operation cannot be fulfilled on {_qualified(kind)} "{name}": Precondition failed: {field} in precondition: {wanted}, {field} in object meta: {held["metadata"][field]}'
                    raise Refused(409, "Conflict", message, name=name, **_group(kind), kind=kind[3])
            gone = held if dry else self.store.remove(key)
            return 200, {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Success",
                "details": {"name": name, "kind": kind[3], "uid": gone["metadata"]["uid"]},
            }
        if method == "POST":
            name = str(body["metadata"].get("name") or f"{body['metadata'].get('generateName', '')}x7k2p")
            key = (kind[0], kind[3], namespace, name)
            if key in self.store.objects:
                raise Refused(
                    409,
                    "AlreadyExists",
                    f'{_qualified(kind)} "{name}" already exists',
                    name=name,
                    **_group(kind),
                    kind=kind[3],
                )
            body["metadata"] |= {"name": name} | ({"namespace": namespace} if kind[4] else {})
            made = body
        elif headers.get("content-type", "").startswith("application/apply-patch"):
            made = self._applied(key, kind, query, body)
        elif method == "PUT":
            held = self._held(kind, namespace, name)
            wanted = body["metadata"].get("resourceVersion")
            if wanted and wanted != held["metadata"]["resourceVersion"]:
                message = f'Operation cannot be fulfilled on {_qualified(kind)} "{name}": the object has been modified; please apply your changes to the latest version and try again'
                raise Refused(409, "Conflict", message, name=name, **_group(kind), kind=kind[3])
            made = body
        elif "json-patch" in headers.get("content-type", ""):
            made = json_patch(self._held(kind, namespace, name), body)
        else:
            made = merged(self._held(kind, namespace, name), body)
        if self.deny is not None and (reason := self.deny(made)):
            raise Refused(403, "Forbidden", f'admission webhook "policy.example.test" denied the request: {reason}')
        if method == "PATCH" and "apply-patch" not in headers.get("content-type", ""):
            entry = {"manager": query.get("fieldManager", "unknown"), "operation": "Update"}
            others = [
                item for item in made["metadata"].get("managedFields", ()) if item.get("manager") != entry["manager"]
            ]
            made["metadata"]["managedFields"] = [*others, entry]
        stored = self.store.put(key, made, dry=dry)
        if not dry and "template" in made.get("spec", {}) and (old or {}).get("spec") != made["spec"]:
            self._due[str(stored["metadata"]["uid"])] = time.time()
        return 200 if old is not None else 201, stored

    def _applied(self, key: tuple[str, str, str, str], kind: Kind, query: dict[str, str], body: Object) -> Object:
        manager = query.get("fieldManager", "")
        if not manager:
            raise Refused(
                422,
                "Invalid",
                'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
            )
        old = self.store.objects.get(key)
        mine = set(leaves(body))
        others = (
            []
            if old is None
            else [item for item in old["metadata"].get("managedFields", ()) if item.get("manager") != manager]
        )
        conflicts = [
            (item["manager"], path) for item in others for path in mine
            if path in {tuple(field) for field in item.get("double/fields", ())} and at(old, path) != at(body, path)
        ]  # fmt: skip
        if conflicts and query.get("force") != "true":
            told = "conflict" if len(conflicts) == 1 else "conflicts"
            causes = [
                {"reason": "FieldManagerConflict", "message": f'conflict with "{who}"', "field": "." + ".".join(path)}
                for who, path in conflicts
            ]
            lines = ", ".join(f'conflict with "{who}": .{".".join(path)}' for who, path in conflicts)
            raise Refused(409, "Conflict", f"Apply failed with {len(conflicts)} {told}: {lines}", causes=causes)
        made: Object = merged(old or {}, body)
        namespace, name = key[2], key[3]
        made["metadata"] |= {"name": name} | ({"namespace": namespace} if kind[4] else {})
        entry = {
            "manager": manager,
            "operation": "Apply",
            "apiVersion": body["apiVersion"],
            "double/fields": [list(path) for path in sorted(mine)],
        }
        made["metadata"]["managedFields"] = [*others, entry]
        return made

    async def _watch(self, path: str, query: dict[str, str], writer: asyncio.StreamWriter) -> None:
        kind, namespace, _, _ = self._kind(path)
        self._allowed(kind, "watch", namespace, "", "")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        version = int(query.get("resourceVersion") or self.store.version)
        if version < self.store.oldest:
            gone = {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Failure",
                "message": f"too old resource version: {version} ({self.store.oldest})",
                "reason": "Expired",
                "code": 410,
            }
            await _chunk(writer, {"type": "ERROR", "object": gone})
            await _end(writer)
            return
        sent, end = 0, time.monotonic() + float(query.get("timeoutSeconds", 300))
        while time.monotonic() < end and not self._stop.is_set():
            seen = self.store.version
            for at_version, what, key, data in list(self.store.history):
                if at_version <= version or key[:2] != (kind[0], kind[3]) or namespace not in ("", key[2]):
                    continue
                await _chunk(writer, {"type": what, "object": data})
                version, sent = at_version, sent + 1
                if self.break_watch_after is not None and sent >= self.break_watch_after:
                    writer.close()
                    return
            await asyncio.sleep(0.02)
            # A bookmark never passes an event that was not sent.
            if version < seen and query.get("allowWatchBookmarks") == "true":
                version = seen
                await _chunk(
                    writer,
                    {
                        "type": "BOOKMARK",
                        "object": {
                            "kind": kind[2],
                            "apiVersion": kind[1],
                            "metadata": {"resourceVersion": str(version)},
                        },
                    },
                )
        await _end(writer)


def status_of(refused: Refused) -> dict[str, Any]:
    details = {key: value for key, value in refused.details.items() if key != "continue_token"}
    metadata = {"continue": refused.details["continue_token"]} if "continue_token" in refused.details else {}
    out: Object = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": metadata,
        "status": "Failure",
        "message": refused.message,
        "reason": refused.reason,
    }
    return {**out, **({"details": details} if details else {}), "code": refused.code}


def _group(kind: Kind) -> dict[str, str]:
    return {"group": kind[0]} if kind[0] else {}


def _qualified(kind: Kind) -> str:
    return f"{kind[3]}.{kind[0]}" if kind[0] else kind[3]


def _selected(item: Object, selector: str) -> bool:
    labels = item["metadata"].get("labels") or {}
    return all(labels.get(part.partition("=")[0]) == part.partition("=")[2] for part in selector.split(",") if part)


async def _write(writer: asyncio.StreamWriter, status: int, data: bytes, *, retry: bool = False) -> None:
    more = "Retry-After: 0\r\n" if retry else ""
    writer.write(
        f"HTTP/1.1 {status} {_PHRASES.get(status, 'X')}\r\nContent-Type: application/json\r\n{more}Content-Length: {len(data)}\r\n\r\n".encode()
        + data
    )
    await writer.drain()


async def _chunk(writer: asyncio.StreamWriter, value: Any) -> None:
    data = json.dumps(value).encode() + b"\n"
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()


async def _end(writer: asyncio.StreamWriter) -> None:
    writer.write(b"0\r\n\r\n")
    await writer.drain()
