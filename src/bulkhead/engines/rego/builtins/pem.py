"""Keys and certificates as they are written: PEM (RFC 7468), DER, and base64 of either."""

from __future__ import annotations

import warnings
from base64 import b64decode
from binascii import Error

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from bulkhead.core.patterns import later
from bulkhead.engines.rego.builtins.encodings import base64_decode
from bulkhead.engines.rego.builtins.operands import raw
from bulkhead.engines.rego.errors import BuiltinError

MALFORMED = (ValueError, TypeError, x509.DuplicateExtension, UnsupportedAlgorithm)
"""What reading a certificate or a key ends in."""

_PEM = later(r"-----BEGIN ([A-Z0-9 ]+)-----\r?\n(.*?)-----END \1-----[ \t]*\r?\n?", 16)
_MAX_CERTIFICATES = 100
# A certificate of a policy with such a number is read as Go reads it; whoever asks us has nothing to do about it.
warnings.filterwarnings("ignore", "Parsed a serial number which wasn't positive")


def pem_blocks(value: str) -> list[tuple[str, bytes, int]]:
    """Kind, content and end of each PEM block (RFC 7468).

    Raises:
        BuiltinError: one is no base64.
    """
    found = []
    for match in _PEM.finditer(value):
        # Headers of old keys stand before an empty line.
        body = match[2].rpartition("\n\n")[2] if ":" in match[2] else match[2]
        try:
            found.append((match[1], b64decode("".join(body.split()), validate=True), match.end()))
        except (Error, ValueError):
            raise BuiltinError(f"failed to decode a PEM block of type {match[1]}") from None
    return found


def load(content: bytes) -> x509.Certificate:
    """One certificate.

    Raises:
        BuiltinError: it is none.
    """
    try:
        return x509.load_der_x509_certificate(content)
    except MALFORMED as error:
        raise BuiltinError(f"x509: malformed certificate: {error}") from None


def certificates(value: str) -> list[x509.Certificate]:
    """Those of a text: PEM, or base64 of PEM or DER.

    Raises:
        BuiltinError: there is none.
    """
    if not value.startswith("-----BEGIN"):
        value = base64_decode(value)
    if value.startswith("-----BEGIN"):
        blocks = pem_blocks(value)
        wrong = next((kind for kind, _, _ in blocks if kind != "CERTIFICATE"), "")
        if wrong:
            raise BuiltinError(f"PEM block type is '{wrong}', expected CERTIFICATE")
        data = b"".join(content for _, content, _ in blocks)
    else:
        data = raw(value)
    found = []
    while data:
        size = _length(data)
        found.append(load(data[:size]))
        data = data[size:]
        if len(found) > _MAX_CERTIFICATES:
            raise BuiltinError("x509: too many certificates")
    return found


def _length(data: bytes) -> int:
    """Of the first element (X.690, 8.1.3)."""
    if len(data) < 2 or data[0] != 0x30 or data[1] == 0x80:
        raise BuiltinError("x509: malformed certificate")
    if data[1] < 0x80:
        return 2 + data[1]
    count = data[1] & 0x7F
    size = 2 + count + int.from_bytes(data[2 : 2 + count])
    if count > 4 or size > len(data):
        raise BuiltinError("x509: malformed certificate")
    return size
