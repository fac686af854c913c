"""The header that says who we are, made anew when it runs out: token files rotate, plug-ins give tokens for minutes."""

from __future__ import annotations

import base64
import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bulkhead.clients import programs
from bulkhead.clients.kube.config import Cluster
from bulkhead.core.errors import SourceError

_SECONDS = 60.0
_OUTPUT = 1024 * 1024
_TOKEN = 64 * 1024
_FRESH = 60.0
"""Seconds for which the token of a file is taken without looking again (client-go does the same)."""


@dataclass(slots=True)
class Credentials:
    """The identity of one cluster. ``certificate`` and ``key`` may come from a plug-in, too."""

    cluster: Cluster
    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    _token: str = field(default="", repr=False)
    _until: float = 0.0

    def __post_init__(self) -> None:
        self.certificate, self.key = self.cluster.identity.certificate, self.cluster.identity.key

    async def header(self, *, renew: bool = False) -> str:
        """The value of ``Authorization``, empty for none.

        Raises:
            SourceError: the file cannot be read; the plug-in fails.
        """
        identity = self.cluster.identity
        if identity.exec is not None:
            if renew or not self._until or time.time() >= self._until:
                await self._ask(dict(identity.exec))
        elif identity.token_file:
            if renew or time.time() >= self._until:
                self._token, self._until = _of_file(Path(identity.token_file)), time.time() + _FRESH
        elif identity.username:
            pair = f"{identity.username}:{identity.password}".encode()
            return f"Basic {base64.b64encode(pair).decode()}"
        else:
            self._token = identity.token
        return f"Bearer {self._token}" if self._token else ""

    async def _ask(self, plugin: dict[str, Any]) -> None:
        """Run the plug-in: an ExecCredential on stdout, with a token or a certificate and when they end."""
        asked: dict[str, Any] = {
            "apiVersion": plugin["apiVersion"],
            "kind": "ExecCredential",
            "spec": {"interactive": False},
        }
        if plugin["info"]:
            cluster: dict[str, Any] = {"server": self.cluster.server, "insecure-skip-tls-verify": self.cluster.insecure}
            if self.cluster.authority:
                cluster["certificate-authority-data"] = base64.b64encode(self.cluster.authority).decode()
            asked["spec"]["cluster"] = cluster
        variables = {**os.environ, **plugin["env"], "KUBERNETES_EXEC_INFO": msgspec.json.encode(asked).decode()}
        said = await _run([plugin["command"], *plugin["args"]], variables)
        try:
            status = msgspec.json.decode(said)["status"]
            token, certificate = status.get("token") or "", status.get("clientCertificateData") or ""
            key, end = status.get("clientKeyData") or "", status.get("expirationTimestamp") or ""
            until = datetime.fromisoformat(end).astimezone(UTC).timestamp() if end else float("inf")
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise SourceError(
                "the credential plug-in does not answer with an ExecCredential", where=plugin["command"]
            ) from error
        if not token and not certificate:
            raise SourceError("the credential plug-in gives neither token nor certificate", where=plugin["command"])
        self._token, self._until = str(token), until
        if certificate:
            self.certificate, self.key = str(certificate).encode(), str(key).encode()


def _of_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_TOKEN).decode("ascii", "strict").strip()
    except OSError as error:
        raise SourceError(f"the token's file cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise SourceError("the token's file holds no token", where=str(path)) from error


async def _run(words: list[str], variables: dict[str, str]) -> bytes:
    try:
        ended = await programs.run(words, variables=variables, seconds=_SECONDS, most=_OUTPUT)
    except SourceError as error:
        raise SourceError(f"the credential plug-in does not serve: {error.message}", where=words[0]) from error
    if ended.code:
        raise SourceError(f"the credential plug-in failed with exit code {ended.code}", where=words[0])
    return ended.said
