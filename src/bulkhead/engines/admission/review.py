"""A request as admission sees it (admission.k8s.io/v1, AdmissionReview)."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from bulkhead.core.errors import LimitExceeded, ParseError

_SIZE: Final = 4 * 1024 * 1024
"""An object has at most 3 MiB (etcd's limit with the API server's own); the old one comes with it only for updates."""
_VERSIONS: Final = ("admission.k8s.io/v1", "admission.k8s.io/v1beta1")
Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]


class GroupVersionKind(msgspec.Struct, frozen=True):
    group: str = ""
    version: str = ""
    kind: str = ""


class GroupVersionResource(msgspec.Struct, frozen=True):
    group: str = ""
    version: str = ""
    resource: str = ""


class User(msgspec.Struct, frozen=True):
    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, tuple[str, ...]] = {}


class Review(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One request.

    Attributes:
        object: as it would be stored; None for DELETE, and the options of a CONNECT.
        old_object: as it is stored; None for CREATE.
    """

    uid: str = ""
    kind: GroupVersionKind
    resource: GroupVersionResource
    sub_resource: str = ""
    request_kind: GroupVersionKind | None = None
    request_resource: GroupVersionResource | None = None
    request_sub_resource: str = ""
    name: str = ""
    namespace: str = ""
    operation: Operation
    user_info: User = User()
    object: Any = None
    old_object: Any = None
    dry_run: bool = False
    options: Any = None


class _Envelope(msgspec.Struct):
    apiVersion: str  # noqa: N815 (the wire's own word)
    kind: str
    request: Review


_decoder: Final = msgspec.json.Decoder(_Envelope)


def decode(data: bytes) -> tuple[Review, str]:
    """The request of an AdmissionReview, and the version that the answer has to have.

    Raises:
        ParseError: it is no AdmissionReview with a request.
        LimitExceeded: it is larger than any API server sends.
    """
    if len(data) > 2 * _SIZE:
        raise LimitExceeded(f"the review has more than {2 * _SIZE >> 20} MiB")
    try:
        found = _decoder.decode(data)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
        raise ParseError(f"it is no AdmissionReview: {error}") from error
    if found.kind != "AdmissionReview" or found.apiVersion not in _VERSIONS:
        raise ParseError(f"it is a {found.kind} of {found.apiVersion}, and no AdmissionReview")
    for part in (found.request.object, found.request.old_object):
        if part is not None and not isinstance(part, dict):
            raise ParseError("the object of the request is none")
    return found.request, found.apiVersion


def bindings(review: Review) -> dict[str, Any]:
    """The request as policies see it: the fields of ``request`` without the objects."""
    found: dict[str, Any] = {
        "uid": review.uid,
        "kind": msgspec.to_builtins(review.kind),
        "resource": msgspec.to_builtins(review.resource),
        "subResource": review.sub_resource,
        "requestKind": msgspec.to_builtins(review.request_kind or review.kind),
        "requestResource": msgspec.to_builtins(review.request_resource or review.resource),
        "requestSubResource": review.request_sub_resource or review.sub_resource,
        "name": review.name,
        "namespace": review.namespace,
        "operation": review.operation,
        "userInfo": {
            "username": review.user_info.username,
            "uid": review.user_info.uid,
            "groups": list(review.user_info.groups),
            "extra": {name: list(values) for name, values in review.user_info.extra.items()},
        },
        "dryRun": review.dry_run,
    }
    if review.options is not None:
        found["options"] = review.options
    return found


def api_version(kind: GroupVersionKind) -> str:
    return f"{kind.group}/{kind.version}" if kind.group else kind.version
