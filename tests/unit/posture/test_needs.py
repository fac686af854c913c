"""Needs that may be absent but not unknown, and the need of the whole resource."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bulkhead.core.control import Control
from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import UNKNOWN, Ref, Resource, Snapshot
from bulkhead.posture.evaluate import Request, evaluate
from tests.catalogue_check import catalogue

KIND = "aws_ecr_repository"


def _control(need: str, expression: str) -> Control:
    return msgspec.convert(
        {
            "id": "test.need", "revision": 1, "title": "t", "severity": "low", "status": "active", "class": "manual",
            "applies_to": [KIND], "needs": {"fields": [need]}, "rationale": "", "attack": "", "fix": "", "maps_to": {},
            "check": {"expression": expression, "message": "m"},
        },
        Control,
    )  # fmt: skip


def _outcome(need: str, expression: str, data: Any) -> Outcome:
    resource = Resource(Ref(source="file", kind=KIND, name="shop"), data)
    request = Request(catalogue(), [_control(need, expression)], keep_passes=True)
    (finding,) = evaluate(Snapshot((resource,)), request).findings
    return finding.outcome


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ({}, Outcome.PASS),
        ({"scan": [{}]}, Outcome.PASS),
        ({"scan": [{"on": False}]}, Outcome.PASS),
        ({"scan": [{"on": UNKNOWN}]}, Outcome.ERROR),
        ({"scan": [UNKNOWN]}, Outcome.ERROR),
        ({"scan": UNKNOWN}, Outcome.ERROR),
    ],
)
def test_an_optional_need_may_be_absent_but_not_unknown(data: Any, wanted: Outcome) -> None:
    assert _outcome(f"{KIND}:scan[0].on?", "true", data) is wanted


@pytest.mark.parametrize(("data", "wanted"), [({}, Outcome.PASS), (UNKNOWN, Outcome.ERROR)])
def test_the_resource_as_a_whole_can_be_needed(data: Any, wanted: Outcome) -> None:
    assert _outcome("object", "true", data) is wanted


@pytest.mark.parametrize(
    "part",
    [
        "volume", "mountPoints", "portMappings", "healthCheck", "linuxParameters", "dockerSecurityOptions", "user",
        "environment",
    ],
)  # fmt: skip
def test_a_task_definition_with_an_unknown_part_is_still_read(part: str) -> None:
    data: dict[str, Any] = {"container_definitions": [{"name": "app", "image": "app:1"}]}
    if part == "volume":
        data[part] = UNKNOWN
    else:
        data["container_definitions"][0][part] = UNKNOWN
    resource = Resource(Ref(source="file", kind="aws_ecs_task_definition", name="shop"), data)
    controls = [control for control in catalogue().controls if control.id == "container.image-tag"]
    (finding,) = evaluate(Snapshot((resource,)), Request(catalogue(), controls, keep_passes=True)).findings
    assert finding.outcome is Outcome.PASS
