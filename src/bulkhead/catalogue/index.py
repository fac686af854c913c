"""Many controls as one value: looked up by id, alias or pattern, and kept as msgpack between runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TypeVar

import msgspec

from bulkhead.core.control import Control, Examples, Written
from bulkhead.core.errors import CatalogueError, UsageError


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """The compiled form.

    ``programs`` maps an expression's text to the Python generated for it, as text and as the interpreter's own code: the
    file is only good for the interpreter that wrote it, which is part of its name.
    """

    format: int
    controls: tuple[Control, ...]
    programs: msgspec.Raw = msgspec.Raw(b"\x80")
    examples: msgspec.Raw = msgspec.Raw(b"\x80")


FORMAT = 4
_Value = TypeVar("_Value")
_decoder = msgspec.msgpack.Decoder(Stored)
_programs_decoder = msgspec.msgpack.Decoder(dict[str, tuple[str, bytes]])
_examples_decoder = msgspec.msgpack.Decoder(dict[str, Examples])


class Catalogue:
    """An immutable set of controls."""

    def __init__(
        self,
        controls: Iterable[Control],
        programs: Mapping[str, tuple[str, bytes]] | msgspec.Raw | None = None,
        examples: msgspec.Raw | None = None,
    ) -> None:
        self.controls: tuple[Control, ...] = tuple(sorted(controls, key=lambda control: control.id))
        self._given = programs or {}
        self._examples = examples

    @cached_property
    def programs(self) -> Mapping[str, tuple[str, bytes]]:
        """Expression to its Python; taken out of the index when a first check is made ready.

        Raises:
            CatalogueError: the index is damaged.
        """
        if not isinstance(self._given, msgspec.Raw):
            return dict(self._given)
        return _taken(_programs_decoder, self._given)

    @cached_property
    def examples(self) -> Mapping[str, Examples]:
        """The examples of each control that was written with any; taken out of the index when first asked for.

        Raises:
            CatalogueError: the index is damaged.
        """
        if self._examples is None:
            return {control.id: control.examples for control in self.controls if isinstance(control, Written)}
        return _taken(_examples_decoder, self._examples)

    @cached_property
    def by_id(self) -> Mapping[str, Control]:
        return {control.id: control for control in self.controls}

    @cached_property
    def by_alias(self) -> Mapping[str, tuple[Control, ...]]:
        found: dict[str, list[Control]] = {}
        for control in self.controls:
            for alias in control.aliases:
                found.setdefault(alias.casefold(), []).append(control)
        return {alias: tuple(controls) for alias, controls in found.items()}

    def named(self, name: str) -> tuple[Control, ...]:
        """The controls that an id, an alias or a pattern (``k8s.rbac.*``) names.

        Raises:
            UsageError: nothing has that name.
        """
        if name in self.by_id:
            return (self.by_id[name],)
        folded = name.casefold()
        if folded in self.by_alias:
            return self.by_alias[folded]
        if any(mark in name for mark in "*?["):
            found = tuple(
                control
                for control in self.controls
                if fnmatchcase(control.id, name)
                or any(fnmatchcase(alias.casefold(), folded) for alias in control.aliases)
            )
            if found:
                return found
        near = [control.id for control in self.controls if folded in control.id][:3]
        raise UsageError(
            f"no control is called '{name}'", hint=f"near: {', '.join(near)}" if near else "see: bulkhead controls list"
        )

    def practised(self, item: str) -> tuple[Control, ...]:
        """The controls of one practice item (``K4``, ``D1``, ``C2``)."""
        return tuple(control for control in self.controls if item.upper() in control.practices)


def encode(catalogue: Catalogue) -> bytes:
    return msgspec.msgpack.encode(
        Stored(
            format=FORMAT,
            controls=tuple(_judging(control) for control in catalogue.controls),
            programs=msgspec.Raw(msgspec.msgpack.encode(dict(catalogue.programs))),
            examples=msgspec.Raw(msgspec.msgpack.encode(dict(catalogue.examples))),
        )
    )


def _judging(control: Control) -> Control:
    """What a scan needs of a control."""
    return Control(**{name: getattr(control, name) for name in Control.__struct_fields__})


def decode(data: bytes) -> Catalogue:
    """The catalogue.

    Raises:
        CatalogueError: the bytes are not an index of this format.
    """
    try:
        stored = _decoder.decode(data)
    except msgspec.DecodeError as exc:
        raise _damaged(exc) from exc
    if stored.format != FORMAT:
        raise CatalogueError("the compiled index is of another version", hint="delete it, it is made again")
    return Catalogue(stored.controls, stored.programs, stored.examples)


def _taken(decoder: msgspec.msgpack.Decoder[_Value], raw: msgspec.Raw) -> _Value:
    try:
        return decoder.decode(raw)
    except msgspec.DecodeError as exc:
        raise _damaged(exc) from exc


def _damaged(exc: msgspec.DecodeError) -> CatalogueError:
    return CatalogueError(f"the compiled index is damaged: {exc}", hint="delete it, it is made again")
