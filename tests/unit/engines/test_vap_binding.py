"""Bindings that the API server would refuse are refused; one that would do nothing, too."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.core.errors import ParseError
from bulkhead.engines.vap import check_binding


def binding(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "b"}, "spec": {"policyName": "p", "validationActions": ["Deny"], **spec}}


def test_what_is_taken() -> None:
    reference = {"name": "x", "parameterNotFoundAction": "Allow"}
    assert check_binding(binding(paramRef=reference, validationActions=["Deny", "Audit"])) == "p"
    assert check_binding(binding(matchResources={"namespaceSelector": {"matchLabels": {"a": "b"}}})) == "p"


@pytest.mark.parametrize(
    "spec",
    [
        {"policyName": ""}, {"validationActions": []}, {"validationActions": None}, {"validationActions": ["deny"]}, {"validationActions": ["Deny", "Deny"]},
        {"validationActions": ["Deny", "Warn"]}, {"more": 1}, {"paramRef": {}}, {"paramRef": {"name": "x"}}, {"paramRef": [1]},
        {"paramRef": {"name": "x", "selector": {}, "parameterNotFoundAction": "Deny"}}, {"paramRef": {"name": "x", "parameterNotFoundAction": "Perhaps"}},
        {"matchResources": []}, {"matchResources": {"objectSelector": {"matchLabel": {}}}},
    ],
)  # fmt: skip
def test_what_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(ParseError):
        check_binding(binding(**spec))


@pytest.mark.parametrize(
    "thing", [{}, {"metadata": [1]}, {"metadata": {"name": "b"}}, {"metadata": {"name": "b"}, "spec": 1}]
)
def test_what_is_no_binding(thing: dict[str, Any]) -> None:
    with pytest.raises(ParseError):
        check_binding(thing)
