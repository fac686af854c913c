"""Needs that concern one kind: a control with several checks asks each kind only for what that kind has."""

from __future__ import annotations

import pytest

from bulkhead.posture import compiled


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (["Component:etcd"], ["rules", "flags"]),
        (["audit.k8s.io/Policy"], ["rules", "spec.x"]),
        (["KubeletConfiguration"], ["rules"]),
        (["Component:kubelet", "Policy"], ["rules", "flags", "spec.x"]),
    ],
)
def test_a_need_with_a_kind_is_for_that_kind(tokens: list[str], expected: list[str]) -> None:
    assert compiled.needed(["rules", "Component:flags", "Policy:spec.x"], tokens) == expected


def test_a_colon_in_a_path_is_no_kind() -> None:
    assert compiled.needed(['metadata.labels["a:b"]', "AWS::Thing"], ["Pod"]) == [
        'metadata.labels["a:b"]',
        "AWS::Thing",
    ]
