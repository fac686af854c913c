"""What asks the world: each is a port of the evaluation's context, and refused without one."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, TypeVar

from bulkhead.engines.rego.builtins.operands import array, object_, text, whole
from bulkhead.engines.rego.builtins.shown import shown
from bulkhead.engines.rego.errors import BuiltinError, OperandError, PortError
from bulkhead.engines.rego.values import Set, form, value_of

MAX_NOTES = 1_000
HTTP_KEYS = frozenset(
    [
        "method",
        "url",
        "body",
        "enable_redirect",
        "force_json_decode",
        "force_yaml_decode",
        "headers",
        "raw_body",
        "tls_use_system_certs",
        "tls_ca_cert",
        "tls_ca_cert_file",
        "tls_ca_cert_env_variable",
        "tls_client_cert",
        "tls_client_cert_file",
        "tls_client_cert_env_variable",
        "tls_client_key",
        "tls_client_key_file",
        "tls_client_key_env_variable",
        "tls_insecure_skip_verify",
        "tls_server_name",
        "timeout",
        "cache",
        "force_cache",
        "force_cache_duration_seconds",
        "raise_error",
        "caching_mode",
        "max_retry_attempts",
        "cache_ignored_headers",
    ]
)
_Port = TypeVar("_Port")


def port(given: _Port | None, name: str, what: str) -> _Port:
    """What the context gives.

    Raises:
        PortError: nothing.
    """
    if given is None:
        raise PortError(f"{name}: this evaluation was not given {what}")
    return given


def _once(w: Any, key: Any, make: Callable[[], Any]) -> Any:
    """The same answer for the same question in one evaluation."""
    if key not in w.cache:
        w.cache[key] = make()
    return w.cache[key]


def now(w: Any) -> int:
    found: int = port(w.context.now, "time.now_ns", "a time")
    return found


def random(w: Any, name: Any, below: Any) -> int:
    text(name, 1)
    limit = abs(whole(below, 2))
    if not limit:
        return 0
    given = port(w.context.random, "rand.intn", "chance")
    return int(_once(w, ("rand", name, limit), lambda: given(limit)))


def uuid(w: Any, name: Any) -> str:
    given = port(w.context.random, "uuid.rfc4122", "chance")

    def make() -> str:
        # Version 4, variant 10 (RFC 4122, 4.4).
        bits = given(1 << 128) & ~(0xF000 << 64) | 0x4000 << 64
        found = f"{bits & ~(0xC << 60) | 0x8 << 60:032x}"
        return f"{found[:8]}-{found[8:12]}-{found[12:16]}-{found[16:20]}-{found[20:]}"

    return str(_once(w, ("uuid", form(name)), make))


def check_request(request: Any) -> None:
    """Look at the keys of a request.

    Raises:
        OperandError: one is not known, or one is missing.
    """
    known = {value_of(key) for key in object_(request, 1)}
    wrong = Set(known - HTTP_KEYS)
    if len(wrong):
        raise OperandError(f"operand 1 invalid request parameters(s): {shown(wrong)}")
    missing = Set({"method", "url"} - known)
    if len(missing):
        raise OperandError(f"operand 1 missing required request parameters(s): {shown(missing)}")


def http(w: Any, request: Any) -> Any:
    check_request(request)
    given = port(w.context.http, "http.send", "a network")
    return _once(w, ("http", form(request)), lambda: given(request))


def addresses(w: Any, name: Any) -> Any:
    text(name, 1)
    try:
        return Set([str(ip_address(name))])
    except ValueError:
        pass
    given = port(w.context.addresses, "net.lookup_ip_addr", "a network")
    return _once(w, ("addresses", name), lambda: Set(given(name)))


def runtime(w: Any) -> Any:
    return {} if w.context.runtime is None else w.context.runtime


def parse_module(w: Any, name: Any, module: Any) -> Any:
    text(name, 1)
    text(module, 2)
    return port(w.context.parse_module, "rego.parse_module", "a parser")(name, module)


def _note(w: Any, message: str) -> bool:
    if w.context.prints and len(w.notes) < MAX_NOTES:
        w.notes.append(message[:10_000])
    return True


def trace(w: Any, message: Any) -> bool:
    return _note(w, text(message, 1))


def print_(w: Any, parts: Any) -> Any:
    """Each part is a set of what it may be; every combination is a line."""
    lines = [""]
    for number, part in enumerate(array(parts, 1)):
        shapes = [item if type(item) is str else shown(item) for item in (part if type(part) is Set else [part])]
        lines = [f"{line}{' ' if number else ''}{shape}" for line in lines for shape in shapes or ["<undefined>"]]
        if len(lines) > MAX_NOTES:
            raise BuiltinError("too many lines")
    for line in lines:
        _note(w, line)
    return True


def named_case(w: Any, parts: Any) -> bool:
    """The name of a case of a test, for whoever runs it."""
    return _note(w, shown(array(parts, 1)))
