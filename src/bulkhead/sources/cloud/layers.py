"""The files of an image in the account's registry, read as ``bulkhead image scan`` reads one, with the account's own token."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import Any, Final
from urllib.parse import urlsplit

from bulkhead.clients.cloud.described import Caller
from bulkhead.clients.registry import Credential, RegistryClient
from bulkhead.core.errors import SourceError
from bulkhead.core.resource import UNKNOWN
from bulkhead.sources.images.kept import Kept
from bulkhead.sources.images.registry import read_registry

_AT_ONCE: Final = 2
_FACTS: Final = ("files", "config_secrets")


class Layers:
    """The layers of one account's images.

    Args:
        kept: what is known already, by the image's digest.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._way: asyncio.Task[tuple[str, Credential]] | None = None

    async def read(self, client: Caller, repository: str, digest: str) -> dict[str, Any]:
        """``files`` and ``config_secrets`` as of a resource ``Image``; of an index, those of ``linux/amd64``.

        Raises:
            SourceError: something of the image could not be read; half of it is told as nothing.
        """
        known = await asyncio.to_thread(self._kept.get, digest)
        if known is not None:
            return known
        if self._way is None:
            self._way = asyncio.ensure_future(_entrance(client))
        host, credential = await self._way
        async with self._slots, RegistryClient(credentials={host: credential}) as registry:
            found = await read_registry(f"{host}/{repository}@{digest}", registry)
        facts = found.resources[0].data if len(found.resources) == 1 else {}
        told = {name: facts[name] for name in _FACTS if facts.get(name, UNKNOWN) is not UNKNOWN}
        if found.gaps or len(told) < len(_FACTS):
            reason = found.gaps[0].reason if found.gaps else "it is no image with files"
            hint = found.gaps[0].hint if found.gaps else ""
            raise SourceError(f"files of {repository}@{digest[:19]} are not known: {reason}", where="layers", hint=hint)
        await asyncio.to_thread(self._kept.put, digest, told)
        return told


async def _entrance(client: Caller) -> tuple[str, Credential]:
    """The registry's host, and who we are there for the next twelve hours."""
    answer = await client.call("ecr", "get_authorization_token")
    [given] = answer["authorizationData"]
    try:
        user, _, password = base64.b64decode(str(given["authorizationToken"]), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise SourceError("the registry's token has another shape", where="ecr:GetAuthorizationToken") from None
    return urlsplit(str(given["proxyEndpoint"])).netloc, Credential(user, password)
