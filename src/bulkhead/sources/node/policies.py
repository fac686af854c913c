"""Policies that the API server reads from files, as resources of their own kinds. Keys in them are digests."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bulkhead.core.errors import BulkheadError
from bulkhead.core.resource import Gap, Ref, Resource
from bulkhead.core.shapes import WRONG_SHAPE
from bulkhead.formats.shapes import kubernetes
from bulkhead.sources.machine import Machine
from bulkhead.sources.node import settings

FLAGS: Final[Mapping[str, tuple[str, ...]]] = {
    "audit-policy-file": ("Policy",),
    "authentication-config": ("AuthenticationConfiguration",),
    "authorization-config": ("AuthorizationConfiguration",),
    "encryption-provider-config": ("EncryptionConfiguration", "EncryptionConfig"),
    "admission-control-config-file": ("AdmissionConfiguration",),
}
"""Flags of the API server that name a file, and the kinds that may stand in it."""
_SECRETS: Final = frozenset({"secret", "password", "token"})


def read(machine: Machine, flags: Mapping[str, Any], origin: str, key: bytes) -> Iterator[Resource | Gap]:
    """The policies that these flags of an API server name, read as its process sees them.

    ``key`` is of this reading: with it the same secret has the same digest, and without it nobody can try secrets.
    """
    for flag, kinds in FLAGS.items():
        path = settings.text_of(flags.get(flag, ""))
        if not path:
            continue
        try:
            found = settings.documents(machine, path)
            shapes = [shape for item in found for shape in kubernetes.shapes(_without_secrets(item, key))]
            shapes = [shape for shape in shapes if shape.kind in kinds]
            if not shapes:
                yield _gap(origin, path, "B220", f"it holds no {kinds[0]}", kinds)
            for number, shape in enumerate(shapes, 1):
                data = _with_plugins(machine, path, shape.data, key) if flag.startswith("admission") else shape.data
                ref = Ref(
                    source="node", kind=shape.kind, group=shape.group, name=shape.name or path, origin=origin,
                    uid=f"#{number}" if number > 1 else "",
                )  # fmt: skip
                yield Resource(ref, data)
        except BulkheadError as error:
            yield _gap(origin, error.where or path, error.code, error.message, kinds)
        except WRONG_SHAPE as error:
            yield _gap(origin, path, "B220", f"it has not the shape of its kind: {error}", kinds)


def _gap(origin: str, path: str, code: str, reason: str, kinds: tuple[str, ...]) -> Gap:
    return Gap(where=f"{origin}{path}", code=code, reason=reason, hides=kinds)


def _with_plugins(machine: Machine, path: str, data: dict[str, Any], key: bytes) -> dict[str, Any]:
    """The admission plug-ins with their own files inside; a relative path is taken from the file's folder."""
    plugins = []
    for plugin in data.get("plugins") or ():
        inner = plugin.get("path")
        if isinstance(inner, str) and inner and "configuration" not in plugin:
            place = inner if inner.startswith("/") else f"{path.rpartition('/')[0]}/{inner}"
            found = _without_secrets(settings.document(machine, place), key)
            plugin = {**plugin, "configuration": found}
        plugins.append(plugin)
    return {**data, "plugins": plugins}


def _without_secrets(value: Any, key: bytes) -> Any:
    if isinstance(value, dict):
        return {
            name: _digest(item, key) if name in _SECRETS and isinstance(item, str) else _without_secrets(item, key)
            for name, item in value.items()
        }
    return [_without_secrets(item, key) for item in value] if isinstance(value, list) else value


def _digest(value: str, key: bytes) -> str:
    return "digest:" + hmac.new(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]
