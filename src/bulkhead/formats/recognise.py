"""What a file holds: resources by content, and a gap where it could not be read.

What a broken file may hide (``Gap.hides``):

==================================  ==================
file                                hides
==================================  ==================
YAML, JSON with objects inside      anything (``*``)
Dockerfile, Containerfile           ``Dockerfile``
Terraform                           ``terraform:*``
daemon.json                         ``DaemonConfig``
==================================  ==================
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bulkhead.core.errors import BulkheadError, ParseError
from bulkhead.core.patterns import later
from bulkhead.core.resource import Gap, Snapshot, Text
from bulkhead.core.shapes import WRONG_SHAPE
from bulkhead.formats import texts
from bulkhead.formats.model import Loaded
from bulkhead.formats.shapes import cloudformation, files, kubernetes, odd, terraform
from bulkhead.formats.shapes.model import Shape, resources

if TYPE_CHECKING:
    from bulkhead.formats.hcl.scope import Scope

_COMPLAINTS: Final = 20
"""Gaps about the shape of one document."""
_DOCKERFILE: Final = later(r"(?:.*\.)?(?:Dockerfile|Containerfile)(?:[._-].*)?|.*\.dockerfile", re.IGNORECASE)
_NOT_DOCKERFILE: Final = (
    ".dockerignore", ".md", ".txt", ".j2", ".tpl", ".tmpl", ".yaml", ".yml", ".json", ".go", ".py", ".sh", ".js",
    ".ts", ".java", ".rs", ".html", ".png", ".svg", ".jpg", ".swp",
)  # fmt: skip
_JSON_OF_OURS: Final = (
    b'"apiVersion"',
    b'"containerDefinitions"',
    b'"AWS::',
    b'"AWSTemplateFormatVersion"',
    b'"services"',
)


def format_by_name(path: str) -> str:
    """The format that a file's name promises; empty for a file that is not ours.

    ``conf`` and ``template`` files are YAML or JSON only when their content says so (see ``recognise``).
    """
    name = path.rpartition("/")[2]
    lower = name.lower()
    if lower.endswith((".yaml", ".yml", ".kubeconfig")):
        return "yaml"
    if lower.endswith(".json"):
        return "json"
    if lower.endswith(".tf"):
        return "hcl"
    if _DOCKERFILE.fullmatch(name) and not lower.endswith(_NOT_DOCKERFILE):
        return "dockerfile"
    if lower.endswith((".conf", ".template", ".cfn")):
        return "content"
    return ""


def hides(path: str, form: str) -> tuple[str, ...]:
    """The kinds that may stand in a file that could not be read."""
    if form == "dockerfile":
        return ("Dockerfile",)
    if form == "hcl" or path.endswith(".tf.json"):
        return ("terraform:*",)
    if path.rpartition("/")[2] == "daemon.json":
        return ("DaemonConfig",)
    return ("*",)


def recognise(path: str, data: bytes, *, scope: Scope | None = None) -> Snapshot:
    """The resources of one file. ``scope`` knows the variables of the Terraform folder it stands in."""
    form = format_by_name(path)
    if form == "content":
        form = _format_by_content(data)
    if not form:
        return Snapshot()
    if form == "json" and not _concerns_us(path, data):
        return Snapshot()
    return of_text(Text(path=path, format=form, data=data), scope=scope)


def of_text(text: Text, *, scope: Scope | None = None, origin: str = "") -> Snapshot:
    """The resources of a text whose format is known; ``origin`` stands in for its path in their references."""
    try:
        if text.format == "hcl" or text.path.endswith(".tf.json"):
            loaded = terraform.load(text, scope)
        else:
            loaded = texts.load(text)
    except BulkheadError as error:
        return Snapshot(gaps=(gap_of(text.path, text.format, error),))
    if loaded.outlines:
        text = msgspec.structs.replace(text, outlines=loaded.outlines)
    problems = list(loaded.problems)
    found = resources(text, _shapes(text, loaded, problems), origin)
    gaps = tuple(gap_of(text.path, text.format, problem) for problem in problems)
    return Snapshot(found, gaps)


def gap_of(path: str, form: str, error: BulkheadError) -> Gap:
    """The gap that an error leaves."""
    line = error.facts.get("line", 0)
    return Gap(
        where=path,
        code=error.code,
        reason=error.message,
        hint=error.hint,
        hides=hides(path, form),
        line=line if isinstance(line, int) else 0,
    )


def _concerns_us(path: str, data: bytes) -> bool:
    """JSON is everybody's; a file without one of our words in it is not looked at further."""
    return path.endswith((".tf.json", "daemon.json")) or any(word in data for word in _JSON_OF_OURS)


def _format_by_content(data: bytes) -> str:
    head = data[:65536]
    if b"apiVersion" not in head and b"AWS::" not in head:
        return ""
    return "json" if head.lstrip()[:1] == b"{" else "yaml"


def _shapes(text: Text, loaded: Loaded, problems: list[ParseError]) -> Iterator[tuple[int, Shape]]:
    """The shapes of every document; a document of another shape than its kind has is told and takes no other with it."""
    for number, document in enumerate(loaded.documents):
        try:
            yield from list(_shapes_of(text, number, document, problems))
        except WRONG_SHAPE as error:
            problems.append(ParseError(f"document {number + 1} has not the shape of its kind: {error}"))


def _shapes_of(text: Text, number: int, document: Any, problems: list[ParseError]) -> Iterator[tuple[int, Shape]]:
    name = text.path.rpartition("/")[2]
    if text.format == "dockerfile":
        yield number, Shape(kind="Dockerfile", data=document)
    elif text.format == "hcl" or text.path.endswith(".tf.json"):
        yield from terraform.shapes(number, document)
    else:
        problems += [ParseError(reason) for reason in islice(odd.complaints(document, name), _COMPLAINTS)]
        for shape in _of_document(document, name):
            yield number, shape


def _of_document(document: Any, name: str) -> Iterator[Shape]:
    if not isinstance(document, dict):
        return
    if "apiVersion" in document or "kind" in document:
        yield from kubernetes.shapes(document)
    elif cloudformation.is_template(document):
        yield from cloudformation.shapes(document)
    elif name == "daemon.json":
        yield from files.daemon_config(document, name)
    else:
        yield from files.compose(document, name)
        yield from files.task_definition(document)
