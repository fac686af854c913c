"""Signatures of AWS, version 4, for a request that is only described."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

from bulkhead.engines.rego.builtins.encodings import parse_url
from bulkhead.engines.rego.builtins.operands import number, object_, raw, wrong_type
from bulkhead.engines.rego.builtins.shown import shown
from bulkhead.engines.rego.builtins.texts import to_json
from bulkhead.engines.rego.builtins.world import check_request
from bulkhead.engines.rego.errors import BuiltinError, OperandError
from bulkhead.engines.rego.values import Set, integer, value_of

_REQUIRED = ("aws_service", "aws_access_key", "aws_secret_access_key", "aws_region")
_IGNORED = frozenset({"authorization", "user-agent", "x-amzn-trace-id"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_NANOSECONDS = 2**63


def sign_request(request: Any, config: Any, when: Any) -> dict[str, Any]:
    object_(request, 1)
    _check_config(object_(config, 1))
    nanoseconds = integer(number(when, 1))
    # A request is not signed for a time before there was AWS.
    if nanoseconds is None or not 0 <= nanoseconds < _MAX_NANOSECONDS:
        raise OperandError("operand 3 could not convert time_ns value into a unix timestamp")
    check_request(request)
    headers = request.get("headers", {})
    if not isinstance(headers, dict):
        raise wrong_type(0, headers, "object")
    wrong = Set(name for name in ("url", "method") if type(request[name]) is not str)
    if len(wrong):
        raise OperandError(f"operand 1 invalid values for required request parameters(s): {shown(wrong)}")
    unsigned = config.get("disable_payload_signing", False)
    if type(unsigned) is not bool:
        raise OperandError("operand 2 invalid value for 'disable_payload_signing' in AWS config")
    body = _body(request)
    digest = "UNSIGNED-PAYLOAD" if unsigned else hashlib.sha256(body).hexdigest()
    given = {_text(value_of(key)): _text(value) for key, value in headers.items()}
    moment = _EPOCH + timedelta(seconds=nanoseconds // 10**9)
    return {**request, "headers": {**given, **_signed(request, config, given, digest, moment)}}


def _text(value: Any) -> str:
    return value if type(value) is str else ""


def _check_config(config: dict[Any, Any]) -> None:
    missing = Set(name for name in _REQUIRED if name not in config)
    if len(missing):
        raise OperandError(f"operand 2 missing required AWS config parameters(s): {shown(missing)}")
    wrong = Set(name for name in _REQUIRED if type(config[name]) is not str)
    if len(wrong):
        raise OperandError(f"operand 2 invalid values for required AWS config parameters(s): {shown(wrong)}")


def _body(request: dict[Any, Any]) -> bytes:
    if "raw_body" in request:
        if type(request["raw_body"]) is not str:
            raise BuiltinError("raw_body must be a string")
        return raw(request["raw_body"])
    return raw(to_json(request["body"])) if "body" in request else b""


def _signed(
    request: dict[Any, Any], config: dict[Any, Any], given: dict[str, str], digest: str, moment: datetime
) -> dict[str, str]:
    """The headers that AWS wants, the signature among them."""
    url = parse_url(request["url"])
    host = url.get("hostname", "")
    host = f"[{host}]" if ":" in host else host
    day, second = moment.strftime("%Y%m%d"), moment.strftime("%Y%m%dT%H%M%SZ")
    own = {"host": f"{host}:{url['port']}" if "port" in url else host, "x-amz-date": second}
    if config["aws_service"] in {"s3", "glacier"}:
        own["x-amz-content-sha256"] = digest
    token = _text(config.get("aws_session_token"))
    if token:
        own["x-amz-security-token"] = token
    signed = dict(own)
    signed.update({name.lower(): value for name, value in given.items() if name.lower() not in _IGNORED})
    names = sorted(signed)
    path = _escaped_path(request["url"])
    lines = [request["method"], path, url.get("raw_query", ""), *(f"{name}:{signed[name]}" for name in names)]
    canonical = "\n".join([*lines, "", ";".join(names), digest])
    scope = f"{day}/{config['aws_region']}/{config['aws_service']}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", second, scope, hashlib.sha256(raw(canonical)).hexdigest()])
    key = raw(f"AWS4{config['aws_secret_access_key']}")
    for part in (day, config["aws_region"], config["aws_service"], "aws4_request"):
        key = hmac.new(key, raw(part), "sha256").digest()
    signature = hmac.new(key, raw(to_sign), "sha256").hexdigest()
    credential = f"{config['aws_access_key']}/{scope}"
    own["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={';'.join(names)},Signature={signature}"
    )
    return own


def _escaped_path(url: str) -> str:
    """The path as it was written."""
    rest = url.partition("#")[0].partition("?")[0].partition("://")[2]
    _, slash, path = rest.partition("/")
    return slash + path
