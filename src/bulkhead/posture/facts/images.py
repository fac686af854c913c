"""Image references (distribution/reference, reference.go: a domain is recognised by a dot, a colon or localhost)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


@lru_cache(maxsize=4096)
def parse(reference: str) -> dict[str, Any]:
    """registry, repository, tag and digest of a reference; docker.io and its ``library/`` are filled in.

    ``tag`` and ``digest`` are empty when the reference has none.
    """
    rest, _, digest = reference.partition("@")
    head, slash, tail = rest.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        registry, path = head, tail
    else:
        registry, path = "docker.io", rest
    before, colon, tag = path.rpartition(":")
    repository = before if colon and "/" not in tag else path
    tag = tag if colon and "/" not in tag else ""
    if registry in ("docker.io", "index.docker.io"):
        registry = "docker.io"
        if "/" not in repository:
            repository = f"library/{repository}"
    return {
        "registry": registry,
        "repository": repository,
        "tag": tag,
        "digest": digest,
        "name": repository.rpartition("/")[2],
    }
