"""Credentials as Docker keeps them in ``config.json``. A credential helper is a program and runs only when asked for."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from bulkhead.core.errors import ParseError, SourceError

_MAX_CONFIG = 1024 * 1024
_HELPER = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HELPER_SECONDS = 20
_TOKEN_USER = "<token>"  # noqa: S105 (the name that marks an identity token, not a token)


@dataclass(frozen=True, slots=True)
class Credential:
    """Who we are to one registry; never shown."""

    username: str
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of an Authorization header (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


class _Auth(msgspec.Struct):
    auth: str = ""
    username: str = ""
    password: str = ""
    identitytoken: str = ""


class _Config(msgspec.Struct):
    auths: dict[str, _Auth] = {}
    credsStore: str = ""  # noqa: N815 (Docker's spelling)
    credHelpers: dict[str, str] = {}  # noqa: N815


class _HelperAnswer(msgspec.Struct):
    Username: str = ""
    Secret: str = ""


def load(path: Path, *, hosts: tuple[str, ...] = (), run_helpers: bool = False) -> dict[str, Credential]:
    """The credentials of a ``config.json``; none where the file is absent.

    Args:
        path: the file.
        hosts: registries to ask helpers about.
        run_helpers: whether ``docker-credential-…`` programs may be run for those hosts.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_CONFIG + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SourceError(f"credentials cannot be read: {error.strerror}", where=str(path)) from error
    if len(data) > _MAX_CONFIG:
        raise ParseError("credentials file is larger than 1 MiB", where=str(path))
    found = from_config(data, where=str(path))
    if run_helpers:
        config = _decode(data, str(path))
        for host in hosts:
            helper = config.credHelpers.get(host, config.credsStore)
            if host not in found and helper and (credential := _ask(helper, host)):
                found[host] = credential
    return found


def from_config(data: bytes, *, where: str = "config.json") -> dict[str, Credential]:
    """Host to credential, as far as the file itself holds them."""
    return {
        _host(name): credential
        for name, auth in _decode(data, where).auths.items()
        if (credential := _credential(auth, where))
    }


def _decode(data: bytes, where: str) -> _Config:
    try:
        return msgspec.json.decode(data, type=_Config)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # The decoder's message may quote the file, and the file is made of secrets.
        raise ParseError("not a Docker configuration", where=where) from None


def _host(name: str) -> str:
    """``https://index.docker.io/v1/`` is Docker Hub's key; others are hosts with or without a scheme."""
    host = name.partition("://")[2] or name
    host = host.partition("/")[0].lower()
    return "docker.io" if host in {"index.docker.io", "registry-1.docker.io"} else host


def _credential(auth: _Auth, where: str) -> Credential | None:
    username, password = auth.username, auth.password
    if auth.auth:
        try:
            username, _, password = base64.b64decode(auth.auth, validate=True).decode().rstrip("\0").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise ParseError("an auth entry is not base64 of a name and a password", where=where) from None
    if auth.identitytoken:
        return Credential(username, "", auth.identitytoken)
    return Credential(username, password) if username and password else None


def _ask(helper: str, host: str) -> Credential | None:
    """The protocol of docker-credential-helpers: the server's address on stdin, JSON on stdout."""
    if not _HELPER.fullmatch(helper):
        raise SourceError("the credential helper's name is not allowed", where=helper[:64])
    import subprocess

    address = "https://index.docker.io/v1/" if host == "docker.io" else host
    try:
        done = subprocess.run(
            [f"docker-credential-{helper}", "get"],
            input=address.encode(),
            capture_output=True,
            timeout=_HELPER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError("the credential helper did not answer", where=f"docker-credential-{helper}") from error
    if done.returncode or len(done.stdout) > _MAX_CONFIG:
        return None
    try:
        answer = msgspec.json.decode(done.stdout, type=_HelperAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SourceError("the credential helper's answer is not JSON", where=f"docker-credential-{helper}") from None
    if answer.Username == _TOKEN_USER:
        return Credential("", "", answer.Secret)
    return Credential(answer.Username, answer.Secret) if answer.Secret else None


def for_host(credentials: Mapping[str, Credential], registry: str) -> Credential | None:
    """The credential for exactly this registry; a parent domain's is not used."""
    return credentials.get(registry.lower())


def told(value: Any) -> str:
    """A foreign text cut to what an error message may carry."""
    return str(value)[:256]
