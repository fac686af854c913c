"""References, challenges, origins and credentials: the texts around the wire."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from bulkhead.clients.registry import Credential, from_config, load, parse
from bulkhead.clients.registry.challenge import Challenge
from bulkhead.clients.registry.challenge import parse as parse_challenge
from bulkhead.clients.registry.origin import check_realm, redirected
from bulkhead.core.errors import ParseError, SourceError, UsageError

D = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("ada/web", "docker.io/ada/web:latest"),
        ("docker.io/nginx", "docker.io/library/nginx:latest"),
        ("index.docker.io/ada/web:1", "docker.io/ada/web:1"),
        ("ghcr.io/a/b/c:v1", "ghcr.io/a/b/c:v1"),
        ("localhost/web", "localhost/web:latest"),
        ("localhost:5000/web:1", "localhost:5000/web:1"),
        ("[::1]:5000/web", "[::1]:5000/web:latest"),
        (f"nginx@{D}", f"docker.io/library/nginx@{D}"),
        (f"quay.io/a/b:1@{D}", f"quay.io/a/b:1@{D}"),
        ("a/b__c--d.e", "docker.io/a/b__c--d.e:latest"),
    ],
)
def test_reference(text: str, whole: str) -> None:
    assert str(parse(text)) == whole
    assert str(parse(whole)) == whole


@pytest.mark.parametrize(
    "text",
    ["", ":", "@", "nginx:", "NGINX", "a//b", "a/../b", "/a", "a b", "nginx@sha256:abc", "nginx@md5:" + "a" * 32,
     "ghcr.io/", "ghcr.io/A", "x" * 2000, "evil.example/a?b", "a.b:99999999/c", "u:p@evil.example/a", "a\nb", "-a"],
)  # fmt: skip
def test_no_reference(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def test_docker_hub_listens_elsewhere() -> None:
    assert parse("nginx").host == "registry-1.docker.io"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Bearer realm="https://a/t",service="s",scope="x"', Challenge("bearer", "https://a/t", "s")),
        ('bearer service=s , realm="https://a/t"', Challenge("bearer", "https://a/t", "s")),
        ('Basic realm="r", Bearer realm="https://a/t"', Challenge("bearer", "https://a/t", "")),
        ('Basic realm="a\\"b"', Challenge("basic", 'a"b', "")),
        ("Negotiate", None),
        ("", None),
        ('Bearer realm="unclosed', Challenge("bearer", "", "")),
    ],
)
def test_challenge(header: str, expected: Challenge | None) -> None:
    assert parse_challenge(header) == expected


@pytest.mark.parametrize(
    ("realm", "registry"),
    [
        ("https://auth.docker.io/token", "https://registry-1.docker.io/v2/"),
        ("http://127.0.0.1:5001/t", "http://localhost:5000/v2/"),
        ("http://reg.local:5000/t", "http://reg.local:5000/v2/"),
    ],
)
def test_realms_that_are_asked(realm: str, registry: str) -> None:
    check_realm(realm, registry)


@pytest.mark.parametrize(
    ("realm", "registry"),
    [
        ("http://auth.example/t", "https://reg.example/v2/"),
        ("http://reg.local:5001/t", "http://reg.local:5000/v2/"),
        ("http://127.0.0.1/t", "https://reg.example/v2/"),
        ("https://127.0.0.1/t", "https://reg.example/v2/"),
        ("https://169.254.169.254/t", "https://reg.example/v2/"),
        ("http://reg.example/t", "https://reg.example/v2/"),
    ],
)
def test_realms_that_are_not(realm: str, registry: str) -> None:
    with pytest.raises(SourceError):
        check_realm(realm, registry)


@pytest.mark.parametrize(
    "location",
    [
        "http://cdn.example/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://169.254.169.254/x",
        "https://localhost/x",
    ],
)
def test_redirects_that_are_refused(location: str) -> None:
    with pytest.raises(SourceError):
        redirected("https://reg.example/v2/a", location)


def test_redirects_that_are_followed() -> None:
    assert redirected("https://reg.example/v2/a", "/b") == "https://reg.example/b"
    assert redirected("https://reg.example/v2/a", "https://cdn.example/x?y") == "https://cdn.example/x?y"


def auth(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_credentials() -> None:
    data = (
        f'{{"auths":{{"https://index.docker.io/v1/":{{"auth":"{auth("ada:p:w")}"}},'
        f'"ghcr.io":{{"auth":"{auth("ada:")}","identitytoken":"t"}},'
        '"quay.io":{}},"HttpHeaders":{"x":"y"},"credsStore":"desktop"}'
    )
    found = from_config(data.encode())
    assert found == {"docker.io": Credential("ada", "p:w"), "ghcr.io": Credential("ada", "", "t")}
    assert "p:w" not in repr(found)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"\xff", b'{"auths":{"a":{"auth":"!!"}}}', b'{"auths":{"a":{"auth":"/w=="}}}', b"[" * 9999]
)
def test_broken_credentials_are_not_quoted(data: bytes) -> None:
    with pytest.raises(ParseError) as caught:
        from_config(data)
    assert caught.value.__cause__ is None


def test_absent_credentials(tmp_path: Path) -> None:
    assert load(tmp_path / "none.json") == {}


def test_helpers_run_only_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "docker-credential-test"
    helper.write_text(
        '#!/bin/sh\nread server\necho "$server" >> "$0.log"\necho "{\\"Username\\":\\"ada\\",\\"Secret\\":\\"pw\\"}"\n'
    )
    helper.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    config = tmp_path / "config.json"
    config.write_text('{"credHelpers":{"ghcr.io":"test"}}')
    assert load(config, hosts=("ghcr.io",)) == {}
    assert not (tmp_path / "docker-credential-test.log").exists()
    assert load(config, hosts=("ghcr.io", "quay.io"), run_helpers=True) == {"ghcr.io": Credential("ada", "pw")}
    assert (tmp_path / "docker-credential-test.log").read_text() == "ghcr.io\n"


def test_helper_names_are_names(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"credsStore":"../../bin/sh"}')
    with pytest.raises(SourceError, match="not allowed"):
        load(config, hosts=("ghcr.io",), run_helpers=True)
