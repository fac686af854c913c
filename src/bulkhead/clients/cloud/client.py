"""The client: boto3 in a few threads behind an asynchronous face."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from bulkhead.clients.cloud.failures import mapped
from bulkhead.core.errors import SourceError

T = TypeVar("T")
_MISSING = "pip install 'bulkhead[cloud]'"


class Limits(msgspec.Struct, frozen=True):
    """What one account may cost us; times in seconds. A page's size is the cloud's own bound."""

    at_once: int = 8
    pages: int = 200
    items: int = 20_000
    tries: int = 4
    connect_seconds: float = 5.0
    call_seconds: float = 30.0
    list_seconds: float = 180.0


class Listed(msgspec.Struct, frozen=True):
    """The items of a list, and why there may be more of them; empty where these are all."""

    items: list[Any]
    cut: str = ""


class AwsClient:
    """Speaks to one account in one region. Use as ``async with AwsClient(region) as client``.

    Credentials come from where AWS's own tools take them (the environment, profiles, SSO, a role); none is kept or told here.

    Args:
        region: empty for the one of the environment or the profile.
        endpoint_url: another address than the cloud's own (a private endpoint, a stand-in); empty for the cloud's.
        limits: what it may cost.
    """

    def __init__(self, region: str = "", *, endpoint_url: str = "", limits: Limits | None = None) -> None:
        self._region = region
        self._endpoint_url = endpoint_url
        self._limits = limits or Limits()
        self._session: Any = None
        self._pool: ThreadPoolExecutor | None = None
        self._clients: dict[str, Any] = {}
        self._making = threading.Lock()

    @property
    def region(self) -> str:
        return self._region

    async def __aenter__(self) -> Self:
        try:
            boto3 = importlib.import_module("boto3")
        except ModuleNotFoundError:
            raise SourceError("AWS is read through boto3, which is not installed", hint=_MISSING) from None
        self._pool = ThreadPoolExecutor(self._limits.at_once, thread_name_prefix="aws")
        try:
            self._session = await self._threaded("aws", lambda: boto3.session.Session(region_name=self._region or None))
        except SourceError:
            self._pool.shutdown(wait=False)
            raise
        self._region = str(self._session.region_name or "")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        with self._making:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    async def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """One call (``ecr``, ``describe_repositories``); its answer in JSON's shapes.

        Raises:
            Vanished, Forbidden, Unauthorised, Throttled: as they say.
            LimitExceeded: no answer in time.
            SourceError: anything else.
        """

        def work() -> dict[str, Any]:
            answer: dict[str, Any] = plain(getattr(self._client(service), operation)(**parameters))
            answer.pop("ResponseMetadata", None)
            return answer

        return await self._threaded(_named(service, operation), work)

    async def collect(self, service: str, operation: str, key: str, /, **parameters: Any) -> Listed:
        """The items below ``key`` of all pages of a list, as far as the bounds go.

        Raises:
            Vanished, Forbidden, Unauthorised, Throttled, LimitExceeded, SourceError: as ``call``.
        """
        limits = self._limits

        def work() -> Listed:
            client = self._client(service)
            if not client.can_paginate(operation):
                return Listed(list(plain(getattr(client, operation)(**parameters)).get(key) or ()))
            found: list[Any] = []
            end = time.monotonic() + limits.list_seconds
            pages = iter(client.get_paginator(operation).paginate(**parameters))
            for page in itertools.islice(pages, limits.pages):
                found += plain(page.get(key) or [])
                if len(found) > limits.items:
                    return Listed(found[: limits.items], f"more than {limits.items} items")
                if time.monotonic() > end:
                    return Listed(found, f"the list takes longer than {limits.list_seconds:g} seconds")
            more = next(pages, None) if len(found) >= limits.pages else None
            return Listed(found, f"more than {limits.pages} pages" if more is not None else "")

        return await self._threaded(_named(service, operation), work)

    def _client(self, service: str) -> Any:
        # Sessions of boto3 are not made for several threads; the clients that they make are.
        with self._making:
            if service not in self._clients:
                config = importlib.import_module("botocore.config").Config(
                    connect_timeout=self._limits.connect_seconds,
                    read_timeout=self._limits.call_seconds,
                    retries={"total_max_attempts": self._limits.tries, "mode": "standard"},
                    max_pool_connections=self._limits.at_once,
                    user_agent_extra="bulkhead",
                )
                self._clients[service] = self._session.client(
                    service, endpoint_url=self._endpoint_url or None, config=config
                )
            return self._clients[service]

    async def _threaded(self, call: str, work: Callable[[], T]) -> T:
        if self._pool is None:
            raise SourceError("the client is not open", where=call)
        foreign = importlib.import_module("botocore.exceptions")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except (foreign.BotoCoreError, foreign.ClientError, foreign.HTTPClientError) as error:
            # The cause is cut off: its text may hold what was signed.
            raise mapped(error, call) from None


def plain(value: Any) -> Any:
    """JSON's shapes: times become text (ISO 8601), bytes are left out."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items() if not isinstance(item, (bytes, bytearray))}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _named(service: str, operation: str) -> str:
    return f"{service}:{''.join(part.capitalize() for part in operation.split('_'))}"
