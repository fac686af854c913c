"""Members of a group, a variable for logins and audit rules on a machine that a test lays out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bulkhead.actuators.node import NodeHands, rules
from bulkhead.core.canonical import canonical
from bulkhead.core.errors import Conflict, PlanRefused
from bulkhead.core.plan import Step
from bulkhead.core.resource import Ref
from tests.fakes.progress import MemoryProgress


def step(method: str, before: dict[str, Any], after: dict[str, Any], kind: str = "DockerHost") -> Step:
    return Step(
        id="s", channel="node", target="x", limit=1, needs=(), before=canonical(before), change=canonical(after), repairs=(), verify=("f",), undo="",
        ref=Ref(source="docker", kind=kind, name="x"), method=method,
    )  # fmt: skip


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    (tmp_path / "etc/profile.d").mkdir(parents=True)
    (tmp_path / "etc/audit/rules.d").mkdir(parents=True)
    (tmp_path / "etc/group").write_text("root:x:0:\ndocker:x:999:ci,guest\nusers:x:100:guest\n")
    (tmp_path / "etc/gshadow").write_text("root:*::\ndocker:!::ci,guest\nusers:!::guest\n")
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nci:x:1:1::/:/bin/sh\nbuilder:x:2:999::/:/bin/sh\n")
    return tmp_path


def run(machine: Path, made: Step) -> tuple[NodeHands, MemoryProgress]:
    hands, progress = NodeHands("/none", root=machine), MemoryProgress()
    asyncio.run(hands.rehearse(made))
    asyncio.run(hands.apply(made, progress))
    return hands, progress


def groups(*names: str) -> dict[str, Any]:
    return {"groups": {"docker": list(names)}}


def test_members_leave_and_come_back(machine: Path) -> None:
    original = {name: (machine / "etc" / name).read_bytes() for name in ("group", "gshadow")}
    made = step("group", groups("ci", "guest", "builder"), groups("ci", "builder"))
    hands, progress = run(machine, made)
    assert "docker:x:999:ci\n" in (machine / "etc/group").read_text()
    assert "docker:!::ci\n" in (machine / "etc/gshadow").read_text()
    assert "users:x:100:guest\n" in (machine / "etc/group").read_text()
    asyncio.run(hands.undo(made, progress))
    assert {name: (machine / "etc" / name).read_bytes() for name in original} == original


def test_who_is_in_it_by_the_own_primary_group_cannot_be_taken_out_here(machine: Path) -> None:
    with pytest.raises(PlanRefused, match="primary group"):
        run(machine, step("group", groups("ci", "guest", "builder"), groups("ci", "guest")))
    with pytest.raises(Conflict):
        run(machine, step("group", groups("ci"), groups()))


@pytest.mark.parametrize("name", ["a:b", "a,b", "a\nroot"])
def test_a_name_that_would_break_the_file_is_refused(machine: Path, name: str) -> None:
    before = (machine / "etc/group").read_bytes()
    with pytest.raises(PlanRefused):
        run(machine, step("group", groups("ci", "guest", "builder"), groups("ci", "guest", "builder", name)))
    assert (machine / "etc/group").read_bytes() == before


def test_a_variable_for_logins(machine: Path) -> None:
    made = step(
        "environment",
        {"groups": {}, "content_trust": {"environment": ""}},
        {"groups": {}, "content_trust": {"environment": "1"}},
    )
    hands, progress = run(machine, made)
    [file] = (machine / "etc/profile.d").iterdir()
    assert "export DOCKER_CONTENT_TRUST=1" in file.read_text()
    asyncio.run(hands.undo(made, progress))
    assert list((machine / "etc/profile.d").iterdir()) == []


def test_nothing_is_undone_that_was_not_begun(machine: Path) -> None:
    made = step("group", groups("ci", "guest", "builder"), groups("ci", "builder"))
    asyncio.run(NodeHands("/none", root=machine).undo(made, MemoryProgress()))
    assert "ci,guest" in (machine / "etc/group").read_text()


@pytest.mark.parametrize("path", ["relative", "/with space", "/with\nline"])
def test_a_path_that_would_break_the_rules_is_refused(path: str) -> None:
    with pytest.raises(PlanRefused):
        rules.rule(path)


def test_an_unknown_method_is_refused(machine: Path) -> None:
    with pytest.raises(PlanRefused, match="no method called"):
        run(machine, step("dance", groups("ci", "guest", "builder"), groups("ci", "guest", "builder")))
