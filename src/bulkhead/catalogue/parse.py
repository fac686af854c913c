"""One control file into a Control, or the complaint with file and path.

Duplicate keys are refused, only ``true`` and ``false`` are booleans and dates stay text: in security data a silently
dropped key or a country code read as false is a hole.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
import yaml

from bulkhead.core.control import Needs, Written
from bulkhead.core.errors import CatalogueError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CLUSTER_KIND = re.compile(r"\bcluster\.\??([A-Z][A-Za-z]+)")


class _Strict(_Loader):  # type: ignore[misc]
    """The safe loader without duplicate keys, YAML 1.1 booleans and dates."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (the base class has it so)
        first: [
            (tag, pattern)
            for tag, pattern in resolvers
            if tag not in {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"}
        ]
        for first, resolvers in _Loader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 (the base class asks for it)
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise CatalogueError(f"key '{key.value}' appears twice", line=key.start_mark.line + 1)
            seen.add(key.value)
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


_Strict.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def parse(data: bytes, *, control_id: str, where: str = "") -> Written:
    """The control in ``data``; its id must be ``control_id`` (the path of its file).

    Raises:
        CatalogueError: not YAML, unknown or missing field, wrong id; with the path inside the file.
    """
    try:
        value = yaml.load(data, Loader=_Strict)  # noqa: S506 (a subclass of the safe loader)
    except yaml.YAMLError as exc:
        raise CatalogueError(f"not YAML: {str(exc)[:200]}", where=where) from exc
    try:
        control = msgspec.convert(value, Written)
    except msgspec.ValidationError as exc:
        raise CatalogueError(str(exc), where=where) from exc
    if control.id != control_id:
        raise CatalogueError(f"the id is '{control.id}' but the path says '{control_id}'", where=where)
    if not control.checks and not control.instructions:
        raise CatalogueError("a control has a check or instructions", where=where)
    return _with_derived_kinds(control)


def _with_derived_kinds(control: Written) -> Written:
    """Every kind that an expression looks up in ``cluster`` is a need, whether its author said so or not."""
    used = {kind for check in control.checks for kind in _CLUSTER_KIND.findall(check.expression + " " + check.when)}
    missing = sorted(used - set(control.needs.kinds))
    if not missing:
        return control
    needs = Needs(fields=control.needs.fields, kinds=(*control.needs.kinds, *missing))
    return msgspec.structs.replace(control, needs=needs)
