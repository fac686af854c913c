from __future__ import annotations

from pathlib import Path

import pytest

from bulkhead.core.errors import CannotEdit, ParseError, PlanRefused
from bulkhead.core.plan import Edit
from bulkhead.formats.dockerfile import apply, locate, parse
from tests.corpora import folder

SMALL = b"""# syntax=docker/dockerfile:1
ARG V=1

# hadolint ignore=DL3006
FROM debian:$V AS build
RUN apt-get update && \\
    # why
    apt-get install curl
COPY a b /c
"""


def _edit(op: str, *path: str | int, value: object = None) -> Edit:
    return Edit(op=op, path=path, value=value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("edits", "old", "new"),
    [
        ([_edit("replace", "instructions", 3, value="ADD a b /c/")], b"COPY a b /c", b"ADD a b /c/"),
        ([_edit("delete", "instructions", 3)], b"COPY a b /c\n", b""),
        ([_edit("append_text", "instructions", 3, value="/")], b"/c\n", b"/c/\n"),
        (
            [_edit("append_text", "instructions", 2, value=" && \\\n    rm -rf /x")],
            b"install curl\n",
            b"install curl && \\\n    rm -rf /x\n",
        ),
        ([_edit("insert_after", "instructions", 3, value='USER 1\nCMD ["a"]')], b"/c\n", b'/c\nUSER 1\nCMD ["a"]\n'),
        ([_edit("insert_before", "instructions", 1, value="ARG W")], b"# hadolint", b"ARG W\n# hadolint"),
        ([_edit("set", "instructions", 3, "flags", "chown", value="1:1")], b"COPY a", b"COPY --chown=1:1 a"),
        ([_edit("set", "instructions", 3, "flags", "link", value=True)], b"COPY a", b"COPY --link a"),
        ([_edit("set", "stages", 0, "image", value="debian:1@sha256:0")], b"debian:$V", b"debian:1@sha256:0"),
        (
            [
                _edit("set", "instructions", 3, "flags", "chown", value="1"),
                _edit("set", "instructions", 3, "flags", "chmod", value="2"),
                _edit("append_text", "instructions", 3, value="/"),
            ],
            b"COPY a b /c",
            b"COPY --chown=1 --chmod=2 a b /c/",
        ),
    ],
)
def test_only_what_is_named_changes(edits: list[Edit], old: bytes, new: bytes) -> None:
    assert apply(SMALL, edits) == SMALL.replace(old, new)
    crlf = SMALL.replace(b"\n", b"\r\n")
    assert apply(crlf, edits) == crlf.replace(old.replace(b"\n", b"\r\n"), new.replace(b"\n", b"\r\n"))


@pytest.mark.parametrize(
    "edits",
    [
        [_edit("replace", "instructions", 3, value="USER a"), _edit("delete", "instructions", 3)],
        [_edit("replace", "instructions", 3, value="USER a"), _edit("replace", "instructions", 3, value="USER b")],
        [_edit("replace", "instructions", 3, value="USER a"), _edit("append_text", "instructions", 3, value="x")],
        [_edit("set", "stages", 0, "image", value="a"), _edit("set", "stages", 0, "image", value="b")],
        [
            _edit("set", "instructions", 3, "flags", "chown", value="1"),
            _edit("set", "instructions", 3, "flags", "chown", value="2"),
        ],
    ],
)
def test_contradictions_are_refused(edits: list[Edit]) -> None:
    with pytest.raises(PlanRefused):
        apply(SMALL, edits)


@pytest.mark.parametrize(
    "edit",
    [
        _edit("delete", "instructions", 9),
        _edit("set", "stages", 0, "image", value="a b"),
        _edit("set", "instructions", 3, "flags", "chown", value="a b"),
        _edit("replace", "instructions", 3, value="NOSUCH x"),
        _edit("replace", "instructions", 3, value=""),
        _edit("append_text", "instructions", 3, value="\nUSER x"),
        _edit("append_text", "instructions", 3, value=" \\"),
        _edit("append", "instructions", 3, value="x"),
        _edit("set", "instructions", 3, "value", value="x"),
    ],
)
def test_what_cannot_be_done_is_said(edit: Edit) -> None:
    with pytest.raises(CannotEdit):
        apply(SMALL, [edit])


def test_insert_at_the_end_without_line_end() -> None:
    assert apply(b"FROM a", [_edit("insert_after", "instructions", 0, value="USER 1")]) == b"FROM a\nUSER 1"


def test_escape_directive_holds_in_new_text() -> None:
    data = b"# escape=`\nFROM a\nRUN x `\n  y\n"
    assert b"RUN z `\n  w\n" in apply(data, [_edit("replace", "instructions", 1, value="RUN z `\n  w")])


def test_locate() -> None:
    text = "FROM a:1 AS ü\nRUN --network=none b && c\n".encode()
    spans = locate(
        text,
        [
            (0, ("instructions", 1)),
            (0, ("instructions", 1, "flags", "network")),
            (0, ("stages", 0, "image")),
            (0, ("instructions", 1, "commands", 1)),
            (0, ("instructions", 7)),
            (1, ()),
            (0, ()),
        ],
    )
    cut = [None if span is None else text[span.start : span.end].decode() for span in spans]
    assert cut == ["RUN --network=none b && c", "--network=none", "a:1", "c", text.decode(), None, text.decode()]
    assert spans[0] is not None
    assert (spans[0].line, spans[0].column, spans[0].end_line) == (2, 1, 2)


def _parsable() -> list[tuple[Path, bytes]]:
    found = []
    for path in sorted(folder("supply", "dockerfile-hadolint", "dockerfiles").iterdir()):
        data = path.read_bytes()
        try:
            parse(data)
        except ParseError:
            continue
        found.append((path, data))
    return found


def test_round_trip_over_the_corpora() -> None:
    files = _parsable()
    assert len(files) > 100
    for path, data in files:
        instructions = parse(data)["instructions"]
        same = [_edit("replace", "instructions", i["index"], value=i["source"]) for i in instructions]
        assert apply(data, same) == data, path.name
        changed = apply(data, [_edit("insert_after", "instructions", len(instructions) - 1, value="USER 1000")])
        assert changed.count(b"USER 1000") == data.count(b"USER 1000") + 1, path.name
        kept = [line for line in changed.splitlines() if line != b"USER 1000"]
        assert kept == [line for line in data.splitlines() if line != b"USER 1000"], path.name
        for found in instructions:
            if "pieces" in found:
                cut = found["head"] + "".join(p["before"] + p["text"] for p in found["pieces"]) + found["tail"]
                assert cut == found["source"], (path.name, found["line"])
