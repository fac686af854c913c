"""The client: one HTTP exchange at a time, redirects followed by hand, credentials kept to their origin."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from bulkhead.clients.registry import challenge
from bulkhead.clients.registry.credentials import Credential, for_host, told
from bulkhead.clients.registry.limits import Limits
from bulkhead.clients.registry.origin import check_realm, is_loopback, origin, redirected
from bulkhead.clients.registry.reference import DIGEST, Reference
from bulkhead.core.errors import LimitExceeded, SourceError

if TYPE_CHECKING:
    import ssl

    import httpx

MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/=]{1,131072}")
_TOKENS_KEPT = 256


class Manifest(msgspec.Struct, frozen=True):
    """A manifest or index as the registry's bytes, with the digest that they have."""

    media_type: str
    digest: str
    data: bytes


class _TokenAnswer(msgspec.Struct):
    token: str = ""
    access_token: str = ""


class RegistryClient:
    """Reads from registries. Use as ``async with RegistryClient(...) as client``.

    Args:
        credentials: registry (``docker.io``, ``ghcr.io``, ``localhost:5000``) to credential.
        limits: bounds on sizes, times and redirects.
        plain_http: registries that are spoken to without TLS; those on loopback always are.
        verify: False is not accepted; a context for private authorities is.
        use_proxy: whether the environment's proxies are used.
    """

    def __init__(
        self,
        *,
        credentials: Mapping[str, Credential] | None = None,
        limits: Limits | None = None,
        plain_http: frozenset[str] = frozenset(),
        verify: ssl.SSLContext | None = None,
        use_proxy: bool = True,
    ) -> None:
        self._credentials = dict(credentials or {})
        self._limits = limits or Limits()
        self._plain_http = plain_http
        self._verify = verify
        self._use_proxy = use_proxy
        self._http: httpx.AsyncClient | None = None
        self._authorization: dict[tuple[str, str], str] = {}

    async def __aenter__(self) -> Self:
        import httpx

        limits = self._limits
        self._http = httpx.AsyncClient(
            verify=self._verify or True,
            follow_redirects=False,
            trust_env=self._use_proxy,
            timeout=httpx.Timeout(limits.read_seconds, connect=limits.connect_seconds),
            headers={"User-Agent": "bulkhead", "Accept-Encoding": "identity"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def manifest(self, reference: Reference) -> Manifest:
        """The manifest or index that the reference names.

        Raises SourceError where it cannot be read or its bytes have another digest, LimitExceeded where it is too big.
        """
        url = f"{self._base(reference)}/manifests/{reference.version}"
        accept = {"Accept": ", ".join(MANIFEST_TYPES)}
        data = bytearray()
        async with self._deadline(self._limits.manifest_seconds, url), self._get(reference, url, accept) as response:
            async for chunk in self._body(response, self._limits.manifest, url):
                data += chunk
            media_type = response.headers.get("content-type", "").partition(";")[0].strip()
            claimed = response.headers.get("docker-content-digest", "")
        expected = reference.digest or (claimed if DIGEST.fullmatch(claimed) else "")
        actual = _digest(bytes(data), expected)
        if expected and actual != expected:
            raise SourceError("the manifest's bytes have another digest", where=str(reference), expected=expected)
        return Manifest(media_type=media_type, digest=actual, data=bytes(data))

    async def blob(self, reference: Reference, digest: str, *, size: int, write: Callable[[bytes], object]) -> None:
        """Hand the blob to ``write`` in pieces. They are to be trusted only when this returns: digest and size hold.

        Args:
            reference: names the registry and the repository.
            digest: of the blob.
            size: from the descriptor; one byte more is refused.
            write: takes each piece.
        """
        if not DIGEST.fullmatch(digest):
            raise SourceError("the descriptor's digest is not sha256 or sha512", where=told(digest))
        if size > self._limits.blob:
            raise LimitExceeded("the blob is larger than the limit", where=digest, size=size, limit=self._limits.blob)
        url = f"{self._base(reference)}/blobs/{digest}"
        hasher = hashlib.new(digest.partition(":")[0])
        received = 0
        async with self._deadline(self._limits.blob_seconds, url), self._get(reference, url, {}) as response:
            async for chunk in self._body(response, size, url):
                hasher.update(chunk)
                received += len(chunk)
                write(chunk)
        if received != size:
            raise SourceError(f"the blob has {received} bytes and not {size}", where=digest)
        if f"{hasher.name}:{hasher.hexdigest()}" != digest:
            raise SourceError("the blob's bytes have another digest", where=digest)

    def _base(self, reference: Reference) -> str:
        host = reference.host
        name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
        plain = reference.registry in self._plain_http or is_loopback(name.strip("[]"))
        return f"{'http' if plain else 'https'}://{host}/v2/{reference.repository}"

    @asynccontextmanager
    async def _deadline(self, seconds: float, url: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise LimitExceeded(f"the registry took longer than {seconds:g} seconds", where=url) from error

    @asynccontextmanager
    async def _get(self, reference: Reference, url: str, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """The answer 200 to a GET, with its body still to be read; authenticates once when asked to."""
        key = (reference.registry, reference.repository)
        attempts = 2
        while attempts:
            attempts -= 1
            sent = dict(headers)
            if authorization := self._authorization.get(key):
                sent["Authorization"] = authorization
            async with self._follow(url, sent) as response:
                if response.status_code == 200:
                    yield response
                    return
                if response.status_code != 401 or not attempts:
                    raise await self._refused(response, url)
                asked = challenge.parse(", ".join(response.headers.get_list("www-authenticate")))
            value = await self._authorize(asked, reference, url)
            if len(self._authorization) >= _TOKENS_KEPT:
                self._authorization.clear()
            self._authorization[key] = value

    @asynccontextmanager
    async def _follow(self, url: str, headers: dict[str, str]) -> AsyncIterator[httpx.Response]:
        home = origin(url)
        for _ in range(self._limits.redirects + 1):
            # A storage service behind a redirect has its own signature in the URL and no business with our token.
            sent = headers if origin(url) == home else {"Accept": headers.get("Accept", "*/*")}
            async with self._exchange("GET", url, sent) as response:
                location = response.headers.get("location", "")
                if response.status_code not in {301, 302, 303, 307, 308} or not location:
                    yield response
                    return
            url = redirected(url, location)
        raise LimitExceeded(f"the registry redirects more than {self._limits.redirects} times", where=url[:256])

    @asynccontextmanager
    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> AsyncIterator[httpx.Response]:
        import httpx

        if self._http is None:
            raise SourceError("the registry client is not open", where=url)
        where = url.partition("?")[0]
        try:
            async with self._http.stream(method, url, headers=headers, data=form) as response:
                # What a server sets here must not travel to its next request.
                self._http.cookies.clear()
                yield response
        except httpx.TimeoutException as error:
            raise SourceError("the registry does not answer in time", where=where) from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise SourceError(
                f"the registry cannot be read: {told(error) or type(error).__name__}", where=where
            ) from error

    async def _body(self, response: httpx.Response, limit: int, url: str) -> AsyncIterator[bytes]:
        """The body's own bytes; a transfer that is compressed again is refused, since its size would say nothing."""
        if response.headers.get("content-encoding", "identity").lower() not in {"identity", ""}:
            raise SourceError("the registry compresses what has a digest", where=url)
        length = response.headers.get("content-length", "")
        if length.isdigit() and int(length[:20]) > limit:
            raise LimitExceeded("the registry's answer is larger than the limit", where=url, limit=limit)
        received = 0
        async for chunk in response.aiter_raw():
            received += len(chunk)
            if received > limit:
                raise LimitExceeded("the registry's answer is larger than the limit", where=url, limit=limit)
            yield chunk

    async def _authorize(self, asked: challenge.Challenge | None, reference: Reference, url: str) -> str:
        credential = for_host(self._credentials, reference.registry)
        if asked is None:
            raise SourceError("the registry asks for an authentication that we do not know", where=url)
        if asked.scheme == "basic":
            if credential is None:
                raise SourceError("the registry asks for a password", where=url, hint="log in with docker login")
            if origin(url)[0] != "https" and not is_loopback(origin(url)[1]):
                raise SourceError("a password is not sent without TLS", where=url)
            return credential.basic
        check_realm(asked.realm, url)
        answer = await self._token(asked, reference, credential)
        token = answer.token or answer.access_token
        if not _TOKEN.fullmatch(token):
            raise SourceError("the token service's answer holds no token", where=told(asked.realm))
        return f"Bearer {token}"

    async def _token(
        self, asked: challenge.Challenge, reference: Reference, credential: Credential | None
    ) -> _TokenAnswer:
        """GET for a name and password or for nobody, POST with OAuth 2 for an identity token."""
        from urllib.parse import urlencode

        words = {"service": asked.service, "scope": f"repository:{reference.repository}:pull"}
        headers: dict[str, str] = {}
        if credential and credential.identity_token:
            form = words | {"grant_type": "refresh_token", "client_id": "bulkhead"}
            form["refresh_token"] = credential.identity_token
            exchange = self._exchange("POST", asked.realm, headers, form)
        else:
            if credential:
                headers["Authorization"] = credential.basic
            joint = "&" if "?" in asked.realm else "?"
            exchange = self._exchange("GET", f"{asked.realm}{joint}{urlencode(words)}", headers)
        data = bytearray()
        async with self._deadline(self._limits.manifest_seconds, asked.realm), exchange as response:
            # No redirect is followed here: the request carries the password.
            if response.status_code != 200:
                raise await self._refused(response, asked.realm)
            async for chunk in self._body(response, self._limits.token, asked.realm):
                data += chunk
        try:
            return msgspec.json.decode(bytes(data), type=_TokenAnswer)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # The message of the decoder would quote the token.
            raise SourceError("the token service's answer is not JSON", where=told(asked.realm)) from None

    async def _refused(self, response: httpx.Response, url: str) -> SourceError:
        status = response.status_code
        words, hint = {
            401: ("the registry does not accept who we are", "log in with docker login"),
            403: ("the registry does not allow it", "ask for the right to pull"),
            404: ("the registry has no such image or blob", ""),
            429: ("the registry has had too many requests", "wait, or log in"),
        }.get(status, (f"the registry answers {status}", ""))
        return SourceError(words, where=url.partition("?")[0], hint=hint, status=status)


def _digest(data: bytes, like: str) -> str:
    algorithm = "sha512" if like.startswith("sha512:") else "sha256"
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"
