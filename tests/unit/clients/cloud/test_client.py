"""The client against moto on this machine: its bounds, its errors, and what it does without boto3."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bulkhead.clients.cloud import AwsClient, Forbidden, Limits, Throttled, Unauthorised, Vanished
from bulkhead.clients.cloud.client import plain
from bulkhead.clients.cloud.described import weakest
from bulkhead.core.errors import SourceError
from tests.fakes.aws import AwsDouble
from tests.fakes.aws_account import REGION, client


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsDouble]:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/nonexistent"), ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    with AwsDouble() as made:
        ecr = client("ecr", made.url)
        for number in range(3):
            ecr.create_repository(repositoryName=f"r{number}")
        ecr.close()
        yield made


def ask(double: AwsDouble, service: str, operation: str, limits: Limits | None = None, **parameters: Any) -> Any:
    async def work() -> Any:
        async with AwsClient(REGION, endpoint_url=double.url, limits=limits) as opened:
            return await opened.call(service, operation, **parameters)

    return asyncio.run(work())


def collect(double: AwsDouble, limits: Limits) -> Any:
    async def work() -> Any:
        async with AwsClient(REGION, endpoint_url=double.url, limits=limits) as opened:
            return await opened.collect(
                "ecr", "describe_repositories", "repositories", PaginationConfig={"PageSize": 1}
            )

    return asyncio.run(work())


def test_a_call_answers_in_the_shapes_of_json(double: AwsDouble) -> None:
    answer = ask(double, "ecr", "describe_repositories")
    assert [item["repositoryName"] for item in answer["repositories"]] == ["r0", "r1", "r2"]
    assert isinstance(answer["repositories"][0]["createdAt"], str)
    assert "ResponseMetadata" not in answer


def test_a_list_ends_at_its_bounds_and_says_so(double: AwsDouble) -> None:
    whole = collect(double, Limits())
    assert len(whole.items) == 3
    assert whole.cut == ""
    cut = collect(double, Limits(items=2))
    assert len(cut.items) == 2
    assert cut.cut == "more than 2 items"


@pytest.mark.parametrize(
    ("code", "kind"),
    [("AccessDeniedException", Forbidden), ("ExpiredTokenException", Unauthorised), ("ThrottlingException", Throttled)],
)
def test_a_refusal_is_one_of_ours_and_tells_no_secret(double: AwsDouble, code: str, kind: type[SourceError]) -> None:
    with double.refusing("ecr:DescribeRepositories", code=code), pytest.raises(kind) as caught:
        ask(double, "ecr", "describe_repositories", Limits(tries=1))
    assert "AKIA" not in "".join(traceback.format_exception(caught.value))


def test_throttling_is_tried_again_as_often_as_the_bound_says(double: AwsDouble) -> None:
    with double.refusing("ecr:DescribeRepositories", code="ThrottlingException"), pytest.raises(Throttled):
        ask(double, "ecr", "describe_repositories", Limits(tries=2))
    assert double.calls.count("ecr:DescribeRepositories") == 2


def test_what_is_gone_has_vanished(double: AwsDouble) -> None:
    with pytest.raises(Vanished):
        ask(double, "ecr", "get_repository_policy", repositoryName="r0")


def test_nobody_there_cannot_be_reached() -> None:
    async def work() -> None:
        limits = Limits(tries=1, connect_seconds=1.0, call_seconds=1.0)
        async with AwsClient(REGION, endpoint_url="http://127.0.0.1:9", limits=limits) as opened:
            await opened.call("sts", "get_caller_identity")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        with pytest.raises(SourceError, match="cannot be reached"):
            asyncio.run(work())


def test_without_boto3_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)

    async def work() -> None:
        async with AwsClient(REGION):
            raise AssertionError("it opened")

    with pytest.raises(SourceError) as caught:
        asyncio.run(work())
    assert caught.value.hint == "pip install 'bulkhead[cloud]'"


def test_an_unknown_profile_is_told_without_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "hidden-customer")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")

    async def work() -> None:
        async with AwsClient(REGION):
            raise AssertionError("it opened")

    with pytest.raises(Unauthorised) as caught:
        asyncio.run(work())
    assert "hidden-customer" not in str(caught.value)


def test_times_become_text_and_bytes_are_left_out() -> None:
    value = {"at": datetime(2026, 1, 2, tzinfo=UTC), "raw": b"x", "list": ({"n": 1},)}
    assert plain(value) == {"at": "2026-01-02T00:00:00+00:00", "list": [{"n": 1}]}


def test_the_weakest_options_are_those_that_an_attacker_would_take() -> None:
    strict = {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    lax = {"HttpTokens": "optional", "HttpPutResponseHopLimit": 3}
    assert weakest([strict, lax]) == {"httpTokens": "optional", "httpPutResponseHopLimit": 3}
    assert weakest([strict, lax | {"HttpEndpoint": "disabled"}]) == {
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }
