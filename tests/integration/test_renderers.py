"""Charts and overlays with helm and kustomize themselves, where they are installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from bulkhead.actuators.files.hands import Hands
from bulkhead.app import fix as fixing
from bulkhead.app import scan as scanning
from bulkhead.app.scan import Context, Selection
from bulkhead.core.control import MitigationClass
from bulkhead.mitigation.plan import Consent
from bulkhead.sources import files
from bulkhead.sources.files import charts
from bulkhead.store.sqlite.state import open_state
from tests.catalogue_check import catalogue
from tests.corpora import folder

CONTEXT = Context(catalogue(), lambda: "2026-01-01T00:00:00+00:00")
EVERYTHING = Selection(catalogue().controls)
SHOP = Path(__file__).resolve().parents[2] / "examples" / "shop" / "chart"
helm = pytest.mark.skipif(shutil.which("helm") is None, reason="helm is not installed")
kustomize = pytest.mark.skipif(
    shutil.which("kustomize") is None and shutil.which("kubectl") is None,
    reason="neither kustomize nor kubectl is there",
)


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@helm
@pytest.mark.parametrize("chart", ["shop", "mychart"])
def test_a_chart_is_repaired_through_its_values(chart: str, tmp_path: Path) -> None:
    """What helm renders changes in the wanted settings only; undone, it is what it was."""
    source = SHOP if chart == "shop" else folder("posture", "kube-linter") / "tests/testdata/mychart"
    tree = tmp_path / "tree"
    shutil.copytree(source, tree)
    before = contents(tree)
    scan = scanning.judge(files.read(tree), str(tree), CONTEXT, EVERYTHING)
    assert scan.snapshot.gaps == ()
    trial = fixing.propose(scan, files, CONTEXT, Consent(MitigationClass.GUARDED), charts)
    assert [step.target for step in trial.plan.steps] == ["values.yaml"]
    state = open_state(tmp_path / "state")
    done = fixing.apply(trial, scan, files, Hands(), state.journal, CONTEXT, actor="test")
    assert not done.taken_back
    assert len(done.judgement.closed) >= 10
    assert {path for path, data in contents(tree).items() if data != before[path]} == {"values.yaml"}
    fixing.undo(done.entry, Hands(), state.journal, tenant="default")
    assert contents(tree) == before
    state.close()


@helm
def test_a_chart_that_helm_refuses_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 1.0.0\n")
    (tmp_path / "templates" / "pod.yaml").write_text('{{ include "absent" . }}\n')
    snapshot = files.read(tmp_path)
    assert snapshot.resources == ()
    [gap] = snapshot.gaps
    assert "helm failed" in gap.reason


@kustomize
def test_overlays_are_rendered_as_by_hand(tmp_path: Path) -> None:
    """Every overlay of the corpora that renders by hand is rendered with the same objects; the others are gaps."""
    program = shutil.which("kustomize") or shutil.which("kubectl") or ""
    verb = ["build"] if program.endswith("kustomize") else ["kustomize"]
    rendered = 0
    for root in (
        folder("posture", "realworld") / "microservices-demo",
        folder("posture", "realworld") / "kubernetes-examples",
    ):
        snapshot = files.read(root)
        for where in {item.ref.origin for item in snapshot.resources if item.ref.origin.startswith("kustomize:")}:
            made = subprocess.run(
                [program, *verb, str(root / where.partition(":")[2])], capture_output=True, check=True
            )
            ours = [item for item in snapshot.resources if item.ref.origin == where]
            assert len(ours) == made.stdout.count(b"\nkind: "), where
            rendered += 1
    assert rendered
