"""Each kind of face being run: started on bound sockets, stopped gently, cut off."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from socket import socket
from typing import TYPE_CHECKING, Any, Protocol

from bulkhead.core.errors import SourceError
from bulkhead.server.faces import Asgi, Face, Open, Service, Stream

if TYPE_CHECKING:
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
_HEAD_BYTES = 32 * 1024


class Running(Protocol):
    async def start(self, sockets: tuple[socket, ...], tls: ssl.SSLContext | None) -> None:
        """Returns when all sockets listen. Raises SourceError where the face does not come up."""
        ...

    async def stop(self) -> None:
        """Accept nothing more; returns when all under way is done."""
        ...

    def cut(self) -> None:
        """End what is still under way, now."""
        ...

    async def ended(self) -> None:
        """Returns when the face ends, asked or not."""
        ...


def running(face: Face, spawn: Spawn) -> Running:
    if isinstance(face.kind, Asgi):
        return _Asgi(face.name, face.kind, spawn)
    if isinstance(face.kind, Stream):
        return _Stream(face.kind)
    return _Service(face.kind)


class _Asgi:
    """Under uvicorn, which here listens to no signal, writes no log of its own and believes no proxy."""

    def __init__(self, name: str, kind: Asgi, spawn: Spawn) -> None:
        self._name, self._kind, self._spawn = name, kind, spawn
        self._server: uvicorn.Server
        self._task: asyncio.Task[None]

    async def start(self, sockets: tuple[socket, ...], tls: ssl.SSLContext | None) -> None:
        import uvicorn

        class Server(uvicorn.Server):
            @contextmanager
            def capture_signals(self) -> Iterator[None]:
                yield

        config = uvicorn.Config(
            self._kind.application, log_config=None, access_log=False, lifespan="on", loop="none", ws="none",
            http=_patient(self._kind.patience_seconds), proxy_headers=False, server_header=False, date_header=True,
            limit_concurrency=self._kind.most, timeout_keep_alive=int(self._kind.patience_seconds) or 1,
            h11_max_incomplete_event_size=_HEAD_BYTES, backlog=512,
        )  # fmt: skip
        config.load()
        config.ssl = tls
        self._server = Server(config)
        self._task = self._spawn(self._serve(list(sockets)))
        while not self._server.started and not self._task.done():  # noqa: ASYNC110 (it tells no event)
            await asyncio.sleep(0.005)
        if not self._server.started:
            raise SourceError("the face does not come up", where=self._name, hint="the log tells why")

    async def _serve(self, sockets: list[socket]) -> None:
        try:
            await self._server.serve(sockets)
        except SystemExit:
            # Its word for a lifespan that fails; one face must not end the process past everybody else.
            return

    async def stop(self) -> None:
        self._server.should_exit = True
        await asyncio.wait({self._task})

    def cut(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        for task in list(self._server.server_state.tasks):
            task.cancel()
        for connection in list(self._server.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()

    async def ended(self) -> None:
        await asyncio.wait({self._task})


def _patient(seconds: float) -> type[H11Protocol]:
    """HTTP/1.1 whose patience with the head of a request ends. uvicorn alone waits for ever, and slow clients are cheap."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Patient(H11Protocol):
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the base
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._answering():
                self._calm()
            elif self._timer is None:
                self._wait()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._calm()

        def connection_lost(self, exc: Exception | None) -> None:
            self._calm()
            super().connection_lost(exc)

        def _wait(self) -> None:
            self._timer = self.loop.call_later(seconds, self._enough)

        def _calm(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _enough(self) -> None:
            self._timer = None
            if not self._answering():
                self.transport.abort()

        def _answering(self) -> bool:
            cycle: Any = self.cycle
            return cycle is not None and not cycle.response_complete

    return Patient


class _Stream:
    def __init__(self, kind: Stream) -> None:
        self._kind = kind
        self._open = Open()
        self._servers: list[asyncio.Server] = []
        self._stopped = asyncio.Event()

    async def start(self, sockets: tuple[socket, ...], tls: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        for made in sockets:
            self._servers.append(
                await loop.create_server(lambda: self._kind.protocol(self._open), sock=made, ssl=tls, backlog=512)
            )

    async def stop(self) -> None:
        self._open.draining = True
        for server in self._servers:
            server.close()
        await self._open.gone()
        self._stopped.set()

    def cut(self) -> None:
        for server in self._servers:
            server.close()
        for transport in list(self._open.transports):
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()
            else:
                transport.close()
        self._stopped.set()

    async def ended(self) -> None:
        await self._stopped.wait()


class _Service:
    def __init__(self, kind: Service) -> None:
        self._kind = kind
        self._stopped = asyncio.Event()
        self._stopping: asyncio.Task[None] | None = None

    async def start(self, sockets: tuple[socket, ...], tls: ssl.SSLContext | None) -> None:
        await self._kind.start(sockets, tls)

    async def stop(self) -> None:
        self._stopping = asyncio.ensure_future(self._kind.stop())
        await asyncio.wait({self._stopping})
        self._stopped.set()

    def cut(self) -> None:
        if self._stopping is not None:
            self._stopping.cancel()
        self._stopped.set()

    async def ended(self) -> None:
        await self._stopped.wait()
