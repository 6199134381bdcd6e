"""What one platform of an image stands on, for how long it has been behind, and how that is told."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.evidence import Strength
from bot.domain.images.standing import (
    Basis,
    Declaration,
    Doubt,
    ImageStanding,
    ImageState,
    Publication,
    RuntimeInside,
    as_claims,
    behind_since,
    judged,
    state_of,
    weakest,
)
from bot.domain.reference import Base
from tests.builders import ASPNET, NOON

DAY = timedelta(days=1)
SHOWN = Publication(ASPNET, NOON, "sha256:index", "linux/amd64", "sha256:platform")
CURRENT = ImageStanding("linux/amd64", Strength.PROVED, Basis.LAYERS, (SHOWN,), layers=5)
UNSEEN = replace(CURRENT, built_from=Base("ghcr.io", "contoso/golden", "latest"))


def until(end: datetime | None, digest: str = "sha256:platform") -> Publication:
    return replace(SHOWN, until=end, platform_digest=digest)


def on(*publications: Publication) -> ImageStanding:
    return replace(CURRENT, publications=publications)


def test_an_image_is_behind_since_the_last_that_it_may_be_was_replaced() -> None:
    standing = on(until(NOON + DAY), until(NOON + 3 * DAY, "sha256:other"))
    assert (standing.state, standing.behind_since) == (ImageState.BEHIND, NOON + 3 * DAY)
    assert standing.told(NOON + 5 * DAY) == (
        "aspnet:10.0 of 2026-03-10, one of several that look alike, 2 days behind, proved by 5 layers"
    )


def test_an_image_that_may_be_what_its_base_shows_is_not_behind() -> None:
    standing = on(until(NOON + DAY), until(None, "sha256:other"))
    assert (standing.state, standing.behind_since) == (ImageState.CURRENT, None)


def test_an_image_is_behind_since_its_base_or_its_runtime_was_replaced_whichever_came_first() -> None:
    for base, runtime in ((DAY, 2 * DAY), (2 * DAY, DAY)):
        inside = RuntimeInside("10.0.8", "its packages", behind_since=NOON + runtime)
        assert replace(on(until(NOON + base)), inside=inside).behind_since == NOON + DAY
    assert replace(CURRENT, inside=RuntimeInside("10.0.8", "its packages", behind_since=NOON)).behind_since == NOON


def test_nothing_that_was_observed_is_behind_nothing() -> None:
    named = ImageStanding("linux/amd64", Strength.CLAIMED, Basis.ANNOTATION, named="acr.io/golden:1")
    assert (named.state, named.behind_since, named.base) == (ImageState.UNKNOWN, None, None)
    assert named.told(NOON) == "acr.io/golden:1, claimed by its annotation"


@pytest.mark.parametrize(("end", "how_far"), [(None, "as it is now, "), (NOON + DAY, "")])
def test_a_build_that_was_not_seen_is_told_over_what_is_known(end: datetime | None, how_far: str) -> None:
    standing = replace(UNSEEN, publications=(until(end),))
    assert standing.told(NOON + 2 * DAY) == (
        f"a build of golden:latest that was not seen, over aspnet:10.0 of 2026-03-10, {how_far}proved by 5 layers"
    )
    assert (standing.state, standing.behind_since) == (ImageState.UNSEEN_BUILD, None)


def test_what_was_not_judged_is_told_with_the_reason() -> None:
    assert ImageStanding("windows/amd64", unjudged="left out").told(NOON) == "not judged: left out"


@pytest.mark.parametrize(
    ("doubt", "words"),
    [
        (Doubt.NO_BASE_NAMED, "at least: no file, setting or signed provenance names what it is built from"),
        (
            Doubt.SEVERAL_NAMED,
            "at least: its repository builds on several bases, and nothing tells which this image has",
        ),
        (Doubt.FEW_DIGITS, "since the base was recorded with the first digits of its layers alone"),
        (
            Doubt.PACKED_ANEW,
            "since its layers were packed anew and not read: only its configuration says what they hold",
        ),
        (Doubt.EARLIER_LAW, "since it was judged by an earlier release, until it is looked at again"),
    ],
)
def test_a_doubt_is_told_after_what_is_doubted(doubt: Doubt, words: str) -> None:
    claimed = replace(CURRENT, strength=Strength.CLAIMED, doubt=doubt)
    assert claimed.told(NOON) == f"aspnet:10.0 of 2026-03-10, current, claimed by 5 layers, {words}"


@pytest.mark.parametrize(
    ("basis", "doubt", "are_sure"),
    [
        (Basis.LAYERS, None, True),
        (Basis.LAYERS, Doubt.NO_BASE_NAMED, True),
        (Basis.LAYERS, Doubt.SEVERAL_NAMED, True),
        (Basis.LAYERS, Doubt.FEW_DIGITS, False),
        (Basis.LAYERS, Doubt.PACKED_ANEW, False),
        (Basis.LAYERS, Doubt.EARLIER_LAW, False),
        (Basis.VERIFIED_PROVENANCE, None, False),
    ],
)
def test_layers_are_sure_where_they_were_compared_and_not_doubted_themselves(
    basis: Basis, doubt: Doubt | None, are_sure: bool
) -> None:
    assert replace(CURRENT, basis=basis, doubt=doubt).are_layers_proved is are_sure


@pytest.mark.parametrize(
    ("inside", "state"),
    [
        (None, ImageState.CURRENT),
        (RuntimeInside("10.0.9", "its packages", is_current=True), ImageState.CURRENT),
        (RuntimeInside(), ImageState.CLAIMED),
        (RuntimeInside("10.0.8", "its packages", behind_since=NOON), ImageState.BEHIND),
    ],
)
def test_an_image_is_current_only_where_its_runtime_is(inside: RuntimeInside | None, state: ImageState) -> None:
    standing = replace(CURRENT, inside=inside)
    assert (standing.state, standing.is_current) == (state, state is ImageState.CURRENT)


def test_a_standing_on_the_older_of_what_it_shows_is_told_with_both_dates() -> None:
    assert on(SHOWN, replace(SHOWN, at=NOON + DAY)).told(NOON).startswith("aspnet:10.0 of 2026-03-10 to 2026-03-11")


def test_what_an_earlier_law_has_proved_is_a_claim_and_all_else_stays_as_it_was() -> None:
    contradicted = replace(CURRENT, strength=Strength.CONTRADICTED)
    unknown = ImageStanding("linux/arm64")
    assert as_claims([CURRENT, contradicted, unknown]) == (
        replace(CURRENT, strength=Strength.CLAIMED, doubt=Doubt.EARLIER_LAW),
        contradicted,
        unknown,
    )


SIGNED = RuntimeInside("10.0.9", "provenance that names its SDK", is_current=True, is_signed=True)
BY_PACKAGES = RuntimeInside("10.0.9", "its packages", is_current=True)


def test_without_its_signature_provenance_proves_neither_base_nor_runtime() -> None:
    verified = replace(CURRENT, basis=Basis.VERIFIED_PROVENANCE, layers=0, inside=SIGNED)
    assert verified.unsigned == replace(
        verified, strength=Strength.CLAIMED, basis=Basis.UNSIGNED_PROVENANCE, inside=RuntimeInside()
    )


def test_what_layers_and_packages_prove_needs_no_signature() -> None:
    assert replace(CURRENT, inside=BY_PACKAGES).unsigned == replace(CURRENT, inside=BY_PACKAGES)
    assert replace(CURRENT, inside=SIGNED).unsigned == replace(CURRENT, inside=RuntimeInside())
    assert CURRENT.unsigned == CURRENT


def test_of_an_image_the_weakest_evidence_and_the_longest_time_count() -> None:
    behind = replace(on(until(NOON + DAY)), strength=Strength.CLAIMED)
    longer = on(until(NOON))
    left_out = ImageStanding("windows/amd64", is_left_out=True)
    assert weakest([CURRENT, behind, left_out]) is Strength.CLAIMED
    assert behind_since([CURRENT, behind, longer]) == NOON
    assert (weakest([left_out]), behind_since([CURRENT])) == (Strength.UNKNOWN, None)


@pytest.mark.parametrize(
    ("tags", "chosen"),
    [
        (("10.0.1", "10.0"), "10.0"),
        (("10", "10.0"), "10.0"),
        (("latest", "10"), "10"),
        (("10.0-noble", "10.0"), "10.0"),
        (("10.0-noble", "10.0-azure"), "10.0-azure"),
    ],
)
def test_of_tags_that_show_the_same_the_channels_own_is_named_and_then_the_shortest(
    tags: tuple[str, ...], chosen: str
) -> None:
    for order in (tags, tags[::-1]):
        standing = on(*(replace(SHOWN, base=replace(ASPNET, tag=tag)) for tag in order)).of(())
        assert [each.base.tag for each in standing.publications] == [chosen]


def test_of_tags_of_one_kind_one_that_still_shows_it_is_named() -> None:
    gone = replace(SHOWN, until=NOON + DAY)
    noble = replace(SHOWN, base=replace(ASPNET, tag="10.0-noble"))
    assert on(gone, noble).of(()).publications == (noble,)


def test_a_base_that_is_expected_is_named_before_all_others() -> None:
    patch = replace(SHOWN, base=replace(ASPNET, tag="10.0.1"))
    assert on(SHOWN, patch).of({patch.base}).publications == (patch,)
    assert on(SHOWN, patch).of({replace(ASPNET, tag="9.0")}).publications == (SHOWN,)
    assert ImageStanding("linux/amd64").of({ASPNET}) == ImageStanding("linux/amd64")


def test_of_a_runtime_of_which_nothing_is_told_it_is_not_said_that_it_is_current() -> None:
    assert (RuntimeInside().is_current, RuntimeInside().is_signed) == (False, False)
    assert RuntimeInside().told(NOON) == (
        "the .NET inside is not proved: its .deps.json or signed provenance that names the SDK would tell"
    )


def test_what_provenance_declares_is_unsigned_without_its_signature_and_a_label_stays_a_label() -> None:
    verified = Declaration(Basis.VERIFIED_PROVENANCE, "acr.io/golden:1", frozenset({"sha256:d"}), is_stage=True)
    label = replace(verified, basis=Basis.LABEL)
    assert verified.unsigned == replace(verified, basis=Basis.UNSIGNED_PROVENANCE)
    assert label.unsigned == label


def test_an_image_that_may_be_the_newest_of_several_is_current_by_its_bytes() -> None:
    standing = on(until(NOON + DAY), until(None, "sha256:other"))
    assert standing.told(NOON + 2 * DAY) == (
        "aspnet:10.0 of 2026-03-10, one of several that look alike, current, since its bytes are the newest's, "
        "proved by 5 layers"
    )


def test_what_is_inside_and_what_speaks_against_it_are_told_after_the_evidence() -> None:
    inside = RuntimeInside("10.0.9", "its packages", is_current=True)
    standing = replace(CURRENT, basis=Basis.ANNOTATION, inside=inside, disagreement="its label names sdk:10.0")
    assert standing.told(NOON) == (
        "aspnet:10.0 of 2026-03-10, current, proved by its annotation, .NET 10.0.9 inside, current by its "
        "packages, but its label names sdk:10.0"
    )


def test_of_what_nothing_tells_it_is_said_what_would() -> None:
    assert ImageStanding("linux/amd64").told(NOON) == (
        "unknown: no base that was seen has its layers at the bottom of it (squashed, from scratch, or packed "
        "anew); provenance by a builder that is trusted would tell"
    )


def test_a_rebuild_takes_the_base_that_the_files_name_before_the_one_that_was_seen() -> None:
    assert (CURRENT.made_from, UNSEEN.made_from) == (ASPNET, UNSEEN.built_from)
    assert ImageStanding("linux/amd64").made_from is None


def test_a_state_is_told_without_a_hyphen() -> None:
    assert ImageState.UNSEEN_BUILD.in_words == "unseen build"


def test_what_the_operator_leaves_out_makes_no_image_worse() -> None:
    left_out = replace(on(until(NOON)), is_left_out=True)
    assert (state_of([CURRENT, left_out]), behind_since([CURRENT, left_out])) == (ImageState.CURRENT, None)
    assert judged([left_out, CURRENT]) == [CURRENT]
