"""A Google Cloud inventory: ``gcloud asset export`` (one asset a line) and the arrays of ``gcloud … list --format=json``.

What other resources say about a cluster, a node pool or a repository is added where the export holds it; where it does not, the fact
is left out, so that its check answers with an error, and a gap names the export that is missing.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from bulkhead.core.resource import Gap, Ref, Resource, Snapshot
from bulkhead.sources.cloud import inventory
from bulkhead.sources.cloud.inventory import items_of, record, word, words

KINDS: Final = ("GkeCluster", "GkeNodePool", "ArtifactRepository", "GcpProject")
_CLUSTER = re.compile(r"projects/([^/]+)/(?:zones|locations|regions)/([^/]+)/clusters/([^/]+)$")
_POOL = re.compile(r"projects/([^/]+)/(?:zones|locations|regions)/([^/]+)/clusters/([^/]+)/nodePools/([^/]+)$")
_REPOSITORY = re.compile(r"projects/([^/]+)/locations/([^/]+)/repositories/([^/]+)$")
_SERVICE = re.compile(r"projects/([^/]+)/services/([^/]+)$")
_PROJECT = re.compile(r"projects/([^/]+)")
_TYPES: Final = {
    "container.googleapis.com/Cluster": _CLUSTER, "container.googleapis.com/NodePool": _POOL,
    "artifactregistry.googleapis.com/Repository": _REPOSITORY, "serviceusage.googleapis.com/Service": _SERVICE,
}  # fmt: skip
_HOLDERS: Final = tuple(f"cloudresourcemanager.googleapis.com/{kind}" for kind in ("Project", "Folder", "Organization"))


class _Found(msgspec.Struct):
    """Everything of the inventory by what it is; keys are paths such as ``projects/p/locations/l/clusters/c``."""

    clusters: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    pools: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    repositories: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    services: dict[str, set[str]] = msgspec.field(default_factory=dict)
    firewalls: dict[str, list[dict[str, Any]]] = msgspec.field(default_factory=dict)
    bindings: dict[str, list[dict[str, Any]]] = msgspec.field(default_factory=dict)
    ancestors: dict[str, list[str]] = msgspec.field(default_factory=dict)
    numbers: dict[str, str] = msgspec.field(default_factory=dict)
    projects: set[str] = msgspec.field(default_factory=set)
    bare: int = 0


def read(path: str) -> Snapshot:
    """What the files hold that is ours to judge, and what they do not tell.

    Raises:
        SourceError: there is no such file or folder.
    """
    loaded = inventory.load(path, KINDS)
    found = _Found()
    for item in loaded.items:
        _sort(item, found)
    for key, bindings in list(found.bindings.items()):
        if key.startswith("projects/") and key.count("/") == 1:
            found.bindings[f"projects/{_project(found, key)}"] = bindings
    made = _Making(path, found)
    resources = (*made.clusters(), *made.pools(), *made.repositories(), *made.projects())
    if found.bare:
        made.gap(path, f"{found.bare} assets have no data", "gcloud asset export --content-type=resource", *KINDS)
    if not resources and not loaded.gaps:
        made.gap(
            path, "nothing of it is a cluster, a node pool, a repository or a project", "gcloud asset export", *KINDS
        )
    return Snapshot(resources, (*loaded.gaps, *made.gaps))


def _sort(item: dict[str, Any], found: _Found) -> None:
    kind = word(item, "assetType")
    if kind:
        _asset(item, kind, found)
        return
    link, name = word(item, "selfLink"), word(item, "name")
    if word(item, "kind") == "compute#firewall":
        _put("firewall", link, item, found)
    elif _POOL.search(link):
        _put("pool", link, item, found)
    elif _CLUSTER.search(link):
        _put("cluster", link, item, found)
    elif _REPOSITORY.search(name):
        _put("repository", name, item, found)
    elif _SERVICE.search(name):
        _put("service", name, item, found)
    elif word(item, "projectId"):
        _put("project", "", item, found)


def _asset(item: dict[str, Any], kind: str, found: _Found) -> None:
    name = word(item, "name").removeprefix("//").partition("/")[2]
    data = record(item, "resource", "data")
    if "iamPolicy" in item:
        found.bindings[_key(name)] = items_of(item["iamPolicy"], "bindings")
    for mine in words(item, "ancestors")[:1]:
        found.ancestors[mine] = words(item, "ancestors")
        project = _PROJECT.match(name)
        if kind == _HOLDERS[0] and project is not None and mine.startswith("projects/"):
            found.numbers[mine.removeprefix("projects/")] = project[1]
    if kind in _HOLDERS:
        if kind == _HOLDERS[0]:
            _put("project", name, data or {"projectId": name.removeprefix("projects/")}, found)
        return
    wanted = kind in _TYPES or kind == "compute.googleapis.com/Firewall"
    if wanted and not data:
        found.bare += "iamPolicy" not in item
        return
    if wanted:
        _put(kind.rpartition("/")[2].lower().replace("nodepool", "pool"), name, data, found)


def _put(kind: str, name: str, data: dict[str, Any], found: _Found) -> None:
    key = _key(name)
    if kind == "cluster" and _CLUSTER.search(name):
        found.clusters[key] = data
        for pool in items_of(data, "nodePools"):
            if word(pool, "name"):
                found.pools.setdefault(f"{key}/nodePools/{pool['name']}", pool)
    elif kind == "pool" and _POOL.search(name):
        found.pools[key] = data
    elif kind == "repository" and _REPOSITORY.search(name):
        found.repositories[key] = data
    elif kind == "service" and (match := _SERVICE.search(name)):
        enabled = found.services.setdefault(match[1], set())
        if word(data, "state") == "ENABLED":
            enabled.add(match[2])
    elif kind == "firewall" and (project := _PROJECT.search(name)):
        found.firewalls.setdefault(project[1], []).append(data)
    elif kind == "project":
        identity, number = word(data, "projectId"), str(data.get("projectNumber") or "")
        if identity:
            found.projects.add(identity)
            found.numbers.setdefault(number, identity)


def _key(name: str) -> str:
    """``projects/p/locations/l/…`` of any name or link; zones are locations."""
    path = name[found.start() :] if (found := _PROJECT.search(name)) else name
    return re.sub(r"/(zones|regions)/", "/locations/", path)


def _project(found: _Found, key: str) -> str:
    match = _PROJECT.match(key)
    name = match[1] if match else ""
    return found.numbers.get(name, name)


def _ranges(rule: dict[str, Any]) -> list[str]:
    """The addresses that a rule lets in: everyone, unless it names addresses, tags or accounts."""
    named = rule.get("sourceTags") or rule.get("sourceServiceAccounts")
    return words(rule, "sourceRanges") or ([] if named else ["0.0.0.0/0"])


class _Making:
    def __init__(self, path: str, found: _Found) -> None:
        self._path = path
        self._found = found
        self.gaps: list[Gap] = []

    def gap(self, where: str, reason: str, export: str, *hides: str) -> None:
        self.gaps.append(Gap(where=where, code="B200", reason=reason, hint=f"add the export: {export}", hides=hides))

    def _resource(self, kind: str, key: str, name: str, data: dict[str, Any], namespace: str = "") -> Resource:
        origin = f"gcp://{_project(self._found, key)}"
        return Resource(Ref(source="gcp", kind=kind, namespace=namespace, name=name, origin=origin, uid=key), data)

    def clusters(self) -> list[Resource]:
        made = []
        for key, data in sorted(self._found.clusters.items()):
            project, name = _project(self._found, key), key.rpartition("/")[2]
            rules = self._found.firewalls.get(project)
            more: dict[str, Any] = {}
            if rules is None:
                export = "compute.googleapis.com/Firewall, or gcloud compute firewall-rules list --format=json"
                self.gap(f"gcp://{key}", "its firewall rules are not in the inventory", export, "GkeCluster")
            else:
                more["firewallRules"] = [
                    {"name": word(rule, "name"), "sourceRanges": _ranges(rule)}
                    for rule in rules
                    if self._reaches(rule, key, data)
                ]
            made.append(self._resource("GkeCluster", key, name, data | more))
        return made

    def _reaches(self, rule: dict[str, Any], key: str, cluster: dict[str, Any]) -> bool:
        """Whether a rule lets something in to the nodes: on their network, for all or for tags or accounts that they have."""
        if word(rule, "direction") == "EGRESS" or rule.get("disabled") is True or rule.get("denied"):
            return False
        network = word(record(cluster, "networkConfig"), "network") or word(cluster, "network") or "default"
        if word(rule, "network").rpartition("/")[2] != network.rpartition("/")[2]:
            return False
        tags, accounts = words(rule, "targetTags"), words(rule, "targetServiceAccounts")
        if not tags and not accounts:
            return True
        pools = [record(pool, "config") for at, pool in self._found.pools.items() if at.startswith(f"{key}/")]
        mine = {tag for pool in pools for tag in words(pool, "tags")}
        own = re.compile(rf"gke-{re.escape(key.rpartition('/')[2][:20])}.*-node")
        users = {word(pool, "serviceAccount") for pool in pools}
        return any(tag in mine or own.fullmatch(tag) for tag in tags) or any(name in users for name in accounts)

    def pools(self) -> list[Resource]:
        made = []
        for key, data in sorted(self._found.pools.items()):
            project = _project(self._found, key)
            cluster, _, name = key.partition("/clusters/")[2].partition("/nodePools/")
            more: dict[str, Any] = {}
            roles = self._roles(project, word(record(data, "config"), "serviceAccount"))
            if roles is None:
                export = (
                    "gcloud asset export --content-type=iam-policy of the organization, its folders and the project"
                )
                self.gap(f"gcp://{key}", "who grants its account what is not in the inventory", export, "GkeNodePool")
            else:
                more["serviceAccountRoles"] = roles
            made.append(self._resource("GkeNodePool", key, name, data | more, cluster))
        return made

    def _roles(self, project: str, account: str) -> list[str] | None:
        """Roles on the project and above it; None where a policy on the way is not there: it may grant more."""
        number = next((number for number, name in self._found.numbers.items() if name == project and number), "")
        if account in ("", "default"):
            account = f"{number}-compute@developer.gserviceaccount.com" if number else ""
        way = self._found.ancestors.get(f"projects/{number}") or []
        holders = [f"projects/{project}", *way[1:]]
        if (
            not account
            or not way
            or not way[-1].startswith("organizations/")
            or any(item not in self._found.bindings for item in holders)
        ):
            return None
        member = f"serviceAccount:{account}"
        granted = {
            word(item, "role")
            for name in holders
            for item in self._found.bindings[name]
            if member in words(item, "members")
        }
        return sorted(granted)

    def repositories(self) -> list[Resource]:
        made = []
        exported = {_project(self._found, key) for key in self._found.bindings if _REPOSITORY.search(key)}
        for key, data in sorted(self._found.repositories.items()):
            more: dict[str, Any] = {}
            if key in self._found.bindings or _project(self._found, key) in exported:
                # An export of policies leaves out those who have none.
                more["bindings"] = [
                    {"role": word(item, "role"), "members": words(item, "members")}
                    for item in self._found.bindings.get(key, ())
                ]
            else:
                export = "artifactregistry.googleapis.com/Repository with --content-type=iam-policy"
                self.gap(f"gcp://{key}", "its policy is not in the inventory", export, "ArtifactRepository")
            made.append(self._resource("ArtifactRepository", key, key.rpartition("/")[2], data | more))
        return made

    def projects(self) -> list[Resource]:
        found = self._found
        services = {found.numbers.get(name, name): enabled for name, enabled in found.services.items()}
        places = {_project(found, key) for key in (*found.clusters, *found.pools, *found.repositories)}
        made = []
        for name in sorted(found.projects | set(services) | places):
            data: dict[str, Any] = {"projectId": name}
            if name in services:
                data["enabledServices"] = sorted(services[name])
            else:
                export = "serviceusage.googleapis.com/Service, or gcloud services list --enabled --format=json"
                self.gap(f"gcp://{name}", "its services are not in the inventory", export, "GcpProject")
            made.append(self._resource("GcpProject", f"projects/{name}", name, data))
        return made
