"""Exceptions in comments.

A comment covers what its tool says it covers: checkov's the resource it stands in, trivy's the resource or line that
follows or that it stands on, hadolint's the next instruction. Comments are looked for only in texts that hold one of the
words, line by line, with patterns that cannot backtrack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bulkhead.core.resource import Resource, Snapshot, Text
from bulkhead.formats import texts
from bulkhead.posture.suppressions.model import Exemption

_WORDS = (b"checkov:skip", b"bridgecrew:skip", b"trivy:ignore", b"tfsec:ignore", b"hadolint ", b"bulkhead:ignore")
_CHECKOV = re.compile(r"(?:checkov|bridgecrew):skip=([A-Za-z0-9_]{3,40}):?([^\r\n]{0,300})")
_TRIVY = re.compile(r"(?:trivy|tfsec):ignore:([A-Za-z0-9_*-]{2,80})(?::exp:([0-9]{4}-[0-9]{2}-[0-9]{2}))?")
_HADOLINT = re.compile(r"#\s{0,20}hadolint\s{1,20}(global\s{1,20})?ignore\s{0,20}=\s{0,20}([A-Z0-9, ]{4,400})")
_OWN = re.compile(
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
    for number, line in enumerate(lines, 1):
        if len(line) <= _LIMIT and ("#" in line or "//" in line or "/*" in line):
            yield from _line(text, lines, number, places)


def _line(text: Text, lines: list[str], number: int, places: list[tuple[int, int, Resource]]) -> Iterator[Exemption]:
    line = lines[number - 1]
    origin = f"comment {text.path}:{number}"
    here = _holding(places, number)
    for match in _CHECKOV.finditer(line):
        target = here or _next(places, number)
        if target is not None:
            yield Exemption(match[1], origin, match[2].strip(), ref=target.ref)
    for match in _TRIVY.finditer(line):
        alone = line.lstrip().startswith(("#", "//"))
        block = _next(places, number) if alone and here is None else None
        first = _code_after(lines, number) if alone else number
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
        yield from _hadolint(text, lines, number, origin)
    for match in _OWN.finditer(line):
        options = dict(item.split("=", 1) for item in match[2].split())
        target = here or _next(places, number)
        first = _code_after(lines, number)
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


def _hadolint(text: Text, lines: list[str], number: int, origin: str) -> Iterator[Exemption]:
    match = _HADOLINT.search(lines[number - 1])
    if match is None:
        return
    first = _code_after(lines, number)
    for name in match[2].replace(",", " ").split():
        if match[1]:
            yield Exemption(name, origin, file=text.path)
        else:
            yield Exemption(name, origin, file=text.path, lines=(first, first))


def _holding(places: list[tuple[int, int, Resource]], number: int) -> Resource | None:
    """The smallest resource whose lines hold the comment."""
    found = [(end - start, resource) for start, end, resource in places if start <= number <= end]
    return min(found, key=lambda item: item[0])[1] if found else None


def _next(places: list[tuple[int, int, Resource]], number: int) -> Resource | None:
    """The resource that begins next after the comment."""
    found = [(start, resource) for start, _, resource in places if start > number]
    return min(found, key=lambda item: item[0])[1] if found else None


def _code_after(lines: list[str], number: int) -> int:
    """The first line after a comment that is neither blank nor a comment; counts from 1."""
    for at in range(number, len(lines)):
        stripped = lines[at].strip()
        if stripped and not stripped.startswith(("#", "//")):
            return at + 1
    return number


def trivy_names(name: str) -> Iterator[str]:
    """``AVD-KSV-0014``, ``KSV-0014`` and ``KSV014`` are one check."""
    plain = name.removeprefix("AVD-").removeprefix("avd-")
    yield plain
    match = re.fullmatch(r"([A-Za-z]{2,8})-?0*([0-9]{1,5})", plain)
    if match:
        yield f"{match[1].upper()}-{int(match[2]):04d}"
