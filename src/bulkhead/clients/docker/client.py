"""The client: one call at a time, many at once as far as the bound goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

import msgspec

from bulkhead.core.errors import BulkheadError, Conflict, LimitExceeded, SourceError

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
    """Speaks to one engine. Use as ``async with DockerClient(socket) as client``."""

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
        return await self._call("GET", path, parameters)

    async def post(self, path: str, body: Any = None, *, seconds: float = 0, **parameters: str) -> Any:
        """Change something; the JSON of the answer, None where it has none. Never repeated by itself.

        Args:
            path: below the engine's root.
            body: JSON-shaped; None for none.
            seconds: how long the engine may take where that is more than usual (it waits for a container to stop).
            parameters: of the query.

        Raises:
            Vanished: there is no such thing (404).
            Conflict: the engine says that it is not in the state for that (409).
            LimitExceeded, SourceError: as ``get``.
        """
        return await self._call("POST", path, parameters, body, seconds)

    async def delete(self, path: str, **parameters: str) -> None:
        """Raises as ``post``."""
        await self._call("DELETE", path, parameters)

    async def save(self, path: str, file: IO[bytes], *, size: int, seconds: float) -> None:
        """The bytes that the engine answers, written to a file as they come.

        Args:
            path: below the engine's root.
            file: open for writing.
            size: bytes at most.
            seconds: for the whole of it.

        Raises:
            Vanished: there is no such thing (404).
            LimitExceeded: the answer is too large or takes too long.
            SourceError: the engine refuses or breaks off, or the file cannot be written.
        """
        import httpx

        http = self._open()
        timeout = httpx.Timeout(self._limits.call_seconds, connect=self._limits.connect_seconds)
        got = 0
        try:
            async with asyncio.timeout(seconds), http.stream("GET", path, timeout=timeout) as response:
                if response.status_code != 200:
                    raise _refused("GET", response.status_code, await response.aread(), path)
                async for chunk in response.aiter_raw():
                    got += len(chunk)
                    if got > size:
                        raise LimitExceeded(f"the answer has more than {size} bytes", where=path)
                    await asyncio.to_thread(file.write, chunk)
        except TimeoutError as error:
            raise LimitExceeded(f"the engine took longer than {seconds:g} seconds", where=path) from error
        except httpx.TimeoutException as error:
            raise LimitExceeded("the engine does not answer in time", where=path) from error
        except httpx.HTTPError as error:
            raise _unreachable(error, self._socket) from error
        except OSError as error:
            raise SourceError(f"the answer cannot be kept for reading: {error.strerror}", where=path) from error

    async def events(self, filters: Mapping[str, Sequence[str]]) -> AsyncIterator[dict[str, Any]]:
        """What happens in the engine from now on, for as long as somebody listens (``GET /events``).

        Raises:
            LimitExceeded: one event is larger than an answer may be.
            SourceError: the engine refuses, went away, or says something that is no event.
        """
        import httpx

        http = self._open()
        parameters = {"filters": msgspec.json.encode(filters).decode()}
        forever = httpx.Timeout(None, connect=self._limits.connect_seconds)
        try:
            async with http.stream("GET", "/events", params=parameters, timeout=forever) as response:
                if response.status_code != 200:
                    raise _refused("GET", response.status_code, await response.aread(), "/events")
                pending = b""
                async for chunk in response.aiter_raw():
                    *lines, pending = (pending + chunk).split(b"\n")
                    if len(pending) > self._limits.answer:
                        raise LimitExceeded("an event is too large", where="/events")
                    for line in lines:
                        if line.strip():
                            yield _event(line)
        except httpx.HTTPError as error:
            raise _unreachable(error, self._socket) from error
        raise SourceError("the engine closed its stream of events", where=self._socket)

    async def _call(
        self, method: str, path: str, parameters: Mapping[str, str], body: Any = None, seconds: float = 0
    ) -> Any:  # fmt: skip
        allowed = max(seconds, self._limits.call_seconds)
        async with self._slots:
            try:
                async with asyncio.timeout(allowed):
                    status, data = await self._exchange(method, path, parameters, body, allowed)
            except TimeoutError as error:
                raise LimitExceeded(f"the engine took longer than {allowed:g} seconds", where=path) from error
        if status not in (200, 201, 204, 304):
            raise _refused(method, status, data, path)
        if not data and (method != "GET" or status == 204):
            return None
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError) as error:
            if method != "GET" and status != 201:
                return None
            raise SourceError("the engine's answer is not JSON", where=path) from error

    def _open(self) -> httpx.AsyncClient:
        if self._http is None:
            raise SourceError("the client is not open", where=self._socket)
        return self._http

    async def _exchange(
        self, method: str, path: str, parameters: Mapping[str, str], body: Any, seconds: float
    ) -> tuple[int, bytes]:  # fmt: skip
        import httpx

        http = self._open()
        data = bytearray()
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if content is None else {"Content-Type": "application/json"}
        timeout = httpx.Timeout(seconds, connect=self._limits.connect_seconds)
        try:
            async with http.stream(
                method, path, params=dict(parameters), content=content, headers=headers, timeout=timeout
            ) as response:
                async for chunk in response.aiter_raw():
                    data += chunk
                    if len(data) > self._limits.answer:
                        raise LimitExceeded(f"the answer has more than {self._limits.answer} bytes", where=path)
                return response.status_code, bytes(data)
        except httpx.TimeoutException as error:
            raise LimitExceeded("the engine does not answer in time", where=path) from error
        except httpx.HTTPError as error:
            raise _unreachable(error, self._socket) from error


def _event(line: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceError("an event is not JSON", where="/events") from error
    if not isinstance(found, dict):
        raise SourceError("an event is not an object", where="/events")
    return found


def _unreachable(error: Exception, socket: str) -> SourceError:
    return SourceError(
        f"the engine cannot be asked: {str(error) or type(error).__name__}",
        where=socket,
        hint="is it running, and may this user open its socket?",
    )


def _refused(method: str, status: int, data: bytes, path: str) -> BulkheadError:
    try:
        answer = msgspec.json.decode(data)
        said = str(answer.get("message", "")) if isinstance(answer, dict) else ""
    except (msgspec.DecodeError, RecursionError):
        said = ""
    message = f"the engine answers {status}{': ' + said[:_SAID] if said else ''}"
    if status == 409 and method != "GET":
        return Conflict(message, where=path)
    kind = Vanished if status == 404 else SourceError
    return kind(message, where=path, status=status)
