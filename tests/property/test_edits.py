"""Edits mean what they say and touch nothing else: over made values, and over real manifests."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.core.errors import CannotEdit
from bulkhead.core.plan import Edit
from bulkhead.core.resource import DocumentPath
from bulkhead.formats import hcl, jsontext, yamltext
from bulkhead.formats.changes import decide, patched, same
from bulkhead.formats.hcl.scope import Scope
from bulkhead.formats.yamltext.render import Style, after_colon
from tests.corpora import folder

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | TEXTS.filter(lambda t: "{{" not in t)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)
OBJECTS = st.dictionaries(TEXTS.filter(lambda t: "{{" not in t), VALUES, min_size=1, max_size=4)
STYLES = st.builds(
    Style,
    width=st.integers(1, 4),
    dash=st.integers(0, 4),
    item=st.integers(2, 4),
    quote=st.sampled_from("'\""),
    line=st.sampled_from(["\n", "\r\n"]),
)


def paths(value: Any, path: DocumentPath = ()) -> Iterator[DocumentPath]:
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in children:
        yield from paths(inner, (*path, key))


@settings(deadline=None, max_examples=150)
@given(VALUES, STYLES)
def test_rendered_values_read_back(value: Any, style: Style) -> None:
    text = f"a:{after_colon(value, 0, style)}{style.line}"
    loaded = yamltext.load(text.encode())
    assert not loaded.problems
    assert same(loaded.documents[0], {"a": value})


@settings(deadline=None, max_examples=200)
@given(OBJECTS, STYLES, VALUES, st.data())
def test_edits_of_made_texts(value: dict[str, Any], style: Style, new: Any, data: st.DataObject) -> None:
    places = [path for path in paths(value) if path]
    path = data.draw(st.sampled_from(places))
    whole: DocumentPath = ("a", *path)
    edit = data.draw(st.sampled_from([Edit(op="set", path=whole, value=new), Edit(op="remove", path=whole)]))
    document = {"a": value, "z": 1}
    wanted = patched(document, decide(document, [edit]))
    yaml = f"# first{style.line}a:{after_colon(value, 0, style)}{style.line}z: 1{style.line}".encode()
    try:
        after = yamltext.apply(yaml, [edit])
    except CannotEdit:
        return  # Refusing is allowed; doing something else is not.
    assert same(yamltext.load(after).documents[0], wanted)
    assert after.startswith(b"# first")
    assert after.endswith(f"z: 1{style.line}".encode())
    for indent in (None, 2):
        changed = jsontext.apply(json.dumps(document, indent=indent).encode(), [edit])
        assert same(jsontext.load(changed).documents[0], wanted)


def containers(value: Any, path: DocumentPath = ()) -> Iterator[tuple[DocumentPath, dict[str, Any]]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("containers", "initContainers") and isinstance(inner, list):
                yield from (((*path, key, i), one) for i, one in enumerate(inner) if isinstance(one, dict))
            else:
                yield from containers(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from containers(inner, (*path, index))


def repairs(documents: tuple[Any, ...]) -> list[Edit]:
    edits = []
    for number, document in enumerate(documents):
        for path, container in containers(document):
            context = (*path, "securityContext")
            edits += [
                Edit(op="set", document=number, path=(*context, "allowPrivilegeEscalation"), value=False),
                Edit(op="append", document=number, path=(*context, "capabilities", "drop"), value="ALL"),
            ]
            edits += [
                Edit(op="remove", document=number, path=(*path, key))
                for key in ("imagePullPolicy", "terminationMessagePath")
                if key in container
            ]
    return edits


@pytest.mark.parametrize("part", ["realworld", "bench-manifests/w1000", "bench-manifests/m1000"])
def test_repairs_of_real_manifests(part: str) -> None:
    """Every file that parses is changed as asked, keeps its comments, and differs only where an edit stands."""
    changed = 0
    for path in sorted(p for p in folder("posture", part).rglob("*.y*ml") if p.is_file()):
        data = path.read_bytes()
        loaded = yamltext.load(data)
        edits = repairs(loaded.documents)
        if loaded.problems or not edits:
            continue
        after = yamltext.apply(data, edits)
        assert yamltext.apply(after, [e for e in edits if e.op != "remove"]) == after, path
        _only_hunks(path, data.decode(), after.decode(), removed=sum(e.op == "remove" for e in edits))
        changed += after != data
    assert changed


def _only_hunks(path: Path, before: str, after: str, removed: int) -> None:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    lost = 0
    for tag, first, last, begin, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        lost += last - first
        assert not any(line.lstrip().startswith("#") for line in old[first:last] + new[begin:end]), path
    # What is lost is a removed key's line, an empty `{}` or `key:` that was filled, or a flow line that was extended.
    assert lost <= removed + sum("{" in line or "[" in line or line.rstrip().endswith(":") for line in old), path


@pytest.mark.parametrize("part", ["vulnerable", "checkov"])
def test_repairs_of_real_terraform(part: str) -> None:
    """A new attribute, a new block and a removal in every resource."""
    changed = 0
    for path in sorted(folder("posture", part).rglob("*.tf")):
        data = path.read_bytes()
        edits = []
        for number, block in enumerate(hcl.load(data, scope=Scope()).documents):
            flat = [name for name, value in block.body.items() if not isinstance(value, list) and name != "dynamic"]
            if block.type == "resource":
                edits += [
                    Edit(op="set", document=number, path=("made_attribute",), value="x"),
                    Edit(op="set", document=number, path=("made_block", 0, "enabled"), value=True),
                ]
                edits += [Edit(op="remove", document=number, path=(name,)) for name in flat[:1]]
        after = hcl.apply(data, edits)
        comments = [[line for line in d.splitlines() if line.lstrip()[:1] == b"#"] for d in (data, after)]
        assert comments[0] == comments[1], path
        assert hcl.apply(after, edits) == after, path
        changed += after != data
    assert changed


def test_the_goldens_of_polaris() -> None:
    """Where a golden differs from its input in mappings only, editing the input gives the golden's meaning."""
    compared = 0
    for golden in sorted(folder("posture", "polaris").rglob("mutated*.yaml")):
        source = golden.with_name(golden.name.replace("mutated", "failure"))
        if not source.exists():
            continue
        before, after = yamltext.load(source.read_bytes()), yamltext.load(golden.read_bytes())
        if before.problems or after.problems or len(before.documents) != len(after.documents):
            continue
        edits = [
            Edit(op="set", document=number, path=(key,), value=value)
            for number, document in enumerate(after.documents)
            for key, value in (document or {}).items()
        ]
        result = yamltext.load(yamltext.apply(source.read_bytes(), edits)).documents
        wanted = [{**(old or {}), **(new or {})} for old, new in zip(before.documents, after.documents, strict=True)]
        assert all(map(same, result, wanted)), golden
        compared += 1
    assert compared
