"""Every control proves itself on its own examples: verdicts, repairs, undo, blindness."""

from __future__ import annotations

import pytest

from bulkhead.core.control import Control, MitigationClass
from tests.catalogue_check import catalogue, complaints


@pytest.mark.parametrize("control", catalogue().controls, ids=lambda control: control.id)
def test_the_control_keeps_its_promises(control: Control) -> None:
    assert list(complaints(control)) == []


def test_every_practice_item_of_the_field_is_covered() -> None:
    wanted = {
        f"{letter}{number}"
        for letter, last in (("K", 7), ("D", 8), ("O", 10), ("C", 5))
        for number in range(1, last + 1)
    }
    covered = {practice for control in catalogue().controls for practice in control.practices}
    assert wanted - covered == set()


def test_at_least_three_in_five_controls_can_be_repaired_or_have_a_concrete_proposal() -> None:
    controls = catalogue().controls
    helped = [control for control in controls if any(item.patch or item.proposal for item in control.mitigation)]
    assert len(helped) >= 0.6 * len(controls)


def test_every_automatic_mitigation_can_be_undone_because_it_is_an_edit() -> None:
    for control in catalogue().controls:
        for mitigation in control.mitigation:
            if (mitigation.mode or control.mode) is MitigationClass.AUTO:
                assert mitigation.patch, f"{control.id}: what is only a proposal is never automatic"


def test_an_alias_is_found_whatever_its_case() -> None:
    assert [control.id for control in catalogue().named("ckv_k8s_16")] == ["container.privileged"]
