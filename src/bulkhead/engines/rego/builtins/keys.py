"""Keys: of PEM texts and of JSON Web Keys (RFC 7517, RFC 7518, RFC 8037), read and written."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from bulkhead.engines.rego.builtins.encodings import base64_decode, base64_is_valid, url_bytes
from bulkhead.engines.rego.builtins.operands import raw, text
from bulkhead.engines.rego.builtins.pem import load, pem_blocks
from bulkhead.engines.rego.errors import BuiltinError

ALGORITHMS = frozenset(
    {
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
        "ES256",
        "ES384",
        "ES512",
        "HS256",
        "HS384",
        "HS512",
        "EdDSA",
    }
)
CURVES: dict[str, type[ec.EllipticCurve]] = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}
_NAMES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_MAX_KEYS = 100


class Known(msgspec.Struct, frozen=True):
    """A key to verify with."""

    key: Any
    algorithm: str = ""
    name: str = ""


# To verify with


def verification_keys(value: str) -> list[Known]:
    """The keys of a certificate, a public key, a JWK or a set of them.

    Raises:
        BuiltinError: there is none.
    """
    blocks = pem_blocks(value)
    if blocks:
        kind, content, end = blocks[0]
        if value[end:]:
            raise BuiltinError("extra data after a PEM certificate block")
        if kind == "CERTIFICATE":
            try:
                certificate = load(content)
            except BuiltinError as error:
                raise BuiltinError(f"failed to parse a PEM certificate: {error.message}") from None
            return [Known(_public(certificate))]
        if kind == "PUBLIC KEY":
            try:
                return [Known(serialization.load_der_public_key(content))]
            except (ValueError, UnsupportedAlgorithm) as error:
                raise BuiltinError(f"failed to parse a PEM public key: {error}") from None
        raise BuiltinError("failed to extract a Key from the PEM certificate")
    found = []
    for item in jwks(value):
        algorithm = item.get("alg", "")
        if algorithm and algorithm not in ALGORITHMS:
            continue
        found.append(Known(public_key(item), algorithm, item.get("kid", "")))
    return found


def _public(certificate: Any) -> Any:
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BuiltinError(f"failed to parse a PEM certificate: {error}") from None


def jwks(value: str) -> list[dict[str, Any]]:
    """The keys of a JWK or of a set.

    Raises:
        BuiltinError: it is neither.
    """
    try:
        raw_value = msgspec.json.decode(raw(value))
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BuiltinError(f"failed to parse a JWK key (set): {error}") from None
    except RecursionError:
        raise BuiltinError("failed to parse a JWK key (set): nested too deep") from None
    keys = raw_value.get("keys") if isinstance(raw_value, dict) and "keys" in raw_value else [raw_value]
    if not isinstance(keys, list) or len(keys) > _MAX_KEYS or not all(isinstance(key, dict) for key in keys):
        raise BuiltinError("failed to parse a JWK key (set): it is no key")
    for key in keys:
        if any(not isinstance(key.get(name, ""), str) for name in ("kty", "alg", "kid", "crv", "use")):
            raise BuiltinError("failed to parse a JWK key (set): it is no key")
    return keys


def _bytes(key: dict[str, Any], name: str) -> bytes:
    value = key.get(name)
    if not isinstance(value, str):
        raise BuiltinError(f"failed to parse a JWK key (set): it has no {name}")
    return url_bytes(value)


def _number(key: dict[str, Any], name: str) -> int:
    return int.from_bytes(_bytes(key, name))


def public_key(key: dict[str, Any]) -> Any:
    """The public half of a JWK; the bytes of a secret."""
    kind = key.get("kty")
    try:
        if kind == "RSA":
            return rsa.RSAPublicNumbers(_number(key, "e"), _number(key, "n")).public_key()
        if kind == "EC":
            return ec.EllipticCurvePublicNumbers(_number(key, "x"), _number(key, "y"), _curve(key)).public_key()
        if kind == "OKP" and key.get("crv") == "Ed25519":
            return ed25519.Ed25519PublicKey.from_public_bytes(_bytes(key, "x"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BuiltinError(f"failed to parse a JWK key (set): {error}") from None
    if kind == "oct":
        return _bytes(key, "k")
    raise BuiltinError(f"failed to parse a JWK key (set): invalid key type {str(kind)[:100]!r}")


def private_key(key: dict[str, Any]) -> Any:
    """The key to sign with of a JWK; the bytes of a secret."""
    kind = key.get("kty")
    try:
        if kind == "RSA":
            return _rsa(key)
        if kind == "EC":
            return ec.derive_private_key(_number(key, "d"), _curve(key))
        if kind == "OKP" and key.get("crv") == "Ed25519":
            return ed25519.Ed25519PrivateKey.from_private_bytes(_bytes(key, "d"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BuiltinError(f"failed to parse a JWK key (set): {error}") from None
    return public_key(key)


def _rsa(key: dict[str, Any]) -> Any:
    n, e, d = _number(key, "n"), _number(key, "e"), _number(key, "d")
    if "p" in key and "q" in key:
        p, q = _number(key, "p"), _number(key, "q")
    else:
        p, q = rsa.rsa_recover_prime_factors(n, e, d)
    exponents = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    return rsa.RSAPrivateNumbers(p, q, d, *exponents, rsa.RSAPublicNumbers(e, n)).private_key()


def _curve(key: dict[str, Any]) -> ec.EllipticCurve:
    curve = CURVES.get(key.get("crv", ""))
    if curve is None:
        raise BuiltinError(f"failed to parse a JWK key (set): invalid curve {str(key.get('crv'))[:100]!r}")
    return curve()


# Private keys as values

_PRIVATE = frozenset({"RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY"})


def _private_keys(value: str) -> list[Any]:
    if not value.startswith("-----BEGIN") and base64_is_valid(value):
        value = base64_decode(value)
    found = []
    for kind, content, _ in pem_blocks(value):
        if kind in _PRIVATE:
            try:
                found.append(serialization.load_der_private_key(content, None))
            except (ValueError, TypeError, UnsupportedAlgorithm) as error:
                raise BuiltinError(f"failed to parse a private key: {error}") from None
    return found


def parse_private_keys(a: Any) -> Any:
    """Keys as Go's own types look in JSON."""
    if not text(a, 1):
        return None
    return [go_key(key) for key in _private_keys(a)]


def go_key(key: Any) -> Any:
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        return {
            "N": numbers.public_numbers.n,
            "E": numbers.public_numbers.e,
            "D": numbers.d,
            "Primes": [numbers.p, numbers.q],
            "Precomputed": {"Dp": numbers.dmp1, "Dq": numbers.dmq1, "Qinv": numbers.iqmp, "CRTValues": []},
        }
    if isinstance(key, ec.EllipticCurvePrivateKey):
        numbers_ec = key.private_numbers()
        public = numbers_ec.public_numbers
        return {"Curve": {}, "X": public.x, "Y": public.y, "D": numbers_ec.private_value}
    if isinstance(key, ed25519.Ed25519PrivateKey):
        from base64 import b64encode

        return b64encode(key.private_bytes_raw() + key.public_key().public_bytes_raw()).decode()
    raise BuiltinError("a private key is of a kind that is not known")


def parse_rsa_private_key(a: Any) -> Any:
    """The first private key as a JWK."""
    value = text(a, 1)
    if not value:
        raise BuiltinError("input PEM data was empty")
    if not value.startswith("-----BEGIN"):
        value = base64_decode(value)
    found = _private_keys(value)
    return as_jwk(found[0]) if found else None


def _url(value: int, size: int = 0) -> str:
    data = value.to_bytes(size or max((value.bit_length() + 7) // 8, 1))
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def as_jwk(key: Any) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        fields = {
            "n": numbers.public_numbers.n, "e": numbers.public_numbers.e, "d": numbers.d, "p": numbers.p, "q": numbers.q,
            "dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp,
        }  # fmt: skip
        return {"kty": "RSA", **{name: _url(value) for name, value in fields.items()}}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        numbers_ec = key.private_numbers()
        public = numbers_ec.public_numbers
        size = (key.curve.key_size + 7) // 8
        parts = {"x": public.x, "y": public.y, "d": numbers_ec.private_value}
        return {"kty": "EC", "crv": _NAMES.get(key.curve.name, ""), **{n: _url(v, size) for n, v in parts.items()}}
    if isinstance(key, ed25519.Ed25519PrivateKey):
        x, d = key.public_key().public_bytes_raw(), key.private_bytes_raw()
        encoded = (urlsafe_b64encode(part).rstrip(b"=").decode() for part in (x, d))
        return {"kty": "OKP", "crv": "Ed25519", **dict(zip(("x", "d"), encoded, strict=True))}
    raise BuiltinError("a private key is of a kind that is not known")
