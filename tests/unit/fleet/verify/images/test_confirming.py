"""Layers that are claimed by their first digits are compared whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from bot.domain.bases.observation import PlatformImage
from bot.domain.evidence import Strength
from bot.domain.failure import Failure, Trouble
from bot.domain.images.standing import Basis, Doubt, Publication
from bot.domain.reference import Base
from bot.fleet.verify.images.confirming import MOST, Confirmed, confirm, confirmed_before, open_claims
from bot.images.standing.observed_layers import ObservedLayers
from tests.builders import ASPNET, SDK
from tests.unit.images.standing.world import image, shown, stands

SHORT = image("os", "aspnet", short=True)
WHOLE = image("os", "aspnet")
BUILT = image("os", "aspnet", "own")
HISTORY = ObservedLayers([shown(SHORT)])
PLACE = Base("ghcr.io", "contoso/shop", "latest")


@dataclass
class Registry:
    """What it has under a digest; it tells nothing of others."""

    has: Mapping[str, PlatformImage] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    is_down: bool = False
    holds: Mapping[str, str] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)

    async def published(self, publication: Publication) -> tuple[PlatformImage | None, Mapping[str, bytes]]:
        if self.is_down:
            raise Failure(Trouble.UNREACHABLE, "gives no answer")
        self.asked.append(publication.platform_digest)
        found = self.has.get(publication.platform_digest)
        return found, {} if found is None else {found.digest: b"{}"}

    async def unpacked(self, place: Base, layer: str) -> str | None:
        self.read.append(layer)
        return self.holds.get(layer)


async def test_layers_that_are_the_same_throughout_prove_what_was_claimed() -> None:
    registry = Registry({SHORT.digest: WHOLE})
    confirmed = await confirm(PLACE, [BUILT], HISTORY, registry)
    assert confirmed == Confirmed(frozenset({SHORT.digest}), {WHOLE.digest: b"{}"})
    standing = stands(BUILT, HISTORY, expected=[ASPNET], confirmed=confirmed.digests)
    assert (standing.strength, standing.basis, standing.layers) == (Strength.PROVED, Basis.LAYERS, 2)
    assert confirmed_before([standing]) == {SHORT.digest}
    assert open_claims([standing]) == frozenset()
    assert open_claims([stands(BUILT, HISTORY)]) == {SHORT.digest}


async def test_what_a_configuration_says_of_layers_confirms_none_whose_digests_differ() -> None:
    """It can be written by anybody; twelve digits of a layer can be found by trying."""
    other = replace(image("os", "aspnet", unpacked=True), layers=("sha256:" + "1" * 64, "sha256:" + "2" * 64))
    built = replace(BUILT, diff_ids=image("os", "aspnet", "own", unpacked=True).diff_ids)
    assert (await confirm(PLACE, [built], HISTORY, Registry({SHORT.digest: other}))).digests == frozenset()


@pytest.mark.parametrize("below", [image("os", "another"), image("os", "aspnet", "own", "more"), image()])
async def test_layers_that_differ_beyond_the_digits_prove_nothing(below: PlatformImage) -> None:
    assert (await confirm(PLACE, [BUILT], HISTORY, Registry({SHORT.digest: below}))).digests == frozenset()


async def test_what_is_gone_stays_claimed() -> None:
    assert await confirm(PLACE, [BUILT], HISTORY, Registry()) == Confirmed()


async def test_a_registry_that_gives_no_answer_is_no_answer() -> None:
    with pytest.raises(Failure):
        await confirm(PLACE, [BUILT], HISTORY, Registry(is_down=True))


async def test_what_is_proved_already_or_stands_on_nothing_known_costs_no_request() -> None:
    registry = Registry()
    await confirm(PLACE, [BUILT], ObservedLayers([shown(WHOLE)]), registry)
    await confirm(PLACE, [image("other")], HISTORY, registry)
    assert registry.asked == []


async def test_of_many_that_look_alike_the_expected_base_is_compared_first_and_the_others_up_to_a_bound() -> None:
    alike = [replace(SHORT, digest=f"sha256:{number:064x}") for number in range(MOST + 2)]
    seen = [shown(each, base=replace(ASPNET, tag=f"10.0.{number}")) for number, each in enumerate(alike)]
    expected = shown(replace(SHORT, digest="sha256:" + "f" * 64), base=SDK)
    registry = Registry()
    await confirm(PLACE, [BUILT], ObservedLayers([*seen, expected]), registry, [SDK])
    assert (registry.asked[0], len(registry.asked)) == ("sha256:" + "f" * 64, MOST)


async def test_of_more_that_look_alike_than_are_compared_the_newest_go_first() -> None:
    alike = [replace(SHORT, digest=f"sha256:{number:064x}") for number in range(MOST + 2)]
    seen = [shown(each, hours=number) for number, each in enumerate(alike)]
    registry = Registry({alike[-1].digest: WHOLE})
    confirmed = await confirm(PLACE, [BUILT], ObservedLayers(seen), registry, [ASPNET])
    assert confirmed.digests == {alike[-1].digest}
    assert registry.asked == [each.digest for each in reversed(alike)][:MOST]


async def test_what_a_base_shows_now_goes_before_what_others_have_shown_later_and_no_longer_show() -> None:
    still = replace(SHORT, digest="sha256:" + "a" * 64)
    passed = [replace(SHORT, digest=f"sha256:{number:064x}") for number in range(MOST)]
    busy = [shown(each, hours=1 + number) for number, each in enumerate(passed)]
    moved_on = shown(image("elsewhere"), hours=MOST + 2)
    registry = Registry({still.digest: WHOLE})
    confirmed = await confirm(PLACE, [BUILT], ObservedLayers([shown(still, base=SDK), *busy, moved_on]), registry)
    assert (confirmed.digests, registry.asked[0]) == (frozenset({still.digest}), still.digest)


async def test_a_digest_that_several_bases_show_is_asked_for_at_the_expected_one() -> None:
    """A mirror may have what the other has no longer."""
    others = [replace(SHORT, digest=f"sha256:{number:064x}") for number in range(MOST)]
    seen = [shown(each, hours=number) for number, each in enumerate([*others, SHORT])]
    mirrored = [shown(SHORT, base=each) for each in (SDK, replace(ASPNET, tag="another"))]
    registry = Registry({SHORT.digest: WHOLE})
    confirmed = await confirm(PLACE, [BUILT], ObservedLayers([*mirrored, *seen]), registry, [SDK])
    assert (confirmed.digests, registry.asked[0]) == (frozenset({SHORT.digest}), SHORT.digest)


PACKED_ANEW = replace(
    image("os", "aspnet", "own", unpacked=True), layers=tuple("sha256:" + letter * 64 for letter in "123")
)
UNPACKED = image("os", "aspnet", unpacked=True)


async def test_layers_that_were_packed_anew_are_read_and_prove_what_they_hold() -> None:
    observed = ObservedLayers([shown(UNPACKED)])
    holds = dict(zip(PACKED_ANEW.layers, PACKED_ANEW.diff_ids, strict=True))
    registry = Registry(holds=holds)
    confirmed = await confirm(PLACE, [PACKED_ANEW], observed, registry)
    assert registry.read == list(PACKED_ANEW.layers[:2])
    assert confirmed.unpacked == {layer: holds[layer] for layer in PACKED_ANEW.layers[:2]}
    assert stands(PACKED_ANEW, observed, expected=[ASPNET]).is_current


async def test_layers_that_hold_something_else_than_the_configuration_says_prove_nothing() -> None:
    observed = ObservedLayers([shown(UNPACKED)])
    registry = Registry(holds=dict.fromkeys(PACKED_ANEW.layers, "sha256:" + "9" * 64))
    await confirm(PLACE, [PACKED_ANEW], observed, registry)
    assert not stands(PACKED_ANEW, observed, expected=[ASPNET]).is_current


async def test_what_a_layer_holds_is_read_once() -> None:
    observed = ObservedLayers([shown(UNPACKED)])
    registry = Registry(holds=dict(zip(PACKED_ANEW.layers, PACKED_ANEW.diff_ids, strict=True)))
    await confirm(PLACE, [PACKED_ANEW], observed, registry)
    await confirm(PLACE, [replace(PACKED_ANEW, digest="sha256:" + "e" * 64)], observed, registry)
    assert len(registry.read) == 2


async def test_from_a_layer_that_cannot_be_read_on_nothing_is_read() -> None:
    observed, registry = ObservedLayers([shown(UNPACKED)]), Registry()
    await confirm(PLACE, [PACKED_ANEW], observed, registry)
    assert registry.read == [PACKED_ANEW.layers[0]]
    standing = stands(PACKED_ANEW, observed, expected=[ASPNET])
    assert (standing.strength, standing.doubt) == (Strength.CLAIMED, Doubt.PACKED_ANEW)
