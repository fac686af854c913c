"""Whether a constraint or a mutator is about an object (Gatekeeper, "Match")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from bulkhead.core.errors import ParseError
from bulkhead.engines.admission.selectors import labels_of, selects
from bulkhead.engines.gatekeeper.model import Object, Source, metadata_of, name_of

_ANY: Final = "*"
Scope = Literal["*", "Cluster", "Namespaced"]
Names = tuple[str, ...]


class Kinds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    apiGroups: Names = ()  # noqa: N815 (the wire's own words, here and below)
    kinds: Names = ()


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``spec.match``; what is not given takes in everything."""

    kinds: tuple[Kinds, ...] = ()
    scope: Scope = _ANY
    namespaces: Names = ()
    excludedNamespaces: Names = ()  # noqa: N815
    labelSelector: dict[str, Any] | None = None  # noqa: N815
    namespaceSelector: dict[str, Any] | None = None  # noqa: N815
    name: str = ""
    source: Literal["All", "Original", "Generated"] = "All"


def compile_match(value: Any) -> Match:
    """The match of a constraint or mutator.

    Raises:
        ParseError: there is something in it that is not known, or that is no selector.
    """
    if value is None:
        return Match()
    try:
        found = msgspec.convert(value, Match)
    except msgspec.ValidationError as error:
        raise ParseError(f"spec.match: {error}") from error
    for selector in (found.labelSelector, found.namespaceSelector):
        selects(selector, {})
    return found


def wildcard(pattern: str, text: str) -> bool:
    """A star at either end stands for anything; one in the middle for itself."""
    if pattern.startswith(_ANY) and pattern.endswith(_ANY):
        return pattern[1:].removesuffix(_ANY) in text
    if pattern.startswith(_ANY):
        return text.endswith(pattern[1:])
    if pattern.endswith(_ANY):
        return text.startswith(pattern[:-1])
    return pattern == text


def matches(match: Match, thing: Object, namespace: Object | None, source: Source) -> bool:
    """Whether it is about this object.

    Args:
        match: what it is about.
        thing: the object.
        namespace: the object of its namespace, None where there is none or it is not known.
        source: where the object comes from.

    Raises:
        ParseError: the labels of the namespace are needed and not known.
    """
    group, _, _ = str(thing.get("apiVersion", "")).rpartition("/")
    kind = str(thing.get("kind", ""))
    metadata = metadata_of(thing)
    own = str(metadata.get("namespace") or "")
    is_namespace = (group, kind) == ("", "Namespace")
    name = name_of(thing)
    space = name if is_namespace else ((namespace is not None and name_of(namespace)) or own)
    return (
        _of_kind(match.kinds, group, kind)
        and _in_scope(match.scope, is_namespace=is_namespace, namespaced=bool(own) or namespace is not None)
        and (not match.namespaces or not space or any(wildcard(item, space) for item in match.namespaces))
        and not (space and any(wildcard(item, space) for item in match.excludedNamespaces))
        and selects(match.labelSelector, labels_of(thing))
        and _in_namespaces(match.namespaceSelector, thing, namespace, own, is_namespace=is_namespace)
        and _named(match.name, name, str(metadata.get("generateName") or ""))
        and match.source in ("All", source)
    )


def _of_kind(kinds: tuple[Kinds, ...], group: str, kind: str) -> bool:
    return not kinds or any(_listed(item.kinds, kind) and _listed(item.apiGroups, group) for item in kinds)


def _listed(names: Names, name: str) -> bool:
    return not names or _ANY in names or name in names


def _in_scope(scope: Scope, *, is_namespace: bool, namespaced: bool) -> bool:
    if scope == "Cluster":
        return is_namespace or not namespaced
    return scope == _ANY or (namespaced and not is_namespace)


def _in_namespaces(
    selector: Mapping[str, Any] | None, thing: Object, namespace: Object | None, own: str, *, is_namespace: bool
) -> bool:
    if selector is None or (not is_namespace and namespace is None and not own):
        return True
    if is_namespace:
        return selects(selector, labels_of(thing))
    if namespace is None:
        raise ParseError("the labels of the namespace are not known", where=own)
    return selects(selector, labels_of(namespace))


def _named(pattern: str, name: str, generated: str) -> bool:
    if not pattern or wildcard(pattern, name):
        return True
    # Of a name that is still to be made only the beginning is known.
    return pattern.endswith(_ANY) and bool(generated) and wildcard(pattern, generated)
