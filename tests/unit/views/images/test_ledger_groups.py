"""Images of one CVE are grouped by where their fix is stuck and who can move it."""

from datetime import timedelta

from bot.domain.packages.ledger.clocks import (
    AffectedImage,
    BelowImage,
    DeployedImage,
    Held,
    Passage,
    PublishedFix,
    Station,
)
from bot.domain.packages.ledger.entries import StationTime, entry_of
from bot.views.images.ledger import ITS_REPOSITORY, MOST_MOVERS, LedgerRow, grouped, row_of
from tests.builders import NOON

HOUR = timedelta(hours=1)
FIX = PublishedFix("Ubuntu", ("3.0.13-0ubuntu3.6",), NOON)
TOOK = StationTime(3, 4 * HOUR)
OLD, NOT_KNOWN = Held(True), Held(None, reason="it was not read yet")


def free(hours: int) -> Held:
    return Held(False, NOON + hours * HOUR)


def row(
    name: str, base: Held, held: Held, *, below: str = "aspnet:10.0", deploy: tuple[str, bool] | None = None
) -> LedgerRow:
    deployed = () if deploy is None else (DeployedImage(f"{deploy[0]}/prod.yaml:3", *deploy),)
    image = AffectedImage(
        f"ghcr.io/contoso/{name}:latest",
        f"contoso/{name}",
        ("libssl3t64 3.0.13-0ubuntu3.5",),
        FIX,
        BelowImage(below, "Microsoft", base),
        held,
        deployed=deployed,
    )
    return row_of(entry_of(image), {Station.BASE: TOOK})


def test_images_on_many_bases_are_one_group_where_the_same_people_can_move_them() -> None:
    rows = [row("a", OLD, OLD), row("b", OLD, OLD, below="aspnet:8.0"), row("c", OLD, OLD)]
    [group] = grouped(rows)
    assert (group.state, group.at, group.movers) == ("base not rebuilt", Station.BASE, ("Microsoft",))
    assert group.reasons == (
        ("Microsoft has not rebuilt aspnet:10.0", 2),
        ("Microsoft has not rebuilt aspnet:8.0", 1),
    )
    assert group.images == tuple(each.image for each in rows)


def test_images_that_wait_for_their_own_repositories_are_one_group() -> None:
    [group] = grouped([row(name, free(2), OLD) for name in "abcd"])
    assert (group.at, group.movers, group.reasons) == (Station.IMAGE, (ITS_REPOSITORY,), ())


def test_few_repositories_that_build_images_of_a_group_are_named() -> None:
    [group] = grouped([row("b", free(2), OLD), row("a", free(2), OLD)])
    assert group.movers == ("contoso/a", "contoso/b")


def test_whoever_has_few_images_shares_a_group_with_others_at_the_same_station() -> None:
    places = [f"contoso/deploy-{number}" for number in range(MOST_MOVERS + 3)]
    groups = grouped(row(place[-1], free(2), free(3), deploy=(place, False)) for place in places)
    assert [group.movers for group in groups] == [
        *((place,) for place in places[:MOST_MOVERS]),
        tuple(places[MOST_MOVERS:]),
    ]
    assert groups[0].reasons == (("not deployed: contoso/deploy-0/prod.yaml:3", 1),)


def test_groups_stand_in_the_order_of_the_stations_and_what_has_the_fix_is_the_last() -> None:
    rows = [row("a", free(2), free(3)), row("b", free(2), OLD), row("c", OLD, OLD), row("d", free(2), NOT_KNOWN)]
    assert [(group.state, group.at) for group in grouped(rows)] == [
        ("base not rebuilt", Station.BASE),
        ("image not rebuilt", Station.IMAGE),
        ("cannot be told", Station.IMAGE),
        ("fixed", None),
    ]


def test_why_it_cannot_be_told_is_kept_where_nobody_can_move_it() -> None:
    [group] = grouped([row("a", free(2), NOT_KNOWN)])
    assert group.movers == ()
    assert group.reasons == (("what the image holds is not known: it was not read yet", 1),)


def test_a_clock_of_a_group_spans_the_moments_of_its_images() -> None:
    [group] = grouped([row("a", free(2), OLD), row("b", free(30), OLD)])
    base, image = group.clocks[1], group.clocks[4]
    assert (base.passage, base.first, base.last) == (Passage.PASSED, NOON + 2 * HOUR, NOON + 30 * HOUR)
    assert base.elsewhere == TOOK
    assert (image.passage, image.first) == (Passage.WAITING, NOON + 2 * HOUR), "since the base has it"


def test_a_clock_that_concerns_some_images_of_a_group_is_told_as_theirs() -> None:
    [group] = grouped([row("a", OLD, OLD), row("b", OLD, OLD, deploy=("contoso/b", True))])
    assert group.clocks[5].passage is Passage.AHEAD
    assert group.clocks[2].passage is Passage.NOT_CONCERNED
