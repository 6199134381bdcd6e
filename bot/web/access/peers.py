"""Who sends, as far as the connection itself tells: what bounds are counted by."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_OF_ONE = 64
"""Bits of an IPv6 address that tell senders apart: whoever has one has a whole network of them (RFC 6177)."""


@lru_cache(maxsize=1024)
def peer_of(host: str) -> str:
    """What stands for whoever sends from there: an address of IPv4, a network of IPv6, or what was given."""
    address = address_of(host)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _OF_ONE), strict=False))
    return host if address is None else str(address)


def is_among(host: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    """Whether a connection from there comes from one of these networks."""
    address = address_of(host)
    return address is not None and any(address in network for network in networks)


def address_of(host: str) -> IPv4Address | IPv6Address | None:
    """The address, one of IPv4 also where it is written as one of IPv6; None where it is none."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
