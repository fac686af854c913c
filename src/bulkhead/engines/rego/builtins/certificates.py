"""X.509 certificates and requests, with the fields that Go's types have in JSON."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, SignatureAlgorithmOID

from bulkhead.engines.rego.builtins.encodings import base64_decode
from bulkhead.engines.rego.builtins.keys import go_key
from bulkhead.engines.rego.builtins.operands import raw, text
from bulkhead.engines.rego.builtins.pem import MALFORMED, certificates, pem_blocks
from bulkhead.engines.rego.errors import BuiltinError

_ALGORITHMS = {
    SignatureAlgorithmOID.RSA_WITH_MD5: 2,
    SignatureAlgorithmOID.RSA_WITH_SHA1: 3,
    SignatureAlgorithmOID.RSA_WITH_SHA256: 4,
    SignatureAlgorithmOID.RSA_WITH_SHA384: 5,
    SignatureAlgorithmOID.RSA_WITH_SHA512: 6,
    SignatureAlgorithmOID.DSA_WITH_SHA1: 7,
    SignatureAlgorithmOID.DSA_WITH_SHA256: 8,
    SignatureAlgorithmOID.ECDSA_WITH_SHA1: 9,
    SignatureAlgorithmOID.ECDSA_WITH_SHA256: 10,
    SignatureAlgorithmOID.ECDSA_WITH_SHA384: 11,
    SignatureAlgorithmOID.ECDSA_WITH_SHA512: 12,
    SignatureAlgorithmOID.ED25519: 16,
}
_PSS = {"sha256": 13, "sha384": 14, "sha512": 15}
USAGES = {
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string: 0,
    ExtendedKeyUsageOID.SERVER_AUTH.dotted_string: 1,
    ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string: 2,
    ExtendedKeyUsageOID.CODE_SIGNING.dotted_string: 3,
    ExtendedKeyUsageOID.EMAIL_PROTECTION.dotted_string: 4,
    "1.3.6.1.5.5.7.3.5": 5,
    "1.3.6.1.5.5.7.3.6": 6,
    "1.3.6.1.5.5.7.3.7": 7,
    ExtendedKeyUsageOID.TIME_STAMPING.dotted_string: 8,
    ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string: 9,
    "1.3.6.1.4.1.311.10.3.3": 10,
    "2.16.840.1.113730.4.1": 11,
    "1.3.6.1.4.1.311.2.1.22": 12,
    "1.3.6.1.4.1.311.61.1.1": 13,
}
_NAMES = {
    NameOID.COUNTRY_NAME: "Country",
    NameOID.ORGANIZATION_NAME: "Organization",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OrganizationalUnit",
    NameOID.LOCALITY_NAME: "Locality",
    NameOID.STATE_OR_PROVINCE_NAME: "Province",
    NameOID.STREET_ADDRESS: "StreetAddress",
    NameOID.POSTAL_CODE: "PostalCode",
}
_USAGE_BITS = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
)  # fmt: skip


def _b64(data: bytes) -> str:
    return b64encode(data).decode()


# As values


def _name(name: x509.Name) -> dict[str, Any]:
    made: dict[str, Any] = dict.fromkeys(_NAMES.values())
    made.update({"SerialNumber": "", "CommonName": "", "Names": None, "ExtraNames": None})
    for attribute in name:
        value = attribute.value if isinstance(attribute.value, str) else _b64(attribute.value)
        made["Names"] = [*(made["Names"] or ()), {"Type": _oid(attribute.oid), "Value": value}]
        field = _NAMES.get(attribute.oid)
        if field is not None:
            made[field] = [*(made[field] or ()), value]
        elif attribute.oid == NameOID.COMMON_NAME:
            made["CommonName"] = value
        elif attribute.oid == NameOID.SERIAL_NUMBER:
            made["SerialNumber"] = value
    return made


def _oid(oid: x509.ObjectIdentifier) -> list[int]:
    return [int(part) for part in oid.dotted_string.split(".")]


def _public_key(thing: Any) -> tuple[int, Any, bytes]:
    """Go's number for the algorithm, the key, and its encoding."""
    try:
        key = thing.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return 0, None, b""
    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return 1, {"N": numbers.n, "E": numbers.e}, encoded
    if isinstance(key, dsa.DSAPublicKey):
        return 2, None, encoded
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_numbers()
        return 3, {"Curve": {}, "X": point.x, "Y": point.y}, encoded
    if isinstance(key, ed25519.Ed25519PublicKey):
        return 4, _b64(key.public_bytes_raw()), encoded
    return 0, None, encoded


def _algorithm(thing: Any) -> int:
    oid = thing.signature_algorithm_oid
    if oid == SignatureAlgorithmOID.RSASSA_PSS:
        return _PSS.get(thing.signature_hash_algorithm.name, 0)
    return _ALGORITHMS.get(oid, 0)


def _when(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _strings(values: list[str]) -> list[str] | None:
    return values or None


def url(value: str) -> dict[str, Any]:
    """A URL as Go's type looks in JSON."""
    scheme, colon, rest = value.partition(":")
    rest, _, fragment = rest.partition("#") if colon else (value, "", "")
    rest, _, query = rest.partition("?")
    host, path = "", rest
    if rest.startswith("//"):
        authority, slash, tail = rest[2:].partition("/")
        host, path = authority.rpartition("@")[2], slash + tail
    return {
        "Scheme": scheme if colon else "",
        "Opaque": "",
        "User": None,
        "Host": host,
        "Path": path,
        "RawPath": "",
        "OmitHost": False,
        "ForceQuery": False,
        "RawQuery": query,
        "Fragment": fragment,
        "RawFragment": "",
    }


def _alternatives(extensions: x509.Extensions) -> dict[str, Any]:
    names: Any = _extension(extensions, x509.SubjectAlternativeName) or ()
    found: dict[str, list[Any]] = {"DNSNames": [], "EmailAddresses": [], "IPAddresses": [], "URIs": []}
    for name in names:
        if isinstance(name, x509.DNSName):
            found["DNSNames"].append(name.value)
        elif isinstance(name, x509.RFC822Name):
            found["EmailAddresses"].append(name.value)
        elif isinstance(name, x509.IPAddress):
            found["IPAddresses"].append(str(name.value))
        elif isinstance(name, x509.UniformResourceIdentifier):
            found["URIs"].append(name.value)
    return {name: _strings(values) for name, values in found.items()}


def _extension(extensions: x509.Extensions, kind: Any) -> Any:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _extension_list(extensions: x509.Extensions) -> list[dict[str, Any]] | None:
    return [
        {"Id": _oid(item.oid), "Critical": item.critical, "Value": _b64(item.value.public_bytes())}
        for item in extensions
    ] or None


def _usage(extensions: x509.Extensions) -> int:
    found = _extension(extensions, x509.KeyUsage)
    if found is None:
        return 0
    bits = sum(1 << number for number, name in enumerate(_USAGE_BITS) if getattr(found, name))
    if found.key_agreement:
        bits |= found.encipher_only << 7 | found.decipher_only << 8
    return bits


def _constraints(extensions: x509.Extensions) -> dict[str, Any]:
    """The subtrees that names must, or must not, be in."""
    found = _extension(extensions, x509.NameConstraints)
    made: dict[str, Any] = {"PermittedDNSDomainsCritical": False}
    if found is not None:
        made["PermittedDNSDomainsCritical"] = extensions.get_extension_for_class(x509.NameConstraints).critical
    kinds: dict[str, Any] = {
        "DNSDomains": x509.DNSName, "EmailAddresses": x509.RFC822Name, "URIDomains": x509.UniformResourceIdentifier, "IPRanges": x509.IPAddress,
    }  # fmt: skip
    for side in ("permitted", "excluded"):
        trees: Any = (getattr(found, f"{side}_subtrees") if found is not None else None) or ()
        for name, kind in kinds.items():
            values: list[Any] = [tree.value for tree in list[Any](trees) if isinstance(tree, kind)]
            if name == "IPRanges":
                values = [{"IP": str(net.network_address), "Mask": _b64(net.netmask.packed)} for net in values]
            made[f"{side.capitalize()}{name}"] = values or None
    return made


def _policies(extensions: x509.Extensions) -> dict[str, Any]:
    found = _extension(extensions, x509.CertificatePolicies) or ()
    inhibit = _extension(extensions, x509.InhibitAnyPolicy)
    limits = _extension(extensions, x509.PolicyConstraints)
    explicit = limits.require_explicit_policy if limits is not None else None
    mapping = limits.inhibit_policy_mapping if limits is not None else None
    return {
        "PolicyIdentifiers": [_oid(item.policy_identifier) for item in found] or None,
        "Policies": [item.policy_identifier.dotted_string for item in found] or None,
        "InhibitAnyPolicy": inhibit.skip_certs if inhibit is not None else 0,
        "InhibitAnyPolicyZero": inhibit is not None and inhibit.skip_certs == 0,
        "InhibitPolicyMapping": mapping or 0,
        "InhibitPolicyMappingZero": mapping == 0,
        "RequireExplicitPolicy": explicit or 0,
        "RequireExplicitPolicyZero": explicit == 0,
        "PolicyMappings": None,
    }


def _access(extensions: x509.Extensions) -> dict[str, Any]:
    found = _extension(extensions, x509.AuthorityInformationAccess) or ()
    ways: dict[str, list[str]] = {"1.3.6.1.5.5.7.48.1": [], "1.3.6.1.5.5.7.48.2": []}
    for item in found:
        if isinstance(item.access_location, x509.UniformResourceIdentifier):
            ways.setdefault(item.access_method.dotted_string, []).append(item.access_location.value)
    lists: list[Any] = [point.full_name or () for point in _extension(extensions, x509.CRLDistributionPoints) or ()]
    points = [name.value for names in lists for name in names if isinstance(name, x509.UniformResourceIdentifier)]
    return {
        "OCSPServer": _strings(ways["1.3.6.1.5.5.7.48.1"]),
        "IssuingCertificateURL": _strings(ways["1.3.6.1.5.5.7.48.2"]),
        "CRLDistributionPoints": _strings(points),
    }


def _extended(extensions: x509.Extensions) -> dict[str, Any]:
    found = [usage.dotted_string for usage in _extension(extensions, x509.ExtendedKeyUsage) or ()]
    unknown = [[int(part) for part in usage.split(".")] for usage in found if usage not in USAGES]
    return {
        "ExtKeyUsage": [USAGES[usage] for usage in found if usage in USAGES] or None,
        "UnknownExtKeyUsage": unknown or None,
    }


def as_value(certificate: x509.Certificate) -> dict[str, Any]:
    """A certificate as Go's type looks in JSON.

    Raises:
        BuiltinError: an extension is malformed.
    """
    try:
        return _as_value(certificate)
    except MALFORMED as error:
        raise BuiltinError(f"x509: malformed certificate: {error}") from None


def _as_value(certificate: x509.Certificate) -> dict[str, Any]:
    extensions = certificate.extensions
    kind, key, encoded = _public_key(certificate)
    basic = _extension(extensions, x509.BasicConstraints)
    length = (-1 if basic.path_length is None else basic.path_length) if basic is not None else 0
    subject_id = _extension(extensions, x509.SubjectKeyIdentifier)
    authority = _extension(extensions, x509.AuthorityKeyIdentifier)
    names = _alternatives(extensions)
    uris = names["URIs"]
    return {
        "Raw": _b64(certificate.public_bytes(Encoding.DER)),
        "RawTBSCertificate": _b64(certificate.tbs_certificate_bytes),
        "RawSubjectPublicKeyInfo": _b64(encoded),
        "RawSubject": _b64(certificate.subject.public_bytes()),
        "RawIssuer": _b64(certificate.issuer.public_bytes()),
        "Signature": _b64(certificate.signature),
        "SignatureAlgorithm": _algorithm(certificate),
        "PublicKeyAlgorithm": kind,
        "PublicKey": key,
        "Version": certificate.version.value + 1,
        "SerialNumber": certificate.serial_number,
        "Issuer": _name(certificate.issuer),
        "Subject": _name(certificate.subject),
        "NotBefore": _when(certificate.not_valid_before_utc),
        "NotAfter": _when(certificate.not_valid_after_utc),
        "KeyUsage": _usage(extensions),
        "Extensions": _extension_list(extensions),
        "ExtraExtensions": None,
        "UnhandledCriticalExtensions": None,
        **_extended(extensions),
        "BasicConstraintsValid": basic is not None,
        "IsCA": bool(basic is not None and basic.ca),
        "MaxPathLen": length,
        "MaxPathLenZero": basic is not None and length == 0,
        "SubjectKeyId": _b64(subject_id.digest) if subject_id is not None else None,
        "AuthorityKeyId": _b64(authority.key_identifier or b"") if authority is not None else None,
        **_access(extensions),
        **names,
        "URIs": [url(uri) for uri in uris] if uris else None,
        "URIStrings": uris,
        **_constraints(extensions),
        **_policies(extensions),
    }


# Built-ins


def parse_certificates(a: Any) -> list[Any]:
    return [as_value(certificate) for certificate in certificates(text(a, 1))]


def parse_request(a: Any) -> dict[str, Any]:
    value = text(a, 1)
    if not value.startswith("-----BEGIN CERTIFICATE REQUEST-----"):
        value = base64_decode(value)
    blocks = pem_blocks(value)
    if blocks and blocks[0][0] != "CERTIFICATE REQUEST":
        raise BuiltinError("invalid PEM-encoded certificate signing request")
    try:
        request = x509.load_der_x509_csr(blocks[0][1] if blocks else raw(value))
        return _request(request)
    except MALFORMED as error:
        raise BuiltinError(f"asn1: structure error: {error}") from None


def _request(request: x509.CertificateSigningRequest) -> dict[str, Any]:
    kind, key, encoded = _public_key(request)
    names = _alternatives(request.extensions)
    return {
        "Raw": _b64(request.public_bytes(Encoding.DER)),
        "RawTBSCertificateRequest": _b64(request.tbs_certrequest_bytes),
        "RawSubjectPublicKeyInfo": _b64(encoded),
        "RawSubject": _b64(request.subject.public_bytes()),
        "Version": 0,
        "Signature": _b64(request.signature),
        "SignatureAlgorithm": _algorithm(request),
        "PublicKeyAlgorithm": kind,
        "PublicKey": key,
        "Subject": _name(request.subject),
        "Attributes": None,
        "Extensions": _extension_list(request.extensions),
        "ExtraExtensions": None,
        **names,
        "URIs": [url(uri) for uri in names["URIs"]] if names["URIs"] else None,
    }


def parse_keypair(certificate: Any, key: Any) -> dict[str, Any]:
    found = certificates(text(certificate, 1))
    value = text(key, 1)
    if not value.startswith("-----BEGIN "):
        value = base64_decode(value)
    blocks = [content for kind, content, _ in pem_blocks(value) if kind.endswith("PRIVATE KEY")]
    try:
        private: Any = load_der_private_key(blocks[0] if blocks else raw(value), None)
    except MALFORMED as error:
        raise BuiltinError(f"tls: failed to parse private key: {error}") from None
    if not found:
        raise BuiltinError("tls: failed to find any PEM data in certificate input")
    if _public_key(found[0])[2] != _public_key(private)[2]:
        raise BuiltinError("tls: private key does not match public key")
    return {
        "Certificate": [_b64(item.public_bytes(Encoding.DER)) for item in found],
        "PrivateKey": go_key(private),
        "SupportedSignatureAlgorithms": None,
        "OCSPStaple": None,
        "SignedCertificateTimestamps": None,
        "Leaf": {name: value for name, value in as_value(found[0]).items() if name != "URIStrings"},
    }
