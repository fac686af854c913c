"""What stands beside a Dockerfile and decides what a build is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bulkhead.core.resource import Resource

IGNORE = ".dockerignore"


def beside(path: str) -> tuple[str, str]:
    """The ignore files of the Dockerfile at ``path``; its own goes first (docs.docker.com, build context)."""
    folder, slash, _ = path.rpartition("/")
    return f"{path}{IGNORE}", f"{folder}{slash}{IGNORE}"


def tell(path: str, resources: Iterable[Resource], exists: Callable[[str], bool]) -> None:
    """Write into the Dockerfiles of the file ``path`` whether an ignore file stands beside it."""
    for resource in resources:
        if resource.ref.kind == "Dockerfile" and isinstance(resource.data, dict):
            resource.data["context"] = {"dockerignore": any(map(exists, beside(path)))}
