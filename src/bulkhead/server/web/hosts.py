"""Under which names the pages may be asked for (the Host header), so that no foreign name can be pointed at us (DNS rebinding)."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import msgspec


class Hosts(msgspec.Struct, frozen=True):
    """``names`` are of the settings; ``address`` is the one listened on."""

    address: str
    names: tuple[str, ...] = ()

    @property
    def loopback(self) -> bool:
        return ipaddress.ip_address(self.address).is_loopback

    def known(self, host: str) -> bool:
        """Whether a Host header names us. The port does not matter: tunnels and forwards change it."""
        name = _name(host)
        if not name:
            return False
        if name in {item.lower() for item in self.names}:
            return True
        if name == "localhost":
            return self.loopback
        try:
            given = ipaddress.ip_address(name)
        except ValueError:
            return False
        own = ipaddress.ip_address(self.address)
        # Who listens everywhere cannot know its addresses; nobody points a foreign name at us by an address.
        return own.is_unspecified or given == own or (given.is_loopback and own.is_loopback)


def same_origin(origin: str, host: str) -> bool:
    """Whether a form came from a page of ours. The scheme is left out: a proxy before us may speak TLS."""
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower() and not parts.path.strip("/")


def _name(host: str) -> str:
    """The name without the port, lower case, without brackets; empty where it is none."""
    if len(host) > 255 or not host.isascii() or any(char in host for char in "/@\\?# \t,"):
        return ""
    if host.startswith("["):
        name, bracket, port = host[1:].partition("]")
        good = bracket and (not port or (port.startswith(":") and port[1:].isdecimal()))
        return name.lower() if good else ""
    name, colon, port = host.partition(":")
    return name.lower().removesuffix(".") if not colon or port.isdecimal() else ""
