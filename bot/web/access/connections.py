"""Who sends, as far as the connection tells, and how many connections and requests each may have.

A connection whose request has not come in whole gives way to a new one: who only holds connections open keeps
nobody out, however many addresses it has.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from time import monotonic
from typing import Protocol

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


_MOST_SENDERS = 10_000


@dataclass(slots=True)
class Bucket:
    """`burst` requests at once, and `each_second` from then on; the sender heard of longest ago is forgotten."""

    burst: float
    each_second: float
    now: Callable[[], float] = monotonic
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, sender: str) -> float:
        """Takes one; for how many seconds the sender has to wait, 0 where it may go on."""
        now = self.now()
        left, before = self._left.pop(sender, (self.burst, now))
        left = min(self.burst, left + (now - before) * self.each_second)
        may = left >= 1
        self._left[sender] = (left - 1 if may else left, now)
        while len(self._left) > _MOST_SENDERS:
            self._left.popitem(last=False)
        return 0 if may else (1 - left) / self.each_second


@dataclass(slots=True)
class Rates:
    """`requests` of any kind; `logins` that showed a wrong token; `sessions` that one person begins, of which the
    store keeps those that were ended."""

    requests: Bucket = field(default_factory=lambda: Bucket(burst=240, each_second=20))
    logins: Bucket = field(default_factory=lambda: Bucket(burst=10, each_second=0.1))
    sessions: Bucket = field(default_factory=lambda: Bucket(burst=60, each_second=1 / 60))


class HeldConnection(Protocol):
    """A connection that somebody holds open."""

    def give_way(self) -> None:
        """Ends the connection at once."""
        ...


@dataclass(slots=True)
class HeldConnections:
    """One for each port. `proxies` are the networks of the proxy that is named, which brings many people."""

    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    most: int = 256
    of_peer: int = 64
    of_proxy: int = 224
    _peers: dict[HeldConnection, str] = field(default_factory=dict)
    _idle: dict[HeldConnection, None] = field(default_factory=dict)
    """Those without a whole request, the longest so first."""

    def admit(self, connection: HeldConnection, host: str) -> bool:
        """Counts a connection from there in; False where others have all there are, and are at work on each."""
        peer = peer_of(host)
        if self.open_by(peer) >= (self.of_proxy if is_among(host, self.proxies) else self.of_peer):
            if not self._gives_way(peer):
                return False
        elif len(self._peers) >= self.most and not self._gives_way(None):
            return False
        self._peers[connection] = peer
        self._idle[connection] = None
        return True

    def asks(self, connection: HeldConnection) -> None:
        """Notes that a request has come in whole, and is being answered."""
        self._idle.pop(connection, None)

    def rests(self, connection: HeldConnection) -> None:
        """Notes since when no request is being answered; told again, the first time stays."""
        if connection in self._peers:
            self._idle.setdefault(connection)

    def ended(self, connection: HeldConnection) -> None:
        self._peers.pop(connection, None)
        self._idle.pop(connection, None)

    def open_by(self, peer: str) -> int:
        return sum(each == peer for each in self._peers.values())

    def _gives_way(self, peer: str | None) -> bool:
        """Ends what has been idle longest, of one peer or of all; whether there was any."""
        connection = next((each for each in self._idle if peer is None or self._peers[each] == peer), None)
        if connection is None:
            return False
        self.ended(connection)
        connection.give_way()
        return True
