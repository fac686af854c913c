"""The double's HTTP/1.1: requests off a connection, answers and streams onto it."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

PHRASES = {
    200: "OK", 201: "Created", 304: "Not Modified", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 406: "Not Acceptable", 409: "Conflict", 410: "Gone", 415: "Unsupported Media Type",
    422: "Unprocessable Entity", 429: "Too Many Requests", 504: "Gateway Timeout",
}  # fmt: skip
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
Headers = tuple[tuple[str, str], ...]


class Request(NamedTuple):
    method: str
    target: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


async def read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:] if line}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    split = urlsplit(target)
    query = {key: values[-1] for key, values in parse_qs(split.query, keep_blank_values=True).items()}
    return Request(method, target, split.path, query, headers, body)


def warnings(said: list[str]) -> Headers:
    """One header for each (RFC 9111, 5.5: code, agent, quoted text)."""
    quoted = [text.replace("\\", "\\\\").replace('"', '\\"') for text in said]
    return tuple(("Warning", f'299 - "{text}"') for text in quoted)


async def write(
    writer: asyncio.StreamWriter, status: int, data: bytes, *, content: str = JSON, more: Headers = ()
) -> None:
    own = () if any(name == "Cache-Control" for name, _ in more) else (("Cache-Control", "no-cache, private"),)
    told = (*own, *((("Content-Type", content),) if status != 304 else ()), *more)
    lines = "".join(f"{name}: {value}\r\n" for name, value in told)
    head = f"HTTP/1.1 {status} {PHRASES.get(status, 'X')}\r\n{lines}Content-Length: {len(data)}\r\n\r\n"
    writer.write(head.encode("latin-1") + data)
    await writer.drain()


async def begin(writer: asyncio.StreamWriter) -> None:
    head = f"HTTP/1.1 200 OK\r\nCache-Control: no-cache, private\r\nContent-Type: {JSON}\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head.encode())
    await writer.drain()


async def chunk(writer: asyncio.StreamWriter, value: Any) -> None:
    data = json.dumps(value).encode() + b"\n"
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()


async def end(writer: asyncio.StreamWriter) -> None:
    writer.write(b"0\r\n\r\n")
    await writer.drain()
