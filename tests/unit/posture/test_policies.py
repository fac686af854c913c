"""AWS policy documents in their three spellings."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.core.resource import UNKNOWN
from bulkhead.engines.cel.errors import CelError
from bulkhead.posture.facts.policies import statements

JSON = (
    '{"Statement": {"Effect": "Allow", "Principal": {"AWS": ["*", "arn:aws:iam::1:root"]}, "Action": "ecr:*",'
    ' "Resource": ["*"], "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}}'
)
TERRAFORM = {
    "statement": [
        {
            "actions": ["ecr:*"],
            "resources": ["*"],
            "principals": [{"type": "AWS", "identifiers": ["*", "arn:aws:iam::1:root"]}],
            "condition": [{"test": "StringEquals", "variable": "aws:PrincipalOrgID", "values": ["o-1"]}],
        }
    ]
}


@pytest.mark.parametrize("document", [JSON, TERRAFORM])
def test_every_spelling_says_the_same(document: Any) -> None:
    assert statements(document) == [
        {
            "sid": "",
            "effect": "Allow",
            "actions": ["ecr:*"],
            "notActions": [],
            "resources": ["*"],
            "notResources": [],
            "principals": ["*", "AWS:arn:aws:iam::1:root"],
            "conditions": [{"operator": "StringEquals", "key": "aws:PrincipalOrgID", "values": ["o-1"]}],
        }
    ]


def test_an_empty_text_has_no_statements() -> None:
    assert statements(" ") == []


def test_excluded_principals_are_marked() -> None:
    (statement,) = statements({"Statement": [{"Effect": "Allow", "NotPrincipal": "*"}]})
    assert statement["principals"] == ["!*"]


def test_a_statement_of_terraform_allows_by_default() -> None:
    (statement,) = statements({"statement": [{"actions": ["s3:GetObject"]}]})
    assert statement["effect"] == "Allow"


def test_unknown_names_stay_unknown() -> None:
    (statement,) = statements({"Statement": [{"Principal": {"AWS": UNKNOWN}, "Action": [UNKNOWN]}]})
    assert statement["principals"] == [UNKNOWN]
    assert statement["actions"] == [UNKNOWN]


@pytest.mark.parametrize(
    "document",
    [
        "not JSON",
        [],
        {"Statement": UNKNOWN},
        {"Statement": [UNKNOWN]},
        {"Statement": [{"Condition": UNKNOWN}]},
        {"Statement": [{"Condition": ["x"]}]},
        {"Statement": [{"Condition": {"StringEquals": UNKNOWN}}]},
    ],
)
def test_what_cannot_be_told_is_an_error(document: Any) -> None:
    with pytest.raises(CelError):
        statements(document)
