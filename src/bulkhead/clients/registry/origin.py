"""Which addresses a registry may send us to."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

from bulkhead.core.errors import SourceError

_PORTS = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_forbidden(host: str, asker: str) -> bool:
    """A literal address on this link, cloud metadata services among them, or on this machine when named from outside."""
    if is_loopback(host):
        return not is_loopback(asker)
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_link_local or address.is_unspecified or address.is_multicast


def split(url: str) -> SplitResult:
    """Raises SourceError where the text is no plain http or https URL."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in _PORTS and parts.hostname and not parts.username and not parts.password
        _ = parts.port
    except ValueError:
        valid = False
    if not valid or any(ord(letter) < 33 for letter in url):
        raise SourceError("the registry names an address that is no plain http or https URL", where=url[:256])
    return parts


def origin(url: str) -> tuple[str, str, int]:
    parts = split(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme]


def redirected(url: str, location: str) -> str:
    """Where a redirect leads: never from TLS into the clear, never from outside onto this machine or link."""
    try:
        target = urljoin(url, location)
    except ValueError:
        raise SourceError("the registry redirects to no address", where=location[:256]) from None
    scheme, host, _ = origin(target)
    from_scheme, from_host, _ = origin(url)
    if from_scheme == "https" and scheme == "http":
        raise SourceError("the registry redirects from https to http", where=target[:256])
    if _is_forbidden(host, from_host):
        raise SourceError("the registry redirects to an address inside this machine", where=target[:256])
    return target


def check_realm(realm: str, registry_url: str) -> None:
    """A token service is asked over TLS, or on loopback by a registry on loopback, or on the registry's own origin."""
    scheme, host, _ = origin(realm)
    _, registry_host, _ = origin(registry_url)
    if _is_forbidden(host, registry_host):
        raise SourceError("the registry's token service is an address inside this machine", where=realm[:256])
    if scheme == "https" or (is_loopback(host) and is_loopback(registry_host)) or origin(realm) == origin(registry_url):
        return
    raise SourceError("the registry's token service is not https", where=realm[:256])
