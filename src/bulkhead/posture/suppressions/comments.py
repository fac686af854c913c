"""Exceptions in comments.

A comment covers what its tool says it covers: checkov's the resource it stands in, trivy's the resource or line that
follows or that it stands on, hadolint's the next instruction. Comments are looked for only in texts that hold one of the
words, line by line, with patterns that cannot backtrack.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from bulkhead.core.patterns import later
from bulkhead.core.resource import Resource, Snapshot, Text
from bulkhead.formats import texts
from bulkhead.posture.suppressions.model import Exemption

_WORDS = (b"checkov:skip", b"bridgecrew:skip", b"trivy:ignore", b"tfsec:ignore", b"hadolint ", b"bulkhead:ignore")
_CHECKOV = later(r"(?:checkov|bridgecrew):skip=([A-Za-z0-9_]{3,40}):?([^\r\n]{0,300})")
_TRIVY = later(r"(?:trivy|tfsec):ignore:([A-Za-z0-9_*-]{2,80})(?::exp:([0-9]{4}-[0-9]{2}-[0-9]{2}))?")
_HADOLINT = later(r"#\s{0,20}hadolint\s{1,20}(global\s{1,20})?ignore\s{0,20}=\s{0,20}([A-Z0-9, ]{4,400})")
_OWN = later(
    r"bulkhead:ignore ([A-Za-z0-9_.*-]{2,120})((?: (?:until=[0-9-]{10}|owner=[^\s:]{1,80})){0,2}):?([^\r\n]{0,300})"
)
_LIMIT = 2000
"""Longer lines are not comments."""


def read(snapshot: Snapshot) -> Iterator[Exemption]:
    by_text: dict[int, tuple[Text, list[Resource]]] = {}
    for resource in snapshot.resources:
        text = resource.text
        if text is not None:
            by_text.setdefault(id(text), (text, []))[1].append(resource)
    for text, resources in by_text.values():
        if any(word in text.data for word in _WORDS):
            yield from _of(text, resources)


def _of(text: Text, resources: list[Resource]) -> Iterator[Exemption]:
    lines = text.data.decode("utf-8", "replace").split("\n")
    spans = texts.locate(text, [(resource.document, resource.path) for resource in resources])
    places = [
        (span.line, span.end_line, resource)
        for span, resource in zip(spans, resources, strict=True)
        if span is not None
    ]
    around = _Around(lines, places)
    for number, line in enumerate(lines, 1):
        if len(line) <= _LIMIT and ("#" in line or "//" in line or "/*" in line):
            yield from _line(text, lines, number, around)


def _line(text: Text, lines: list[str], number: int, around: _Around) -> Iterator[Exemption]:
    line = lines[number - 1]
    origin = f"comment {text.path}:{number}"
    here = around.holding(number)
    for match in _CHECKOV.finditer(line):
        target = here or around.next(number)
        if target is not None:
            yield Exemption(match[1], origin, match[2].strip(), ref=target.ref)
    for match in _TRIVY.finditer(line):
        alone = line.lstrip().startswith(("#", "//"))
        block = around.next(number) if alone and here is None else None
        first = around.code_after(number) if alone else number
        for control in trivy_names(match[1]):
            if block is not None:
                yield Exemption(control, origin, expires=match[2] or "", ref=block.ref)
            else:
                yield Exemption(
                    control,
                    origin,
                    expires=match[2] or "",
                    file=text.path,
                    lines=(first, first),
                    ref=here.ref if here else None,
                )
    if text.format == "dockerfile":
        yield from _hadolint(text, lines, number, origin, around)
    for match in _OWN.finditer(line):
        options = dict(item.split("=", 1) for item in match[2].split())
        target = here or around.next(number)
        first = around.code_after(number)
        spread = (first, first) if text.format == "dockerfile" else None
        yield Exemption(
            match[1],
            origin,
            match[3].strip(),
            options.get("owner", ""),
            options.get("until", ""),
            ref=target.ref if target else None,
            file=text.path,
            lines=spread,
        )


def _hadolint(text: Text, lines: list[str], number: int, origin: str, around: _Around) -> Iterator[Exemption]:
    match = _HADOLINT.search(lines[number - 1])
    if match is None:
        return
    first = around.code_after(number)
    for name in match[2].replace(",", " ").split():
        if match[1]:
            yield Exemption(name, origin, file=text.path)
        else:
            yield Exemption(name, origin, file=text.path, lines=(first, first))


class _Around:
    """What stands around a line. A text may hold a comment on every line, so everything is looked through once."""

    def __init__(self, lines: list[str], places: list[tuple[int, int, Resource]]) -> None:
        self._places = sorted(places, key=lambda place: place[0])
        self._starts = [start for start, _, _ in self._places]
        # The last line of all that begins up to here.
        self._ends = list(accumulate((end for _, end, _ in self._places), max))
        self._code = list(range(1, len(lines) + 2))
        for at in range(len(lines) - 1, -1, -1):
            stripped = lines[at].strip()
            if not stripped or stripped.startswith(("#", "//")):
                self._code[at] = self._code[at + 1]
        self._count = len(lines)

    def holding(self, number: int) -> Resource | None:
        """The smallest resource whose lines hold the comment."""
        found: tuple[int, Resource] | None = None
        at = bisect_right(self._starts, number) - 1
        while at >= 0 and self._ends[at] >= number:
            start, end, resource = self._places[at]
            if end >= number and (found is None or end - start <= found[0]):
                found = (end - start, resource)
            at -= 1
        return found[1] if found else None

    def next(self, number: int) -> Resource | None:
        """The resource that begins next after the comment."""
        at = bisect_right(self._starts, number)
        return self._places[at][2] if at < len(self._places) else None

    def code_after(self, number: int) -> int:
        """The first line after a comment that is neither blank nor a comment; counts from 1."""
        after = self._code[number] if number < len(self._code) else number
        return after if after <= self._count else number


def trivy_names(name: str) -> Iterator[str]:
    """``AVD-KSV-0014``, ``KSV-0014`` and ``KSV014`` are one check."""
    plain = name.removeprefix("AVD-").removeprefix("avd-")
    yield plain
    match = re.fullmatch(r"([A-Za-z]{2,8})-?0*([0-9]{1,5})", plain)
    if match:
        yield f"{match[1].upper()}-{int(match[2]):04d}"
