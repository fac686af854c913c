"""Repairs whose outcome no API server takes are not made, in files as in clusters: half of what they say would be refused whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bulkhead.core.plan import Edit, Unfixed
from bulkhead.core.resource import DocumentPath, Resource
from bulkhead.mitigation.choosing import Chosen, left


def admissible(chosen: Sequence[Chosen], unfixed: list[Unfixed]) -> list[Chosen]:
    """Without the repairs whose outcome no API server takes (pkg/apis/core/validation: ValidateSecurityContext, validateMountPropagation).

    ``allowPrivilegeEscalation: false`` goes with neither ``privileged: true`` nor CAP_SYS_ADMIN; a mount that is propagated to the node
    goes with ``privileged: true`` only. What stands in the way may go in the same plan.
    """
    kept = list(chosen)
    while True:
        going: dict[int, list[DocumentPath]] = {}
        for item in kept:
            # Hostile texts have keys that cannot be hashed: a list, and only of what may matter.
            cleared = [edit.path for edit in item.edits if edit.op == "remove" or edit.value is not True]
            relevant = [path for path in cleared if "securityContext" in path or "volumeMounts" in path]
            going.setdefault(id(item.verdict.element.resource), []).extend(relevant)
        hindered = [(item, reason) for item in kept if (reason := _reason(item, going))]
        if not hindered:
            return kept
        # What stays may stand in the way of another one.
        unfixed += [left(item.finding, reason) for item, reason in hindered]
        gone = {id(item) for item, _ in hindered}
        kept = [item for item in kept if id(item) not in gone]


def _reason(item: Chosen, going: dict[int, list[DocumentPath]]) -> str:
    resource = item.verdict.element.resource
    return next(filter(None, (_hindrance(resource, edit, going[id(resource)]) for edit in item.edits)), "")


def _hindrance(resource: Resource, edit: Edit, going: list[DocumentPath]) -> str:
    """What of the container does not go with the edit; empty for nothing."""
    if edit.path[-2:-1] != ("securityContext",):
        return ""
    container = _at(resource.data, edit.path[len(resource.path) : -2])
    if not isinstance(container, dict):
        return ""
    if edit.path[-1] == "allowPrivilegeEscalation" and edit.value is False:
        return _escalation(container.get("securityContext"), edit.path[:-1], going)
    if edit.path[-1] == "privileged" and edit.value is not True:
        return _propagation(container.get("volumeMounts"), (*edit.path[:-2], "volumeMounts"), going)
    return ""


def _escalation(context: Any, place: DocumentPath, going: list[DocumentPath]) -> str:
    if not isinstance(context, dict):
        return ""
    said = "the API server takes no allowPrivilegeEscalation: false on a container with {}: repair that first"
    if context.get("privileged") is True and (*place, "privileged") not in going:
        return said.format("privileged: true")
    capabilities = context.get("capabilities")
    added = capabilities.get("add") if isinstance(capabilities, dict) else None
    within = (*place, "capabilities", "add")
    if (
        isinstance(added, list)
        and "CAP_SYS_ADMIN" in added
        and not any(path[: len(within)] == within for path in going)
    ):
        return said.format("the capability CAP_SYS_ADMIN")
    return ""


def _propagation(mounts: Any, place: DocumentPath, going: list[DocumentPath]) -> str:
    for index, mount in enumerate(mounts if isinstance(mounts, list) else ()):
        if isinstance(mount, dict) and mount.get("mountPropagation") == "Bidirectional":
            if not any(path[: len(place) + 1] == (*place, index) for path in going):
                name = mount.get("mountPath", "")
                return f"the API server takes the mount that is propagated to the node ({name}) in a privileged container only"
    return ""


def _at(data: Any, path: DocumentPath) -> Any:
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data
