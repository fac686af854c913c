"""docker-bench-security's checks by their ids: each is decided on a live engine, or says why a machine cannot."""

from __future__ import annotations

from bulkhead.core.control import Control
from bulkhead.core.outcome import Outcome, join
from bulkhead.posture import examples
from bulkhead.posture.evaluate import Request, evaluate
from tests.catalogue_check import catalogue, written

IDS = (
    *(f"1.1.{number}" for number in range(1, 19)), "1.2.1", "1.2.2", *(f"2.{number}" for number in range(1, 19)),
    *(f"3.{number}" for number in range(1, 25)), *(f"4.{number}" for number in range(1, 13)), *(f"5.{number}" for number in range(1, 33)),
    "6.1", "6.2", *(f"7.{number}" for number in range(1, 10)), *(f"8.1.{number}" for number in range(1, 8)), "8.2.1", "C.2",
    *(f"C.5.3.{number}" for number in range(1, 5)),
)  # fmt: skip
"""Of release 1.6, with its community checks."""
MANUAL = {
    "1.2.1": "a benchmark of the whole host: its own tools decide",
    "7.9": "which interface carries data is not told by the engine",
    **dict.fromkeys((*(f"8.1.{number}" for number in range(1, 8)), "8.2.1"), "a product that is not sold any more"),
}
_LIVE = frozenset({
    "container", "pod", "pod:docker", "DockerContainer", "DockerDaemon", "DockerHost", "NodeFile", "Image", "SwarmCluster", "container:docker",
})  # fmt: skip


def _named(number: str) -> tuple[Control, ...]:
    return catalogue().by_alias.get(f"docker-bench:{number.lower()}", ())


def test_every_id_has_a_control_that_decides_it_on_an_engine() -> None:
    missing = [
        number for number in IDS if number not in MANUAL and not any(_live(control) for control in _named(number))
    ]
    assert missing == []


def _live(control: Control) -> bool:
    return bool(control.checks) and control.status == "active" and bool(_LIVE & set(control.applies_to))


def test_what_a_machine_cannot_decide_asks_a_person() -> None:
    for number in MANUAL:
        assert [control for control in _named(number) if not control.checks], number
    assert {number for number in IDS if all(not control.checks for control in _named(number))} == set(MANUAL)


def test_no_id_is_made_up() -> None:
    told = {alias.partition(":")[2] for alias in catalogue().by_alias if alias.startswith("docker-bench:")}
    assert told == {number.lower() for number in IDS}


def test_each_decides_both_ways() -> None:
    """By its own examples: one of each outcome at least."""
    for number in IDS:
        if number in MANUAL:
            continue
        told = set()
        for control in _named(number):
            for example in (*written(control).passing, *written(control).fail):
                found = examples.snapshot(example, control)
                request = Request(catalogue(), [examples.configured(control, example)], keep_passes=True)
                told.add(join(*(finding.outcome for finding in evaluate(found, request).findings)))
        assert {Outcome.PASS, Outcome.FAIL} <= told, number
