from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.evidence import ImageVerdict, Strength
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import ProducedImage
from bot.domain.images.proof import may_stand_on, not_seen, proof_of
from bot.domain.images.standing import Basis, Doubt, ImageStanding, Publication
from bot.domain.reference import Base, Reference
from bot.domain.repositories.usage import Kind, Role, Usage
from bot.domain.rollouts.rebuild import Target
from tests.builders import ASPNET, NOON, SDK

CLAIM = Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD, "build.yml", 12)
IMAGE = ProducedImage(1, 1, "contoso/shop", CLAIM)
MOVED = NOON + timedelta(days=1)
TARGETS = (Target(ASPNET, "sha256:old", "sha256:new", (1,)),)
PUBLISHED = {"sha256:new": MOVED}


def standing(
    digest: str,
    at: datetime = NOON,
    until: datetime | None = MOVED,
    base: Base = ASPNET,
    platform: str = "linux/amd64",
    strength: Strength = Strength.PROVED,
) -> ImageStanding:
    publication = Publication(base, at, digest, platform, f"{digest}-{platform}", until)
    return ImageStanding(platform, strength, Basis.LAYERS, (publication,), 5)


OLD, NEW = standing("sha256:old"), standing("sha256:new", MOVED, None)


def proof(
    *standings: ImageStanding, usages: tuple[Usage, ...] = (), image: ProducedImage = IMAGE
) -> tuple[ImageVerdict, str]:
    found = proof_of(image, standings, TARGETS, PUBLISHED, usages, MOVED)
    return found.verdict, found.text


def test_an_image_on_the_new_base_is_proved() -> None:
    verdict, told = proof(NEW)
    assert verdict is ImageVerdict.PROVED
    assert told == "ghcr.io/contoso/shop:latest stands on aspnet:10.0 of 2026-03-11, current, proved by 5 layers"


def test_an_even_newer_base_proves_it_too() -> None:
    later = MOVED + timedelta(hours=3)
    assert proof(standing("sha256:newer", later, later + timedelta(hours=1)))[0] is ImageVerdict.PROVED


def test_a_base_that_moved_on_meanwhile_takes_nothing_away() -> None:
    assert proof(standing("sha256:new", MOVED, MOVED + timedelta(hours=1)))[0] is ImageVerdict.PROVED


def test_an_image_still_on_the_old_base_is_a_no_op_with_the_line_that_does_not_pull() -> None:
    verdict, told = proof(OLD, image=replace(IMAGE, claim=replace(CLAIM, pulls=False)))
    assert verdict is ImageVerdict.NO_OP
    assert told == (
        "built on the old base, likely at fault: build.yml:12 builds without --pull (in an action pull: true); "
        "ghcr.io/contoso/shop:latest still stands on aspnet:10.0 of 2026-03-10, 0 behind, proved by 5 layers"
    )


def test_a_pin_elsewhere_is_at_fault_before_everything_else() -> None:
    pinned = Usage(
        "src/Dockerfile", Kind("dockerfile"), 3, Reference(ASPNET.name, "10.0", "sha256:old"), Role.FINAL_STAGE
    )
    assert "likely at fault: src/Dockerfile:3 pins that digest; " in proof(OLD, usages=(pinned,))[1]


def test_a_platform_that_was_not_built_anew_is_named() -> None:
    verdict, told = proof(NEW, standing("sha256:old", platform="linux/arm64"))
    assert verdict is ImageVerdict.NO_OP
    assert "likely at fault: build.yml:12 builds other platforms anew than linux/arm64; " in told


def test_where_no_line_shows_it_a_cached_layer_is_likely() -> None:
    told = proof(OLD, image=replace(IMAGE, claim=replace(CLAIM, pulls=True)))[1]
    assert "likely at fault: a cached layer, though no line shows it; " in told


def test_a_tag_that_shows_nothing_new_may_have_been_built_from_a_cache_alone() -> None:
    """Such a build pushes the same digest."""
    image = replace(IMAGE, digest="sha256:i", standings=(OLD,), claim=replace(CLAIM, pulls=False))
    assert not_seen(image, (), "2 h").text == (
        "built, but nothing new was pushed to ghcr.io/contoso/shop:latest within 2 h; if the same was pushed "
        "again, likely at fault: build.yml:12 builds without --pull (in an action pull: true)"
    )


@pytest.mark.parametrize("image", [IMAGE, replace(IMAGE, digest="sha256:i", standings=(NEW,))])
def test_a_tag_that_was_never_seen_or_stands_on_the_new_base_has_no_line_at_fault(image: ProducedImage) -> None:
    seen = not_seen(image, (), "2 h")
    assert (seen.verdict, "fault" in seen.text) == (ImageVerdict.NOT_SEEN, False)


def test_another_base_than_expected_is_told() -> None:
    verdict, told = proof(standing("sha256:x", until=None, base=SDK))
    assert (verdict, told.endswith("instead of aspnet:10.0")) == (ImageVerdict.OTHER, True)


@pytest.mark.parametrize("digest", ["sha256:old", "sha256:new"])
def test_what_is_only_claimed_proves_nothing_and_fails_nothing(digest: str) -> None:
    assert proof(standing(digest, strength=Strength.CLAIMED))[0] is ImageVerdict.UNKNOWN


def test_one_on_a_build_of_the_base_that_was_not_seen_is_looked_at_too() -> None:
    """The layers show what is below the base, which says nothing against it."""
    unseen = replace(standing("sha256:os", base=SDK), built_from=ASPNET)
    assert may_stand_on(replace(IMAGE, standings=(unseen,)), {ASPNET})
    assert not may_stand_on(replace(IMAGE, standings=(unseen,)), {replace(ASPNET, repository="dotnet/runtime")})


def test_only_images_that_may_stand_on_the_base_are_looked_at() -> None:
    assert may_stand_on(IMAGE, {ASPNET})
    assert may_stand_on(replace(IMAGE, standings=(OLD,)), {ASPNET})
    assert not may_stand_on(replace(IMAGE, standings=(OLD,)), {SDK})
    assert not may_stand_on(replace(IMAGE, is_contested=True), {ASPNET})
    assert not may_stand_on(replace(IMAGE, sourced_from="contoso/bank"), {ASPNET})


UNSEEN = replace(OLD, built_from=Base("ghcr.io", "contoso/golden", "latest"))


def test_an_image_on_a_build_that_was_not_seen_shows_nothing_until_its_base_is_looked_at() -> None:
    found = proof_of(IMAGE, [NEW, UNSEEN], TARGETS, PUBLISHED, (), MOVED)
    assert (found.verdict, found.awaits_base) == (ImageVerdict.UNKNOWN, True)
    assert found.text == (
        "ghcr.io/contoso/shop:latest does not show what it stands on: linux/amd64 is a build of golden:latest "
        "that was not seen, over aspnet:10.0 of 2026-03-10, proved by 5 layers"
    )


def test_an_image_on_another_tag_of_its_base_is_told_and_the_base_is_looked_at_as_well() -> None:
    other = replace(OLD, built_from=replace(ASPNET, tag="9.0"))
    found = proof_of(IMAGE, [other], TARGETS, PUBLISHED, (), MOVED)
    assert (found.verdict, found.awaits_base) == (ImageVerdict.OTHER, True)
    assert found.text == (
        "built, but ghcr.io/contoso/shop:latest stands on aspnet:10.0 of 2026-03-10 where "
        "its files name aspnet:9.0, proved by 5 layers instead of aspnet:10.0"
    )


def test_only_a_build_that_was_not_seen_awaits_a_look_at_the_base() -> None:
    for standing_of_platform in (NEW, OLD, standing("sha256:x", until=None, base=SDK)):
        found = proof_of(IMAGE, [standing_of_platform], TARGETS, PUBLISHED, (), MOVED)
        assert found.awaits_base is False


def test_a_platform_that_is_left_out_is_not_asked_and_without_one_nothing_shows() -> None:
    left_out = replace(OLD, is_left_out=True)
    assert proof(NEW, left_out)[0] is ImageVerdict.PROVED
    assert proof(left_out) == (ImageVerdict.UNKNOWN, "ghcr.io/contoso/shop:latest shows no platform")


def test_layers_that_show_the_old_base_decide_though_something_else_contradicts_them() -> None:
    assert proof(standing("sha256:old", strength=Strength.CONTRADICTED))[0] is ImageVerdict.NO_OP
    assert proof(standing("sha256:new", strength=Strength.CONTRADICTED))[0] is ImageVerdict.UNKNOWN
    doubted = replace(standing("sha256:old", strength=Strength.CONTRADICTED), doubt=Doubt.FEW_DIGITS)
    assert proof(doubted)[0] is ImageVerdict.UNKNOWN


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [
        (standing("sha256:between", MOVED, MOVED), ImageVerdict.PROVED),
        (standing("sha256:other", NOON, None), ImageVerdict.PROVED),
        (standing("sha256:before", MOVED - timedelta(hours=1), MOVED), ImageVerdict.NO_OP),
        (standing("sha256:new", NOON, MOVED), ImageVerdict.PROVED),
    ],
)
def test_what_the_base_shows_now_or_has_shown_since_the_move_is_new(
    shown: ImageStanding, verdict: ImageVerdict
) -> None:
    assert proof(shown)[0] is verdict


def test_where_it_is_not_known_when_the_base_moved_only_what_it_shows_or_was_meant_is_new() -> None:
    later = standing("sha256:newer", MOVED, MOVED + timedelta(hours=1))
    assert proof_of(IMAGE, [later], TARGETS, {}, (), MOVED).verdict is ImageVerdict.NO_OP
    assert proof_of(IMAGE, [NEW], TARGETS, {}, (), MOVED).verdict is ImageVerdict.PROVED


def test_of_the_platforms_the_one_that_is_worst_is_told() -> None:
    unknown = ImageStanding("linux/arm64")
    other = standing("sha256:x", until=None, base=SDK)
    assert proof(NEW, unknown)[0] is ImageVerdict.UNKNOWN
    assert proof(unknown, other, NEW)[0] is ImageVerdict.OTHER
    assert proof(other, OLD, unknown)[0] is ImageVerdict.NO_OP


def test_of_several_bases_that_were_meant_all_are_named() -> None:
    targets = (*TARGETS, Target(SDK, "sha256:old", "sha256:new", (1,)))
    other = standing("sha256:x", until=None, base=Base("docker.io", "library/ubuntu", "24.04"))
    assert proof_of(IMAGE, [other], targets, PUBLISHED, (), MOVED).text.endswith(
        "instead of aspnet:10.0 or sdk:10.0"
    )


def test_a_platforms_own_digest_may_be_pinned_as_well_as_the_indexs() -> None:
    pin = Reference(ASPNET.name, "10.0", "sha256:old-linux/amd64")
    other = Reference(ASPNET.name, "10.0", "sha256:else")
    usages = tuple(
        Usage("src/Dockerfile", Kind("dockerfile"), line, reference, Role.FINAL_STAGE)
        for line, reference in ((3, other), (5, pin))
    )
    assert "likely at fault: src/Dockerfile:5 pins that digest; " in proof(OLD, usages=usages)[1]


def test_platforms_that_were_not_built_anew_are_named_without_a_line_where_none_is_known() -> None:
    nowhere = replace(IMAGE, claim=replace(CLAIM, path="", line=0))
    old = [standing("sha256:old", platform=platform) for platform in ("linux/arm64", "linux/s390x")]
    told = proof(NEW, *old, image=nowhere)[1]
    assert "likely at fault: builds other platforms anew than linux/arm64, linux/s390x; " in told


def test_what_nothing_was_pushed_to_is_told() -> None:
    assert not_seen(IMAGE, (), "2 h").text == (
        "built, but nothing was pushed to ghcr.io/contoso/shop:latest within 2 h"
    )
    seen = replace(IMAGE, digest="sha256:i", standings=(NEW,))
    assert not_seen(seen, (), "2 h").text == (
        "built, but nothing new was pushed to ghcr.io/contoso/shop:latest within 2 h"
    )


def test_an_image_of_which_one_platform_stands_on_the_base_is_looked_at() -> None:
    on_sdk = standing("sha256:s", base=SDK, platform="linux/arm64")
    image = replace(IMAGE, standings=(on_sdk, OLD, ImageStanding("linux/s390x")))
    assert may_stand_on(image, {ASPNET})
    assert may_stand_on(replace(IMAGE, standings=(ImageStanding("linux/amd64"),)), {SDK})


def test_a_base_that_is_only_named_shows_nothing_though_signed_provenance_proves_it() -> None:
    named = ImageStanding("linux/amd64", Strength.PROVED, Basis.VERIFIED_PROVENANCE, named="acr.io/golden:1")
    assert proof(named)[0] is ImageVerdict.UNKNOWN


def test_a_rebuild_fails_by_what_is_not_new_not_there_or_not_trusted_and_by_nothing_that_is_not_known() -> None:
    assert [verdict for verdict in ImageVerdict if verdict.fails] == [
        ImageVerdict.NO_OP,
        ImageVerdict.OTHER,
        ImageVerdict.NOT_SEEN,
        ImageVerdict.UNTRUSTED,
    ]
