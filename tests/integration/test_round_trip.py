"""Fix and undo over real repositories: what is written parses, keeps every comment, and is taken back to the byte."""

from __future__ import annotations

import difflib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkhead.actuators.files.hands import Hands
from bulkhead.app import fix as fixing
from bulkhead.app import scan as scanning
from bulkhead.app.scan import Context, Selection
from bulkhead.core.control import MitigationClass
from bulkhead.core.plan import Step
from bulkhead.formats import recognise
from bulkhead.mitigation.plan import Consent
from bulkhead.sources import files
from bulkhead.store.sqlite.state import open_state
from tests.catalogue_check import catalogue
from tests.corpora import folder

CONTEXT = Context(catalogue(), lambda: "2026-01-01T00:00:00+00:00")
FOLDERS = (
    ("realworld", "kubernetes-examples"), ("realworld", "microservices-demo"), ("realworld", "kube-prometheus"),
    ("realworld", "istio-samples"), ("realworld", "awesome-compose"), ("vulnerable",), ("bench-manifests", "m100"),
)  # fmt: skip


def contents(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def comments(data: bytes) -> Iterator[bytes]:
    return (line.strip() for line in data.split(b"\n") if line.strip().startswith(b"#"))


def is_subsequence(wanted: Iterator[bytes], found: Iterator[bytes]) -> bool:
    return all(any(line == other for other in found) for line in wanted)


def complaints(step: Step) -> Iterator[str]:
    """What is wrong with one changed file."""
    if step.before is None:
        return
    for gap in recognise.recognise(step.target, step.change).gaps:
        yield f"{step.target}: no longer readable: {gap.reason}"
    if not is_subsequence(comments(step.before), comments(step.change)):
        yield f"{step.target}: a comment is lost"
    if step.before.count(b"\r\n") and step.change.count(b"\n") != step.change.count(b"\r\n"):
        yield f"{step.target}: line ends are mixed"
    kept = difflib.SequenceMatcher(None, step.before.splitlines(), step.change.splitlines(), autojunk=False).ratio()
    if kept < 0.2:
        yield f"{step.target}: more was changed than repaired"


LONG = (("bench-manifests", "m1000"), ("bench-manifests", "w1000"))


@pytest.mark.parametrize(
    "parts", [*FOLDERS, *(pytest.param(parts, marks=pytest.mark.soak) for parts in LONG)], ids="/".join
)
def test_every_file_that_is_written_parses_keeps_its_comments_and_comes_back(
    parts: tuple[str, ...], tmp_path: Path
) -> None:
    original = folder("posture", *parts)
    copy = Path(shutil.copytree(original, tmp_path / "copy", symlinks=True))
    scan = scanning.judge(files.read(copy), str(copy), CONTEXT, Selection(catalogue().controls))
    trial = fixing.propose(scan, files, CONTEXT, Consent(MitigationClass.GUARDED))
    assert [complaint for step in trial.plan.steps for complaint in complaints(step)] == []
    if not trial.plan.steps:
        return
    state = open_state(tmp_path / "state")
    done = fixing.apply(trial, scan, files, Hands(), state.journal, CONTEXT, actor="test")
    assert not done.taken_back
    written = contents(copy)
    touched = {step.target for step in trial.plan.steps}
    before = contents(original)
    assert {path for path in written if written[path] != before.get(path)} == touched, "only what the plan says"
    fixing.undo(done.entry, Hands(), state.journal, tenant="default")
    assert contents(copy) == before
