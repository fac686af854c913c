"""Mutators applied to an object until nothing changes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from bulkhead.core.errors import BulkheadError, ParseError
from bulkhead.engines.gatekeeper.matching import matches
from bulkhead.engines.gatekeeper.model import Object, Source, World, metadata_of, name_of
from bulkhead.engines.gatekeeper.mutation import images
from bulkhead.engines.gatekeeper.mutation.conflicts import conflicts
from bulkhead.engines.gatekeeper.mutation.mutators import Elements, External, Image, Mutator, Value
from bulkhead.engines.gatekeeper.mutation.paths import Field, Items

_KEYS: Final = 1_000
_OPERATIONS: Final = ("CREATE", "UPDATE")


class NotConverging(BulkheadError):
    """Mutators undo each other's work."""

    code = "B430"


class Placeholder(msgspec.Struct):
    """Where a provider's answer is to stand."""

    external: External
    key: str


class Mutated(msgspec.Struct, frozen=True):
    """An object as mutators leave it.

    Attributes:
        object: the object; that of the request where nothing changed.
        applied: kinds and names of the mutators that changed it.
        left_out: those that contradict others, with whom.
    """

    object: Object
    applied: tuple[str, ...]
    left_out: dict[tuple[str, str], tuple[str, ...]]


def mutate(
    mutators: Sequence[Mutator], thing: Object, world: World, *, operation: str = "", username: str = "", source: Source = "Original"
) -> Mutated:  # fmt: skip
    """An object with every mutator that is about it applied.

    Args:
        mutators: in any order; their kinds and names decide.
        thing: the object; it is not changed.
        world: the namespace and providers of external data.
        operation: of the request; empty outside of one.
        username: who asks.
        source: where the object comes from.

    Raises:
        NotConverging: they undo each other's work.
        BulkheadError: one of them cannot be matched or applied, or a provider does not answer.
    """
    left_out = conflicts(mutators)
    ordered = sorted((one for one in mutators if one.order not in left_out), key=lambda one: one.order)
    metadata = metadata_of(thing)
    space = str(metadata.get("namespace") or "")
    namespace = world.namespace(space) if space else None
    about = [one for one in ordered if _applies(one, thing, operation) and matches(one.match, thing, namespace, source)]
    made: Any = copy.deepcopy(dict(thing))
    applied: dict[str, None] = {}
    for _ in range(len(about) + 1):
        before = copy.deepcopy(made)
        for mutator in about:
            whole = copy.deepcopy(made)
            if _step(mutator, made, 0, metadata, username) and whole != made:
                applied[f"{mutator.kind}/{mutator.name}"] = None
        if made == before:
            return Mutated(_resolved(made, world), tuple(applied), left_out)
    raise NotConverging(f"mutators do not come to an end: {', '.join(applied)}", where=name_of(thing))


def _applies(mutator: Mutator, thing: Object, operation: str) -> bool:
    if mutator.applies_to is None:
        return True
    group, _, version = str(thing.get("apiVersion", "")).rpartition("/")
    for item in mutator.applies_to:
        every = not item.operations or "*" in item.operations
        asked = (
            operation in item.operations or (every and operation in _OPERATIONS)
            if operation
            else every or set(_OPERATIONS) <= set(item.operations)
        )
        if asked and group in item.groups and version in item.versions and thing.get("kind") in item.kinds:
            return True
    return False


def _step(mutator: Mutator, holder: Any, depth: int, metadata: Any, username: str) -> bool:
    """Change what is below one step of the path; whether anything was set."""
    step = mutator.path[depth]
    last = depth == len(mutator.path) - 1
    if isinstance(step, Items):
        if not isinstance(holder, list):
            raise ParseError(
                f"the location says that there is a list by {step.field}, and there is none", where=mutator.name
            )
        return (
            _put_item(mutator, step, holder, depth)
            if last
            else _below_items(mutator, step, holder, depth, metadata, username)
        )
    if not isinstance(holder, dict):
        raise ParseError(f"the location says that '{step.name}' is a field, and there is no object", where=mutator.name)
    there = step.name in holder
    if not (mutator.may_be(depth) if there else mutator.may_miss(depth)):
        return False
    if last:
        _put(mutator, holder, step.name, metadata, username)
        return True
    following = holder[step.name] if there else _made(mutator, depth)
    done = _step(mutator, following, depth + 1, metadata, username)
    if done:
        holder[step.name] = following
    return done


def _made(mutator: Mutator, depth: int) -> Any:
    """What is put where the path goes on and nothing is."""
    step, following = mutator.path[depth], mutator.path[depth + 1]
    made: Any = {} if isinstance(following, Field) else []
    if isinstance(step, Items):
        made[step.field] = step.value
    return made


def _below_items(mutator: Mutator, step: Items, holder: list[Any], depth: int, metadata: Any, username: str) -> bool:
    if step.value is None and not mutator.may_be(depth):
        return False
    done = found = False
    for item in holder:
        if step.value is None or (isinstance(item, dict) and _same(item.get(step.field), step.value)):
            if not mutator.may_be(depth):
                return False
            found = True
            done = _step(mutator, item, depth + 1, metadata, username) or done
    if step.value is not None and not found and mutator.may_miss(depth):
        made = _made(mutator, depth)
        if _step(mutator, made, depth + 1, metadata, username):
            holder.append(made)
            return True
    return done


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _put_item(mutator: Mutator, step: Items, holder: list[Any], depth: int) -> bool:
    assert isinstance(mutator.change, Value)
    for number, item in enumerate(holder):
        if not isinstance(item, dict):
            raise ParseError(f"an item of the list by {step.field} is no object", where=mutator.name)
        if _same(item.get(step.field), step.value):
            if not mutator.may_be(depth):
                return False
            holder[number] = copy.deepcopy(mutator.change.value)
            return True
    if not mutator.may_miss(depth):
        return False
    holder.append(copy.deepcopy(mutator.change.value))
    return True


def _put(mutator: Mutator, holder: dict[str, Any], name: str, metadata: Any, username: str) -> None:
    change = mutator.change
    if isinstance(change, Image):
        value = holder.get(name, "")
        if not isinstance(value, str):
            raise ParseError(f"'{name}' is no reference of an image", where=mutator.name)
        holder[name] = images.changed(value, change.domain, change.path, change.tag)
    elif isinstance(change, Elements):
        _elements(mutator, change, holder, name)
    elif change.metadata:
        holder[name] = str(metadata.get(change.metadata) or "")
    elif change.external is not None:
        holder[name] = _placed(mutator, change.external, holder.get(name), username)
    else:
        holder[name] = copy.deepcopy(change.value)


def _elements(mutator: Mutator, change: Elements, holder: dict[str, Any], name: str) -> None:
    held = holder.get(name)
    if name not in holder:
        if not change.prune:
            holder[name] = list(copy.deepcopy(change.values))
        return
    if not isinstance(held, list):
        raise ParseError(f"'{name}' is no list", where=mutator.name)
    if change.prune:
        holder[name] = [item for item in held if not any(_equal(item, value) for value in change.values)]
    else:
        holder[name] = held + [
            copy.deepcopy(value) for value in change.values if not any(_equal(item, value) for item in held)
        ]


def _equal(one: Any, other: Any) -> bool:
    """As JSON has it: true is not one."""
    return msgspec.json.encode(one, order="deterministic") == msgspec.json.encode(other, order="deterministic")


def _placed(mutator: Mutator, external: External, held: Any, username: str) -> Placeholder:
    if isinstance(held, Placeholder):
        held = held.key if external.dataSource == "ValueAtLocation" else ""
    if held is not None and not isinstance(held, str):
        raise ParseError("external data takes the place of texts alone", where=mutator.name)
    return Placeholder(external, username if external.dataSource == "Username" else (held or ""))


def _resolved(made: Any, world: World) -> Any:
    """The object with what providers answer.

    Raises:
        BulkheadError: one of them does not answer, and the mutator does not say what then.
    """
    asked: dict[str, dict[str, None]] = {}
    places = list(_places(made))
    for holder, key in places:
        held: Placeholder = holder[key]
        asked.setdefault(held.external.provider, {})[held.key] = None
    answers: dict[str, Any] = {}
    for provider, keys in asked.items():
        if len(keys) > _KEYS:
            raise ParseError(f"more than {_KEYS} keys for one provider", where=provider)
        try:
            answers[provider] = world.external(provider, list(keys))
        except BulkheadError as error:
            answers[provider] = {"system_error": str(error)}
    for holder, key in places:
        held = holder[key]
        found, wrong = _answer(answers[held.external.provider], held.key)
        if not wrong:
            holder[key] = found
        elif held.external.failurePolicy == "UseDefault":
            holder[key] = held.external.default
        elif held.external.failurePolicy == "Ignore":
            holder[key] = held.key
        else:
            raise ParseError(f"no external data for '{key}': {wrong}", where=held.external.provider)
    return made


def _answer(answer: Any, key: str) -> tuple[Any, str]:
    if answer.get("system_error"):
        return None, str(answer["system_error"])
    for asked, error in answer.get("errors") or ():
        if asked == key:
            return None, str(error)
    for asked, value in answer.get("responses") or ():
        if asked == key:
            return value, "" if isinstance(value, str) else "the answer is no text"
    return None, "there is no answer for it"


def _places(thing: Any) -> Any:
    pairs = thing.items() if isinstance(thing, dict) else enumerate(thing)
    for key, value in list(pairs):
        if isinstance(value, Placeholder):
            yield thing, key
        elif isinstance(value, (dict, list)):
            yield from _places(value)
