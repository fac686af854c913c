"""Base64, hexadecimal, query strings and URLs, as Go's packages read and write them."""

from __future__ import annotations

from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from bulkhead.core.patterns import later
from bulkhead.engines.rego.builtins.operands import cooked, object_, raw, text
from bulkhead.engines.rego.errors import BuiltinError, OperandError
from bulkhead.engines.rego.values import items
from bulkhead.engines.rego.wire import key_text, plain

_STANDARD = later(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_URL = later(r"(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2}==|[A-Za-z0-9_-]{3}=)?")


def _plain64(value: str) -> str:
    """Go leaves out line breaks."""
    return value.replace("\r", "").replace("\n", "")


def _corrupt(value: str, more: str) -> BuiltinError:
    """With the place of the first byte that cannot stand there."""
    inside = value.rstrip("=")
    at = next(
        (n for n, char in enumerate(inside) if not (char.isascii() and char.isalnum()) and char not in more),
        len(inside),
    )
    return BuiltinError(f"illegal base64 data at input byte {at}")


def base64_encode(a: Any) -> str:
    return b64encode(raw(text(a, 1))).decode()


def base64_decode(a: Any) -> str:
    found = _plain64(text(a, 1))
    if not _STANDARD.fullmatch(found):
        raise _corrupt(found, "+/")
    return cooked(b64decode(found))


def base64_is_valid(a: Any) -> bool:
    return type(a) is str and _STANDARD.fullmatch(_plain64(a)) is not None


def base64url_encode(a: Any) -> str:
    return urlsafe_b64encode(raw(text(a, 1))).decode()


def base64url_encode_no_pad(a: Any) -> str:
    return base64url_encode(a).rstrip("=")


def base64url_decode(a: Any) -> str:
    return cooked(url_bytes(text(a, 1)))


def url_bytes(value: str) -> bytes:
    """The bytes of a text in base64url, with or without its padding (RFC 7515, appendix C).

    Raises:
        BuiltinError: it is none.
    """
    found = value
    if not found.endswith("="):
        if len(found) % 4 == 1:
            raise BuiltinError(f"illegal base64url string: {found[:100]}")
        found += "=" * (-len(found) % 4)
    found = _plain64(found)
    if not _URL.fullmatch(found):
        raise _corrupt(found, "-_")
    return urlsafe_b64decode(found)


def hex_encode(a: Any) -> str:
    return raw(text(a, 1)).hex()


def hex_decode(a: Any) -> str:
    found = text(a, 1)
    wrong = next((char for char in found if char not in "0123456789abcdefABCDEF"), None)
    if wrong is not None:
        raise BuiltinError(f"encoding/hex: invalid byte: U+{ord(wrong):04X} {wrong!r}")
    if len(found) % 2:
        raise BuiltinError("encoding/hex: odd length hex string")
    return cooked(bytes.fromhex(found))


# Queries

_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")


def escaped(value: str) -> str:
    """As Go's url.QueryEscape."""
    return "".join("+" if byte == 32 else (chr(byte) if byte in _SAFE else f"%{byte:02X}") for byte in raw(value))


def _unescaped(value: str, *, plus: bool = True) -> str:
    out = bytearray()
    data = raw(value)
    at = 0
    while at < len(data):
        byte = data[at]
        if byte == 0x25:
            digits = data[at + 1 : at + 3]
            if len(digits) < 2 or not all(chr(digit) in "0123456789abcdefABCDEF" for digit in digits):
                raise BuiltinError(f'invalid URL escape "{cooked(data[at : at + 3])}"')
            out.append(int(digits, 16))
            at += 3
            continue
        out.append(0x20 if byte == 0x2B and plus else byte)
        at += 1
    return cooked(bytes(out))


def query_encode(a: Any) -> str:
    return escaped(text(a, 1))


def query_decode(a: Any) -> str:
    return _unescaped(text(a, 1))


def query_encode_object(a: Any) -> str:
    parts: list[str] = []
    wrong = OperandError("operand 1 values must be string, array[string], or set[string]")
    for key, value in sorted((key_text(key), plain(value)) for key, value in items(object_(a, 1))):
        found = [value] if type(value) is str else value
        if type(found) is not list or any(type(item) is not str for item in found):
            raise wrong
        parts += [f"{escaped(key)}={escaped(item)}" for item in found]
    return "&".join(parts)


def query_decode_object(a: Any) -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    for part in text(a, 1).split("&"):
        if ";" in part:
            raise BuiltinError("invalid semicolon separator in query")
        if part:
            key, _, value = part.partition("=")
            made.setdefault(_unescaped(key), []).append(_unescaped(value))
    return made


# URLs

_SCHEME = later(r"([A-Za-z][A-Za-z0-9+.-]*):")
_CONTROL = later(r"[\x00-\x1f\x7f]")
_ESCAPE = later(r"%(?![0-9a-fA-F]{2})")
_PORT = later(r"(?::[0-9]*)?")
_HOST_CHARS = later(r"""[A-Za-z0-9\-_.~!$&'()*+,;=:\[\]<>"%\x80-\U0010ffff]*""")
_PATH_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~$&+,/:;=@")
_PATH_ALLOWED = frozenset("!'()*[]")


def parse_url(value: str) -> dict[str, str]:
    """The parts of a URL as Go finds them.

    Raises:
        BuiltinError: it is none.
    """
    shown = f'parse "{value[:100]}": '
    if _CONTROL.search(value):
        raise BuiltinError(shown + "net/url: invalid control character in URL")
    rest, _, fragment = value.partition("#")
    parts: dict[str, str] = {}
    match = _SCHEME.match(rest)
    if match is not None:
        parts["scheme"] = match[1].lower()
        rest = rest[match.end() :]
    elif rest.startswith(":"):
        raise BuiltinError(shown + "missing protocol scheme")
    rest, _, parts["raw_query"] = rest.partition("?")
    if not rest.startswith("/"):
        if match is not None:
            # What follows a scheme without a slash is opaque.
            return _fragment({key: item for key, item in parts.items() if item}, fragment, shown)
        if ":" in rest.split("/", 1)[0]:
            raise BuiltinError(shown + "first path segment in URL cannot contain colon")
    if rest.startswith("//") and not rest.startswith("///"):
        authority, slash, path = rest[2:].partition("/")
        rest = slash + path
        _authority(authority, parts, shown)
    _path(rest, parts, shown)
    return _fragment({key: item for key, item in parts.items() if item}, fragment, shown)


def _fragment(parts: dict[str, str], fragment: str, shown: str) -> dict[str, str]:
    if fragment:
        _escapes(fragment, shown)
        parts["fragment"] = _unescaped(fragment, plus=False)
    return parts


def _escapes(value: str, shown: str) -> None:
    match = _ESCAPE.search(value)
    if match is not None:
        raise BuiltinError(f'{shown}invalid URL escape "{value[match.start() : match.start() + 3]}"')


def _authority(authority: str, parts: dict[str, str], shown: str) -> None:
    _, at, host = authority.rpartition("@")
    if at:
        _escapes(authority.rpartition("@")[0], shown)
    else:
        host = authority
    if not _HOST_CHARS.fullmatch(host):
        raise BuiltinError(f"{shown}invalid character in host name")
    if host.startswith("["):
        inside, close, port = host[1:].partition("]")
        if not close:
            raise BuiltinError(f"{shown}missing ']' in host")
        host = inside
    else:
        host, colon, number = host.rpartition(":") if ":" in host else (host, "", "")
        port = colon + number
        _escapes(host, shown)
    if not _PORT.fullmatch(port):
        raise BuiltinError(f'{shown}invalid port "{port}" after host')
    parts["hostname"] = _unescaped(host, plus=False)
    parts["port"] = port[1:]


def _path(path: str, parts: dict[str, str], shown: str) -> None:
    _escapes(path, shown)
    if not path:
        return
    parts["path"] = _unescaped(path, plus=False)
    # Go keeps what was written only where writing the path anew would not give it.
    usual = "".join(
        char if char in _PATH_SAFE else "".join(f"%{byte:02X}" for byte in raw(char)) for char in parts["path"]
    )
    kept = path if path != usual and all(char in _PATH_SAFE | _PATH_ALLOWED or char == "%" for char in path) else ""
    parts["raw_path"] = kept or parts["path"]


def uri_parse(a: Any) -> dict[str, str]:
    return parse_url(text(a, 1))


def uri_is_valid(a: Any) -> bool:
    if type(a) is not str or not a:
        return False
    try:
        parse_url(a)
    except BuiltinError:
        return False
    return True
