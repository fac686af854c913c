"""What the double says of its kinds: aggregated (apidiscovery.k8s.io/v2) with an entity tag, or document by document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from tests.fakes.kube.kinds import PARTS, Kind
from tests.fakes.kube.status import NOT_FOUND, Refused

_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_ACCEPT = "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
AGGREGATED = f"application/json;{_ACCEPT}"


def aggregated(accept: str) -> bool:
    """Whether the client takes the aggregated form in the version that is spoken."""
    return any(_ACCEPT in part.replace(" ", "") for part in accept.split(","))


def tag(document: Any) -> str:
    return '"' + hashlib.sha512(json.dumps(document, sort_keys=True).encode()).hexdigest().upper() + '"'


def groups(kinds: Sequence[Kind], path: str) -> Any:
    """The aggregated document of ``/api`` or ``/apis``."""
    items = []
    for group, versions in _grouped(kinds, path).items():
        told = [
            {"version": version, "resources": [_resource(item) for item in held], "freshness": "Current"}
            for version, held in versions.items()
        ]
        items.append({"metadata": {"name": group} if group else {}, "versions": told})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def names(kinds: Sequence[Kind], path: str) -> Any:
    """The plain document of ``/api`` or ``/apis``."""
    if path == "/api":
        servers = [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443"}]
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": servers}
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [_group(name, list(versions)) for name, versions in _grouped(kinds, path).items()],
    }


def group(kinds: Sequence[Kind], name: str) -> Any:
    found = _grouped(kinds, "/apis").get(name)
    if found is None:
        raise Refused(404, NOT_FOUND, {})
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, list(found))}


def resources(kinds: Sequence[Kind], name: str, version: str) -> Any:
    """The kinds of a group's version, one by one, with their parts."""
    held = [item for item in kinds if item[:2] == (name, version)]
    if not held:
        raise Refused(404, NOT_FOUND, {})
    out = []
    for item in held:
        out.append(
            {
                "name": item[3],
                "singularName": item[2].lower(),
                "namespaced": item[4],
                "kind": item[2],
                "verbs": _verbs(item),
            }
        )
        out += [
            {"name": f"{item[3]}/{part}", "singularName": "", "namespaced": item[4], "kind": kind, "verbs": list(verbs)}
            for part, kind, verbs in PARTS.get(item[2], ())
        ]
    return {
        "kind": "APIResourceList",
        **({"apiVersion": "v1"} if name else {}),
        "groupVersion": f"{name}/{version}" if name else version,
        "resources": out,
    }


def _verbs(item: Kind) -> list[str]:
    return [verb for verb in _VERBS if not (item[2] == "Namespace" and verb == "deletecollection")]


def _resource(item: Kind) -> dict[str, Any]:
    parts = [
        {"subresource": part, "responseKind": {"group": "", "version": "", "kind": kind}, "verbs": list(verbs)}
        for part, kind, verbs in PARTS.get(item[2], ())
    ]
    return {
        "resource": item[3], "responseKind": {"group": "", "version": "", "kind": item[2]}, "scope": "Namespaced" if item[4] else "Cluster",
        "singularResource": item[2].lower(), "verbs": _verbs(item), **({"subresources": parts} if parts else {}),
    }  # fmt: skip


def _group(name: str, versions: list[str]) -> dict[str, Any]:
    told = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": told, "preferredVersion": told[0]}


def _grouped(kinds: Sequence[Kind], path: str) -> dict[str, dict[str, list[Kind]]]:
    out: dict[str, dict[str, list[Kind]]] = {}
    for item in kinds:
        if (item[0] == "") is (path == "/api"):
            out.setdefault(item[0], {}).setdefault(item[1], []).append(item)
    return out
