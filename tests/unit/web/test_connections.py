"""How many connections each peer has, and which gives way, counted without any that is real."""

from ipaddress import ip_network

from bot.web.access.connections import HeldConnections


class Held:
    is_open = True

    def give_way(self) -> None:
        self.is_open = False


def test_a_request_under_way_gives_way_to_nobody() -> None:
    connections, busy, late = HeldConnections(of_peer=1), Held(), Held()
    assert connections.admit(busy, "203.0.113.9")
    connections.asks(busy)
    assert not connections.admit(late, "203.0.113.9")
    assert busy.is_open
    connections.rests(busy)
    assert connections.admit(late, "203.0.113.9")
    assert not busy.is_open


def test_the_proxy_that_is_named_has_more() -> None:
    connections = HeldConnections((ip_network("10.0.0.0/24"),), of_peer=1, of_proxy=3)
    for host, at_once in (("10.0.0.7", 3), ("::ffff:10.0.0.8", 3), ("10.0.1.7", 1)):
        held = [Held() for _ in range(5)]
        for each in held:
            assert connections.admit(each, host)
        assert sum(each.is_open for each in held) == at_once


def test_addresses_of_one_network_of_ipv6_are_one_peer() -> None:
    connections, held = HeldConnections(of_peer=2), [Held() for _ in range(5)]
    for number, each in enumerate(held):
        assert connections.admit(each, f"2001:db8::{number}")
    assert [each.is_open for each in held] == [False, False, False, True, True]
    assert connections.admit(Held(), "2001:db8:0:1::1")
    assert held[3].is_open


def test_what_has_ended_leaves_room() -> None:
    connections, first = HeldConnections(most=1), Held()
    connections.admit(first, "203.0.113.9")
    connections.asks(first)
    connections.ended(first)
    connections.rests(first)
    assert connections.admit(Held(), "203.0.113.10")
    assert first.is_open
