"""A cloud's errors in our words, without the text that could hold a secret."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from bulkhead.clients.cloud import Forbidden, Throttled, Unauthorised, Vanished
from bulkhead.clients.cloud.failures import mapped, refused
from bulkhead.core.errors import LimitExceeded, SourceError

foreign: Any = importlib.import_module("botocore.exceptions")
CALL = "ecr:DescribeRepositories"


@pytest.mark.parametrize(
    ("code", "kind", "hint"),
    [
        ("AccessDeniedException", Forbidden, CALL), ("UnauthorizedOperation", Forbidden, CALL), ("AccessDenied", Forbidden, CALL),
        ("ExpiredTokenException", Unauthorised, "log in again"), ("RequestExpired", Unauthorised, "log in again"),
        ("SignatureDoesNotMatch", Unauthorised, "log in again"), ("UnrecognizedClientException", Unauthorised, "log in again"),
        ("ThrottlingException", Throttled, "later"), ("RequestLimitExceeded", Throttled, "later"),
        ("RepositoryNotFoundException", Vanished, ""), ("NoSuchEntity", Vanished, ""), ("InvalidInstanceID.NotFound", Vanished, ""),
        ("ResourceNotFoundException", Vanished, ""), ("ServerException", SourceError, ""),
    ],
)  # fmt: skip
def test_the_code_of_an_answer_decides(code: str, kind: type[SourceError], hint: str) -> None:
    error = refused(code, "The canonical request was x-amz-security-token:SECRET", CALL)
    assert type(error) is kind
    assert hint in error.hint
    assert error.where == CALL
    assert code in error.message
    assert "SECRET" not in str(error)


def test_a_fault_of_a_parameter_is_told_in_the_clouds_words_as_far_as_a_line_goes() -> None:
    error = refused("ValidationException", "value 'x'\nat 'name' " + "y" * 1000, CALL)
    assert "value 'x' at 'name' yyy" in error.message
    assert len(error.message) < 400


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (foreign.EndpointConnectionError(endpoint_url="https://x/?token=SECRET"), SourceError, "cannot be reached"),
        (foreign.ReadTimeoutError(endpoint_url="https://SECRET"), LimitExceeded, "in time"),
        (foreign.ConnectTimeoutError(endpoint_url="https://SECRET"), LimitExceeded, "in time"),
        (foreign.NoCredentialsError(), Unauthorised, "no credentials"),
        (foreign.NoRegionError(), SourceError, "no region"),
        (foreign.ProfileNotFound(profile="SECRET"), Unauthorised, "profile"),
        (foreign.CredentialRetrievalError(provider="p", error_msg="SECRET"), Unauthorised, "cannot be used"),
        (foreign.PartialCredentialsError(provider="p", cred_var="SECRET"), Unauthorised, "cannot be used"),
        (foreign.UnauthorizedSSOTokenError(), Unauthorised, "cannot be used"),
        (foreign.ParamValidationError(report="SECRET"), SourceError, "could not be made"),
        (foreign.ClientError({"Error": {"Code": "ExpiredToken", "Message": "SECRET"}}, "X"), Unauthorised, "expired"),
    ],
)
def test_what_never_reached_the_cloud_is_told_by_its_kind_alone(error: Any, kind: type[SourceError], said: str) -> None:
    made = mapped(error, CALL)
    assert type(made) is kind
    assert said in made.message
    assert "SECRET" not in str(made)
