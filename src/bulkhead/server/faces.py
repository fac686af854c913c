"""The seam: a face is what a client connects to. Later servers (webhook, decisions, Vault, SPIFFE) are mounted as faces.

A face says where it listens and what answers there. The supervisor binds, starts, watches and stops all faces alike, with the
same TLS for all kinds; a face knows neither signals nor certificates nor the other faces.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from socket import socket
from typing import Literal, Protocol

import msgspec

Application = Callable[..., Awaitable[None]]
"""An ASGI 3 application, with lifespan."""


class Listen(msgspec.Struct, frozen=True, kw_only=True):
    """A TCP address, or the path of a Unix socket with its mode. Port 0 is any free one."""

    host: str = ""
    port: int = 0
    path: str = ""
    mode: int = 0o600

    def __str__(self) -> str:
        return self.path or (f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}")


class Asgi(msgspec.Struct, frozen=True, kw_only=True):
    """HTTP for people and scripts: pages, management, metrics.

    Attributes:
        application: what answers.
        most: connections at a time; more are told 503.
        patience_seconds: how long a client may take for the head of a request, and may stay silent between two.
    """

    application: Application
    most: int = 256
    patience_seconds: float = 10.0


class Open:
    """The connections of a ``Stream`` face. A protocol adds its transport when it is made and discards it when it is lost.

    ``draining`` says that no further request of a connection is to be answered: close when the present one is.
    """

    def __init__(self) -> None:
        self.transports: set[asyncio.BaseTransport] = set()
        self.draining = False
        self._empty = asyncio.Event()
        self._empty.set()

    def add(self, transport: asyncio.BaseTransport) -> None:
        self.transports.add(transport)
        self._empty.clear()

    def discard(self, transport: asyncio.BaseTransport) -> None:
        self.transports.discard(transport)
        if not self.transports:
            self._empty.set()

    async def gone(self) -> None:
        """Until none is left."""
        await self._empty.wait()


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """Foreign wires and hot decision endpoints: one asyncio protocol for each connection."""

    protocol: Callable[[Open], asyncio.Protocol]


class Service(Protocol):
    """A server that brings its own loop of acceptance (gRPC): it is given bound sockets that do not listen yet."""

    async def start(self, sockets: tuple[socket, ...], tls: ssl.SSLContext | None) -> None:
        """Listen and answer; returns when it does."""
        ...

    async def stop(self) -> None:
        """Accept nothing more and return when all under way is done. May be cancelled: then everything is cut off."""
        ...


class Face(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that listens.

    Attributes:
        name: in logs, health and metrics.
        listen: where; all of it, or the process does not start.
        kind: what answers.
        tls: certificate and key files, for the TCP addresses; None for none.
        user: whom its Unix sockets are given to; empty for the one we run as.
    """

    name: str
    listen: tuple[Listen, ...]
    kind: Asgi | Stream | Service
    tls: tuple[str, str] | None = None
    user: str = ""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Work in the background.

    Attributes:
        name: in logs, health and metrics.
        run: does the work until it is done or the event is set; what it raises is its failure.
        restart: ``failed`` starts it again when it fails, ``always`` also when it returns; each time later. ``never``: its
            failure ends the process.
    """

    name: str
    run: Callable[[asyncio.Event], Awaitable[None]]
    restart: Literal["failed", "always", "never"] = "failed"
