"""How many connections there are at a time: of one peer, of the proxy that is named, and of all together.

A connection whose request has not come in whole gives way to a new one: who only holds connections open keeps
nobody out, however many addresses it has.
"""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol

from bot.web.access.peers import is_among, peer_of


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
