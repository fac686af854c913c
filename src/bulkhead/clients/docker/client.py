"""The client: one GET at a time, many at once as far as the bound goes."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from bulkhead.core.errors import LimitExceeded, SourceError

if TYPE_CHECKING:
    import httpx

_SAID = 500
"""Characters of an engine's complaint that are kept."""


class Limits(msgspec.Struct, frozen=True):
    """What one engine may cost us. Size in bytes, times in seconds."""

    answer: int = 64 * 1024 * 1024
    at_once: int = 8
    connect_seconds: float = 3.0
    call_seconds: float = 20.0


class Vanished(SourceError):
    """What was asked for is not there any more: a container that ended while the host was read."""


class DockerClient:
    """Reads from one engine. Use as ``async with DockerClient(socket) as client``."""

    def __init__(self, socket: str, *, limits: Limits | None = None) -> None:
        self._socket = socket
        self._limits = limits or Limits()
        self._http: httpx.AsyncClient | None = None
        self._slots = asyncio.Semaphore(self._limits.at_once)

    async def __aenter__(self) -> Self:
        import httpx

        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=self._socket),
            base_url="http://docker",
            follow_redirects=False,
            trust_env=False,
            timeout=httpx.Timeout(self._limits.call_seconds, connect=self._limits.connect_seconds),
            headers={"User-Agent": "bulkhead", "Accept-Encoding": "identity"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def get(self, path: str, **parameters: str) -> Any:
        """The JSON that the engine answers.

        Raises:
            Vanished: there is no such thing (404).
            LimitExceeded: the answer is too large or takes too long.
            SourceError: the engine cannot be reached, refuses, or answers with something else.
        """
        async with self._slots:
            try:
                async with asyncio.timeout(self._limits.call_seconds):
                    status, data = await self._exchange(path, parameters)
            except TimeoutError as error:
                raise LimitExceeded(
                    f"the engine took longer than {self._limits.call_seconds:g} seconds", where=path
                ) from error
        if status != 200:
            raise _refused(status, data, path)
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise SourceError("the engine's answer is not JSON", where=path) from error

    async def _exchange(self, path: str, parameters: dict[str, str]) -> tuple[int, bytes]:
        import httpx

        if self._http is None:
            raise SourceError("the client is not open", where=self._socket)
        data = bytearray()
        try:
            async with self._http.stream("GET", path, params=parameters) as response:
                async for chunk in response.aiter_raw():
                    data += chunk
                    if len(data) > self._limits.answer:
                        raise LimitExceeded(f"the answer has more than {self._limits.answer} bytes", where=path)
                return response.status_code, bytes(data)
        except httpx.TimeoutException as error:
            raise LimitExceeded("the engine does not answer in time", where=path) from error
        except httpx.HTTPError as error:
            raise SourceError(
                f"the engine cannot be asked: {str(error) or type(error).__name__}",
                where=self._socket,
                hint="is it running, and may this user open its socket?",
            ) from error


def _refused(status: int, data: bytes, path: str) -> SourceError:
    try:
        answer = msgspec.json.decode(data)
        said = str(answer.get("message", "")) if isinstance(answer, dict) else ""
    except (msgspec.DecodeError, RecursionError):
        said = ""
    kind = Vanished if status == 404 else SourceError
    return kind(f"the engine answers {status}{': ' + said[:_SAID] if said else ''}", where=path, status=status)
