"""Edits of one document as a tree of changes, decided against the document's value.

Paths of edits speak of the document as it was before the call, so two removals from one list do not disturb each
other. ``append`` adds what is not there yet; a repeated call therefore changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from bulkhead.core.errors import CannotEdit, PlanRefused
from bulkhead.core.finding import dotted
from bulkhead.core.plan import Edit
from bulkhead.core.resource import UNKNOWN, DocumentPath, PathPart

ABSENT: Final = object()
"""No value, which is not the value null."""


class Change(msgspec.Struct):
    """What happens to one value: it is put, removed, changed below or given more items."""

    path: DocumentPath
    put: Any = ABSENT
    removed: bool = False
    added: list[Any] = msgspec.field(default_factory=list)
    below: dict[PathPart, Change] = msgspec.field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return self.put is ABSENT and not self.removed and not self.added and not self.below


def same(left: Any, right: Any) -> bool:
    """Equal as JSON: ``1`` is neither ``True`` nor ``1.0``, and the order of keys says nothing."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return len(left) == len(right) and all(key in right and same(value, right[key]) for key, value in left.items())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left is right or bool(left == right)


def decide(data: Any, edits: Iterable[Edit]) -> Change:
    """The changes that make ``data`` what the edits ask for; empty when it is so already.

    Raises:
        PlanRefused: two edits contradict each other.
        CannotEdit: a path leads through something that is not a collection.
    """
    wanted = Change(())
    for edit in edits:
        _enter(wanted, edit)
    return _settle(wanted, data)


def _enter(root: Change, edit: Edit) -> None:
    here = root
    for index, part in enumerate(edit.path):
        if here.removed:
            raise PlanRefused(f"an edit stands below {dotted(here.path)}, which another edit removes")
        if here.put is not ABSENT:
            _absorb(here, edit, edit.path[index:])
            return
        here = here.below.setdefault(part, Change(edit.path[: index + 1]))
    if edit.op == "set":
        _enter_set(here, edit)
    elif edit.op == "remove":
        if here.put is not ABSENT or here.below or here.added:
            raise PlanRefused(f"an edit removes {dotted(edit.path)}, which another edit changes")
        here.removed = True
    elif edit.op == "append":
        if here.removed:
            raise PlanRefused(f"an edit appends to {dotted(edit.path)}, which another edit removes")
        if here.put is not ABSENT:
            _absorb(here, edit, ())
        elif not any(same(edit.value, value) for value in here.added):
            here.added.append(edit.value)
    else:
        raise PlanRefused(f"the operation {edit.op} is not for data", where=dotted(edit.path))


def _enter_set(here: Change, edit: Edit) -> None:
    if here.removed:
        raise PlanRefused(f"an edit sets {dotted(edit.path)}, which another edit removes")
    if here.put is not ABSENT and not same(here.put, edit.value):
        raise PlanRefused(f"two edits set {dotted(edit.path)} to different values")
    if here.below or here.added:
        if not _contained(here, edit.value):
            raise PlanRefused(f"an edit sets {dotted(edit.path)}, below which another edit changes something else")
        here.below, here.added = {}, []
    here.put = edit.value


def _absorb(here: Change, edit: Edit, rest: DocumentPath) -> None:
    """An edit below a value that is put: nothing to do where the value has it already."""
    value = _at(here.put, rest)
    if edit.op == "set" and value is not ABSENT and same(value, edit.value):
        return
    if edit.op == "remove" and value is ABSENT:
        return
    if edit.op == "append" and isinstance(value, list) and any(same(edit.value, item) for item in value):
        return
    raise PlanRefused(f"an edit at {dotted(edit.path)} contradicts the value set at {dotted(here.path) or 'the root'}")


def _at(value: Any, path: DocumentPath) -> Any:
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value):
            value = value[part]
        else:
            return ABSENT
    return value


def _contained(change: Change, value: Any) -> bool:
    if change.removed:
        return value is ABSENT
    if value is ABSENT:
        return False
    if change.put is not ABSENT:
        return same(change.put, value)
    if change.added and not (
        isinstance(value, list) and all(any(same(a, item) for item in value) for a in change.added)
    ):
        return False
    return all(_contained(below, _at(value, (part,))) for part, below in change.below.items())


def _settle(change: Change, data: Any) -> Change:
    """What of ``change`` is still to be done to ``data``."""
    done = Change(change.path)
    if change.removed:
        done.removed = data is not ABSENT
        return done
    if change.put is not ABSENT:
        return done if data is not ABSENT and same(data, change.put) else _difference(change.path, data, change.put)
    if not change.below and not change.added:
        return done
    if data is UNKNOWN:
        raise CannotEdit("the value is not known here", where=dotted(change.path))
    if data is ABSENT or data is None:
        value = _made(change)
        if value is not ABSENT:
            done.put = value
        return done
    if isinstance(data, dict) and not change.added:
        return _settle_map(change, data)
    if isinstance(data, list):
        return _settle_list(change, data)
    raise CannotEdit(f"it is a {type(data).__name__}, which holds nothing below it", where=dotted(change.path))


def _settle_map(change: Change, data: dict[str, Any]) -> Change:
    done = Change(change.path)
    for part, below in change.below.items():
        if not isinstance(part, str):
            raise CannotEdit("a mapping has no numbered items", where=dotted(below.path))
        inner = _settle(below, data.get(part, ABSENT))
        if not inner.empty:
            done.below[part] = inner
    return _emptied(done, data)


def _settle_list(change: Change, data: list[Any]) -> Change:
    done = Change(change.path)
    for part, below in change.below.items():
        if not isinstance(part, int):
            raise CannotEdit("a sequence has no named entries", where=dotted(below.path))
        if not 0 <= part < len(data):
            if below.removed:
                continue
            raise CannotEdit("there is no such item", where=dotted(below.path))
        inner = _settle(below, data[part])
        if not inner.empty:
            done.below[part] = inner
    done.added = [value for value in change.added if not any(same(value, item) for item in data)]
    return _emptied(done, data)


def _emptied(done: Change, data: dict[str, Any] | list[Any]) -> Change:
    """A collection that loses all it had is put anew, as ``{}`` or ``[]`` when nothing comes instead.

    Without that the text would say null, which is not the same. An empty one has no style to add to either.
    """
    keys: Iterable[Any] = data if isinstance(data, dict) else range(len(data))
    if not done.empty and all(key in done.below and done.below[key].removed for key in keys):
        return Change(done.path, put=patched(data, done))
    return done


def _made(change: Change) -> Any:
    """The value that the changes make where nothing was."""
    if change.put is not ABSENT:
        return change.put
    if change.removed:
        return ABSENT
    if change.added or any(isinstance(part, int) for part in change.below):
        return _made_list(change)
    made = {part: value for part, below in change.below.items() if (value := _made(below)) is not ABSENT}
    return made or ABSENT


def _made_list(change: Change) -> Any:
    items: list[Any] = []
    for part in sorted(change.below, key=str):
        value = _made(change.below[part])
        if part != len(items) or value is ABSENT:
            raise CannotEdit("there is no such item", where=dotted(change.below[part].path))
        items.append(value)
    return items + change.added


def _difference(path: DocumentPath, old: Any, new: Any) -> Change:
    """The smallest changes from one value to another; the whole value where they have no shape in common."""
    whole = Change(path, put=new)
    if isinstance(old, dict) and isinstance(new, dict) and old and new:
        done = Change(path)
        for key in (*new, *(key for key in old if key not in new)):
            before, after = old.get(key, ABSENT), new.get(key, ABSENT)
            if after is ABSENT:
                done.below[key] = Change((*path, key), removed=True)
            elif before is ABSENT or not same(before, after):
                done.below[key] = _difference((*path, key), before, after)
        return whole if all(key not in new for key in old) else done
    if isinstance(old, list) and isinstance(new, list) and old and new:
        return _difference_of_lists(path, old, new) or whole
    return whole


def _difference_of_lists(path: DocumentPath, old: list[Any], new: list[Any]) -> Change | None:
    done = Change(path)
    taken = 0
    for index, item in enumerate(old):
        if taken < len(new) and same(item, new[taken]):
            taken += 1
        else:
            done.below[index] = Change((*path, index), removed=True)
    if taken:
        done.added = new[taken:]
        return done
    if len(old) == len(new):
        done.below = {index: _difference((*path, index), old[index], new[index]) for index in range(len(old))}
        return done
    return None


def patched(data: Any, change: Change) -> Any:
    """``data`` with the decided changes; what does not change is shared with the old value."""
    if change.put is not ABSENT:
        return change.put
    if isinstance(data, dict):
        out = dict(data)
        for part, below in change.below.items():
            if below.removed:
                del out[str(part)]
            else:
                out[str(part)] = patched(data.get(str(part)), below)
        return out
    if isinstance(data, list):
        items = [
            patched(item, change.below[index]) if index in change.below else item
            for index, item in enumerate(data)
            if not (index in change.below and change.below[index].removed)
        ]
        return items + change.added
    return data


def by_document(edits: Sequence[Edit]) -> dict[int, list[Edit]]:
    """The edits of each document, in their order."""
    out: dict[int, list[Edit]] = {}
    for edit in edits:
        out.setdefault(edit.document, []).append(edit)
    return out
