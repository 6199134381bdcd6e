from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bases.observation import Observation, PlatformImage
from bot.domain.evidence import Strength
from bot.domain.images.standing import Doubt
from bot.domain.reference import Base
from bot.images.standing.observed_layers import ObservedLayers
from tests.builders import ASPNET, NOON
from tests.unit.images.standing.world import AMD64, image, shown

NAMES = st.sampled_from("abcdef")
OTHER = Base("host", "other", "1")
CHAINS = st.lists(NAMES, min_size=1, max_size=4).map(tuple)


@given(st.lists(CHAINS, min_size=1, max_size=8), CHAINS, st.booleans())
def test_the_longest_run_of_layers_that_is_all_of_a_base_counts(
    chains: list[tuple[str, ...]], layers: tuple[str, ...], short: bool
) -> None:
    bases = [Base("host", f"base{number}", "1") for number in range(len(chains))]
    observed = ObservedLayers(
        shown(image(*chain, short=short), base=base) for base, chain in zip(bases, chains, strict=True)
    )
    match = observed.match(image(*layers))
    beneath = [len(chain) for chain in chains if layers[: len(chain)] == chain]
    assert (match.layers if match else 0) == max(beneath, default=0)
    if match:
        longest = {base for base, chain in zip(bases, chains, strict=True) if chain == layers[: match.layers]}
        assert {each.base for each in match.publications} == longest
        assert match.strength is (Strength.CLAIMED if short else Strength.PROVED)


@given(CHAINS, CHAINS)
def test_recompressed_layers_are_known_by_what_is_in_them(below: tuple[str, ...], above: tuple[str, ...]) -> None:
    observed = ObservedLayers([shown(image(*below, unpacked=True))])
    built = image(*below, *above, unpacked=True)
    recompressed = PlatformImage(
        AMD64,
        "sha256:1",
        layers=tuple(f"sha256:{n:064x}" for n in range(len(built.layers))),
        diff_ids=built.diff_ids,
    )
    claimed = observed.match(recompressed)
    assert claimed is not None
    assert (claimed.doubt, claimed.layers) == (Doubt.PACKED_ANEW, len(below))
    observed.unpacked |= dict(zip(recompressed.layers, recompressed.diff_ids, strict=True))
    read = observed.match(recompressed)
    assert read is not None
    assert (read.strength, read.layers) == (Strength.PROVED, len(below))


@given(CHAINS, st.integers(1, 3))
def test_squashed_layers_are_known_as_none(below: tuple[str, ...], above: int) -> None:
    observed = ObservedLayers([shown(image(*below, unpacked=True))])
    assert observed.match(image(*(f"squashed {number}" for number in range(above)), unpacked=True)) is None


@given(CHAINS)
def test_each_platform_stands_on_its_own(below: tuple[str, ...]) -> None:
    observed = ObservedLayers([shown(image(*below, platform="linux/arm64"))])
    assert observed.match(image(*below, "own")) is None
    assert observed.match(image(*below, "own", platform="linux/arm64")) is not None


@pytest.mark.parametrize(("base", "built"), [("linux/arm", "linux/arm/v7"), ("linux/arm/v7", "linux/arm")])
def test_a_platform_is_the_same_whichever_of_its_names_it_was_stored_under(base: str, built: str) -> None:
    """Bases keep what was observed early; an image that is built today would stand on nothing."""
    below = image("a", platform=base)
    observed = ObservedLayers([shown(below)])
    match = observed.match(image("a", "own", platform=built))
    assert match is not None
    assert observed.named(below.digest, built) == match.publications == observed.current(ASPNET)
    assert [each.platform for each in match.publications] == ["linux/arm/v7"]


def test_a_publication_ends_when_its_base_shows_another() -> None:
    observed = ObservedLayers([shown(image("a")), shown(image("b"), hours=5), shown(image("b"), hours=6)])
    (old,), (new,) = (observed.match(image(layer, "own")).publications for layer in "ab")  # type: ignore[union-attr]
    assert (old.at, old.until) == (NOON, NOON + timedelta(hours=5))
    assert (new.at, new.until) == (NOON + timedelta(hours=5), None)


def test_a_withdrawn_base_shows_nothing_any_more() -> None:
    observed = ObservedLayers([shown(image("a")), Observation(NOON + timedelta(hours=1), ASPNET, None)])
    (old,) = observed.match(image("a", "own")).publications  # type: ignore[union-attr]
    assert old.until == NOON + timedelta(hours=1)
    assert observed.current(ASPNET) == ()


def test_an_image_that_is_a_base_itself_does_not_stand_on_itself() -> None:
    golden = Base("host", "golden", "1")
    observed = ObservedLayers([shown(image("a")), shown(image("a", "own"), base=golden)])
    itself = observed.match(image("a", "own"), apart_from="host/golden")
    assert itself is not None
    assert [each.base for each in itself.publications] == [ASPNET]


def test_either_digest_of_a_base_names_it() -> None:
    amd64, arm64 = image("a"), image("b", platform="linux/arm64")
    seen = shown(amd64, arm64)
    observed = ObservedLayers([seen])
    by_index = observed.named(seen.digest or "", AMD64)
    assert [each.platform_digest for each in by_index] == [amd64.digest]
    assert observed.named(amd64.digest, AMD64) == by_index
    assert observed.named(arm64.digest, AMD64) == ()


def test_first_digits_of_layers_prove_nothing_though_no_more_is_known_of_the_image_either() -> None:
    observed = ObservedLayers([shown(image("a", short=True))])
    match = observed.match(image("a", "own", short=True))
    assert match is not None
    assert (match.strength, match.doubt) == (Strength.CLAIMED, Doubt.FEW_DIGITS)


def test_layers_that_prove_less_than_others_claim_do_not_count() -> None:
    """The whole layers show `a` alone, the first digits `a` with `b`."""
    observed = ObservedLayers([shown(image("a")), shown(image("a", "b", short=True), base=OTHER)])
    match = observed.match(image("a", "b", "own"))
    assert match is not None
    assert ([each.base for each in match.publications], match.layers) == ([OTHER], 2)


def test_layers_that_prove_as_much_as_others_claim_count() -> None:
    observed = ObservedLayers([shown(image("a")), shown(image("a", short=True), base=OTHER)])
    match = observed.match(image("a", "own"))
    assert match is not None
    assert ([each.base for each in match.publications], match.doubt) == ([ASPNET], None)


def test_what_would_have_to_be_read_are_the_layers_that_were_not_yet_up_to_the_end_of_the_base() -> None:
    observed = ObservedLayers([shown(image("a", "b", unpacked=True))])
    built = image("a", "b", "own", unpacked=True)
    anew = replace(built, layers=("sha256:a", "sha256:b", "sha256:own"))
    observed.unpacked["sha256:a"] = built.diff_ids[0]
    match = observed.match(anew)
    assert match is not None
    assert (match.doubt, match.unread) == (Doubt.PACKED_ANEW, ("sha256:b",))


def test_a_base_that_shows_something_again_after_it_was_withdrawn_shows_it_anew() -> None:
    withdrawn = Observation(NOON + timedelta(hours=1), ASPNET, None)
    observed = ObservedLayers([shown(image("a")), withdrawn, shown(image("a"), hours=2)])
    assert [(each.at, each.until) for each in observed.shown_by(ASPNET)] == [
        (NOON, NOON + timedelta(hours=1)),
        (NOON + timedelta(hours=2), None),
    ]
    assert observed.current(ASPNET) == observed.shown_by(ASPNET)[1:]


def test_a_base_has_shown_a_digest_since_it_was_seen_to_first() -> None:
    first, again = shown(image("a")), shown(image("a"), hours=2)
    observed = ObservedLayers([shown(image("a"), base=OTHER, hours=-5), first, shown(image("b"), hours=1), again])
    digest = first.digest or ""
    assert observed.first_shown(ASPNET, digest) == NOON
    assert observed.first_shown(OTHER, digest) == NOON - timedelta(hours=5)
    assert observed.first_shown(ASPNET, first.platforms[0].digest) is None
    assert observed.first_shown(Base("host", "never", "1"), digest) is None


def test_of_a_base_that_was_never_seen_nothing_is_known() -> None:
    observed = ObservedLayers()
    assert (observed.current(ASPNET), observed.shown_by(ASPNET), observed.named("sha256:a", AMD64)) == ((), (), ())
    assert observed.match(image("a")) is None
