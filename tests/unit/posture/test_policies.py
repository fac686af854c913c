"""AWS policy documents in their three spellings."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.core.resource import UNKNOWN
from bulkhead.engines.cel.errors import CelError
from bulkhead.formats.hcl.load import load
from bulkhead.formats.hcl.scope import Scope, scope_of
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
    [{"Statement": UNKNOWN}, {"Statement": [UNKNOWN]}, {"source_policy_documents": [UNKNOWN]}, {"statement": UNKNOWN}],
)
def test_an_unknown_statement_stays_unknown(document: Any) -> None:
    assert statements(document) == [UNKNOWN]


def test_included_documents_count() -> None:
    assert statements({"source_policy_documents": [TERRAFORM]}) == statements(JSON)


@pytest.mark.parametrize(
    "document",
    [
        "not JSON",
        [],
        {"Statement": ["x"]},
        {"Statement": [{"Condition": UNKNOWN}]},
        {"Statement": [{"Condition": ["x"]}]},
        {"Statement": [{"Condition": {"StringEquals": UNKNOWN}}]},
    ],
)
def test_what_cannot_be_told_is_an_error(document: Any) -> None:
    with pytest.raises(CelError):
        statements(document)


def test_a_policy_by_reference_is_the_document_that_it_names() -> None:
    text = b"""
data "aws_iam_policy_document" "web" {
  statement {
    actions = ["s3:*"]
  }
}
resource "aws_iam_policy" "web" {
  policy = data.aws_iam_policy_document.web.json
}
resource "aws_iam_policy" "other" {
  policy = data.aws_iam_policy_document.elsewhere.json
}
"""
    scope = scope_of(load(text, scope=Scope()).documents)
    _, web, other = load(text, scope=scope).documents
    (statement,) = statements(web.body["policy"])
    assert statement["actions"] == ["s3:*"]
    assert other.body["policy"] is UNKNOWN
