"""The double's answers: requests into the store, and the knobs of a test."""

from __future__ import annotations

import asyncio
import copy
import json
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.fakes.kube import discovery, wire
from tests.fakes.kube.kinds import BUILT_IN, Kind
from tests.fakes.kube.lists import listed
from tests.fakes.kube.status import NOT_FOUND, Plain, Refused, about, qualified
from tests.fakes.kube.store import Key, Object, Store
from tests.fakes.kube.watching import Watch, asked
from tests.fakes.kube.wire import Request
from tests.fakes.kube.writes import Write

USER = "system:serviceaccount:demo:app"
ANONYMOUS = "system:anonymous"
_TAKEN = ("application/json", "application/*", "*/*")
_NOT_ACCEPTABLE = (
    "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf, "
    "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
)
_VERSION = {
    "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36", "minCompatibilityMajor": "1", "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.2", "gitCommit": "98b35193b2ac7a23a673325f5e9b830ecd5ba406", "gitTreeState": "clean",
    "buildDate": "2026-08-21T00:00:00Z", "goVersion": "go1.26.6", "compiler": "gc", "platform": "linux/amd64",
}  # fmt: skip


class KubeDouble:
    """Use as ``with KubeDouble(objects) as double``; then ``double.url`` and ``double.kubeconfig(folder)``.

    Attributes:
        raws: answers by path that are not of the store: a kubelet's settings as JSON, health as text.
        forbidden: kinds (``Pod``), verbs of them (``patch:Pod``), their parts (``Node/proxy``) and paths (``/metrics``).
        anonymous: who comes without a token is ``system:anonymous``, who may do nothing; else there is no such guest.
        answers: status and bytes by path, whatever is asked there.
        silent: seconds by path for which nothing is answered.
        throttled: how many requests are told to come again.
        expiring: tokens of lists that have run out.
        rollout_seconds: how long a workload takes to roll out; None for ever.
        before_write: what happens just before a write.
        deny: why an admission policy refuses an object; empty for none.
    """

    def __init__(self, objects: Iterable[Object] = (), *, token: str = "good") -> None:
        self.kinds: list[Kind] = list(BUILT_IN)
        self.store = Store()
        self.token = token
        self.requests: list[tuple[str, str]] = []
        self.raws: dict[str, Any] = {"/version": _VERSION, "/healthz": "ok", "/livez": "ok", "/readyz": "ok"}
        self.forbidden: set[str] = set()
        self.anonymous = False
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
        key, made = self._placed(data)
        return self.store.put(key, made)

    def restore(self, data: Object) -> None:
        """An object as another server had it, with its version."""
        self.store.restore(*self._placed(data))

    def _placed(self, data: Object) -> tuple[Key, Object]:
        group, slash, _ = str(data["apiVersion"]).rpartition("/")
        found = next(item for item in self.kinds if item[2] == data["kind"] and item[0] == (group if slash else ""))
        metadata = data["metadata"]
        namespace = str(metadata.get("namespace", "default")) if found[4] else ""
        made = copy.deepcopy(data)
        if found[4]:
            made["metadata"]["namespace"] = namespace
        return (found[0], found[3], namespace, str(metadata["name"])), made

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
                await self._answer(await wire.read(reader), writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.requests.append((request.method, request.target))
        if request.path in self.silent:
            await asyncio.sleep(self.silent[request.path])
        try:
            user = self._user(request)
            if request.path in self.answers:
                status, data = self.answers[request.path]
                await wire.write(writer, status, data)
            elif asked(request.query):
                await self._watch(request, user, writer)
            else:
                await self._once(request, user, writer)
        except Refused as refused:
            more = (("Retry-After", str(refused.retry)),) if refused.retry is not None else ()
            await wire.write(writer, refused.code, json.dumps(refused.status()).encode(), more=more)
        except Plain as plain:
            await wire.write(writer, plain.code, plain.text.encode(), content=wire.TEXT)

    def _user(self, request: Request) -> str:
        if self.throttled > 0:
            self.throttled -= 1
            raise Refused(429, "too many requests, please try again later")
        told = request.headers.get("authorization")
        if told is None and self.anonymous:
            return ANONYMOUS
        if told != f"Bearer {self.token}":
            raise Refused(401, "Unauthorized")
        return USER

    async def _once(self, request: Request, user: str, writer: asyncio.StreamWriter) -> None:
        path, accept = request.path, request.headers.get("accept", "*/*")
        if user == ANONYMOUS or path in self.forbidden:
            self._no_guests(request, user)
        if path in ("/api", "/apis") and discovery.aggregated(accept) and not self.legacy:
            value = discovery.groups(self.kinds, path)
            tag = discovery.tag(value)
            known = request.headers.get("if-none-match") == tag
            more = (("Cache-Control", "public"), ("Etag", tag), ("Vary", "Accept"))
            data = b"" if known else json.dumps(value).encode()
            await wire.write(writer, 304 if known else 200, data, content=discovery.AGGREGATED, more=more)
            return
        if not any(part.partition(";")[0].strip() in _TAKEN for part in accept.split(",")):
            raise Refused(406, _NOT_ACCEPTABLE, {})
        status, value, warnings = self._route(request, user)
        text = isinstance(value, str)
        data = value.encode() if text else json.dumps(value).encode()
        await wire.write(writer, status, data, content=wire.TEXT if text else wire.JSON, more=wire.warnings(warnings))

    def _no_guests(self, request: Request, user: str) -> None:
        """Raises Refused."""
        if request.path.startswith(("/api/", "/apis/")) and request.path.count("/") > 3:
            kind, namespace, name, part = self._kind(request.path)
            self._forbid(kind, _verb(request.method, name), namespace, part, name, user)
        raise Refused(403, f'forbidden: User "{user}" cannot {request.method.lower()} path "{request.path}"', {})

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
        if found is None and not any(item[:2] == (group, version) for item in self.kinds):
            raise Plain(404, "404 page not found\n")
        if found is None:
            raise Refused(404, NOT_FOUND, {})
        return found, namespace, rest[1] if len(rest) > 1 else "", "/".join(rest[2:])

    def _route(self, request: Request, user: str) -> tuple[int, Any, list[str]]:
        path, parts = request.path, request.path.strip("/").split("/")
        if path in ("/api", "/apis"):
            return 200, discovery.names(self.kinds, path), []
        if parts[0] == "apis" and len(parts) == 2:
            return 200, discovery.group(self.kinds, parts[1]), []
        if (parts[0], len(parts)) in (("api", 2), ("apis", 3)):
            return 200, discovery.resources(self.kinds, "" if parts[0] == "api" else parts[1], parts[-1]), []
        if path in self.raws:
            return 200, self.raws[path], []
        if parts[0] not in ("api", "apis"):
            raise Plain(404, "404 page not found\n")
        kind, namespace, name, part = self._kind(path)
        self._allowed(kind, _verb(request.method, name), namespace, part, name, user)
        if part.startswith("proxy"):
            said = "error trying to reach service: dial tcp: connect: connection refused"
            raise Refused(503, said, reason="ServiceUnavailable")
        if part not in ("", "status"):
            raise Refused(404, NOT_FOUND, {})
        if request.method == "GET":
            return 200, self._read(kind, namespace, name, request), []
        if (request.method == "POST") is bool(name):
            raise Refused(405, "the server does not allow this method on the requested resource", {})
        if self.before_write is not None:
            self.before_write(request.method, path)
        write = Write(self.store, request.method, kind, namespace, name, request.query, request.headers, part)
        before = copy.deepcopy(self.store.objects.get((kind[0], kind[3], namespace, name)))
        status, stored = write.done(request.body, self.deny)
        self._begun(before, stored, dry="dryRun" in request.query)
        return status, stored, write.warnings

    def _allowed(self, kind: Kind, verb: str, namespace: str, part: str, name: str, user: str) -> None:
        whole = part.partition("/")[0]
        if {kind[2], f"{verb}:{kind[2]}", f"{kind[2]}/{whole}" if part else ""} & self.forbidden:
            self._forbid(kind, verb, namespace, whole, name, user)

    def _forbid(self, kind: Kind, verb: str, namespace: str, part: str, name: str, user: str) -> None:
        """Raises Refused (apiserver, endpoints/handlers/responsewriters: forbiddenMessage)."""
        subject = f'{qualified(kind)} "{name}"' if name else qualified(kind)
        where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
        resource = f"{kind[3]}/{part}" if part else kind[3]
        said = f'{subject} is forbidden: User "{user}" cannot {verb} resource "{resource}" in API group "{kind[0]}" {where}'
        raise Refused(403, said, about(kind, name))

    def _read(self, kind: Kind, namespace: str, name: str, request: Request) -> Any:
        accept = request.headers.get("accept", "")
        if not name:
            found = listed(self.store, kind, namespace, request.query, expiring=frozenset(self.expiring))
            if "as=PartialObjectMetadataList;" not in accept:
                return found
            items = [_partial(item) for item in found["items"]]
            return {**found, "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "items": items}
        held = self.store.objects.get((kind[0], kind[3], namespace, name))
        if held is None:
            raise Refused(404, f'{qualified(kind)} "{name}" not found', about(kind, name))
        self._roll(held)
        return _partial(held) if "as=PartialObjectMetadata;" in accept else held

    def _begun(self, before: Object | None, stored: Object, *, dry: bool) -> None:
        """A workload whose template was written begins to roll out."""
        if not dry and "template" in (stored.get("spec") or {}) and (before or {}).get("spec") != stored["spec"]:
            self._due[str(stored["metadata"]["uid"])] = time.time()

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

    async def _watch(self, request: Request, user: str, writer: asyncio.StreamWriter) -> None:
        kind, namespace, _, _ = self._kind(request.path)
        self._allowed(kind, "watch", namespace, "", "", user)
        watch = Watch(self.store, kind, namespace, request.query)
        await wire.begin(writer)
        sent = 0
        async for event in watch.events(self._stop):
            await wire.chunk(writer, event)
            sent += event["type"] not in ("BOOKMARK", "ERROR")
            if self.break_watch_after is not None and sent >= self.break_watch_after:
                writer.close()
                return
        await wire.end(writer)


def _verb(method: str, name: str) -> str:
    reading = "get" if name else "list"
    return {"GET": reading, "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}.get(
        method, reading
    )


def _partial(data: Object) -> Object:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": data["metadata"]}
