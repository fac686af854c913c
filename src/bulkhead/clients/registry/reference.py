"""Image references as people write them (the grammar of distribution/reference), made whole."""

from __future__ import annotations

import re

import msgspec

from bulkhead.core.errors import UsageError

DIGEST = re.compile(r"sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_{1,2}|-{1,10})[a-z0-9]+){0,40}"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT}){{0,20}}")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL}){{0,20}}|\[[0-9A-Fa-f:]{{2,39}}\])(?::[0-9]{{1,5}})?")
_DOCKER_HUB = {"docker.io", "index.docker.io", "registry-1.docker.io"}


class Reference(msgspec.Struct, frozen=True):
    """``registry/repository:tag@digest``; the tag is empty where only a digest was given."""

    registry: str
    repository: str
    tag: str
    digest: str

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{tag}{digest}"

    @property
    def host(self) -> str:
        """Where the registry listens, which differs from its name for Docker Hub only."""
        return "registry-1.docker.io" if self.registry == "docker.io" else self.registry

    @property
    def version(self) -> str:
        """What to ask for: the digest wins over the tag."""
        return self.digest or self.tag

    def at(self, digest: str) -> Reference:
        return msgspec.structs.replace(self, digest=digest)


def parse(text: str) -> Reference:
    """Raises UsageError where the text is no reference."""

    def refuse(why: str) -> UsageError:
        return UsageError(f"not an image reference: {why}", where=text[:256])

    if len(text) > 1024:
        raise refuse("too long")
    name, _, digest = text.partition("@")
    if "@" in text and not DIGEST.fullmatch(digest):
        raise refuse("the digest is not sha256 or sha512 in lower-case hexadecimal")
    head, slash, rest = name.partition("/")
    # The first part is a registry when it could not be a user's name on Docker Hub.
    if slash and ("." in head or ":" in head or head == "localhost" or head != head.lower()):
        registry, path = head, rest
    else:
        registry, path = "docker.io", name
    repository, _, tag = path.partition(":")
    if not _HOST.fullmatch(registry):
        raise refuse("the registry is no host name")
    if registry in _DOCKER_HUB:
        registry = "docker.io"
        repository = repository if "/" in repository else f"library/{repository}"
    if len(repository) > 255 or not _REPOSITORY.fullmatch(repository):
        raise refuse("the repository has characters that are not allowed")
    if ":" in path and not _TAG.fullmatch(tag):
        raise refuse("the tag has characters that are not allowed")
    return Reference(registry, repository, tag or ("" if digest else "latest"), digest)
