"""The Gatekeeper library: every assertion of its suites, with each engine that a template has code for, its Rego tests, and the
samples of mutation, whose templates have to be taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from bulkhead.core.errors import BulkheadError, ParseError
from bulkhead.engines.gatekeeper import suites
from bulkhead.engines.gatekeeper.mutation import compile_mutator
from bulkhead.engines.gatekeeper.mutation.mutators import GROUP
from tests.conformance.model import Result
from tests.conformance.suites import rego_units

ENGINES = ("", "Rego")


def run(folder: Path) -> Result:
    result = Result("gatekeeper-library")
    for path in sorted(folder.rglob("*.yaml")):
        things = documents(path)
        if any(isinstance(thing, dict) and thing.get("kind") == suites.KIND for thing in things):
            _suite(path, things[0], str(path.relative_to(folder)), result)
        for thing in things:
            if isinstance(thing, dict) and str(thing.get("apiVersion", "")).startswith(f"{GROUP}/"):
                _mutator(thing, str(path.relative_to(folder)), result)
    units = rego_units.run(folder)
    result.total += units.total
    result.passed += units.passed
    result.failed += units.failed
    result.refused += units.refused
    return result


def documents(path: Path) -> list[Any]:
    try:
        return [thing for thing in yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader) if thing is not None]
    except yaml.YAMLError:
        return []


def _suite(path: Path, thing: Any, shown: str, result: Result) -> None:
    def load(name: str) -> Sequence[Any]:
        file = path.parent / name
        if not file.exists():
            raise _Absent(name)
        found = documents(file)
        if not found:
            raise ParseError("there is no object in it", where=name)
        return found

    try:
        suite = suites.read(thing)
    except BulkheadError as error:
        result.total += 1
        result.refused.append(f"{shown}: {error}")
        return
    for engine in ENGINES:
        for held in suites.run(suite, load, engine=engine):
            if held.outcome == "skip" or _Absent.code in held.message:
                continue
            result.total += 1
            name = f"{shown} {engine or 'own engine'}: {held.test}/{held.case}[{held.number}]"
            if held.outcome == "pass":
                result.passed += 1
            elif held.outcome == "fail":
                result.failed.append(f"{name}: {held.message}")
            else:
                result.refused.append(f"{name}: {held.message}")


def _mutator(thing: Any, shown: str, result: Result) -> None:
    result.total += 1
    try:
        compile_mutator(thing)
    except BulkheadError as error:
        result.refused.append(f"{shown}: {error}")
    else:
        result.passed += 1


class _Absent(ParseError):
    """A file that a suite names and that is not in the part of the library that is here."""

    code = "absent-input"

    def __init__(self, name: str) -> None:
        super().__init__(f"{self.code}: {name}")
