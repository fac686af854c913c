"""Suites that came with policies: those of gator, and rules ``test_…`` of Rego, run as they are."""

from __future__ import annotations

import posixpath
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from bulkhead.app.policies.asking import compiled, parsed
from bulkhead.app.policies.model import Document, Files, Module, Object, PolicyFiles
from bulkhead.core.errors import BulkheadError, ParseError, SourceError
from bulkhead.engines.gatekeeper import suites
from bulkhead.engines.rego.errors import RegoError
from bulkhead.engines.rego.program import Budget

_SECONDS: Final = 20.0
"""Of one test."""
_UNSPOKEN: Final = {("cli.kyverno.io", "Test"): "tests of Kyverno"}


class Tested(msgspec.Struct, frozen=True):
    """One assertion of a suite, or one rule."""

    file: str
    name: str
    outcome: Literal["pass", "fail", "skip", "refused"]
    message: str = ""


def run(found: PolicyFiles, files: Files, *, engine: str = "", version: int | None = None) -> Iterator[Tested]:
    """Every test among the files.

    Args:
        found: the files.
        files: reads what suites name.
        engine: ``Rego`` to evaluate with it where a template has code for it.
        version: of Rego; None for 1, and 0 where a folder's files are none of 1.
    """
    for document in found.documents:
        thing = document.value
        if not isinstance(thing, Mapping):
            continue
        key = (str(thing.get("apiVersion", "")).partition("/")[0], str(thing.get("kind")))
        if key[0] == "test.gatekeeper.sh" and key[1] == suites.KIND:
            yield from _suite(document, files, engine)
        elif key in _UNSPOKEN:
            yield Tested(document.file, "", "refused", f"{_UNSPOKEN[key]} are not run here yet")
    folders: dict[str, list[Module]] = {}
    for module in found.modules:
        folders.setdefault(posixpath.dirname(module.file), []).append(module)
    for _, modules in sorted(folders.items()):
        yield from _rules(modules, version)


def _suite(document: Document, files: Files, engine: str) -> Iterator[Tested]:
    def load(path: str) -> Sequence[Object]:
        read = files.read(suites.beside(document.file, path))
        if read.gaps:
            raise SourceError(read.gaps[0].reason, where=read.gaps[0].where)
        values = [item.value for item in read.documents]
        if not values or not all(isinstance(value, Mapping) for value in values):
            raise ParseError("there is no object in it", where=path)
        return values

    try:
        suite = suites.read(document.value)
    except BulkheadError as error:
        yield Tested(document.file, "", "refused", str(error))
        return
    for held in suites.run(suite, load, engine=engine):
        number = f"[{held.number}]" if held.case else ""
        yield Tested(
            document.file, f"{held.test}{f'/{held.case}' if held.case else ''}{number}", held.outcome, held.message
        )


def _rules(modules: Sequence[Module], version: int | None) -> Iterator[Tested]:
    if not any("test_" in module.text for module in modules):
        return
    try:
        read, _ = parsed(modules, version)
        places = {
            f"data.{'.'.join(item.package)}.{rule.name}": item.path
            for item in read
            for rule in item.rules
            if rule.name.startswith("test_")
        }
        program = compiled(read, {name: f"x = {name}" for name in places}) if places else None
    except BulkheadError as error:
        yield Tested(modules[0].file, "", "refused", str(error))
        return
    for name, path in places.items():
        assert program is not None
        budget = Budget(deadline=time.monotonic() + _SECONDS, clock=time.monotonic)
        try:
            results: Any = program.evaluate(name, budget=budget)
        except RegoError as error:
            yield Tested(path, name, "fail", str(error))
            continue
        held = results == ({"x": True},)
        yield Tested(path, name, "pass" if held else "fail", "" if held else "it is not true")
