"""A registry in this process: OCI distribution's read side over asyncio, as honest or as hostile as a test needs."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw: bytes | None = None
    """Sent instead of all of the above."""
    pause: float = 0.0


Hook = Callable[[Request], "Answer | Awaitable[Answer | None] | None"]


@dataclass
class Registry:
    """Content by digest and tag; ``hook`` may answer first; ``seen`` records every request."""

    user: str = ""
    password: str = ""
    basic: bool = False
    realm: str = ""
    repository: str = ""
    """The only one there is; any when empty."""
    hook: Hook | None = None
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    seen: list[Request] = field(default_factory=list)
    port: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def add_blob(self, data: bytes) -> str:
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.blobs[digest] = data
        return digest

    def add_manifest(self, media_type: str, data: bytes, *tags: str) -> str:
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        for name in (digest, *tags):
            self.manifests[name] = (media_type, data)
        return digest

    def answer(self, request: Request) -> Answer:
        if request.path.startswith("/token"):
            return self._token(request)
        if self.user and not self._allowed(request):
            realm = self.realm or f"http://{self.host}/token"
            scheme = (
                'Basic realm="x"' if self.basic else f'Bearer realm="{realm}",service="reg",scope="registry:catalog:*"'
            )
            return Answer(401, {"WWW-Authenticate": scheme})
        place, kind, name = request.path.rsplit("/", 2)
        if self.repository and place != f"/v2/{self.repository}":
            return Answer(404, {}, b'{"errors":[{"code":"NAME_UNKNOWN"}]}')
        if kind == "manifests" and name in self.manifests:
            media_type, data = self.manifests[name]
            digest = "sha256:" + hashlib.sha256(data).hexdigest()
            return Answer(200, {"Content-Type": media_type, "Docker-Content-Digest": digest}, data)
        if kind == "blobs" and name in self.blobs:
            return Answer(200, {"Content-Type": "application/octet-stream"}, self.blobs[name])
        return Answer(404, {}, b'{"errors":[{"code":"NOT_FOUND"}]}')

    def _basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def _allowed(self, request: Request) -> bool:
        return request.headers.get("authorization") == (self._basic() if self.basic else "Bearer good")

    def _token(self, request: Request) -> Answer:
        refresh = b"refresh_token=identity" in request.body
        if refresh or request.headers.get("authorization") == self._basic():
            return Answer(200, {}, b'{"token":"good","expires_in":300}')
        return Answer(401, {}, b"{}")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            self._tasks.add(task)
        # Cancelled means that the test is over; a stream's callback must not see it (CPython 3.11).
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode("latin-1").split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if line)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                method, path, _ = first.split(" ")
                request = Request(method, path, headers, body)
                self.seen.append(request)
                answer = self.hook(request) if self.hook else None
                if isinstance(answer, Awaitable):
                    answer = await answer
                answer = answer or self.answer(request)
                await asyncio.sleep(answer.pause)
                writer.write(_encoded(answer))
                await writer.drain()
                if answer.raw is not None:
                    break
        writer.close()

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[Registry]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks)
            self._tasks.clear()


def _encoded(answer: Answer) -> bytes:
    if answer.raw is not None:
        return answer.raw
    headers = {"Content-Length": str(len(answer.body))} | answer.headers
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {answer.status} X\r\n{lines}\r\n".encode() + answer.body
