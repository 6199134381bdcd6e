"""What a reference becomes when its base moves."""

import pytest

from bot.domain.bases.followed_base import Unknown
from bot.domain.reference import Base, Reference
from bot.domain.rollouts.pinning import named_version, wanted_reference
from bot.domain.rollouts.terms import Pin

NAME = "mcr.microsoft.com/dotnet/aspnet"
ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
LINE = Base("registry.contoso.com", "golden", "1.*.*")
GOLDEN = "registry.contoso.com/golden"
A, B = (f"sha256:{letter * 64}" for letter in "ab")


def test_a_reference_whose_base_nobody_knows_moves_as_it_is_written() -> None:
    assert wanted_reference(Reference(NAME, "10.0", A), None, B, "10.0.5") == Reference(NAME, "10.0", B)
    assert wanted_reference(Reference(NAME, "10.0.4"), None, B, "10.0.5") == Reference(NAME, "10.0.5")
    assert wanted_reference(Reference(NAME, "10.0.4"), None, B, "10.0.5", Pin.FLOATING) == Reference(NAME, "10.0.5")


@pytest.mark.parametrize(
    ("pin", "tag", "before", "after"),
    [
        (Pin.KEEP, "10.0", A, Reference(NAME, "10.0", B)),
        (Pin.DIGEST, "10.0", None, Reference(NAME, "10.0", B)),
        (Pin.DIGEST, "10.0.4", None, Reference(NAME, "10.0.5", B)),
        (Pin.FLOATING, "10.0", A, Reference(NAME, "10.0")),
        (Pin.FLOATING, "10.0.4", None, Reference(NAME, "10.0")),
        (Pin.FLOATING, "10.0", B, Reference(NAME, "10.0", B)),
    ],
)
def test_a_reference_is_pinned_as_the_rule_wants_it_and_loosened_only_by_a_move(
    pin: Pin, tag: str, before: str | None, after: Reference
) -> None:
    assert wanted_reference(Reference(NAME, tag, before), ASPNET, B, "10.0.5", pin) == after


@pytest.mark.parametrize("pin", Pin)
def test_a_patch_whose_next_is_not_known_is_written_by_no_rule(pin: Pin) -> None:
    found = wanted_reference(Reference(NAME, "10.0.4"), None, B, None, pin)
    assert isinstance(found, Unknown)
    assert not found.is_ahead


def test_a_reference_ahead_of_its_base_stays_but_where_a_rule_has_it_followed_back() -> None:
    ahead = Reference(NAME, "10.0.6")
    assert wanted_reference(ahead, ASPNET, B, "10.0.5") == Unknown(
        f"{ahead} names 10.0.6, and its base shows the older 10.0.5", is_ahead=True
    )
    assert wanted_reference(ahead, ASPNET, B, "10.0.5", may_go_back=True) == Reference(NAME, "10.0.5")


@pytest.mark.parametrize("before", [None, A])
@pytest.mark.parametrize("pin", [Pin.KEEP, Pin.FLOATING])
def test_a_line_has_no_tag_to_loosen_it_to(before: str | None, pin: Pin) -> None:
    after = Reference(GOLDEN, "1.5.0", B if before else None)
    assert wanted_reference(Reference(GOLDEN, "1.4.2", before), LINE, B, "1.5.0", pin) == after


def test_a_line_gets_its_digest_where_the_rule_wants_digests_and_waits_for_its_newest_release() -> None:
    pinned = Reference(GOLDEN, "1.4.2")
    assert wanted_reference(pinned, LINE, B, "1.5.0", Pin.DIGEST) == Reference(GOLDEN, "1.5.0", B)
    assert wanted_reference(pinned, LINE, B, None) == Unknown(
        f"the newest release of {LINE.short} is not known yet"
    )


def test_a_tag_names_a_version_where_it_does_not_float() -> None:
    assert (
        named_version(Reference(NAME, "10.0.4"), ASPNET)
        == named_version(Reference(NAME, "10.0.4"), None)
        == "10.0.4"
    )
    assert named_version(Reference(NAME, "10.0"), ASPNET) is None
    assert named_version(Reference(GOLDEN, "1.4.2"), LINE) == "1.4.2"
