"""Answers become findings: fingerprints, places, and one finding for each control and element."""

from __future__ import annotations

import pytest

from bulkhead.app import scan as scanning
from bulkhead.app.scan import Context, Selection
from bulkhead.catalogue.index import Catalogue
from bulkhead.core.canonical import digest
from bulkhead.core.control import Check, Control, MitigationClass, Needs
from bulkhead.core.finding import Fingerprints, dotted, fingerprint
from bulkhead.core.outcome import Outcome, Severity
from bulkhead.core.resource import Ref, Snapshot
from bulkhead.formats.recognise import recognise
from bulkhead.posture import findings
from bulkhead.posture.evaluate import Request, evaluate
from tests.catalogue_check import catalogue

_POD = b"apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  hostPID: true\n"


def _control(*checks: Check) -> Control:
    return Control(
        id="t.c", revision=1, title="T", severity=Severity.LOW, status="active", mode=MitigationClass.AUTO,
        applies_to=("Pod",), needs=Needs(), rationale="r", attack="a", fix="f", maps_to={},
        check=checks,
    )  # fmt: skip


def test_a_fingerprint_is_the_digest_of_what_it_names() -> None:
    ref = Ref(source="file", kind="Pod", namespace="é", name='a"b\n', origin="x y.yaml", uid="#2")
    whole = ("t", "t.c", ref.source, ref.kind, ref.group, ref.namespace, ref.name, ref.origin, ref.uid, "spec[é]")
    assert fingerprint("t", "t.c", ref, "spec[é]") == digest(whole)[:32]
    assert Fingerprints("t", ref, "spec[é]").of("t.c") == digest(whole)[:32]


def test_a_name_that_is_not_utf8_has_a_fingerprint_of_its_own() -> None:
    names = ["a\udc80", "a\udc81", "a"]
    made = {fingerprint("t", "c", Ref(source="file", kind="Pod", origin=name), "") for name in names}
    assert len(made) == 3
    assert all(len(item) == 32 for item in made)


def test_two_failing_checks_of_one_control_are_one_finding_the_first() -> None:
    control = _control(Check(expression="false", message="one"), Check(expression="false", message="two"))
    snapshot = recognise("p.yaml", _POD)
    assessment = evaluate(snapshot, Request(Catalogue([control]), [control]))
    [finding] = assessment.findings
    assert finding.message == "one"
    assert list(assessment.verdicts) == [finding.fingerprint]
    assert assessment.verdicts[finding.fingerprint].message == "one"


def test_verdicts_are_kept_only_when_asked_for() -> None:
    control = _control(Check(expression="false", message="no", points_at="spec.hostPID"))
    snapshot = recognise("p.yaml", _POD)
    assessment = evaluate(snapshot, Request(Catalogue([control]), [control], keep_verdicts=False))
    assert not assessment.verdicts
    [finding] = assessment.findings
    assert (finding.outcome, finding.where.line, finding.where.path) == (Outcome.FAIL, 6, "spec.hostPID")


def test_texts_that_follow_each_other_keep_their_own_places() -> None:
    control = _control(Check(expression="false", message="no", points_at="spec"))
    first, second = recognise("a.yaml", _POD), recognise("b.yaml", b"# said\n" + _POD)
    snapshot = Snapshot((*first.resources, *second.resources, *first.resources))
    findings = evaluate(snapshot, Request(Catalogue([control]), [control])).findings
    assert [(item.where.file, item.where.line) for item in findings] == [("a.yaml", 5), ("b.yaml", 6)]


def test_paths_for_people() -> None:
    assert dotted(("spec", "containers", 0, "image")) == "spec.containers[0].image"
    assert dotted((2, "a")) == "[2].a"
    assert dotted(()) == ""


def test_findings_beyond_the_most_are_counted_and_told_as_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "MOST", 10)
    text = "---\n".join(
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p{number}}}\nspec: {{containers: [{{name: a, image: a}}]}}\n"
        for number in range(5)
    )
    context = Context(catalogue(), lambda: "2026-01-01T00:00:00+00:00")
    scan = scanning.judge(recognise("p.yaml", text.encode()), "/", context, Selection(catalogue().named("container.*")))
    assert scan.assessment.dropped > 0
    assert "counted but not listed" in scan.snapshot.gaps[-1].reason
    counted = sum(
        count for counts in scan.assessment.tallies.values() for outcome, count in counts.items() if outcome == "fail"
    )
    assert counted > len(scan.assessment.findings)
