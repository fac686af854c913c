"""Chains of certificates: the first given is the root, the last the leaf, the others may stand between (RFC 5280, 6)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from bulkhead.engines.rego.builtins.certificates import USAGES, as_value
from bulkhead.engines.rego.builtins.operands import object_, text
from bulkhead.engines.rego.builtins.pem import certificates
from bulkhead.engines.rego.builtins.world import port
from bulkhead.engines.rego.errors import BuiltinError
from bulkhead.engines.rego.values import Set, integer, items

_MAX_STEPS = 1_000
_SERVER = 1
_USAGE_NAMES = {
    f"KeyUsage{name}": number
    for number, name in enumerate(
        [
            "Any",
            "ServerAuth",
            "ClientAuth",
            "CodeSigning",
            "EmailProtection",
            "IPSECEndSystem",
            "IPSECTunnel",
            "IPSECUser",
            "TimeStamping",
            "OCSPSigning",
            "MicrosoftServerGatedCrypto",
            "NetscapeServerGatedCrypto",
            "MicrosoftCommercialCodeSigning",
            "MicrosoftKernelCodeSigning",
        ]
    )
}
_KNOWN = (
    x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.SubjectAlternativeName, x509.NameConstraints,
    x509.CertificatePolicies, x509.PolicyConstraints, x509.InhibitAnyPolicy, x509.AuthorityKeyIdentifier, x509.SubjectKeyIdentifier,
)  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Options(msgspec.Struct, frozen=True):
    """What is asked of a chain.

    Attributes:
        name: a host that the leaf must be for; empty for none.
        nanoseconds: when; None for the evaluation's time.
        usages: of which one must be allowed all along.
    """

    name: str = ""
    nanoseconds: int | None = None
    usages: tuple[int, ...] = (_SERVER,)


def read_options(given: dict[Any, Any]) -> Options:
    """The options that a policy gives.

    Raises:
        BuiltinError: one is not known, or of another type.
    """
    found = Options()
    for key, value in items(given):
        if key == "DNSName":
            if type(value) is not str:
                raise BuiltinError("'DNSName' should be a string")
            found = msgspec.structs.replace(found, name=value.strip('"'))
        elif key in {"CurrentTime", "MaxConstraintComparisons"}:
            if isinstance(value, (bool, str, list, dict, Set)) or value is None:
                raise BuiltinError(f"'{key}' should be a number")
            known = integer(value)
            if known is None:
                raise BuiltinError(f"'{key}' should be a valid {'int64 ' if key == 'CurrentTime' else ''}number")
            if key == "CurrentTime":
                found = msgspec.structs.replace(found, nanoseconds=known)
        elif key == "KeyUsages":
            if type(value) is not list and type(value) is not Set:
                raise BuiltinError("'KeyUsages' should be an Array or Set")
            names = [item.strip('"') for item in value if type(item) is str]
            wrong = [name for name in names if name not in _USAGE_NAMES]
            if wrong:
                raise BuiltinError(f"invalid entries for 'KeyUsages' found: [{' '.join(wrong)[:200]}]")
            found = msgspec.structs.replace(found, usages=tuple(_USAGE_NAMES[name] for name in names) or (_SERVER,))
        elif type(key) is str:
            raise BuiltinError("invalid key option")
    return found


def chain(w: Any, found: list[x509.Certificate], options: Options) -> list[x509.Certificate]:
    """From the leaf to the root.

    Raises:
        BuiltinError: there is no such chain.
    """
    if len(found) < 2:
        raise BuiltinError("must supply at least two certificates to be able to verify")
    nanoseconds = options.nanoseconds
    if nanoseconds is None:
        nanoseconds = port(w.context.now, "crypto.x509.parse_and_verify_certificates", "a time")
    when = _EPOCH + timedelta(microseconds=nanoseconds // 1_000)
    root, leaf = found[0], found[-1]
    try:
        for path in _paths(leaf, root, found[1:-1]):
            if _holds(path, when, options):
                return path
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise BuiltinError(f"x509: malformed certificate: {error}") from None
    raise BuiltinError("x509: certificate signed by unknown authority")


def _paths(
    leaf: x509.Certificate, root: x509.Certificate, between: list[x509.Certificate]
) -> Iterator[list[x509.Certificate]]:
    stack = [[leaf]]
    steps = 0
    while stack:
        path = stack.pop()
        steps += 1
        if steps > _MAX_STEPS:
            return
        last = path[-1]
        if last == root or _signed(last, root):
            yield path if last == root else [*path, root]
        stack += [[*path, other] for other in reversed(between) if other not in path and _signed(last, other)]


def _signed(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    if certificate.issuer != by.subject:
        return False
    try:
        certificate.verify_directly_issued_by(by)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _get(certificate: x509.Certificate, kind: Any) -> Any:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _holds(path: list[x509.Certificate], when: datetime, options: Options) -> bool:
    leaf = path[0]
    for number, certificate in enumerate(path):
        if not certificate.not_valid_before_utc <= when <= certificate.not_valid_after_utc:
            return False
        if any(item.critical and not isinstance(item.value, _KNOWN) for item in certificate.extensions):
            return False
        if number and not _may_sign(certificate, number - 1):
            return False
        constraints = _get(certificate, x509.NameConstraints)
        if number and constraints is not None and not all(_allowed(constraints, below) for below in path[:number]):
            return False
    if options.name and not _is_for(leaf, options.name):
        return False
    return 0 in options.usages or any(
        all(_allows(certificate, usage) for certificate in path) for usage in options.usages
    )


def _may_sign(certificate: x509.Certificate, below: int) -> bool:
    """Whether it is an authority, for as many others between it and the leaf."""
    basic = _get(certificate, x509.BasicConstraints)
    # A certificate of version 3 says that it is an authority; older ones cannot.
    if basic is None:
        return certificate.version is x509.Version.v1 and certificate.issuer == certificate.subject
    usage = _get(certificate, x509.KeyUsage)
    if not basic.ca or (usage is not None and not usage.key_cert_sign):
        return False
    return basic.path_length is None or below <= basic.path_length


def _allows(certificate: x509.Certificate, usage: int) -> bool:
    found = _get(certificate, x509.ExtendedKeyUsage)
    if found is None:
        return True
    numbers = {USAGES.get(item.dotted_string) for item in found}
    return usage in numbers or 0 in numbers


def _is_for(leaf: x509.Certificate, name: str) -> bool:
    """RFC 6125: an exact name, or one whose first label is a wildcard."""
    names = _get(leaf, x509.SubjectAlternativeName)
    if names is None:
        return False
    host = name.removeprefix("[").removesuffix("]").lower().rstrip(".")
    try:
        address = ip_address(host)
    except ValueError:
        pass
    else:
        return address in names.get_values_for_type(x509.IPAddress)
    for known in names.get_values_for_type(x509.DNSName):
        wanted = known.lower().rstrip(".")
        if wanted == host:
            return True
        first, dot, rest = host.partition(".")
        if wanted.startswith("*.") and first and dot and wanted[2:] == rest:
            return True
    return False


# Name constraints (RFC 5280, 4.2.1.10)


def _allowed(constraints: x509.NameConstraints, certificate: x509.Certificate) -> bool:
    names = _get(certificate, x509.SubjectAlternativeName) or ()
    for name in names:
        kind = type(name)
        excluded = [tree for tree in constraints.excluded_subtrees or () if type(tree) is kind]
        permitted = [tree for tree in constraints.permitted_subtrees or () if type(tree) is kind]
        if any(_within(name, tree) for tree in excluded):
            return False
        if permitted and not any(_within(name, tree) for tree in permitted):
            return False
    return True


def _within(name: Any, tree: Any) -> bool:
    if isinstance(name, x509.IPAddress):
        network: Any = tree.value
        address: Any = name.value
        return bool(address.version == network.version and address in network)
    if isinstance(name, x509.DNSName):
        return _domain(name.value, tree.value, dotted=False)
    if isinstance(name, x509.RFC822Name):
        if "@" in tree.value:
            return bool(name.value.lower() == tree.value.lower())
        return _domain(name.value.rpartition("@")[2], tree.value, dotted=True)
    if isinstance(name, x509.UniformResourceIdentifier):
        host = name.value.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
        return bool(host) and _domain(host, tree.value, dotted=True)
    return bool(name == tree)


def _domain(host: str, tree: str, *, dotted: bool) -> bool:
    """Whether a host is in a domain; with ``dotted`` only a domain with a leading dot takes hosts below it in."""
    host, domain = host.lower().rstrip("."), tree.lower()
    if not domain:
        return True
    if domain.startswith("."):
        return host.endswith(domain)
    return host == domain or (not dotted and host.endswith(f".{domain}"))


# Built-ins


def parse_and_verify(w: Any, a: Any) -> list[Any]:
    return _verified(w, text(a, 1), {})


def parse_and_verify_with_options(w: Any, a: Any, options: Any) -> list[Any]:
    text(a, 1)
    found: list[Any] = _verified(w, a, object_(options, 2))
    for certificate in found[1]:
        # Without our own field: OPA leaves it out here.
        certificate.pop("URIStrings")
    return found


def _verified(w: Any, a: str, options: dict[Any, Any]) -> list[Any]:
    try:
        found = certificates(a)
    except BuiltinError:
        return [False, []]
    wanted = read_options(options)
    try:
        return [True, [as_value(certificate) for certificate in chain(w, found, wanted)]]
    except BuiltinError:
        return [False, []]
