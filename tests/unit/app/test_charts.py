"""Charts are repaired through their values. The stand-in for helm fills a template in the way helm would."""

from __future__ import annotations

import sys
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

# Reads values.yaml, lays --values over it, and renders the template with them: what `helm template` does, for one chart.
HELM = """#!{python}
import sys, yaml
values = yaml.safe_load(open("values.yaml"))
if "--values" in sys.argv:
    for key, value in yaml.safe_load(open(sys.argv[sys.argv.index("--values") + 1])).items():
        values[key] = value
container = {{"name": "app", "image": values["image"]}}
if values.get("securityContext"):
    container["securityContext"] = values["securityContext"]
container["resources"] = values.get("resources") or {{}}
spec = {{"containers": [container], "hostNetwork": values["net"]["hostNetwork"]}}
if values.get("podSecurityContext"):
    spec["securityContext"] = values["podSecurityContext"]
labels = {{"app": "x"}}
print("# Source: c/templates/d.yaml")
print(yaml.safe_dump({{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {{"name": "x", "namespace": "n", "labels": {{"surprise": str(values["net"].get("odd", ""))}}}},
    "spec": {{"selector": {{"matchLabels": labels}}, "template": {{"metadata": {{"labels": labels}}, "spec": spec}}}}}}))
"""
TEST_POD = """
print("---")
print(yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a-test"},
    "spec": {"containers": [{"name": "aa", "image": "busybox"}]}}))
"""
VALUES = """\
# The image is built by the pipeline.
image: registry.example/app:1
securityContext: {}   # per environment
podSecurityContext: {}
resources:
  limits: {cpu: "1"}
net:
  hostNetwork: true
"""
CONTEXT = Context(catalogue(), lambda: "2026-01-01T00:00:00+00:00")


@pytest.fixture
def chart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "tree"
    (root / "c" / "templates").mkdir(parents=True)
    (root / "c/Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 1.0.0\n")
    (root / "c/values.yaml").write_text(VALUES)
    (root / "c/templates/d.yaml").write_text("{{ never read }}\n")
    program = tmp_path / "bin" / "helm"
    program.parent.mkdir()
    program.write_text(HELM.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return root


def test_values_are_repaired_by_rendering_before_and_after(chart: Path, tmp_path: Path) -> None:
    scan = scanning.judge(
        files.read(chart),
        str(chart),
        CONTEXT,
        Selection(catalogue().named("container.*") + catalogue().named("k8s.pod.host-network")),
    )
    trial = fixing.propose(scan, files, CONTEXT, Consent(MitigationClass.GUARDED), charts)
    [step] = [step for step in trial.plan.steps if step.target == "c/values.yaml"]
    text = step.change.decode()
    assert "# The image is built by the pipeline." in text
    assert "# per environment" in text
    assert "hostNetwork: true" not in text
    closed = {repair.control for repair in step.repairs}
    assert {
        "container.privilege-escalation",
        "container.drop-all-capabilities",
        "container.memory-limit",
        "k8s.pod.host-network",
    } <= closed
    state = open_state(tmp_path / "state")
    done = fixing.apply(trial, scan, files, Hands(), state.journal, CONTEXT, actor="test")
    assert not done.taken_back
    fixing.undo(done.entry, Hands(), state.journal, tenant="default")
    assert (chart / "c/values.yaml").read_text() == VALUES
    assert (chart / "c/templates/d.yaml").read_text() == "{{ never read }}\n"


def test_a_value_that_changes_something_else_is_not_taken(chart: Path) -> None:
    program = Path(chart.parent / "bin" / "helm")
    program.write_text(
        program.read_text().replace(
            '"labels": {"surprise": str(values["net"].get("odd", ""))}', '"labels": {"surprise": str(values)}'
        )
    )
    scan = scanning.judge(files.read(chart), str(chart), CONTEXT, Selection(catalogue().named("container.*")))
    trial = fixing.propose(scan, files, CONTEXT, Consent(MitigationClass.GUARDED), charts)
    assert trial.plan.steps == ()
    assert trial.plan.unfixed


def test_what_a_pod_and_its_container_call_alike_is_told_apart(chart: Path) -> None:
    """``podSecurityContext`` stands first in the values and would take a container's setting to the pod."""
    values = chart / "c/values.yaml"
    values.write_text(VALUES.replace("securityContext: {}   # per environment\npodSecurityContext: {}\n", "podSecurityContext: {}\nsecurityContext: {}\n"))  # fmt: skip
    scan = scanning.judge(
        files.read(chart), str(chart), CONTEXT, Selection(catalogue().named("container.privilege-escalation"))
    )
    trial = fixing.propose(scan, files, CONTEXT, Consent(MitigationClass.GUARDED), charts)
    [step] = trial.plan.steps
    assert b"podSecurityContext: {}\n" in step.change
    assert b"\nsecurityContext: {allowPrivilegeEscalation: false}\n" in step.change


def test_a_repair_is_that_of_the_object_which_the_value_changes(chart: Path) -> None:
    """A test pod whose settings no value reaches does not take the repair of the Deployment for its own."""
    program = Path(chart.parent / "bin" / "helm")
    program.write_text(program.read_text() + TEST_POD)
    controls = Selection(catalogue().named("container.privilege-escalation"))
    scan = scanning.judge(files.read(chart), str(chart), CONTEXT, controls)
    assert {finding.resource.kind for finding in scan.assessment.findings} == {"Deployment", "Pod"}
    trial = fixing.propose(scan, files, CONTEXT, Consent(MitigationClass.GUARDED), charts)
    [step] = trial.plan.steps
    by_print = {finding.fingerprint: finding for finding in scan.assessment.findings}
    assert [by_print[repair.fingerprint].resource.kind for repair in step.repairs] == ["Deployment"]
    assert [item.resource for item in trial.plan.unfixed] == ["Pod/a-test"]
