"""Objects that others stand for: the Pod of a Deployment, made before there is one (expansion.gatekeeper.sh, ExpansionTemplate)."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from bulkhead.core.errors import LimitExceeded, ParseError
from bulkhead.engines.gatekeeper.model import Object, World, metadata_of, name_of
from bulkhead.engines.gatekeeper.mutation import Mutator, mutate

GROUP: Final = "expansion.gatekeeper.sh"
KIND: Final = "ExpansionTemplate"
_VERSIONS: Final = ("v1beta1", "v1alpha1")
_DEPTH: Final = 30
_MANY: Final = 1_000


class _Kinds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    groups: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


class _Generated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: str
    version: str
    group: str = ""


class _Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    applyTo: tuple[_Kinds, ...]  # noqa: N815 (the wire's own words)
    templateSource: str  # noqa: N815
    generatedGVK: _Generated  # noqa: N815
    enforcementAction: Literal["", "deny", "warn", "dryrun"] = ""  # noqa: N815


class Expander(msgspec.Struct, frozen=True):
    """A template of expansion."""

    name: str
    spec: _Spec

    def applies(self, group: str, version: str, kind: str) -> bool:
        return any(
            group in item.groups and version in item.versions and kind in item.kinds for item in self.spec.applyTo
        )


class Made(msgspec.Struct, frozen=True):
    """An object that stands for what will be made.

    Attributes:
        action: takes the place of what a constraint does about it; empty for the constraint's own.
    """

    object: Object
    template: str
    action: str = ""

    @property
    def prefix(self) -> str:
        """What comes before the messages of its violations."""
        return f"[Implied by {self.template}]"


def compile_expander(thing: Object) -> Expander:
    """The template of an object.

    Raises:
        ParseError: Gatekeeper would refuse it, or there is something in it that is not known.
    """
    group, _, version = str(thing.get("apiVersion", "")).partition("/")
    name = name_of(thing)
    if group != GROUP or version not in _VERSIONS or thing.get("kind") != KIND:
        raise ParseError(f"a {thing.get('kind')} of {thing.get('apiVersion')} is no {KIND}", where=name)
    if not 0 < len(name) < 64:
        raise ParseError(f"an {KIND} has a name of at most 63 characters", where=name)
    try:
        spec = msgspec.convert(thing.get("spec"), _Spec)
    except msgspec.ValidationError as error:
        raise ParseError(f"spec: {error}", where=name) from error
    made = spec.generatedGVK
    if not spec.applyTo or not spec.templateSource or not made.kind or not made.version:
        raise ParseError("spec says to what it applies, where the source is and what is generated", where=name)
    found = Expander(name, spec)
    if found.applies(made.group, made.version, made.kind):
        raise ParseError(f"it applies to what it generates: {made.kind}", where=name)
    return found


def compile_all(things: Sequence[Object]) -> tuple[Expander, ...]:
    """The templates of a file; other objects in it are not taken."""
    return tuple(compile_expander(thing) for thing in things if thing.get("kind") == KIND)


def expand(
    expanders: Sequence[Expander], thing: Object, world: World, mutators: Sequence[Mutator] = ()
) -> tuple[Made, ...]:
    """What an object stands for, and what that stands for in turn.

    Raises:
        ParseError: the source is not there.
        LimitExceeded: they go round in circles.
        BulkheadError: a mutator cannot be applied.
    """
    found: list[Made] = []
    left = [(thing, 0)]
    while left:
        base, depth = left.pop()
        if depth > _DEPTH or len(found) > _MANY:
            raise LimitExceeded(f"objects stand for others more than {_DEPTH} deep", where=name_of(thing))
        group, _, version = str(base.get("apiVersion", "")).rpartition("/")
        for expander in expanders:
            if expander.applies(group, version, str(base.get("kind", ""))):
                made = _made(base, expander)
                if mutators:
                    made = dict(mutate(mutators, made, world, source="Generated").object)
                found.append(Made(made, expander.name, expander.spec.enforcementAction))
                left.append((made, depth + 1))
    return tuple(found)


def _made(base: Object, expander: Expander) -> dict[str, Any]:
    source: Any = base
    for step in expander.spec.templateSource.split("."):
        source = source.get(step) if isinstance(source, Mapping) else None
    if not isinstance(source, Mapping):
        raise ParseError(f"there is nothing at {expander.spec.templateSource}", where=name_of(base))
    made = copy.deepcopy(dict(source))
    generated = expander.spec.generatedGVK
    made["apiVersion"] = f"{generated.group}/{generated.version}" if generated.group else generated.version
    made["kind"] = generated.kind
    metadata = dict(metadata_of(made))
    if space := metadata_of(base).get("namespace"):
        metadata["namespace"] = space
    metadata["name"] = f"{name_of(base)}-{generated.kind}".lower()
    owner = {"apiVersion": base.get("apiVersion"), "kind": base.get("kind"), "name": name_of(base)}
    held = metadata.get("ownerReferences")
    owners = held if isinstance(held, list) else []
    if all(owner.values()) and not any(isinstance(item, dict) and owner.items() <= item.items() for item in owners):
        metadata["ownerReferences"] = [*owners, {**owner, "uid": ""}]
    made["metadata"] = metadata
    return made
