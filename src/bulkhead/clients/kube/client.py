"""The client: one call at a time, many at once as far as the bound goes; lists page by page; writes with their guards."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from bulkhead.clients.kube import discovery
from bulkhead.clients.kube.config import Cluster
from bulkhead.clients.kube.credentials import Credentials
from bulkhead.clients.kube.discovery import ApiResource, Discovered
from bulkhead.clients.kube.refusals import Expired, refused, warnings_of
from bulkhead.clients.kube.tls import context
from bulkhead.core.errors import LimitExceeded, SourceError

if TYPE_CHECKING:
    import httpx

MANAGER = "bulkhead"
_SAID = 600


class Limits(msgspec.Struct, frozen=True):
    """What one server may cost us. Size in bytes, times in seconds."""

    answer: int = 64 * 1024 * 1024
    items: int = 200_000
    page: int = 500
    at_once: int = 8
    connections: int = 300
    """A watch has one for itself, and there is one for each kind."""
    connect_seconds: float = 5.0
    call_seconds: float = 30.0
    tries: int = 4
    wait_seconds: float = 10.0


class Answer(msgspec.Struct, frozen=True):
    """An object and what the server warned of (the header ``Warning``, RFC 9111)."""

    data: dict[str, Any]
    warnings: tuple[str, ...] = ()


class KubeClient:
    """Speaks to one API server. Use as ``async with KubeClient(cluster) as client``."""

    def __init__(self, cluster: Cluster, *, limits: Limits | None = None) -> None:
        self.cluster = cluster
        self.limits = limits or Limits()
        self._credentials = Credentials(cluster)
        self._http: httpx.AsyncClient | None = None
        self._slots = asyncio.Semaphore(self.limits.at_once)

    async def __aenter__(self) -> Self:
        # A plug-in may bring the certificate that the connection needs.
        await self._credentials.header()
        self._http = self._connection()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    def _connection(self) -> httpx.AsyncClient:
        import httpx

        verify: ssl.SSLContext | bool = (
            context(self.cluster, self._credentials) if self.cluster.server.startswith("https") else True
        )
        return httpx.AsyncClient(
            base_url=self.cluster.server, verify=verify, follow_redirects=False, trust_env=False, proxy=self.cluster.proxy or None,
            timeout=httpx.Timeout(self.limits.call_seconds, connect=self.limits.connect_seconds),
            limits=httpx.Limits(max_connections=self.limits.connections, max_keepalive_connections=self.limits.at_once),
            headers={"User-Agent": MANAGER, "Accept-Encoding": "gzip"},
        )  # fmt: skip

    # Reading.

    async def discover(self) -> Discovered:
        """Raises SourceError where the server does not tell its kinds."""
        return await discovery.discover(self)

    async def raw(self, path: str, *, accept: str = "application/json") -> Any:
        """The JSON at a path (``/version``, a node's ``configz``).

        Raises:
            SourceError: and its kinds, see this module.
        """
        return (await self._call("GET", path, accept=accept))[0]

    async def get(self, resource: ApiResource, name: str, namespace: str = "") -> dict[str, Any]:
        """One object.

        Raises:
            Vanished: there is none.
            SourceError: as ``raw``.
        """
        return _object((await self._call("GET", resource.path(namespace, name)))[0], resource.path(namespace, name))

    async def pages(
        self, resource: ApiResource, *, namespace: str = "", **selectors: str
    ) -> AsyncIterator[tuple[list[dict[str, Any]], str]]:
        """The list page by page, each with the list's resource version.

        A token that ran out in the middle goes on with the fresh one that the server sends along: the rest is then of
        another instant, and the version is told as empty.

        Raises:
            Expired: the server does not let us go on.
            LimitExceeded: there is more than the bound.
            SourceError: as ``raw``.
        """
        path = resource.path(namespace)
        query = {"limit": str(self.limits.page), **{key: value for key, value in selectors.items() if value}}
        seen, inconsistent = 0, False
        while True:
            try:
                answer = (await self._call("GET", path, query=query))[0]
            except Expired as expired:
                if not expired.fresh:
                    raise
                if inconsistent:
                    raise Expired("the list runs out again and again", where=path) from expired
                inconsistent, query = True, {**query, "continue": expired.fresh}
                continue
            items, metadata = _page(answer, path, resource)
            seen += len(items)
            if seen > self.limits.items:
                raise LimitExceeded(f"there are more than {self.limits.items}", where=path)
            yield items, "" if inconsistent else str(metadata.get("resourceVersion") or "")
            token = str(metadata.get("continue") or "")
            if not token:
                return
            query = {**query, "continue": token}

    async def collect(
        self, resource: ApiResource, *, namespace: str = "", **selectors: str
    ) -> tuple[list[dict[str, Any]], str]:
        """The whole list and its version; empty where it is not of one instant. Raises as ``pages``."""
        found: list[dict[str, Any]] = []
        version = ""
        async for items, told in self.pages(resource, namespace=namespace, **selectors):
            found += items
            version = told
        return found, version

    async def lines(self, path: str, query: Mapping[str, str], *, idle: float) -> AsyncIterator[bytes]:
        """A stream of lines (a watch), for as long as the server sends something within ``idle`` seconds.

        Raises:
            SourceError: as ``raw``.
        """
        import httpx

        http = self._open()
        timeout = httpx.Timeout(idle, connect=self.limits.connect_seconds)
        renew = False
        try:
            while True:
                headers = await self._headers("application/json", renew=renew)
                async with http.stream("GET", path, params=dict(query), headers=headers, timeout=timeout) as response:
                    if response.status_code == 401 and not renew and headers.get("Authorization"):
                        renew = True
                        continue
                    if response.status_code != 200:
                        raise refused(response.status_code, await self._whole(response, path), path, reading=True)
                    async for line in self._by_line(response, path):
                        yield line
                    return
        except httpx.HTTPError as error:
            raise _unreachable(error, self.cluster.server) from error

    async def _by_line(self, response: httpx.Response, path: str) -> AsyncIterator[bytes]:
        pending = b""
        async for chunk in response.aiter_bytes():
            *found, pending = (pending + chunk).split(b"\n")
            if len(pending) > self.limits.answer:
                raise LimitExceeded("an event is too large", where=path)
            for line in found:
                if line.strip():
                    yield line

    async def _whole(self, response: httpx.Response, path: str) -> bytes:
        """Raises LimitExceeded where the answer is larger than the bound."""
        data = bytearray()
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > self.limits.answer:
                raise LimitExceeded(f"the answer has more than {self.limits.answer} bytes", where=path)
        return bytes(data)

    # Writing. Nothing is sent twice by itself but what the server surely did not take (429).

    async def create(
        self, resource: ApiResource, data: Mapping[str, Any], namespace: str = "", *, dry_run: bool = False
    ) -> Answer:
        """Raises Conflict where it is there already; PlanRefused where the server does not take it; SourceError."""
        return await self._write("POST", resource.path(namespace), data, "application/json", dry_run=dry_run)

    async def apply(
        self, resource: ApiResource, data: Mapping[str, Any], *, force: bool = False, dry_run: bool = False
    ) -> Answer:  # fmt: skip
        """Server-side apply as the manager ``bulkhead``.

        Raises:
            Conflict: another manager has a field, and ``force`` is not set; the message names both.
            PlanRefused: the server, or an admission policy, does not take it.
            SourceError: as ``raw``.
        """
        metadata = data.get("metadata") or {}
        path = resource.path(str(metadata.get("namespace") or ""), str(metadata.get("name")))
        return await self._write(
            "PATCH", path, data, "application/apply-patch+yaml", dry_run=dry_run, force="true" if force else ""
        )

    async def patch(
        self, resource: ApiResource, name: str, namespace: str, operations: list[dict[str, Any]], *, dry_run: bool = False
    ) -> Answer:  # fmt: skip
        """A JSON patch (RFC 6902). A ``test`` that fails is a Conflict. Raises as ``apply``."""
        return await self._write(
            "PATCH", resource.path(namespace, name), operations, "application/json-patch+json", dry_run=dry_run
        )

    async def delete(
        self, resource: ApiResource, name: str, namespace: str = "", *, uid: str = "", version: str = "", dry_run: bool = False
    ) -> None:  # fmt: skip
        """Raises Conflict where it is not that object (any more), Vanished where there is none."""
        conditions = {key: value for key, value in (("uid", uid), ("resourceVersion", version)) if value}
        body = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": conditions,
            "propagationPolicy": "Background",
        }
        await self._write("DELETE", resource.path(namespace, name), body, "application/json", dry_run=dry_run)

    async def _write(self, method: str, path: str, body: Any, content: str, *, dry_run: bool, **more: str) -> Answer:
        query = {key: value for key, value in more.items() if value}
        if method != "DELETE":
            query |= {"fieldManager": MANAGER, "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        data, warnings = await self._call(method, path, query=query, body=body, content=content)
        return Answer(data if isinstance(data, dict) else {}, warnings)

    # One exchange.

    def _open(self) -> httpx.AsyncClient:
        if self._http is None:
            raise SourceError("the client is not open", where=self.cluster.server)
        return self._http

    async def _headers(self, accept: str, *, renew: bool = False) -> dict[str, str]:
        told = await self._credentials.header(renew=renew)
        return {"Accept": accept, **({"Authorization": told} if told else {})}

    async def _call(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None, content: str = "",
        accept: str = "application/json",
    ) -> tuple[Any, tuple[str, ...]]:  # fmt: skip
        """What the server answers, decoded, with its warnings. A busy server is asked again; an old credential is renewed once."""
        renew, tries = False, 0
        while True:
            headers = await self._headers(accept, renew=renew)
            if content:
                headers["Content-Type"] = content
            async with self._slots:
                status, data, told = await self._exchange(method, path, dict(query or {}), body, headers)
            if status == 401 and not renew and headers.get("Authorization"):
                renew = True
                continue
            again = status == 429 or (status in (500, 502, 503, 504) and method == "GET")
            if again and tries < self.limits.tries - 1:
                tries += 1
                await asyncio.sleep(min(_seconds(told.get("retry-after"), 0.2 * 2**tries), self.limits.wait_seconds))
                continue
            if status not in (200, 201, 202):
                raise refused(status, data, path, reading=method == "GET")
            return _decoded(data, path), warnings_of(told.get("warning", ""))

    async def _exchange(
        self, method: str, path: str, query: dict[str, str], body: Any, headers: dict[str, str]
    ) -> tuple[int, bytes, dict[str, str]]:  # fmt: skip
        import httpx

        http = self._open()
        sent = None if body is None else msgspec.json.encode(body)
        try:
            async with asyncio.timeout(self.limits.call_seconds):
                async with http.stream(method, path, params=query, content=sent, headers=headers) as response:
                    data = await self._whole(response, path)
                    told = {key.lower(): value for key, value in response.headers.items()}
                    return response.status_code, data, told
        except (httpx.TimeoutException, TimeoutError) as error:
            raise LimitExceeded("the server does not answer in time", where=path) from error
        except httpx.HTTPError as error:
            raise _unreachable(error, self.cluster.server) from error


def _decoded(data: bytes, path: str) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise SourceError("the server's answer is not JSON", where=path) from error


def _object(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("metadata"), dict):
        raise SourceError("the server's answer is not an object", where=path)
    return value


def _page(answer: Any, path: str, resource: ApiResource) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    metadata = answer.get("metadata") if isinstance(answer, dict) else None
    items = answer.get("items", ...) if isinstance(answer, dict) else None
    items = [] if items is None and isinstance(metadata, dict) else items
    if (
        not isinstance(metadata, dict)
        or not isinstance(items, list)
        or not all(isinstance(item, dict) for item in items)
    ):
        raise SourceError("the server's answer is not a list of objects", where=path)
    # Items of a list do not repeat what they are.
    return [{"apiVersion": resource.api_version, "kind": resource.kind, **item} for item in items], metadata


def _unreachable(error: Exception, server: str) -> SourceError:
    said = str(error) or type(error).__name__
    hint = "is the address right, and does the network reach it?"
    if "CERTIFICATE" in said.upper():
        hint = "its certificate is not signed by the kubeconfig's authority"
    return SourceError(f"the server cannot be asked: {said[:_SAID]}", where=server, hint=hint)


def _seconds(text: str | None, otherwise: float) -> float:
    return float(text) if text is not None and text.isdecimal() else otherwise
