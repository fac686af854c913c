"""An Azure inventory: what ``az … list`` prints (flattened), and ARM's own shape (``az rest``, ``az graph query``, ``az resource show``).

Both become ARM's shape, in which the checks speak. Values of variables never enter: that there is one is all that is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bulkhead.core.resource import Gap, Ref, Resource, Snapshot
from bulkhead.sources.cloud import inventory
from bulkhead.sources.cloud.inventory import items_of, record, word

_CLUSTER, _REGISTRY, _GROUP = "microsoft.containerservice/managedclusters", "microsoft.containerregistry/registries", (
    "microsoft.containerinstance/containergroups"
)  # fmt: skip
_ROLE, _DIAGNOSTIC = "microsoft.authorization/roleassignments", "microsoft.insights/diagnosticsettings"
KINDS: Final[Mapping[str, str]] = {_CLUSTER: "AksCluster", _REGISTRY: "AzureRegistry", _GROUP: "AzureContainerGroup"}
# What ARM keeps beside ``properties``.
_OUTSIDE: Final = frozenset({
    "id", "name", "type", "location", "tags", "sku", "identity", "kind", "zones", "extendedLocation", "systemData", "resourceGroup", "plan",
    "managedBy", "eTag", "etag", "subscriptionId",
})  # fmt: skip
# The tools spell abbreviations as words.
_SPELLED: Final = {
    "enableRbac": "enableRBAC", "diskEncryptionSetId": "diskEncryptionSetID", "authorizedIpRanges": "authorizedIPRanges",
    "enableNodePublicIp": "enableNodePublicIP", "nodePublicIpPrefixId": "nodePublicIPPrefixID", "enableFips": "enableFIPS",
    "enableAzureRbac": "enableAzureRBAC",
}  # fmt: skip
_BUILT_IN: Final = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner", "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator", "c2f4ef07-c644-48eb-af81-4b1b4947fb11": "AcrDelete",
}  # fmt: skip
_SET = "(set)"


class _Found(msgspec.Struct):
    """By the lower-case id, which is how ARM compares them."""

    resources: dict[str, tuple[str, dict[str, Any]]] = msgspec.field(default_factory=dict)
    roles: list[dict[str, Any]] = msgspec.field(default_factory=list)
    diagnostics: dict[str, list[dict[str, Any]]] = msgspec.field(default_factory=dict)


def read(path: str) -> Snapshot:
    """What the files hold that is ours to judge, and what they do not tell.

    Raises:
        SourceError: there is no such file or folder.
    """
    loaded = inventory.load(path, tuple(KINDS.values()))
    found = _Found()
    for item in loaded.items:
        _sort(_known(item), found)
    gaps = list(loaded.gaps)
    made = [_made(identity, kind, data, found, gaps) for identity, (kind, data) in sorted(found.resources.items())]
    if not made and not gaps:
        reason = "nothing of it is a cluster, a registry or a container group"
        hint = "add the export: az aks list, az acr list, az container list"
        gaps.append(Gap(where=path, code="B200", reason=reason, hint=hint, hides=tuple(KINDS.values())))
    return Snapshot(tuple(made), tuple(gaps))


def _known(value: Any) -> Any:
    """Without what the tools print as null: it is not set."""
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items() if item is not None}
    return [_known(item) for item in value] if isinstance(value, list) else value


def _sort(item: dict[str, Any], found: _Found) -> None:
    identity = word(item, "id").lower()
    kind = word(item, "type").lower() or _type_of(identity)
    if kind in KINDS and identity:
        found.resources[identity] = (kind, _arm(item, kind))
    elif kind == _ROLE:
        found.roles.append(
            {**record(item, "properties"), **{key: value for key, value in item.items() if key != "properties"}}
        )
    elif kind == _DIAGNOSTIC:
        owner = identity.partition("/providers/microsoft.insights/")[0]
        found.diagnostics.setdefault(owner, []).append(item)


def _type_of(identity: str) -> str:
    """The type that an id ends in: ``/providers/a.b/c/name`` is an ``a.b/c``."""
    parts = identity.rpartition("/providers/")[2].split("/")
    return f"{parts[0]}/{parts[1]}" if len(parts) >= 3 else ""


def _arm(item: dict[str, Any], kind: str) -> dict[str, Any]:
    """ARM's shape of a resource that may be flattened."""
    if "properties" in item:
        made = {**item, "properties": record(item, "properties")}
    else:
        below = {key: value for key, value in item.items() if key not in _OUTSIDE}
        made = {**{key: value for key, value in item.items() if key in _OUTSIDE}, "properties": _respelled(below)}
    if kind == _GROUP:
        properties = dict(made["properties"])
        for name in ("containers", "initContainers"):
            if name in properties:
                properties[name] = [_container(part) for part in items_of(properties, name)]
        made["properties"] = properties
    return made


def _respelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {_SPELLED.get(key, key): _respelled(item) for key, item in value.items()}
    return [_respelled(item) for item in value] if isinstance(value, list) else value


def _container(part: dict[str, Any]) -> dict[str, Any]:
    properties = dict(record(part, "properties")) or {key: value for key, value in part.items() if key != "name"}
    if "environmentVariables" in properties:
        properties["environmentVariables"] = [
            {key: value if key == "name" else _SET for key, value in variable.items()}
            for variable in items_of(properties, "environmentVariables")
        ]
    return {"name": word(part, "name"), "properties": properties}


def _made(identity: str, kind: str, data: dict[str, Any], found: _Found, gaps: list[Gap]) -> Resource:
    name = word(data, "name") or identity.rpartition("/")[2]
    subscription = identity.partition("/subscriptions/")[2].partition("/")[0]
    group = identity.partition("/resourcegroups/")[2].partition("/")[0]
    more: dict[str, Any] = {}
    missing = ""
    if kind == _CLUSTER:
        # A list that is empty names nobody: only settings that are there can be tied to their cluster.
        if identity in found.diagnostics:
            more["diagnosticSettings"] = [{"name": word(item, "name")} for item in found.diagnostics[identity]]
        else:
            missing = "az monitor diagnostic-settings list --resource ID"
    elif kind == _REGISTRY:
        assignments = _assignments(identity, found)
        if any(not item["inherited"] for item in assignments):
            more["roleAssignments"] = assignments
        else:
            missing = "az role assignment list --scope ID --include-inherited"
    if missing:
        reason = "what another list says about it is not in the inventory"
        hint = f"add the export: {missing}"
        gaps.append(Gap(where=f"azure:/{identity}", code="B200", reason=reason, hint=hint, hides=(KINDS[kind],)))
    ref = Ref(
        source="azure", kind=KINDS[kind], namespace=group, name=name, origin=f"azure://{subscription}", uid=identity
    )
    return Resource(ref, data | more)


def _assignments(identity: str, found: _Found) -> list[dict[str, Any]]:
    """Who may do what at the registry, at its own scope or one above it."""
    made = []
    for item in found.roles:
        scope = word(item, "scope").lower().rstrip("/")
        if identity == scope or identity.startswith(f"{scope}/"):
            definition = word(item, "roleDefinitionId").lower().rpartition("/")[2]
            name = word(item, "roleDefinitionName") or _BUILT_IN.get(definition, definition)
            made.append({"roleName": name, "inherited": scope != identity})
    return sorted(made, key=lambda item: (str(item["roleName"]), bool(item["inherited"])))
