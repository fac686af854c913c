"""Exceptions files: our own YAML, trivy's ignore files, kubescape's exceptions."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from bulkhead.core.errors import SettingsError
from bulkhead.posture.suppressions.comments import trivy_names
from bulkhead.posture.suppressions.model import Exemption

_LIMIT = 4 * 1024 * 1024
_DATE = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")


class _Item(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of our own file; ``reason``, ``owner`` and ``expires`` are asked of everyone."""

    control: str
    reason: str
    owner: str
    expires: str
    file: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    element: str = ""


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    exceptions: list[_Item]


def read(files: Mapping[str, bytes]) -> Iterator[Exemption]:
    """Every exception of the files.

    Raises:
        SettingsError: a file is wrong, with its place.
    """
    for path, data in files.items():
        if len(data) > _LIMIT:
            raise SettingsError(f"larger than {_LIMIT} bytes", where=path)
        name = posixpath.basename(path)
        if name == ".trivyignore":
            yield from _trivy_lines(path, data)
        elif name.startswith(".trivyignore."):
            yield from _trivy_yaml(path, data)
        elif name.endswith(".json"):
            yield from _kubescape(path, data)
        else:
            yield from _own(path, data)


def _own(path: str, data: bytes) -> Iterator[Exemption]:
    try:
        found = msgspec.convert(_yaml(path, data), _File)
    except msgspec.ValidationError as exc:
        raise SettingsError(str(exc), where=path, hint="see docs/exceptions.md") from exc
    for number, item in enumerate(found.exceptions):
        where = f"{path}[{number}]"
        if not item.reason.strip() or not item.owner.strip():
            raise SettingsError("an exception has a reason and an owner", where=where)
        if not _DATE.match(item.expires):
            raise SettingsError(f"expires is '{item.expires}'", where=where, hint="a date: 2027-01-31")
        yield Exemption(
            item.control, where, item.reason, item.owner, item.expires, file=item.file, kind=item.kind, name=item.name,
            namespace=item.namespace, element=item.element,
        )  # fmt: skip


def _yaml(path: str, data: bytes) -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """Dates stay text."""

        yaml_implicit_resolvers = {  # noqa: RUF012 (the base class has it so)
            first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise SettingsError("aliases are not allowed here", where=path)
            return super().compose_node(parent, index)

    try:
        return yaml.load(data, Loader=Loader)  # noqa: S506 (a subclass of the safe loader)
    except (yaml.YAMLError, RecursionError) as exc:
        raise SettingsError(f"not YAML: {str(exc)[:200]}", where=path) from exc


def _trivy_lines(path: str, data: bytes) -> Iterator[Exemption]:
    """One id in a line, ``exp:DATE`` behind it (trivy, docs/configuration/filtering)."""
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        words = line.partition("#")[0].split()
        if words:
            expires = next((word[4:] for word in words[1:] if word.startswith("exp:")), "")
            yield from (
                Exemption(name, f"{path}:{number}", "listed in .trivyignore", expires=expires)
                for name in trivy_names(words[0])
            )


def _trivy_yaml(path: str, data: bytes) -> Iterator[Exemption]:
    found = _yaml(path, data)
    for item in (found.get("misconfigurations") if isinstance(found, dict) else None) or ():
        if not isinstance(item, dict) or not isinstance(item.get("id"), str):
            raise SettingsError("a misconfiguration has an id", where=path)
        for name in trivy_names(item["id"]):
            for pattern in item.get("paths") or ("",):
                yield Exemption(
                    name,
                    path,
                    str(item.get("statement", "")),
                    expires=str(item.get("expired_at", ""))[:10],
                    file=str(pattern).replace("**", "*"),
                )


def _kubescape(path: str, data: bytes) -> Iterator[Exemption]:
    """A list of PostureExceptionPolicy (kubescape, docs/exceptions)."""
    try:
        policies = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise SettingsError(f"not JSON: {str(exc)[:200]}", where=path) from exc
    for policy in policies if isinstance(policies, list) else [policies]:
        if not isinstance(policy, dict):
            raise SettingsError("an exception policy is an object", where=path)
        reason = str(policy.get("reason") or policy.get("name") or "")
        for wanted in policy.get("posturePolicies") or ():
            for resource in policy.get("resources") or ():
                attributes = resource.get("attributes") or {}
                yield Exemption(
                    str(wanted.get("controlID") or "*"), path, reason, expires=str(policy.get("expirationDate") or "")[:10],
                    kind=_glob(attributes.get("kind")), name=_glob(attributes.get("name")), namespace=_glob(attributes.get("namespace")),
                )  # fmt: skip


def _glob(pattern: Any) -> str:
    """kubescape matches by regular expression; only its common forms are taken over, anything else matches exactly."""
    return str(pattern or "").replace(".*", "*")
