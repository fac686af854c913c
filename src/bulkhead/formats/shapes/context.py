"""What stands beside a Dockerfile and decides what a build is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from bulkhead.core.resource import Resource

IGNORE = ".dockerignore"


def own(path: str) -> str:
    """The ignore file of the Dockerfile at ``path`` alone, which counts whatever folder the build is given (BuildKit)."""
    return f"{path}{IGNORE}"


def tell(path: str, resources: Iterable[Resource], exists: Callable[[str], bool]) -> None:
    """Write into the Dockerfiles of the file ``path``, relative to the root, whether an ignore file serves them.

    A build is given some folder, most often the Dockerfile's own or one above it. An ignore file further above may be the
    build's or not: nothing is told then.
    """
    for resource in resources:
        if resource.ref.kind != "Dockerfile" or not isinstance(resource.data, dict):
            continue
        beside, *above = _folders(path)
        if exists(own(path)) or exists(f"{beside}{IGNORE}"):
            resource.data["context"] = {"dockerignore": True}
        elif not any(exists(f"{folder}{IGNORE}") for folder in above):
            resource.data["context"] = {"dockerignore": False}


def _folders(path: str) -> Iterator[str]:
    """The folders that hold the file, from its own to the root, as prefixes."""
    while path:
        path = path.rstrip("/").rpartition("/")[0]
        yield f"{path}/" if path else ""
