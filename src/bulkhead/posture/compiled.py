"""Checks made ready to run: expressions compiled, paths split, messages taken apart."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from bulkhead.core.control import Check, Control
from bulkhead.core.errors import CatalogueError
from bulkhead.core.outcome import Outcome
from bulkhead.core.patterns import later
from bulkhead.core.resource import DocumentPath
from bulkhead.engines.cel import program as cel
from bulkhead.posture.bindings import VARIABLES
from bulkhead.posture.functions import FUNCTIONS

Programs = Mapping[str, tuple[str, bytes]]
"""Expression to the Python generated for it, as text and as marshalled code."""

_PLACEHOLDER = later(r"\{([a-zA-Z][\w.]*(?:\[\d+\][\w.]*)*)\}")
_OF_KIND = later(r"([A-Za-z]\w*):([^:].*)")
_STEP = later(r'\["([^"]+)"\]|([^.\[\]]+)|\[(\d+)\]')


class Needs(msgspec.Struct, frozen=True, eq=False):
    """Paths that must hold something known, below the element and below the resource, and those that may be absent.

    One object for each combination: what an element lacks is found once for all the checks that need the same.
    """

    fields: tuple[DocumentPath, ...]
    object_fields: tuple[DocumentPath, ...]
    known: tuple[DocumentPath, ...]


_needs = lru_cache(maxsize=4096)(Needs)


class Runnable(msgspec.Struct, eq=False):
    """One check of one control. ``run`` and ``when_run`` are its programs as functions, made by ``prepare``."""

    control: Control
    check: Check
    tokens: tuple[str, ...]
    program: cel.Program
    when: cel.Program | None
    evidence: cel.Program | None
    used: frozenset[str]
    needs: Needs | None
    outcome: Outcome
    points_at: DocumentPath
    message: tuple[str | DocumentPath, ...]
    params: Mapping[str, Any]
    run: Callable[[Mapping[str, Any]], Any] | None = None
    when_run: Callable[[Mapping[str, Any]], Any] | None = None

    def prepare(self) -> tuple[Callable[[Mapping[str, Any]], Any], Callable[[Mapping[str, Any]], Any] | None]:
        self.run = run = self.program.prepared()
        self.when_run = when = self.when.prepared() if self.when is not None else None
        return run, when


def split(path: str) -> DocumentPath:
    """``ports[0].hostPort`` as a path; a name with dots is quoted: ``annotations["example.org/x"]``."""
    out: list[str | int] = []
    for quoted, name, index in _STEP.findall(path):
        out.append(int(index) if index else quoted or name)
    return tuple(out)


def expression(text: str, programs: Programs | None = None) -> cel.Program:
    """Compiled, from ready-made Python where the catalogue's index holds it."""
    ready = programs.get(text) if programs else None
    if ready is not None:
        return cel.load(text, ready[0], functions=FUNCTIONS, code=marshal.loads(ready[1]))  # noqa: S302 (our own cache, in a folder that is ours alone)
    return cel.compile(text, variables=VARIABLES, functions=FUNCTIONS)


def compile_check(control: Control, check: Check, programs: Programs, parameters: Mapping[str, Any]) -> Runnable:
    """A check of a control, ready to run.

    Raises:
        ExpressionError: an expression of the check does not compile.
    """
    texts = {"expression": check.expression, "when": check.when, "evidence": check.evidence}
    made = {name: expression(text, programs) for name, text in texts.items() if text}
    used = {name for program in made.values() for name in program.identifiers}
    message = message_parts(check.message)
    used |= {str(part[0]) for part in message if isinstance(part, tuple)}
    if "expression" not in made:
        raise CatalogueError("a check needs an expression", where=control.id)
    fields = needed(control.needs.fields, check.applies_to or control.applies_to)
    known = [field.removesuffix("?").removeprefix("object.") for field in fields if field.endswith("?")]
    fields = [field for field in fields if not field.endswith("?")]
    needs = [field.removeprefix("object").removeprefix(".") for field in fields if whole(field)]
    return Runnable(
        control=control,
        check=check,
        tokens=check.applies_to or control.applies_to,
        program=made["expression"],
        when=made.get("when"),
        evidence=made.get("evidence"),
        used=frozenset(used) & VARIABLES,
        needs=_needs(
            tuple(split(field) for field in fields if not whole(field)),
            tuple(split(field) for field in needs),
            tuple(split(field) for field in known),
        )
        if fields or known
        else None,
        outcome=Outcome(check.outcome),
        points_at=split(check.points_at),
        message=message,
        params={name: parameters.get(name, parameter.default) for name, parameter in control.parameters.items()},
    )


def whole(field: str) -> bool:
    """Whether a need is told from the top of the resource: its whole data (``object``) or a path in it."""
    return field == "object" or field.startswith("object.")


def needed(fields: Iterable[str], tokens: Iterable[str]) -> list[str]:
    """The needs that concern what these tokens stand for: ``KIND:path`` is for that kind, a bare path for all."""
    kinds = {token.partition(":")[0].rpartition("/")[2] for token in tokens}
    found = []
    for field in fields:
        own = _OF_KIND.fullmatch(field)
        if own is None:
            found.append(field)
        elif own[1] in kinds:
            found.append(own[2])
    return found


def message_parts(text: str) -> tuple[str | DocumentPath, ...]:
    parts: list[str | DocumentPath] = []
    last = 0
    for match in _PLACEHOLDER.finditer(text):
        parts.append(text[last : match.start()])
        parts.append(split(match[1]))
        last = match.end()
    parts.append(text[last:])
    return tuple(parts)


def render(parts: Iterable[str | DocumentPath], bindings: Mapping[str, Any]) -> str:
    """The message with its references filled in; what is absent or unknown is a question mark."""
    return "".join([part if isinstance(part, str) else _shown(part, bindings) for part in parts])


def _shown(path: DocumentPath, value: Any) -> str:
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return "?"
    if isinstance(value, (str, int, float)):
        return str(value)[:200]
    if isinstance(value, list) and all(isinstance(item, (str, int)) for item in value):
        return ", ".join(map(str, value))[:200]
    return "?"
