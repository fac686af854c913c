"""JSON Web Tokens (RFC 7515, RFC 7518, RFC 7519)."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from bulkhead.engines.rego.builtins.encodings import url_bytes
from bulkhead.engines.rego.builtins.keys import ALGORITHMS, Known, jwks, private_key, verification_keys
from bulkhead.engines.rego.builtins.operands import cooked, object_, raw, text
from bulkhead.engines.rego.builtins.shown import shown
from bulkhead.engines.rego.builtins.texts import from_json, to_json
from bulkhead.engines.rego.builtins.world import port
from bulkhead.engines.rego.errors import BuiltinError
from bulkhead.engines.rego.values import exact, items

_MAX_NESTED = 10
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}


class _Token(msgspec.Struct, frozen=True):
    header: str
    payload: str
    signature: str

    @property
    def signed(self) -> bytes:
        return f"{self.header}.{self.payload}".encode("utf-8", "surrogateescape")

    def fields(self) -> dict[str, Any]:
        """The header.

        Raises:
            BuiltinError: it is none, or of an encrypted token.
        """
        try:
            found = cooked(url_bytes(self.header))
        except BuiltinError as error:
            raise BuiltinError(f"JWT header had invalid encoding: {error.message}") from None
        try:
            header = _object(found)
        except BuiltinError as error:
            raise BuiltinError(f"bad JWT header: {error.message}") from None
        if "enc" in header:
            raise BuiltinError("JWT is a JWE object, which is not supported")
        return header

    def content(self) -> str:
        try:
            return cooked(url_bytes(self.payload))
        except BuiltinError as error:
            raise BuiltinError(f"JWT payload had invalid encoding: {error.message}") from None


def _object(value: str) -> dict[str, Any]:
    try:
        found = from_json(value)
    except BuiltinError as error:
        raise BuiltinError(f"invalid JSON: {error.message}") from None
    if not isinstance(found, dict):
        raise BuiltinError("decoded JSON type was not an Object")
    return found


def _parts(a: Any) -> _Token:
    found = text(a, 1)
    if "." not in found:
        raise BuiltinError("encoded JWT had no period separators")
    parts = found.split(".")
    if len(parts) != 3:
        raise BuiltinError(f"encoded JWT must have 3 sections, found {len(parts)}")
    return _Token(*parts)


def decode(a: Any) -> list[Any]:
    for _ in range(_MAX_NESTED):
        token = _parts(a)
        header = token.fields()
        content = token.content()
        if header.get("cty") != "JWT":
            try:
                signature = url_bytes(token.signature)
            except BuiltinError as error:
                raise BuiltinError(f"JWT signature had invalid encoding: {error.message}") from None
            return [header, _object(content), signature.hex()]
        a = content.strip("\"'")
    raise BuiltinError("tokens are nested too deep")


# Signatures


def _verified(key: Any, algorithm: str, signed: bytes, signature: bytes, *, curve: bool = False) -> bool:
    """Whether the signature is this key's; a key of another kind signs nothing.

    Args:
        key: of ``keys``.
        algorithm: by its name in a header.
        signed: the bytes.
        signature: theirs.
        curve: the curve must be the algorithm's as well.
    """
    kind, size = algorithm[:2], algorithm[2:]
    try:
        if algorithm == "EdDSA":
            if not isinstance(key, ed25519.Ed25519PublicKey):
                return False
            key.verify(signature, signed)
            return True
        algorithm_hash = _HASHES[size]()
        if kind == "HS":
            wanted = hmac.new(key, signed, f"sha{size}").digest() if isinstance(key, bytes) else b""
            return bool(wanted) and hmac.compare_digest(wanted, signature)
        if kind == "RS" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), algorithm_hash)
            return True
        if kind == "PS" and isinstance(key, rsa.RSAPublicKey):
            scheme = padding.PSS(padding.MGF1(algorithm_hash), padding.PSS.AUTO)
            key.verify(signature, signed, scheme, algorithm_hash)
            return True
        if kind == "ES" and isinstance(key, ec.EllipticCurvePublicKey):
            if curve and key.curve.name != _CURVES[algorithm]:
                return False
            half = len(signature) // 2
            pair = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
            key.verify(pair, signed, ec.ECDSA(algorithm_hash))
            return True
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return False


def _any_verified(keys: list[Known], name: str, algorithm: str, verify: Callable[[Any], bool]) -> bool:
    """A key with the token's name decides alone; else any that is not for another algorithm."""
    if name:
        named = next((known for known in keys if known.name == name), None)
        if named is not None:
            return verify(named.key)
    return any(verify(known.key) for known in keys if not known.algorithm or known.algorithm == algorithm)


def _verifies(algorithm: str) -> Callable[[Any, Any], bool]:
    def verify(a: Any, key: Any) -> bool:
        token = _parts(a)
        keys = verification_keys(text(key, 2))
        signature = url_bytes(token.signature)
        header = _header(token.fields())
        return _any_verified(
            keys, header.name, header.algorithm, lambda one: _verified(one, algorithm, token.signed, signature)
        )

    return verify


def _authenticates(size: str) -> Callable[[Any, Any], bool]:
    def verify(a: Any, secret: Any) -> bool:
        found = text(secret, 2)
        token = _parts(a)
        wanted = hmac.new(raw(found), token.signed, f"sha{size}").digest()
        return hmac.compare_digest(url_bytes(token.signature), wanted)

    return verify


verify_rs256, verify_rs384, verify_rs512 = (_verifies(f"RS{size}") for size in _HASHES)
verify_ps256, verify_ps384, verify_ps512 = (_verifies(f"PS{size}") for size in _HASHES)
verify_es256, verify_es384, verify_es512 = (_verifies(f"ES{size}") for size in _HASHES)
verify_eddsa = _verifies("EdDSA")
verify_hs256, verify_hs384, verify_hs512 = (_authenticates(size) for size in _HASHES)


# Constraints


class _Header(msgspec.Struct, frozen=True):
    algorithm: str
    name: str
    content: str
    valid: bool


def _header(fields: dict[str, Any]) -> _Header:
    """The header's fields that mean something here.

    Raises:
        BuiltinError: one is of another type.
    """
    for name in ("alg", "kid", "typ", "cty"):
        if not isinstance(fields.get(name, ""), str):
            raise BuiltinError(f"{name}: must be a string")
    critical = fields.get("crit")
    if critical is not None:
        if not isinstance(critical, list):
            raise BuiltinError("crit: must be a list")
        if not critical or not all(isinstance(item, str) for item in critical):
            raise BuiltinError("crit: must be a nonempty list")
    known = {"alg", "kid", "typ", "cty", "crit"}
    # RFC 7515, 4.1.11: what is critical and not known makes a token invalid.
    valid = bool(fields.get("alg")) and not any(name in fields and name not in known for name in critical or ())
    return _Header(fields.get("alg", ""), fields.get("kid", ""), fields.get("cty", ""), valid)


class _Constraints(msgspec.Struct):
    keys: list[Known] | None = None
    secret: str = ""
    alg: str = ""
    iss: str = ""
    aud: str = ""
    time: Any = None


def _constraints(given: Any) -> _Constraints:
    found = _Constraints()
    for name, value in items(object_(given, 2)):
        if name == "time":
            if isinstance(value, (bool, str, list, dict)) or value is None:
                raise BuiltinError("token time constraint: must be a number")
            if value < 0:
                raise BuiltinError("token time constraint: must not be negative")
            found.time = value
        elif name in {"cert", "secret", "alg", "iss", "aud"}:
            if type(value) is not str:
                raise BuiltinError(f"{name} constraint: must be a string")
            if name == "cert":
                found.keys = verification_keys(value)
            else:
                setattr(found, name, value)
        else:
            raise BuiltinError(f"unknown token validation constraint: {name if type(name) is str else shown(name)}")
    if found.keys is not None and found.secret:
        raise BuiltinError("duplicate key constraints")
    if found.keys is None and not found.secret:
        raise BuiltinError("no key constraint")
    return found


def _trusted(constraints: _Constraints, header: _Header, token: _Token, signature: bytes) -> bool:
    def verify(key: Any) -> bool:
        return header.algorithm in ALGORITHMS and _verified(key, header.algorithm, token.signed, signature, curve=True)

    if constraints.keys is not None:
        return _any_verified(constraints.keys, header.name, header.algorithm, verify)
    return verify(raw(constraints.secret))


def decode_verify(w: Any, a: Any, given: Any) -> list[Any]:
    constraints = _constraints(given)
    refused: list[Any] = [False, {}, {}]
    for _ in range(_MAX_NESTED):
        token = _parts(a)
        fields = token.fields()
        header = _header(fields)
        if not header.valid or (constraints.alg and constraints.alg != header.algorithm):
            return refused
        if not _trusted(constraints, header, token, url_bytes(token.signature)):
            return refused
        a = token.content()
        if header.content.lower() != "jwt":
            payload = _object(a)
            return [True, fields, payload] if _claims_hold(w, constraints, payload) else refused
    raise BuiltinError("tokens are nested too deep")


def _claims_hold(w: Any, constraints: _Constraints, payload: dict[str, Any]) -> bool:
    if constraints.iss and payload.get("iss") != constraints.iss:
        return False
    if "aud" in payload:
        audience = payload["aud"]
        held = audience if isinstance(audience, list) else [audience]
        if not any(type(item) is str and item == constraints.aud for item in held):
            return False
    elif constraints.aud:
        return False
    for name in ("exp", "nbf"):
        if name not in payload:
            continue
        when = payload[name]
        if isinstance(when, (bool, str, list, dict)) or when is None:
            raise BuiltinError(f"{name} value must be a number")
        now = constraints.time
        if now is None:
            now = port(w.context.now, "io.jwt.decode_verify", "a time")
        seconds = Fraction(exact(now)) / 10**9
        if seconds >= Fraction(exact(when)) if name == "exp" else seconds < Fraction(exact(when)):
            return False
    return True


# Signing


def encode_sign(headers: Any, payload: Any, key: Any) -> str:
    return _signed(raw(to_json(headers)), raw(to_json(payload)), to_json(key))


def encode_sign_raw(headers: Any, payload: Any, key: Any) -> str:
    found = text(key, 3)
    return _signed(raw(text(headers, 1)), raw(text(payload, 2)), found)


def _signed(headers: bytes, payload: bytes, key: str) -> str:
    keys = jwks(key)
    if not keys:
        raise BuiltinError("no keys found in JWK set")
    fields = _signing_header(headers)
    algorithm = fields.get("alg")
    if not isinstance(algorithm, str):
        raise BuiltinError("missing or invalid 'alg' header: jwsbb: header \"alg\" not found")
    if algorithm not in ALGORITHMS:
        raise BuiltinError(f"unknown JWS algorithm: {algorithm[:100]}")
    if fields.get("typ", "JWT") == "JWT" and not _is_json(payload):
        raise BuiltinError("type is JWT but payload is not JSON")
    signed = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in (headers, payload))
    signature = _signature(private_key(keys[0]), algorithm, signed)
    return f"{signed.decode()}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _is_json(value: bytes) -> bool:
    try:
        msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True


def _signing_header(headers: bytes) -> dict[str, Any]:
    if not headers:
        raise BuiltinError("missing or invalid 'alg' header: cannot parse JSON: cannot parse empty string")
    if not headers.lstrip().startswith((b"{", b"[", b'"')):
        # The reader of headers takes what begins with none of these for a value without fields.
        return {}
    try:
        found = json.loads(headers)
    except (ValueError, RecursionError) as error:
        raise BuiltinError(f"missing or invalid 'alg' header: cannot parse JSON: {error}") from None
    return found if isinstance(found, dict) else {}


def _signature(key: Any, algorithm: str, signed: bytes) -> bytes:
    kind, size = algorithm[:2], algorithm[2:]
    if algorithm == "EdDSA" and isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(signed)
    if kind == "HS" and isinstance(key, bytes):
        return hmac.new(key, signed, getattr(hashlib, f"sha{size}")).digest()
    if kind == "RS" and isinstance(key, rsa.RSAPrivateKey):
        return key.sign(signed, padding.PKCS1v15(), _HASHES[size]())
    if kind == "PS" and isinstance(key, rsa.RSAPrivateKey):
        scheme = padding.PSS(padding.MGF1(_HASHES[size]()), padding.PSS.DIGEST_LENGTH)
        return key.sign(signed, scheme, _HASHES[size]())
    if kind == "ES" and isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == _CURVES[algorithm]:
        # RFC 6979: the same signature for the same text, without chance.
        r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(_HASHES[size](), deterministic_signing=True)))
        length = (key.curve.key_size + 7) // 8
        return r.to_bytes(length) + s.to_bytes(length)
    raise BuiltinError(f"the key is not one for {algorithm}")
