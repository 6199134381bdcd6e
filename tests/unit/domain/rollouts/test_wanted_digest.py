from dataclasses import replace

import pytest

from bot.domain.reference import Base, Reference
from bot.domain.repositories.usage import Replacement
from bot.domain.rollouts.pinning import WantedDigest, wanted_digests_of
from bot.domain.rollouts.rebuild import Target
from tests.unit.fleet.act.world import change, digest, rebuild

MCR = "mcr.microsoft.com"
PIN = Reference(f"{MCR}/dotnet/sdk", "10.0.103")


@pytest.mark.parametrize("tag", ["10.0", "10.0-noble"])
def test_global_json_moves_along_whatever_the_tag_of_the_sdk_image(tag: str) -> None:
    sdk = Base(MCR, "dotnet/sdk", tag)
    planned = rebuild(
        targets=(Target(sdk, digest("d"), digest("e"), (1,)),),
        replacements=(
            Replacement(PIN, PIN.with_tag("10.0.104", None)),
            Replacement(Reference(sdk.name, tag, digest("d")), Reference(sdk.name, tag, digest("e"))),
        ),
    )
    orders = wanted_digests_of(planned, (change("e"),))
    assert (orders.of_bases, orders.sdk) == ((WantedDigest(sdk, digest("e")),), "10.0.104")


@pytest.mark.parametrize(("tag", "letter"), [("10.0.104-noble", None), ("10.0", "e"), ("10.0.104", "e")])
def test_an_image_alone_orders_no_sdk(tag: str, letter: str | None) -> None:
    sdk = Base(MCR, "dotnet/sdk", "10.0")
    new = Reference(sdk.name, tag, digest(letter) if letter else None)
    planned = rebuild(targets=(Target(sdk, digest("d"), digest("e"), (1,)),), replacements=(Replacement(new, new),))
    assert wanted_digests_of(planned, ()).sdk is None


LINE = Base("registry.contoso.com", "golden", "1.*.*")


@pytest.mark.parametrize(
    ("base", "old", "new", "version"),
    [
        (LINE, "1.4.2", "1.5.0", "1.5.0"),
        (Base(MCR, "dotnet/aspnet", "10.0"), "10.0.4", "10.0.5", "10.0.5"),
    ],
)
def test_where_no_change_tells_the_version_what_was_planned_to_be_written_does(
    base: Base, old: str, new: str, version: str
) -> None:
    name = f"{base.registry}/{base.repository}"
    planned = rebuild(
        targets=(Target(base, digest("d"), digest("e"), ()),),
        replacements=(Replacement(Reference(name, old), Reference(name, new)),),
    )
    assert [wanted.version for wanted in wanted_digests_of(planned, ()).of_bases] == [version]


def test_a_version_is_told_of_the_digest_that_holds_it_and_of_no_later_one() -> None:
    base = Base(MCR, "dotnet/aspnet", "10.0")
    planned = rebuild(targets=(Target(base, digest("a"), digest("c"), (1, 2)),))
    earlier = replace(change("b"), to_version="10.0.4")
    later = replace(change("c"), from_digest=digest("b"), to_version=None)
    assert [wanted.version for wanted in wanted_digests_of(planned, (earlier, later)).of_bases] == [None]
    told = replace(later, to_version="10.0.5")
    assert [wanted.version for wanted in wanted_digests_of(planned, (told, earlier)).of_bases] == ["10.0.5"]
