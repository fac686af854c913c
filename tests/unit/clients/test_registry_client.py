"""The registry client reads what is honest and refuses what is not, and shows its credentials to nobody else."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import ssl
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bulkhead.clients.registry import Credential, Limits, Manifest, Reference, RegistryClient, parse
from bulkhead.core.errors import BulkheadError, LimitExceeded, SourceError
from tests.fakes.registry import Answer, Registry, Request

TYPE = "application/vnd.oci.image.manifest.v1+json"
DATA = b'{"schemaVersion":2}'
DIGEST = "sha256:" + hashlib.sha256(DATA).hexdigest()
ADA = Credential("ada", "pw")


def with_client(
    registry: Registry,
    use: Callable[[RegistryClient, Reference], Awaitable[object]],
    *,
    credential: Credential | None = None,
    limits: Limits | None = None,
) -> object:
    async def run() -> object:
        async with registry.listening():
            credentials = {registry.host: credential} if credential else {}
            async with RegistryClient(credentials=credentials, limits=limits, use_proxy=False) as client:
                return await use(client, parse(f"{registry.host}/shop/web:1"))

    return asyncio.run(run())


async def manifest(client: RegistryClient, reference: Reference) -> Manifest:
    return await client.manifest(reference)


def reads_blob(digest: str, size: int) -> Callable[[RegistryClient, Reference], Awaitable[bytes]]:
    async def use(client: RegistryClient, reference: Reference) -> bytes:
        got = bytearray()
        await client.blob(reference, digest, size=size, write=got.extend)
        return bytes(got)

    return use


def honest() -> Registry:
    registry = Registry()
    registry.add_manifest(TYPE, DATA, "1")
    return registry


def test_manifest_by_tag() -> None:
    assert with_client(honest(), manifest) == Manifest(TYPE, DIGEST, DATA)


def test_manifest_by_digest() -> None:
    async def use(client: RegistryClient, reference: Reference) -> Manifest:
        return await client.manifest(reference.at(DIGEST))

    assert with_client(honest(), use) == Manifest(TYPE, DIGEST, DATA)


def test_blob() -> None:
    registry = Registry()
    digest = registry.add_blob(b"x" * 3_000_000)
    assert with_client(registry, reads_blob(digest, 3_000_000)) == b"x" * 3_000_000


@pytest.mark.parametrize("credential", [ADA, Credential("", "", "identity")])
def test_token(credential: Credential) -> None:
    registry = honest()
    registry.user, registry.password = "ada", "pw"
    with_client(registry, manifest, credential=credential)
    token = next(request for request in registry.seen if request.path.startswith("/token"))
    words = token.path + token.body.decode()
    assert "scope=repository%3Ashop%2Fweb%3Apull" in words
    assert "catalog" not in words


def test_basic() -> None:
    registry = honest()
    registry.user, registry.password, registry.basic = "ada", "pw", True
    with_client(registry, manifest, credential=ADA)
    assert [request.headers.get("authorization", "")[:5] for request in registry.seen] == ["", "Basic"]


def test_a_token_is_used_again() -> None:
    registry = honest()
    registry.user, registry.password = "ada", "pw"

    async def use(client: RegistryClient, reference: Reference) -> None:
        await client.manifest(reference)
        await client.manifest(reference)

    with_client(registry, use, credential=ADA)
    assert len(registry.seen) == 4


def test_no_password_is_asked_for_in_vain() -> None:
    registry = honest()
    registry.user, registry.password = "ada", "pw"
    with pytest.raises(SourceError, match="does not accept who we are"):
        with_client(registry, manifest)
    with pytest.raises(SourceError, match="does not accept who we are"):
        with_client(registry, manifest, credential=Credential("ada", "wrong"))


def refusing(match: str, hook: Callable[[Request], Answer | None], **more: object) -> Registry:
    registry = honest()
    registry.hook = hook
    with pytest.raises(BulkheadError, match=match) as caught:
        with_client(registry, manifest, **more)  # type: ignore[arg-type]
    assert "pw" not in str(caught.value)
    return registry


@pytest.mark.parametrize(
    "realm",
    [
        "http://evil.example/token",
        "ftp://x/",
        "file:///etc/passwd",
        "http://",
        "",
        "https://u:p@x/",
        "http://169.254.169.254/",
    ],
)
def test_a_realm_in_the_clear_is_refused(realm: str) -> None:
    registry = honest()
    registry.user, registry.realm = "ada", realm
    if not realm:
        registry.hook = lambda request: Answer(401, {"WWW-Authenticate": 'Bearer service="x"'})
    with pytest.raises(SourceError, match=r"token service|plain http"):
        with_client(registry, manifest, credential=ADA)
    assert len(registry.seen) == 1


def test_a_token_service_may_not_redirect() -> None:
    def hook(request: Request) -> Answer | None:
        return Answer(302, {"Location": "/token2"}) if request.path.startswith("/token?") else None

    registry = honest()
    registry.user, registry.password, registry.hook = "ada", "pw", hook
    with pytest.raises(SourceError, match="answers 302"):
        with_client(registry, manifest, credential=ADA)
    assert not [request for request in registry.seen if request.path == "/token2"]


def test_no_credential_to_a_foreign_host() -> None:
    async def run() -> list[Request]:
        storage = Registry()
        async with storage.listening():
            registry = honest()
            registry.user, registry.password = "ada", "pw"
            digest = storage.add_blob(b"data")
            registry.hook = lambda request: (
                Answer(307, {"Location": f"http://localhost:{storage.port}/v2/x/blobs/{digest}", "Set-Cookie": "a=b"})
                if request.headers.get("authorization") == "Bearer good"
                else None
            )
            async with (
                registry.listening(),
                RegistryClient(credentials={registry.host: ADA}, use_proxy=False) as client,
            ):
                got = bytearray()
                await client.blob(parse(f"{registry.host}/shop/web"), digest, size=4, write=got.extend)
                assert bytes(got) == b"data"
        return storage.seen

    (request,) = asyncio.run(run())
    assert not {"authorization", "cookie"} & set(request.headers)


def test_redirects_are_bounded() -> None:
    registry = refusing("redirects more than 5 times", lambda request: Answer(302, {"Location": request.path}))
    assert len(registry.seen) == 6


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "gopher://x/", "http://[bad/", "http://a b/", "http://169.254.169.254/"]
)
def test_redirects_elsewhere_are_refused(location: str) -> None:
    def hook(_: Request) -> Answer:
        return Answer(302, {"Location": location})

    registry = refusing(r"no address|plain http|inside this machine", hook)
    assert len(registry.seen) == 1


def test_another_digest_is_refused() -> None:
    async def use(client: RegistryClient, reference: Reference) -> None:
        await client.manifest(reference.at("sha256:" + "0" * 64))

    registry = honest()
    registry.hook = lambda request: Answer(200, {"Content-Type": TYPE}, DATA)
    with pytest.raises(SourceError, match="another digest"):
        with_client(registry, use)


def test_a_claimed_digest_must_hold() -> None:
    refusing("another digest", lambda r: Answer(200, {"Docker-Content-Digest": "sha256:" + "1" * 64}, DATA))


@pytest.mark.parametrize(
    ("content", "size", "match"),
    [(b"other", 4, "larger"), (b"dat", 4, "has 3 bytes"), (b"dbta", 4, "another digest"), (b"data", 3, "larger")],
)
def test_a_blob_must_be_what_was_described(content: bytes, size: int, match: str) -> None:
    registry = Registry()
    digest = "sha256:" + hashlib.sha256(b"data").hexdigest()
    registry.blobs[digest] = content
    with pytest.raises(SourceError, match=match):
        with_client(registry, reads_blob(digest, size))


@pytest.mark.parametrize("digest", ["md5:abc", "sha256:../../etc", "", "sha256:" + "A" * 64])
def test_odd_digests_are_refused(digest: str) -> None:
    with pytest.raises(SourceError, match="not sha256"):
        with_client(Registry(), reads_blob(digest, 4))


def test_sizes_are_bounded() -> None:
    limits = Limits(manifest=100, blob=100)
    refusing("larger than the limit", lambda r: Answer(200, {}, b"x" * 101), limits=limits)
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"40\r\n" + b"x" * 64 + b"\r\n"
    refusing("larger than the limit", lambda r: Answer(raw=endless + endless[-70:] * 9), limits=limits)
    with pytest.raises(LimitExceeded):
        with_client(Registry(), reads_blob(DIGEST, 101), limits=limits)


def test_times_are_bounded() -> None:
    refusing("longer than 0.2 seconds", lambda r: Answer(pause=1.0), limits=Limits(manifest_seconds=0.2))
    refusing("in time", lambda r: Answer(pause=1.0), limits=Limits(read_seconds=0.2))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_broken_answers_are_ours(raw: bytes) -> None:
    refusing("cannot be read", lambda r: Answer(raw=raw))


def test_a_compressed_transfer_is_refused() -> None:
    refusing("compresses", lambda r: Answer(200, {"Content-Encoding": "gzip"}, b"\x1f\x8b"))


@pytest.mark.parametrize(
    ("status", "match"), [(403, "does not allow"), (404, "no such"), (429, "too many"), (500, "answers 500")]
)
def test_refusals_say_what_to_do(status: int, match: str) -> None:
    refusing(match, lambda r: Answer(status, {}, b"<html>" * 10))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"token":"a b"}', b'{"token":"a\\r\\nX: y"}', b'{"token":1}', b"{" * 9999, b"x" * 300_000]
)
def test_odd_tokens_are_refused(body: bytes) -> None:
    registry = honest()
    registry.user = "ada"
    registry.hook = lambda request: Answer(200, {}, body) if request.path.startswith("/token") else None
    with pytest.raises(SourceError, match=r"token service's answer|larger"):
        with_client(registry, manifest, credential=ADA)


def test_nobody_listens() -> None:
    async def run() -> None:
        async with RegistryClient(use_proxy=False) as client:
            await client.manifest(parse("127.0.0.1:1/x"))

    with pytest.raises(SourceError, match="cannot be read"):
        asyncio.run(run())


def self_signed(folder: Path, *names: x509.GeneralName) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    today = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_tls_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown authority and a foreign name are refused; a private authority that was given is believed."""
    # Loopback is spoken to in the clear; here it stands for a host of the network.
    monkeypatch.setattr("bulkhead.clients.registry.client.is_loopback", lambda host: False)

    async def run(served: ssl.SSLContext, verify: ssl.SSLContext | None) -> Manifest:
        registry = honest()
        async with registry.listening(served), RegistryClient(verify=verify, use_proxy=False) as client:
            return await client.manifest(parse(f"{registry.host}/a:1"))

    ours = self_signed(tmp_path, x509.IPAddress(ip_address("127.0.0.1")))
    trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    assert asyncio.run(run(ours, trusting)).digest == DIGEST
    foreign = self_signed(tmp_path, x509.DNSName("other.example"))
    trusting_foreign = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    for served, verify in ((ours, None), (foreign, trusting_foreign), (foreign, trusting)):
        with pytest.raises(SourceError, match="CERTIFICATE_VERIFY_FAILED"):
            asyncio.run(run(served, verify))
