"""IP addresses and networks (Kubernetes' and cel-go's net library)."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, TypeAlias

from bulkhead.engines.cel.errors import CelError, refusal
from bulkhead.engines.cel.values import Opaque

_Address: TypeAlias = IPv4Address | IPv6Address


class Ip(Opaque):
    """An address; ``key`` is Python's."""

    __slots__ = ()
    type_name = "net.IP"


class Cidr(Opaque):
    """A network with the address it was written with; ``key`` is the address and the length of the prefix."""

    __slots__ = ()
    type_name = "net.CIDR"

    @property
    def network(self) -> IPv4Network | IPv6Network:
        address, length = self.key
        kind = IPv4Network if isinstance(address, IPv4Address) else IPv6Network
        return kind((int(address), length), strict=False)


def _quoted(text: str) -> str:
    return '"' + text[:60].replace("\\", "\\\\").replace('"', '\\"') + '"'


def _no_prefix(text: str, reason: str) -> CelError:
    """In the words of the API server, which says it twice."""
    said = "network address parse error during conversion from string"
    return CelError(f"{said}: {said}: netip.ParsePrefix({_quoted(text)}): {reason}")


def _address(text: str, subject: str) -> _Address:
    if "%" in text:
        raise CelError(f"{subject} with zone value is not allowed")
    try:
        address = ip_address(text)
    except (ValueError, AddressValueError):
        shown = _quoted(text)
        if subject == "IP Address":
            said = (
                f"IP Address {shown} parse error during conversion from string: ParseAddr({shown}): unable to parse IP"
            )
            raise CelError(said) from None
        raise _no_prefix(text, f"ParseAddr({shown}): unable to parse IP") from None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        if "." in text:
            raise CelError("IPv4-mapped IPv6 address is not allowed")
        return address.ipv4_mapped
    return address


def ip(value: Any) -> Ip:
    if isinstance(value, Ip):
        return value
    if isinstance(value, Cidr):
        return Ip(value.key[0])
    if not isinstance(value, str):
        raise refusal("ip", value)
    return Ip(_address(value, "IP Address"))


def is_ip(value: Any) -> bool:
    if not isinstance(value, str):
        raise refusal("isIP", value)
    try:
        ip(value)
    except CelError:
        return False
    return True


def is_canonical(value: Any) -> bool:
    if not isinstance(value, str):
        raise refusal("ip.isCanonical", value)
    return str(ip(value).key) == value


def cidr(value: Any) -> Cidr:
    if isinstance(value, Cidr):
        return value
    if not isinstance(value, str):
        raise refusal("cidr", value)
    text, slash, length = value.partition("/")
    if not slash:
        raise _no_prefix(value, "no '/'")
    if not length.isascii() or not length.isdigit() or len(length) > 3 or (length[0] == "0" and length != "0"):
        raise _no_prefix(value, f"bad bits after slash: {_quoted(length)}")
    address = _address(text, "CIDR")
    if int(length) > address.max_prefixlen:
        raise _no_prefix(value, "prefix length out of range")
    return Cidr((address, int(length)))


def is_cidr(value: Any) -> bool:
    if not isinstance(value, str):
        raise refusal("isCIDR", value)
    try:
        cidr(value)
    except CelError:
        return False
    return True


def _is_global_unicast(self: Ip) -> bool:
    """Go's meaning: private addresses count, broadcast does not."""
    address = self.key
    special = address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    return not special and address != IPv4Address("255.255.255.255")


def _is_link_local_multicast(self: Ip) -> bool:
    address = self.key
    if isinstance(address, IPv4Address):
        return address in IPv4Network("224.0.0.0/24")
    return int(address) >> 112 & 0xFF0F == 0xFF02


def _contains_ip(self: Cidr, other: Any) -> bool:
    if not isinstance(other, (str, Ip)):
        raise refusal("containsIP", self, other)
    return ip(other).key in self.network


def _contains_cidr(self: Cidr, other: Any) -> bool:
    if not isinstance(other, (str, Cidr)):
        raise refusal("containsCIDR", self, other)
    inner = cidr(other)
    return inner.key[1] >= self.key[1] and inner.key[0] in self.network


Ip.methods = {
    "family": lambda self: self.key.version,
    "isUnspecified": lambda self: self.key.is_unspecified,
    "isLoopback": lambda self: self.key.is_loopback,
    "isLinkLocalMulticast": _is_link_local_multicast,
    "isLinkLocalUnicast": lambda self: self.key.is_link_local,
    "isGlobalUnicast": _is_global_unicast,
    "string": lambda self: str(self.key),
}
Cidr.methods = {
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    "ip": lambda self: Ip(self.key[0]),
    "masked": lambda self: Cidr((self.network.network_address, self.key[1])),
    "prefixLength": lambda self: self.key[1],
    "string": lambda self: f"{self.key[0]}/{self.key[1]}",
}
