"""Where in a chart's values a setting of a rendered object may come from.

Templates are not read. A chart that lets a setting be chosen has, nearly always, a value of the same name
(``securityContext``, ``resources``, ``hostNetwork``); the guesses are tried by rendering, and only one that changes exactly
what was wanted is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bulkhead.core.plan import Edit
from bulkhead.core.resource import DocumentPath, Ref, Resource

_DEPTH = 6
_CONTAINERS = frozenset({"containers", "initContainers", "ephemeralContainers"})
_SAME = (
    frozenset({"securityContext", "containerSecurityContext", "podSecurityContext"}),
    frozenset({"serviceAccountName", "serviceAccount"}),
    frozenset({"automountServiceAccountToken", "automount", "automountToken"}),
    frozenset({"livenessProbe", "liveness"}),
    frozenset({"readinessProbe", "readiness"}),
)


def candidates(values: Any, wanted: Sequence[Edit]) -> Iterator[tuple[Edit, ...]]:
    """Edits of the values that may have the wanted effect, likeliest first.

    Every wanted edit is carried to the same place: near the top before deep ones, those of the very name before those
    that are often called otherwise.
    """
    if not isinstance(values, dict) or not wanted:
        return
    seen: set[tuple[DocumentPath, ...]] = set()
    ranked = sorted(
        (len(place), -at, place[-1] != part, place)
        for at, part in enumerate(wanted[0].path)
        if isinstance(part, str)
        for place in _places(values, part, ())
    )
    for _, negative, _, place in ranked:
        made = _carried(values, wanted, -negative, place)
        if made is not None and (key := tuple(edit.path for edit in made)) not in seen:
            seen.add(key)
            yield made


def _carried(values: Any, wanted: Sequence[Edit], at: int, place: DocumentPath) -> tuple[Edit, ...] | None:
    head = wanted[0].path[: at + 1]
    out = []
    for edit in wanted:
        tail = edit.path[at + 1 :]
        if edit.path[: at + 1] != head or any(isinstance(part, int) for part in tail):
            return None
        if edit.op == "remove" and _at(values, place + tail) is True:
            # What is taken away in a manifest is switched off in values: a value that is gone gets its default again.
            edit = Edit(op="set", path=edit.path, value=False)
        out.append(Edit(op=edit.op, path=place + tail, value=edit.value))
    return tuple(out)


def _at(values: Any, path: DocumentPath) -> Any:
    for part in path:
        if isinstance(values, list) and isinstance(part, int) and part < len(values):
            values = values[part]
        else:
            values = values.get(part) if isinstance(values, dict) else None
    return values


def _places(values: Any, name: str, path: DocumentPath) -> Iterator[DocumentPath]:
    """Paths of values that are called so, whatever holds them."""
    if not isinstance(values, dict) or len(path) >= _DEPTH:
        return
    names = next((group for group in _SAME if name in group), frozenset({name}))
    for key, value in values.items():
        if key in names:
            yield (*path, key)
        yield from _places(value, name, (*path, key))


def only_wanted(before: Sequence[Resource], after: Sequence[Resource], wanted: Sequence[Edit], ref: Ref) -> bool:
    """Whether the two renderings differ where the wanted edits of ``ref`` are, and in nothing else but leaves like them.

    One value often serves several containers and objects: the same setting may change in all of them.
    """
    was = {resource.ref: resource.data for resource in before}
    now = {resource.ref: resource.data for resource in after}
    if set(was) != set(now):
        return False
    places = [_place(edit.path) for edit in wanted]
    changes = [(one, path) for one, data in now.items() for path in _changes(was[one], data, ())]
    if not all(any(_about(_place(path), place) for place in places) for _, path in changes):
        return False
    mine = [path for one, path in changes if one == ref]
    return bool(mine) and all(
        any(_leads(path, edit.path) for path in mine) or _at(was[ref], edit.path) == edit.value for edit in wanted
    )


def _leads(changed: DocumentPath, wanted: DocumentPath) -> bool:
    """Whether one of the paths is the beginning of the other."""
    length = min(len(changed), len(wanted))
    return changed[:length] == wanted[:length]


def _place(path: DocumentPath) -> tuple[bool, tuple[str, ...]]:
    """Whether a path leads into a container, and its names from there on; else from the last ``spec`` on.

    What a container and its pod have in common (``securityContext``) is told apart by the first.
    """
    names = tuple(part for part in path if isinstance(part, str))
    marks = [at for at, name in enumerate(names) if name in _CONTAINERS]
    if marks:
        return True, names[marks[-1] + 1 :]
    specs = [at for at, name in enumerate(names) if name == "spec"]
    return False, names[specs[-1] :] if specs else names


def _about(changed: tuple[bool, tuple[str, ...]], wanted: tuple[bool, tuple[str, ...]]) -> bool:
    """The changed leaf is the wanted one, stands below it, or is a parent that was made for it."""
    length = min(len(changed[1]), len(wanted[1]))
    return length > 0 and changed[0] == wanted[0] and changed[1][:length] == wanted[1][:length]


def _changes(before: Any, after: Any, path: DocumentPath) -> Iterator[DocumentPath]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            if key not in before or key not in after:
                yield from _leaves(before.get(key, after.get(key)), (*path, key))
            else:
                yield from _changes(before[key], after[key], (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changes(old, new, (*path, index))
    elif type(before) is not type(after) or before != after:
        # A value that takes the place of a mapping, or the other way round, changes all that the mapping holds.
        yield from _leaves(before, path)
        yield from _leaves(after, path)


def _leaves(value: Any, path: DocumentPath) -> Iterator[DocumentPath]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    else:
        yield path
