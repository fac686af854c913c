"""Faces to be served in tests, and certificates made for them."""

from __future__ import annotations

import asyncio
import io
import json
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bulkhead.server.faces import Application, Asgi, Face, Job, Listen, Open, Stream
from bulkhead.server.logs import Log
from bulkhead.server.supervisor import Supervisor

ANY = Listen(host="127.0.0.1")


class Heard:
    """A log that is kept."""

    def __init__(self, form: str = "json", level: str = "debug") -> None:
        self.out = io.StringIO()
        self.log = Log(form, level, self.out)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]

    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]


def asgi(answer: Callable[[dict[str, Any]], Awaitable[bytes]]) -> Application:
    """An application that answers every request with these bytes."""

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": message["type"] + ".complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        body = await answer(scope)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})

    return application


async def hello(_: dict[str, Any]) -> bytes:
    return b"hello"


def web(name: str = "web", listen: Listen = ANY, application: Application | None = None, **more: Any) -> Face:
    return Face(name=name, listen=(listen,), kind=Asgi(application=application or asgi(hello)), **more)


class Echo(asyncio.Protocol):
    """Says everything back."""

    def __init__(self, open_: Open) -> None:
        self._open = open_

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)
        if self._open.draining:
            self._transport.close()


def echo(name: str = "echo", listen: Listen = ANY, **more: Any) -> Face:
    return Face(name=name, listen=(listen,), kind=Stream(protocol=Echo), **more)


def serve(
    faces: list[Face], use: Callable[[Supervisor], Awaitable[None]], *, jobs: tuple[Job, ...] = (),
    heard: Heard | None = None, drain: float = 5.0,
) -> bool:  # fmt: skip
    """Run the faces while ``use`` lasts; whether all came to its end."""

    async def main() -> bool:
        log = (heard or Heard()).log
        supervisor = Supervisor(faces, jobs, log, drain_seconds=drain, first_pause=0.02, look_seconds=0.05)
        async with asyncio.timeout(20):
            running = asyncio.create_task(supervisor.run())
            while supervisor.state != "ready" and not running.done():  # noqa: ASYNC110 (it tells no event)
                await asyncio.sleep(0.005)
            if not running.done():
                try:
                    await use(supervisor)
                finally:
                    if supervisor.state == "ready":
                        supervisor.stop()
            return await running

    return asyncio.run(main())


async def get(
    supervisor: Supervisor, name: str = "web", *, head: bytes = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    tls: ssl.SSLContext | None = None,
) -> bytes:  # fmt: skip
    listen = supervisor.addresses[name][0]
    if listen.path:
        reader, writer = await asyncio.open_unix_connection(listen.path)
    else:
        reader, writer = await asyncio.open_connection(
            listen.host, listen.port, ssl=tls, server_hostname="localhost" if tls else None
        )
    writer.write(head)
    answer = await reader.read()
    writer.close()
    return answer


def certificate(folder: Path, name: str = "localhost", *, stem: str = "tls") -> tuple[str, str]:
    """A self-signed certificate for this machine and its key; the paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name), x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{stem}.crt", folder / f"{stem}.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    paths[1].chmod(0o600)
    return str(paths[0]), str(paths[1])
