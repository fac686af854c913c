"""A Docker engine as far as its answers go: paths to what is said, over a real Unix socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

Answer = tuple[int, bytes] | Callable[[], Any]

INFO = {"Name": "host", "Driver": "overlay2", "DockerRootDir": "/var/lib/docker", "SecurityOptions": ["name=seccomp"], "Swarm": {"LocalNodeState": "inactive"}}  # fmt: skip
VERSION = {
    "Version": "28.0.0",
    "Components": [{"Name": "containerd", "Version": "2.0"}, {"Name": "runc", "Version": "1.2"}],
}


def container(name: str, **host: Any) -> dict[str, Any]:
    return {
        "Id": f"{name:0<64}", "Name": f"/{name}", "Image": "sha256:old", "Created": "2026-01-01T00:00:00Z",
        "State": {"Status": "running", "Running": True, "Pid": 0, "FinishedAt": "0001-01-01T00:00:00Z"},
        "Config": {"Image": "app:1", "User": "1000", "Env": ["A=b"]},
        "HostConfig": {"NetworkMode": "none", "Privileged": False, **host},
        "NetworkSettings": {"Networks": {"none": {}}}, "Mounts": [], "ExecIDs": None,
    }  # fmt: skip


def engine(*containers: dict[str, Any], **paths: Any) -> dict[str, Any]:
    """The answers of an engine with these containers; ``paths`` are answers of other paths, dots for slashes."""
    answers: dict[str, Any] = {
        "/info": INFO,
        "/version": VERSION,
        "/containers/json": [{"Id": item["Id"]} for item in containers],
        "/images/json": [],
        "/networks": [{"Name": "bridge", "Options": {"com.docker.network.bridge.enable_icc": "true"}}],
    }
    for item in containers:
        answers[f"/containers/{item['Id']}/json"] = item
        answers[f"/containers/{item['Id']}/stats"] = {
            "memory_stats": {"usage": 1000, "max_usage": 2000},
            "pids_stats": {"current": 2},
        }
        answers[f"/containers/{item['Id']}/changes"] = []
        answers[f"/containers/{item['Id']}/top"] = {"Titles": ["PID", "COMMAND"], "Processes": [["1", "/bin/app"]]}
    return {**answers, **paths}


@asynccontextmanager
async def served(folder: Path, answers: Mapping[str, Any]) -> AsyncIterator[str]:
    """The path of the socket. An answer is JSON, ``(status, bytes)``, or a number of seconds of silence."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                while (await reader.readline()).strip():
                    pass
                answer = answers.get(line.split()[1].decode().partition("?")[0], (404, b'{"message":"no such thing"}'))
                if isinstance(answer, float):
                    await asyncio.sleep(answer)
                    answer = (200, b"{}")
                status, body = answer if isinstance(answer, tuple) else (200, json.dumps(answer).encode())
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    socket = str(folder / "d.sock")
    server = await asyncio.start_unix_server(serve, socket)
    try:
        yield socket
    finally:
        server.close()
