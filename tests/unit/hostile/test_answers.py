"""Of several answers about one element the worst is told; text that carries a secret is masked in reports."""

from __future__ import annotations

from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import Ref, Resource
from bulkhead.posture import bindings, compiled
from bulkhead.posture.findings import Findings
from bulkhead.report.mask import mask_source
from tests.catalogue_check import catalogue


def told(*outcomes: Outcome) -> list[Outcome]:
    control = next(item for item in catalogue().controls if item.checks)
    runnable = compiled.compile_check(control, control.checks[0], {}, {})
    element = bindings.unread(Resource(Ref(source="file", kind="Pod", name="p"), {}), "its spec")
    findings = Findings("default", keep_verdicts=True)
    findings.add(element, [(at, runnable, (outcome, outcome.value, "")) for at, outcome in enumerate(outcomes)])
    found = findings.done()
    assert [findings.verdicts[item.fingerprint].outcome for item in found] == [item.outcome for item in found]
    return [item.outcome for item in found]


def test_the_worst_answer_wins() -> None:
    assert told(Outcome.PASS, Outcome.WARN, Outcome.ERROR, Outcome.FAIL) == [Outcome.FAIL]
    assert told(Outcome.FAIL, Outcome.ERROR) == [Outcome.FAIL]
    assert told(Outcome.PASS, Outcome.ERROR) == [Outcome.ERROR]
    assert told(Outcome.WARN, Outcome.PASS) == [Outcome.WARN]


def test_a_secret_behind_a_flag_is_masked() -> None:
    for text in ('command: ["--password", "S3cretWord"]', "--db-password S3cretWord", "- --password\n+ - S3cretWord"):
        assert "S3cretWord" not in mask_source(text)
    assert "/run/secrets/x" in mask_source('["--password-file", "/run/secrets/x"]')
