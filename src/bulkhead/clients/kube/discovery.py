"""Which kinds a server has: aggregated discovery (apidiscovery.k8s.io/v2, v2beta1), else document by document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import msgspec

from bulkhead.core.errors import SourceError

ACCEPT = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)


class ApiResource(msgspec.Struct, frozen=True):
    """One kind as the server has it, in the version that it prefers."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str] = frozenset()
    subresources: frozenset[str] = frozenset()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "") -> str:
        """The path of the list, or of one object."""
        base = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        inside = f"/namespaces/{namespace}" if namespace else ""
        return f"{base}{inside}/{self.plural}" + (f"/{name}" if name else "")


class Discovered(msgspec.Struct, frozen=True):
    """The server's kinds, and by group version what could not be told."""

    resources: tuple[ApiResource, ...]
    failures: Mapping[str, str] = {}

    def find(self, group: str, kind: str) -> ApiResource | None:
        return next((item for item in self.resources if item.kind == kind and item.group == group), None)


class Asks(Protocol):
    async def raw(self, path: str, *, accept: str = "application/json") -> Any: ...


async def discover(client: Asks) -> Discovered:
    """Raises SourceError where neither the core's nor the groups' kinds can be told."""
    found: dict[tuple[str, str], ApiResource] = {}
    failures: dict[str, str] = {}
    for path in ("/api", "/apis"):
        answer = await client.raw(path, accept=ACCEPT)
        if not isinstance(answer, dict):
            raise SourceError("the server's discovery has another shape", where=path)
        items = answer.get("items")
        if str(answer.get("kind")) == "APIGroupDiscoveryList" and isinstance(items, list):
            made = _aggregated(items, failures)
        else:
            made = iter([item async for item in _one_by_one(client, path, answer, failures)])
        for item in made:
            found.setdefault((item.group, item.kind), item)
    return Discovered(tuple(found.values()), failures)


def _aggregated(groups: list[Any], failures: dict[str, str]) -> Iterator[ApiResource]:
    """The first version of a group is the preferred one; a stale one is what an aggregated server that is down left."""
    for group in groups:
        if not isinstance(group, dict):
            continue
        name = str((group.get("metadata") or {}).get("name") or "")
        for version in group.get("versions") or ():
            if not isinstance(version, dict):
                continue
            if version.get("freshness") == "Stale":
                failures[f"{name}/{version.get('version')}"] = "the server behind this group does not answer"
            for item in version.get("resources") or ():
                if not isinstance(item, dict):
                    continue
                kind = str((item.get("responseKind") or {}).get("kind") or "")
                parts = frozenset(
                    str(part.get("subresource")) for part in item.get("subresources") or () if isinstance(part, dict)
                )
                yield ApiResource(
                    name, str(version.get("version")), kind, str(item.get("resource")), item.get("scope") == "Namespaced",
                    frozenset(map(str, item.get("verbs") or ())), parts,
                )  # fmt: skip


async def _one_by_one(client: Asks, path: str, answer: Mapping[str, Any], failures: dict[str, str]) -> Any:
    versions: list[tuple[str, str]] = []
    if path == "/api":
        versions = [("", str(version)) for version in answer.get("versions") or ()]
    for group in answer.get("groups") or ():
        preferred = str((group.get("preferredVersion") or {}).get("version") or "")
        names = [str(item.get("version")) for item in group.get("versions") or ()]
        versions += [(str(group.get("name")), name) for name in sorted(names, key=lambda name: name != preferred)]
    for group_name, version in versions[:500]:
        where = f"/apis/{group_name}/{version}" if group_name else f"/api/{version}"
        try:
            document = await client.raw(where)
        except SourceError as error:
            failures[f"{group_name}/{version}"] = error.message
            continue
        items = document.get("resources") if isinstance(document, dict) else None
        for item in _legacy(group_name, version, items if isinstance(items, list) else []):
            yield item


def _legacy(group: str, version: str, items: list[Any]) -> Iterator[ApiResource]:
    named = [item for item in items if isinstance(item, dict)]
    for item in named:
        plural = str(item.get("name"))
        if "/" in plural:
            continue
        parts = frozenset(
            str(other.get("name")).partition("/")[2]
            for other in named
            if str(other.get("name")).startswith(f"{plural}/")
        )
        yield ApiResource(
            group, version, str(item.get("kind")), plural, item.get("namespaced") is True, frozenset(map(str, item.get("verbs") or ())), parts
        )  # fmt: skip
