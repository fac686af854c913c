"""What goes wrong with a call, in our words: the code of the answer decides, its text is told only where it holds no secret."""

from __future__ import annotations

import importlib
import re
from typing import Any, Final

from bulkhead.core.errors import LimitExceeded, SourceError

_SAID = 300
"""Characters of a complaint about a parameter that are kept."""
_FORBIDDEN: Final = frozenset({
    "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "AuthorizationErrorException",
    "UnauthorizedException", "NotAuthorized", "OptInRequired", "Blocked",
})  # fmt: skip
_EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_UNKNOWN: Final = frozenset({
    "AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch",
    "InvalidSignatureException", "IncompleteSignature", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
    "InvalidToken", "NotSignedUp", "IncompleteSignatureException",
})  # fmt: skip
_THROTTLED: Final = frozenset({
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException", "RequestLimitExceeded",
    "TooManyRequestsException", "BandwidthLimitExceeded", "LimitExceededException", "PriorRequestNotComplete", "SlowDown",
    "EC2ThrottledException", "ProvisionedThroughputExceededException",
})  # fmt: skip
# "NoSuchEntity" of IAM, "RepositoryNotFoundException" of ECR, "InvalidInstanceID.NotFound" of EC2, "LoadBalancerNotFound".
_GONE: Final = re.compile(r"NotFound|^NoSuch|^ResourceNotFound|^ServiceNotActive")
_PARAMETER: Final = re.compile(
    r"^(Validation|InvalidParameter|InvalidRequest|InvalidInput|MalformedPolicy|BadRequest|ClientException)"
)
_LOGIN: Final = "log in again (aws sso login, aws configure), or give the role's credentials to this process"


class Forbidden(SourceError):
    """We may not make this call."""


class Unauthorised(SourceError):
    """The cloud does not know who we are: no credentials, wrong ones, or expired ones."""


class Throttled(SourceError):
    """The cloud wants fewer calls than were made, after all tries."""


class Vanished(SourceError):
    """There is no such thing (any more)."""


def refused(code: str, message: str, call: str) -> SourceError:
    """An answer of the cloud that is an error.

    Args:
        code: the cloud's word for it.
        message: the cloud's sentence; it may quote what was signed, so it is kept for faults of parameters alone.
        call: ``ecr:DescribeRepositories``.
    """
    if code in _FORBIDDEN:
        return Forbidden(f"the account refuses this call ({code})", where=call, hint=f"it takes the right to {call}")
    if code in _EXPIRED:
        return Unauthorised(f"the credentials have expired ({code})", where=call, hint=_LOGIN)
    if code in _UNKNOWN:
        return Unauthorised(f"the cloud does not take these credentials ({code})", where=call, hint=_LOGIN)
    if code in _THROTTLED:
        return Throttled(f"the cloud wants fewer calls ({code})", where=call, hint="try again later")
    if _GONE.search(code):
        return Vanished(f"there is no such thing ({code})", where=call)
    if _PARAMETER.match(code):
        said = " ".join(message.split())[:_SAID]
        return SourceError(f"the cloud does not take the call ({code}): {said}", where=call)
    return SourceError(f"the cloud answers with an error ({code})", where=call)


def mapped(error: Any, call: str) -> SourceError:
    """An error of botocore's, never with its own text: that may quote a request, a command or a file of credentials."""
    foreign = importlib.import_module("botocore.exceptions")
    if isinstance(error, foreign.ClientError):
        said = error.response.get("Error") or {}
        return refused(str(said.get("Code", "")), str(said.get("Message", "")), call)
    if isinstance(error, (foreign.ReadTimeoutError, foreign.ConnectTimeoutError)):
        return LimitExceeded("the cloud does not answer in time", where=call)
    if isinstance(error, (foreign.HTTPClientError, foreign.ConnectionError)):
        return SourceError(f"the cloud cannot be reached ({type(error).__name__})", where=call)
    if isinstance(error, foreign.NoRegionError):
        return SourceError("no region is known", where=call, hint="name it: aws://eu-west-1, or set AWS_REGION")
    if isinstance(error, foreign.ProfileNotFound):
        return Unauthorised("the profile that AWS_PROFILE names does not exist", where=call, hint=_LOGIN)
    if isinstance(error, foreign.NoCredentialsError):
        return Unauthorised("there are no credentials", where=call, hint=_LOGIN)
    name = type(error).__name__
    if "Credential" in name or "Token" in name or "SSO" in name or "Login" in name:
        return Unauthorised(f"the credentials cannot be used ({name})", where=call, hint=_LOGIN)
    return SourceError(f"the call could not be made ({name})", where=call)
