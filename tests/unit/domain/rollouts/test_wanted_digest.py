import pytest

from bot.domain.reference import Base, Reference
from bot.domain.repositories.usage import Replacement
from bot.domain.rollouts.rebuild import Target
from bot.domain.rollouts.wanted_digest import WantedDigest, wanted_digests_of
from tests.unit.act.world import change, digest, rebuild

MCR = "mcr.microsoft.com"
PIN = Reference(f"{MCR}/dotnet/sdk", "10.0.103")


@pytest.mark.parametrize("tag", ["10.0", "10.0-noble"])
def test_global_json_moves_along_whatever_the_tag_of_the_sdk_image(tag: str) -> None:
    sdk = Base(MCR, "dotnet/sdk", tag)
    planned = rebuild(
        targets=(Target(sdk, digest("d"), digest("e"), (1,)),),
        replacements=(
            Replacement(PIN, PIN.at("10.0.104", None)),
            Replacement(Reference(sdk.name, tag, digest("d")), Reference(sdk.name, tag, digest("e"))),
        ),
    )
    orders = wanted_digests_of(planned, (change("e"),))
    assert (orders.of_bases, orders.sdk) == ((WantedDigest(sdk, digest("e")),), "10.0.104")


@pytest.mark.parametrize("tag", ["10.0.104-noble", "10.0"])
def test_an_image_alone_orders_no_sdk(tag: str) -> None:
    sdk = Base(MCR, "dotnet/sdk", "10.0")
    new = Reference(sdk.name, tag, digest("e") if tag == "10.0" else None)
    planned = rebuild(targets=(Target(sdk, digest("d"), digest("e"), (1,)),), replacements=(Replacement(new, new),))
    assert wanted_digests_of(planned, ()).sdk is None
