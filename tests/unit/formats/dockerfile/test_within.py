"""Repairs inside the commands of one RUN, alone and together."""

from __future__ import annotations

import pytest

from bulkhead.core.errors import CannotEdit, PlanRefused
from bulkhead.core.plan import Edit
from bulkhead.formats.dockerfile import apply

HEAD = "FROM debian:12\n"
INSTALL = """RUN apt-get update && \\
    # what the program needs
    apt install curl \\
        jq && \\
    curl -k https://h -o x
"""


def _edit(op: str, *path: str | int, value: object = None) -> Edit:
    return Edit(op=op, path=("instructions", 1, "commands", *path), value=value)  # type: ignore[arg-type]


def _applied(text: str, *edits: Edit) -> str:
    return apply((HEAD + text).encode(), edits).decode().removeprefix(HEAD)


def test_several_repairs_of_one_run_fit_together() -> None:
    found = _applied(
        INSTALL,
        _edit("set", 1, "name", value="apt-get"),
        _edit("set", 1, "options", "-y", value=True),
        _edit("set", 1, "options", "--no-install-recommends", value=True),
        _edit("remove", 2, "options", "-k"),
        _edit("append", value="rm -rf /var/lib/apt/lists/*"),
    )
    assert (
        found
        == """RUN apt-get update && \\
    # what the program needs
    apt-get install -y --no-install-recommends curl \\
        jq && \\
    curl https://h -o x \\
    && rm -rf /var/lib/apt/lists/*
"""
    )


@pytest.mark.parametrize(
    ("text", "edit", "wanted"),
    [
        ("RUN sudo make\n", _edit("remove", 0, "name"), "RUN make\n"),
        ("RUN a && b && c\n", _edit("remove", 1), "RUN a && c\n"),
        ("RUN a && b && c\n", _edit("remove", 2), "RUN a && b\n"),
        ("RUN a; b\n", _edit("remove", 0), "RUN b\n"),
        ("RUN wget x\n", _edit("set", 0, "options", "-q", value=True), "RUN wget -q x\n"),
        ("RUN exec wget x\n", _edit("set", 0, "options", "-q", value=True), "RUN exec wget -q x\n"),
        ("RUN curl -fskL x\n", _edit("remove", 0, "options", "-k"), "RUN curl -fsL x\n"),
        ("RUN curl x -k\n", _edit("remove", 0, "options", "-k"), "RUN curl x\n"),
        ("RUN if a; then b; fi\n", _edit("append", value="c"), "RUN if a; then b; fi && c\n"),
        ("RUN a;\n", _edit("append", value="c"), "RUN a; c\n"),
        ("ONBUILD RUN a\n", _edit("append", value="c"), "ONBUILD RUN a && c\n"),
        ("RUN a \\\n\tb\n", _edit("append", value="c"), "RUN a \\\n\tb \\\n\t&& c\n"),
    ],
)
def test_one_repair(text: str, edit: Edit, wanted: str) -> None:
    assert _applied(text, edit) == wanted
    assert _applied(text.replace("\n", "\r\n"), edit) == wanted.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("RUN a # b\n", _edit("append", value="c")),
        ("RUN a &\n", _edit("append", value="c")),
        ("RUN <<E\na\nE\n", _edit("append", value="c")),
        ('RUN ["a", "b"]\n', _edit("append", value="c")),
        ("RUN if a; then b; fi\n", _edit("remove", 1)),
        ("RUN a | b\n", _edit("remove", 0)),
        ("RUN a $(b)\n", _edit("remove", 1)),
        ("RUN (a && b)\n", _edit("remove", 0)),
        ("RUN curl -s x\n", _edit("remove", 0, "options", "-k")),
        ("RUN a\n", _edit("remove", 0)),
        ("RUN a\n", _edit("set", 4, "name", value="b")),
        ("RUN a\n", _edit("set", 0, "name", value="b; c")),
        ("RUN a\n", _edit("set", 0, "words", value="b")),
        ("WORKDIR /a\n", _edit("append", value="c")),
    ],
)
def test_what_cannot_be_done_is_said(text: str, edit: Edit) -> None:
    with pytest.raises(CannotEdit):
        _applied(text, edit)


def test_a_command_is_not_removed_and_changed_at_once() -> None:
    with pytest.raises(PlanRefused):
        _applied("RUN a x && b\n", _edit("remove", 0), _edit("set", 0, "options", "-y", value=True))
