"""What the server says instead of an answer: whose fault it is, and nothing of what was sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bulkhead.clients.kube import Forbidden
from bulkhead.clients.kube.refusals import refused, warnings_of
from bulkhead.core.errors import BulkheadError, Conflict, PlanRefused, SourceError


def error(status: int, said: str, **more: Any) -> BulkheadError:
    return refused(status, json.dumps({"kind": "Status", "message": said, **more}).encode(), "/x", reading=False)


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (403, 'admission webhook "a.example.test" denied the request: a container cannot run as root', PlanRefused),
        (400, 'admission webhook "a.example.test" denied the request: no', PlanRefused),
        (409, 'admission webhook "a.example.test" denied the request: held by another', PlanRefused),
        (404, 'admission webhook "a.example.test" denied the request: no such tenant', PlanRefused),
        (500, 'Internal error occurred: failed calling webhook "a.example.test": connection refused', SourceError),
        (403, 'pods "p" is forbidden: violates PodSecurity "restricted:latest": privileged', PlanRefused),
        (403, 'pods "p" is forbidden: exceeded quota: zero, requested: pods=1', PlanRefused),
        (403, 'pods "p" is forbidden: User "ada" cannot patch resource "pods" in API group "" in the namespace "a"', Forbidden),
        (403, 'forbidden: User "ada" cannot patch path "/x"', Forbidden),
        (403, 'roles "r" is forbidden: user "ada" (groups=["g"]) is attempting to grant RBAC permissions not currently held', Forbidden),
        (409, "Apply failed with 1 conflict", Conflict),
        (422, "the server rejected our request due to an error in our request", Conflict),
    ],
)  # fmt: skip
def test_a_refusal_is_told_apart_by_who_refuses(status: int, said: str, kind: type[BulkheadError]) -> None:
    found = error(status, said)
    assert type(found) is kind
    assert said in found.message


def test_who_lacks_a_right_is_not_told_of_policies() -> None:
    found = error(403, 'roles "r" is forbidden: user "ada" is attempting to grant RBAC permissions not currently held')
    assert found.hint == "a right can only be given by who has it"


@pytest.mark.parametrize("end", ['"}": strict decoding error: unknown field "nope"', "", '"}"'])
def test_what_was_sent_is_not_told_again(end: str) -> None:
    """A patch that does not fit is answered with the whole object, and the object may be a Secret."""
    inner = '{\\"apiVersion\\":\\"v1\\",\\"data\\":{\\"password\\":\\"aHVudGVyMg==\\"},\\"kind\\":\\"Secret\\'
    found = error(422, f' "" is invalid: patch: Invalid value: "{inner}{end}', details={"causes": [{}]})
    assert "aHVudGVyMg" not in str(found)
    assert "(the object)" in found.message


def test_a_long_object_before_the_reason_does_not_hide_it() -> None:
    inner = '{\\"data\\":\\"' + "x" * 5000
    found = error(
        422, f'"" is invalid: patch: Invalid value: "{inner}\\"}}": strict decoding error: unknown field "nope"'
    )
    assert found.message.endswith('unknown field "nope"')


def test_the_reason_after_a_long_value_is_told() -> None:
    value = '{"Capabilities":null,"Privileged":true,"Note":"a } in \\"quotes\\"","RunAsUser":{"x":null},"AllowPrivilegeEscalation":false}'
    reason = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
    found = error(
        422,
        f'DaemonSet.apps "a" is invalid: [x: Invalid value: {value}: {reason}, y: Invalid value: {value}: {reason}]',
    )
    assert found.message.count(reason) == 2
    assert "Capabilities" not in found.message
    short = error(422, 'spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: field is immutable')
    assert '{"matchLabels":{"a":"b"}}: field is immutable' in short.message
    assert error(422, f"x: Invalid value: {value[:-1]}").message.endswith("(the object)")


def test_warnings_with_quotes_are_told_whole() -> None:
    header = '299 - "unknown field \\"spec.nope\\"", 299 - "a \\\\ b, c", 299 - ""'
    assert warnings_of(header) == ('unknown field "spec.nope"', "a \\ b, c")
    assert warnings_of("nonsense") == ()
    assert len(warnings_of('299 - "w", ' * 100)) == 20
