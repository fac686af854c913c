"""IP addresses and networks, as Go's ``net`` reads them."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, summarize_address_range
from typing import Any

from bulkhead.engines.rego.builtins.operands import MAX_ITEMS, text, too_large, wrong_type
from bulkhead.engines.rego.errors import BuiltinError
from bulkhead.engines.rego.values import Set, items

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network
_MAPPED = 0xFFFF << 32


def _address(value: str) -> _Address | None:
    """An address; one of version 4 in the form of version 6 is of version 4."""
    try:
        found = ip_address(value)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        if found.scope_id is not None:
            return None
        return found.ipv4_mapped or found
    return found


def _network(value: str) -> _Network:
    address, slash, length = value.partition("/")
    wrong = BuiltinError(f"invalid CIDR address: {value[:100]}")
    if not slash or not length.isascii() or not length.isdigit() or len(length) > 3:
        raise wrong
    try:
        found = ip_address(address)
    except ValueError:
        raise wrong from None
    if isinstance(found, IPv6Address) and found.scope_id is not None:
        raise wrong
    bits = int(length)
    if bits > found.max_prefixlen:
        raise wrong
    if isinstance(found, IPv4Address):
        return IPv4Network((found, bits), strict=False)
    return IPv6Network((found, bits), strict=False)


def _holds(network: _Network, address: _Address) -> bool:
    return network.version == address.version and address in network


def is_valid(a: Any) -> bool:
    if type(a) is not str:
        return False
    try:
        _network(a)
    except BuiltinError:
        return False
    return True


def intersects(a: Any, b: Any) -> bool:
    one, two = _network(text(a, 1)), _network(text(b, 1))
    return _holds(one, two.network_address) or _holds(two, one.network_address)


def contains(a: Any, b: Any) -> bool:
    network = _network(text(a, 1))
    address = _address(text(b, 1))
    if address is not None:
        return _holds(network, address)
    try:
        inner = _network(b)
    except BuiltinError:
        raise BuiltinError(f"not a valid textual representation of an IP address or CIDR: {b[:100]}") from None
    return _holds(network, inner.network_address) and _holds(network, inner.broadcast_address)


def _matched(position: int, a: Any) -> Iterator[tuple[Any, Any]]:
    """Networks with what stands for each in the answer."""
    if type(a) is str:
        yield a, a
    elif type(a) is list:
        for number, item in enumerate(a):
            yield _element(position, item), number
    elif type(a) is Set:
        for item in a:
            yield _element(position, item), item
    elif isinstance(a, dict):
        for key, item in items(a):
            yield _element(position, item), key


def _element(position: int, item: Any) -> Any:
    if type(item) is str:
        return item
    if type(item) is list and item:
        return item[0]
    raise BuiltinError(f"operand {position}: element must be string or non-empty array")


def contains_matches(a: Any, b: Any) -> Set:
    found = Set()
    others = list(_matched(2, b))
    for network, one in _matched(1, a):
        for inner, two in others:
            if contains(network, inner):
                found.add([one, two])
    return found


def expand(a: Any) -> Set:
    network = _network(text(a, 1))
    if network.num_addresses > MAX_ITEMS:
        raise too_large()
    return Set(str(address) for address in network)


def merge(a: Any) -> Set:
    """The fewest networks that hold the same addresses; a bare address stands for the network of its class."""
    if type(a) is not list and type(a) is not Set:
        raise wrong_type(1, a, "set", "array")
    ranges: list[tuple[int, int, str]] = []
    for item in a:
        if type(item) is not str:
            raise BuiltinError("element must be string")
        ranges.append(_range(item))
    ranges.sort(key=lambda found: (found[1], found[0]))
    for at in range(len(ranges) - 1, 0, -1):
        first, last, _ = ranges[at]
        before, end, _ = ranges[at - 1]
        if max(first - 1, 0) <= end:
            ranges[at - 1] = (min(first, before), last, "")
            del ranges[at]
    made = Set()
    for first, last, name in ranges:
        if name:
            made.add(name)
        else:
            for network in summarize_address_range(*_ends(first, last)):
                made.add(str(network))
    return made


def _range(value: str) -> tuple[int, int, str]:
    """First and last address as numbers of version 6, and the network's text."""
    address = _address(value)
    if isinstance(address, IPv6Address):
        raise BuiltinError("IPv6 invalid: needs prefix length")
    if address is not None:
        top = int(address) >> 24
        length = 8 if top < 128 else (16 if top < 192 else 24)
        network: _Network = IPv4Network((address, length), strict=False)
        name = f"{address}/{length}"
    else:
        network = _network(value)
        name = str(network)
    offset = _MAPPED if isinstance(network, IPv4Network) else 0
    return int(network.network_address) + offset, int(network.broadcast_address) + offset, name


def _ends(first: int, last: int) -> tuple[Any, Any]:
    if first >> 32 == 0xFFFF and last >> 32 == 0xFFFF:
        return IPv4Address(first & 0xFFFFFFFF), IPv4Address(last & 0xFFFFFFFF)
    return IPv6Address(first), IPv6Address(last)
