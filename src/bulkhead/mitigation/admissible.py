"""Repairs whose outcome no API server takes are not made, in files as in clusters: half of what they say would be refused whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bulkhead.core.plan import Edit, Unfixed
from bulkhead.core.resource import DocumentPath, Resource
from bulkhead.mitigation.choosing import Chosen, left


def admissible(chosen: Sequence[Chosen], unfixed: list[Unfixed]) -> list[Chosen]:
    """Without the repairs whose outcome no API server takes (pkg/apis/core/validation, ValidateSecurityContext).

    ``allowPrivilegeEscalation: false`` goes with neither ``privileged: true`` nor CAP_SYS_ADMIN, unless they go in the same plan.
    """
    going: dict[int, set[DocumentPath]] = {}
    for item in chosen:
        cleared = {edit.path for edit in item.edits if edit.op == "remove" or edit.value is False}
        going.setdefault(id(item.verdict.element.resource), set()).update(cleared)
    kept = []
    for item in chosen:
        resource = item.verdict.element.resource
        hindrance = next(filter(None, (_hindrance(resource, edit, going[id(resource)]) for edit in item.edits)), "")
        if hindrance:
            reason = f"the API server takes no allowPrivilegeEscalation: false on a container with {hindrance}: repair that first"
            unfixed.append(left(item.finding, reason))
        else:
            kept.append(item)
    return kept


def _hindrance(resource: Resource, edit: Edit, going: set[DocumentPath]) -> str:
    """What of the container does not go with the edit; empty for nothing."""
    if edit.path[-2:] != ("securityContext", "allowPrivilegeEscalation") or edit.value is not False:
        return ""
    context = edit.path[:-1]
    held = _at(resource.data, context[len(resource.path) :])
    if not isinstance(held, dict):
        return ""
    if held.get("privileged") is True and (*context, "privileged") not in going:
        return "privileged: true"
    capabilities = held.get("capabilities")
    added = capabilities.get("add") if isinstance(capabilities, dict) else None
    place = (*context, "capabilities", "add")
    if isinstance(added, list) and "CAP_SYS_ADMIN" in added and not any(path[: len(place)] == place for path in going):
        return "the capability CAP_SYS_ADMIN"
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
