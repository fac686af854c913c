"""Find, fix, prove, undo on real files; and what happens when it is cut in the middle."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from bulkhead.actuators.files.hands import Hands
from bulkhead.app import fix as fixing
from bulkhead.app import scan as scanning
from bulkhead.app.fix import Trial
from bulkhead.app.ports import EntryState, FileFacts
from bulkhead.app.scan import Context, Scan, Selection
from bulkhead.core.control import MitigationClass
from bulkhead.core.errors import Conflict, SourceError
from bulkhead.mitigation.plan import Consent
from bulkhead.sources import files
from bulkhead.store.sqlite.state import State, open_state
from tests.catalogue_check import catalogue

SHOP = Path(__file__).resolve().parents[3] / "examples" / "shop"
CONTEXT = Context(catalogue(), lambda: "2026-01-01T00:00:00+00:00")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHOP, tmp_path / "shop"))


@pytest.fixture
def state(tmp_path: Path) -> State:
    return open_state(tmp_path / "state")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def tried(folder: Path, consent: MitigationClass = MitigationClass.GUARDED) -> tuple[Scan, Trial]:
    scan = scanning.judge(files.read(folder), str(folder), CONTEXT, Selection(catalogue().controls))
    return scan, fixing.propose(scan, files, CONTEXT, Consent(consent))


def test_a_plan_closes_what_it_names_and_raises_nothing_new(shop: Path) -> None:
    scan, trial = tried(shop)
    assert trial.judgement.holds
    assert len(trial.judgement.closed) > 50
    assert contents(shop) == contents(SHOP), "planning writes nothing"
    listed = {item.fingerprint for item in trial.plan.unfixed} | {
        repair.fingerprint for step in trial.plan.steps for repair in step.repairs
    }
    failing = {finding.fingerprint for finding in scan.assessment.findings if finding.outcome in ("fail", "warn")}
    assert failing <= listed, "every failure is either repaired or listed with a reason"


def test_applied_proved_and_undone_to_the_byte(shop: Path, state: State) -> None:
    (shop / "k8s/orders.yaml").chmod(0o640)
    scan, trial = tried(shop)
    done = fixing.apply(trial, scan, files, Hands(), state.journal, CONTEXT, actor="tester")
    assert not done.taken_back
    assert contents(shop) != contents(SHOP)
    assert stat.S_IMODE((shop / "k8s/orders.yaml").stat().st_mode) == 0o640
    [entry] = state.journal.entries()
    assert (entry.state, entry.actor) == (EntryState.APPLIED, "tester")
    fixing.undo(entry.id, Hands(), state.journal, tenant="default")
    assert contents(shop) == contents(SHOP)
    assert stat.S_IMODE((shop / "k8s/orders.yaml").stat().st_mode) == 0o640
    assert state.journal.entries()[0].state is EntryState.UNDONE


def test_fixing_twice_changes_nothing_the_second_time(shop: Path, state: State) -> None:
    scan, trial = tried(shop)
    fixing.apply(trial, scan, files, Hands(), state.journal, CONTEXT, actor="tester")
    first = contents(shop)
    scan, trial = tried(shop)
    if trial.plan.steps:
        fixing.apply(trial, scan, files, Hands(), state.journal, CONTEXT, actor="tester")
        scan, trial = tried(shop)
    assert trial.plan.steps == ()
    assert set(contents(shop)) == set(first)


def test_a_file_that_changed_since_the_scan_is_left_alone(shop: Path, state: State) -> None:
    scan, trial = tried(shop)
    changed = shop / next(step.target for step in reversed(trial.plan.steps) if step.before is not None)
    changed.write_bytes(changed.read_bytes() + b"\n# mine\n")
    before = contents(shop)
    with pytest.raises(Conflict):
        fixing.apply(trial, scan, files, Hands(), state.journal, CONTEXT, actor="tester")
    assert contents(shop) == before
    assert state.journal.entries() == ()


def test_undo_refuses_when_somebody_worked_on_the_file_and_shows_the_three_versions(shop: Path, state: State) -> None:
    scan, trial = tried(shop)
    fixing.apply(trial, scan, files, Hands(), state.journal, CONTEXT, actor="tester")
    target = trial.plan.steps[0].target
    mine = (shop / target).read_bytes() + b"# mine\n"
    (shop / target).write_bytes(mine)
    before = contents(shop)
    [entry] = state.journal.entries()
    with pytest.raises(Conflict, match="not what was written"):
        fixing.undo(entry.id, Hands(), state.journal, tenant="default")
    assert contents(shop) == before
    versions = fixing.versions(state.journal.entry(entry.id), target, Hands())
    assert versions["before"] == (SHOP / target).read_bytes()
    assert versions["now"] == mine


class FullDisk(Hands):
    """Writes so many files, then has no room."""

    def __init__(self, room: int) -> None:
        self.room = room

    def replace(self, root: str, target: str, data: bytes, facts: FileFacts | None) -> None:
        self.room -= 1
        if self.room == -1:
            raise SourceError("no space left on device", where=target)
        super().replace(root, target, data, facts)


@pytest.mark.parametrize("room", [0, 1, 3])
def test_a_full_disk_in_the_middle_takes_back_what_was_written(shop: Path, state: State, room: int) -> None:
    scan, trial = tried(shop)
    with pytest.raises(SourceError, match="no space left"):
        fixing.apply(trial, scan, files, FullDisk(room), state.journal, CONTEXT, actor="tester")
    assert contents(shop) == contents(SHOP)
    assert state.journal.entries()[0].state is EntryState.FAILED
    assert state.journal.unfinished() == ()


KILLED = textwrap.dedent("""
    import os, sys
    from pathlib import Path
    from bulkhead.actuators.files.hands import Hands
    from tests.unit.app import test_fix as here
    left = int(sys.argv[3])
    class Dying(Hands):
        def replace(self, root, target, data, facts):
            global left
            if left == 0 and sys.argv[4] == "before":
                os.kill(os.getpid(), 9)
            super().replace(root, target, data, facts)
            if left == 0:
                os.kill(os.getpid(), 9)
            left -= 1
    shop = Path(sys.argv[1])
    scan, trial = here.tried(shop)
    here.fixing.apply(trial, scan, here.files, Dying(), here.open_state(Path(sys.argv[2])).journal, here.CONTEXT, actor="t")
""")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", [0, 2])
def test_killed_in_the_middle_it_recovers_to_the_original(shop: Path, tmp_path: Path, step: int, moment: str) -> None:
    command = [sys.executable, "-c", KILLED, str(shop), str(tmp_path / "state"), str(step), moment]
    died = subprocess.run(
        command, cwd=Path(__file__).resolve().parents[3], capture_output=True, check=False, env={**os.environ}
    )
    assert died.returncode == -9, died.stderr.decode()[-2000:]
    state = open_state(tmp_path / "state")
    [entry] = state.journal.unfinished()
    fixing.recover(entry.id, Hands(), state.journal, tenant="default")
    assert contents(shop) == contents(SHOP)
    assert state.journal.unfinished() == ()


def test_nothing_half_written_is_left_beside_the_files(shop: Path, state: State) -> None:
    scan, trial = tried(shop)
    with pytest.raises(SourceError):
        fixing.apply(trial, scan, files, FullDisk(1), state.journal, CONTEXT, actor="tester")
    assert sorted(contents(shop)) == sorted(contents(SHOP))


def test_without_consent_a_guarded_repair_waits(shop: Path) -> None:
    _, trial = tried(shop, MitigationClass.AUTO)
    modes = {repair.control: repair.mode for step in trial.plan.steps for repair in step.repairs}
    assert "container.privileged" not in modes
    reasons = {item.control: item.reason for item in trial.plan.unfixed}
    assert "guarded" in reasons["container.privileged"]


def test_an_overlay_tells_once_what_its_base_says_and_a_new_file_is_listed_in_it(tmp_path: Path, state: State) -> None:
    if shutil.which("kubectl") is None and shutil.which("kustomize") is None:
        pytest.skip("neither kubectl nor kustomize is on PATH")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - ns.yaml   # first\n  - pod.yaml\n"
    )
    (tree / "ns.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {owner: a}}\n")
    (tree / "pod.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop, labels: {app: p}}\nspec:\n  containers:\n    - {name: a, image: 'a:1'}\n"
    )
    before = contents(tree)
    scan, trial = tried(tree)
    elements = [(finding.control, finding.resource.name, finding.element) for finding in scan.assessment.findings]
    assert len(elements) == len(set(elements)), "nothing is told twice"
    fixing.apply(trial, scan, files, Hands(), state.journal, CONTEXT, actor="tester")
    made = [path for path in contents(tree) if path not in before]
    assert made
    listed = (tree / "kustomization.yaml").read_text()
    assert all(path in listed for path in made)
    assert "# first" in listed
    fixing.undo(state.journal.entries()[0].id, Hands(), state.journal, tenant="default")
    assert contents(tree) == before
