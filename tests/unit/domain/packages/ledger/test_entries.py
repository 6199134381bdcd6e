"""Where the fix of a CVE is stuck for an image, who can move it, and how long that took others."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.packages.ledger.clocks import (
    AffectedImage,
    BelowImage,
    DeployedImage,
    Held,
    Passage,
    PublishedFix,
    RunningBuilds,
    RunsOfImage,
    Station,
)
from bot.domain.packages.ledger.entries import (
    AlikeEntries,
    StationTime,
    elsewhere,
    entry_of,
    places_of,
    with_rebuilds,
)
from tests.builders import NOON

HOUR = timedelta(hours=1)
AFFECTED, UNREAD = Held(True), Held(None, reason="not read yet")
FIXED = PublishedFix("Ubuntu", ("3.0.13-0ubuntu3.6",), NOON)
ASPNET = BelowImage("aspnet:10.0-noble", "Microsoft", Held(False, NOON + 2 * HOUR))
WITHDRAWN = replace(ASPNET, content=AFFECTED, is_withdrawn=True)
MIRROR = BelowImage("acr.example/mcr/aspnet:10.0", "whoever fills acr.example/mcr", AFFECTED)
GOLDEN = BelowImage("contoso/golden:1", "contoso/golden", Held(False, NOON + 5 * HOUR))
MANIFEST = DeployedImage("contoso/deploy/prod.yaml:3", "contoso/deploy", has_fix=True)
DONE = AffectedImage(
    "contoso/shop:latest",
    "contoso/shop",
    ("libssl3t64 3.0.13-0ubuntu3.5",),
    FIXED,
    ASPNET,
    Held(False, NOON + 9 * HOUR),
    own_bases=(GOLDEN,),
    deployed=(MANIFEST,),
)
UNBUILT = replace(DONE, content=AFFECTED)
NO_FIX = replace(
    UNBUILT,
    fix=PublishedFix("Ubuntu"),
    base=replace(ASPNET, content=AFFECTED),
    own_bases=(replace(GOLDEN, content=AFFECTED),),
)


@pytest.mark.parametrize(
    ("image", "station", "who", "says"),
    [
        (NO_FIX, Station.FIX, "Ubuntu", "Ubuntu has no fix"),
        (
            replace(NO_FIX, fix=FIXED),
            Station.BASE,
            "Microsoft",
            "Microsoft has not rebuilt aspnet:10.0-noble",
        ),
        (
            replace(NO_FIX, fix=FIXED, base=WITHDRAWN),
            Station.BASE,
            "contoso/golden",
            "Microsoft has withdrawn aspnet:10.0-noble: contoso/golden has to build on another",
        ),
        (
            replace(NO_FIX, fix=FIXED, base=WITHDRAWN, own_bases=()),
            Station.BASE,
            "contoso/shop",
            "Microsoft has withdrawn aspnet:10.0-noble: contoso/shop has to build on another",
        ),
        (
            replace(UNBUILT, base=replace(ASPNET, is_withdrawn=True), own_bases=()),
            Station.IMAGE,
            "contoso/shop",
            "contoso/shop has not rebuilt its image",
        ),
        (
            replace(UNBUILT, mirror=MIRROR, own_bases=(replace(GOLDEN, content=AFFECTED),)),
            Station.MIRROR,
            "whoever fills acr.example/mcr",
            "acr.example/mcr/aspnet:10.0 does not show it yet",
        ),
        (
            replace(UNBUILT, own_bases=(replace(GOLDEN, content=AFFECTED),)),
            Station.OWN_BASE,
            "contoso/golden",
            "contoso/golden has not rebuilt contoso/golden:1",
        ),
        (UNBUILT, Station.IMAGE, "contoso/shop", "contoso/shop has not rebuilt its image"),
        (
            replace(DONE, deployed=(replace(MANIFEST, has_fix=False),)),
            Station.DEPLOYED,
            "contoso/deploy",
            "not deployed: contoso/deploy/prod.yaml:3",
        ),
    ],
)
def test_a_fix_waits_at_the_first_station_that_it_has_not_passed(
    image: AffectedImage, station: Station, who: str, says: str
) -> None:
    entry = entry_of(image)
    assert (entry.waits_at, entry.cannot_tell, entry.is_over) == (station, False, False)
    assert entry.clock is not None
    assert (entry.clock.who, entry.clock.says) == (who, says)
    order = list(Station)
    after = {entry.clocks[each].passage for each in order[order.index(station) + 1 :]}
    assert after <= {Passage.AHEAD, Passage.NOT_CONCERNED}


def test_a_fix_that_has_arrived_everywhere_is_over_with_the_time_of_each_station() -> None:
    entry = entry_of(DONE)
    assert entry.is_over
    assert entry.clock is None
    assert [(place, clock.at) for place, clock in entry.clocks.items() if clock.at] == [
        (Station.FIX, NOON),
        (Station.BASE, NOON + 2 * HOUR),
        (Station.OWN_BASE, NOON + 5 * HOUR),
        (Station.IMAGE, NOON + 9 * HOUR),
    ]
    assert entry.clocks[Station.MIRROR].says == "no mirror"


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (replace(UNBUILT, base=None, own_bases=()), "what the image stands on is not known"),
        (
            replace(UNBUILT, base=replace(ASPNET, content=UNREAD), own_bases=()),
            "what aspnet:10.0-noble holds is not known: not read yet",
        ),
        (
            replace(UNBUILT, own_bases=(replace(GOLDEN, content=UNREAD),)),
            "what contoso/golden:1 holds is not known: not read yet",
        ),
        (replace(DONE, content=UNREAD), "what the image holds is not known: not read yet"),
        (
            replace(DONE, deployed=(replace(MANIFEST, has_fix=None),)),
            "it cannot be told what is named at contoso/deploy/prod.yaml:3",
        ),
    ],
)
def test_what_is_not_known_cannot_be_told_and_says_why(image: AffectedImage, says: str) -> None:
    entry = entry_of(image)
    assert (entry.waits_at, entry.cannot_tell, entry.is_over) == (None, True, False)
    assert entry.clock is not None
    assert (entry.clock.passage, entry.clock.says) == (Passage.UNKNOWN, says)


def test_of_a_manifest_of_which_it_cannot_be_told_it_is_said_who_can_move_it() -> None:
    unclear = replace(DONE, deployed=(MANIFEST, replace(MANIFEST, has_fix=None)))
    clock = entry_of(unclear).clock
    assert clock is not None
    assert (clock.passage, clock.who) == (Passage.UNKNOWN, MANIFEST.repository)


def test_who_can_move_what_is_deployed_is_told_once_each_and_in_order() -> None:
    old = [replace(MANIFEST, repository=f"contoso/{name}", has_fix=False) for name in "cabdeacfgh"]
    clock = entry_of(replace(DONE, deployed=tuple(old))).clock
    assert clock is not None
    assert clock.who == ", ".join(f"contoso/{name}" for name in "abcdefgh")


def test_an_image_that_has_the_fix_proves_what_is_not_known_before_it() -> None:
    entry = entry_of(replace(DONE, base=None, own_bases=(replace(GOLDEN, content=UNREAD),)))
    assert entry.is_over
    assert {entry.clocks[each].passage for each in (Station.BASE, Station.OWN_BASE)} == {Passage.PASSED}


def test_a_base_that_has_no_fix_is_not_said_to_have_brought_it() -> None:
    """The image updates its packages itself, or the base went back."""
    entry = entry_of(replace(DONE, base=replace(ASPNET, content=AFFECTED), own_bases=()))
    clock = entry.clocks[Station.BASE]
    assert (entry.is_over, clock.passage) == (True, Passage.NOT_CONCERNED)
    assert clock.says == "Microsoft has not rebuilt aspnet:10.0-noble; what comes after is free of it"


def test_where_one_package_has_no_fix_and_others_have_one_it_is_said_which() -> None:
    half = replace(NO_FIX, fix=PublishedFix("Ubuntu", lacks_it=("ovmf",)))
    clock = entry_of(half).clock
    assert clock is not None
    assert (clock.says, clock.who) == ("Ubuntu has no fix of ovmf", "Ubuntu")


def test_a_publisher_without_a_fix_has_published_none_though_the_image_is_free() -> None:
    """It dropped the package."""
    clock = entry_of(replace(DONE, fix=PublishedFix("Ubuntu"))).clocks[Station.FIX]
    assert (clock.passage, clock.says) == (
        Passage.NOT_CONCERNED,
        "Ubuntu has no fix; what comes after is free of it",
    )


def test_a_fix_that_was_seen_after_a_base_had_it_was_out_at_a_time_that_nobody_saw() -> None:
    late = replace(FIXED, at=NOON + 4 * HOUR)
    entry = entry_of(replace(DONE, fix=replace(late, is_seen=True)))
    assert (entry.clocks[Station.FIX].passage, entry.clocks[Station.FIX].at) == (Passage.PASSED, None)
    assert Station.BASE not in elsewhere([entry])
    assert entry.clocks[Station.IMAGE].at == NOON + 9 * HOUR
    assert entry_of(replace(DONE, fix=late)).clocks[Station.FIX].at == late.at, "as it was published"


def test_a_fix_that_was_seen_no_later_than_in_a_base_is_told_to_be_out_since_then() -> None:
    for at in (NOON, NOON + 2 * HOUR):
        assert entry_of(replace(DONE, fix=replace(FIXED, at=at, is_seen=True))).clocks[Station.FIX].at == at


@pytest.mark.parametrize(("shown", "at"), [(1, None), (2, 2), (3, 2)])
def test_a_base_that_was_looked_at_after_its_copy_had_the_fix_at_a_time_that_nobody_saw(
    shown: int, at: int | None
) -> None:
    copy = replace(MIRROR, content=Held(False, NOON + shown * HOUR))
    clocks = entry_of(replace(DONE, mirror=copy)).clocks
    assert clocks[Station.BASE].passage is Passage.PASSED
    assert clocks[Station.BASE].at == (NOON + at * HOUR if at is not None else None)
    assert clocks[Station.MIRROR].at == NOON + shown * HOUR


def test_a_fix_of_which_no_time_is_known_is_out_all_the_same() -> None:
    clock = entry_of(replace(DONE, fix=replace(FIXED, at=None, is_seen=True))).clocks[Station.FIX]
    assert (clock.passage, clock.at) == (Passage.PASSED, None)


def test_what_no_base_brings_waits_for_the_images_own_build() -> None:
    own = replace(UNBUILT, base=replace(ASPNET, brings=False), own_bases=(replace(GOLDEN, brings=False),))
    entry = entry_of(own)
    assert entry.waits_at is Station.IMAGE
    assert entry.clocks[Station.BASE].says == "not from aspnet:10.0-noble"
    assert entry.clocks[Station.OWN_BASE].passage is Passage.NOT_CONCERNED


@pytest.mark.parametrize(("times", "at"), [((5, 6), 6), ((6, 5), 6), ((None, 5), 5), ((None, None), None)])
def test_own_bases_have_the_fix_once_the_last_of_them_was_seen_to(
    times: tuple[int | None, ...], at: int | None
) -> None:
    seen = tuple(
        replace(GOLDEN, content=Held(False, NOON + each * HOUR if each is not None else None)) for each in times
    )
    clock = entry_of(replace(DONE, own_bases=seen)).clocks[Station.OWN_BASE]
    assert (clock.passage, clock.at) == (Passage.PASSED, NOON + at * HOUR if at is not None else None)


def test_a_mirror_that_shows_the_fix_has_its_time() -> None:
    shown = replace(MIRROR, content=Held(False, NOON + 3 * HOUR))
    clock = entry_of(replace(DONE, mirror=shown)).clocks[Station.MIRROR]
    assert (clock.passage, clock.at) == (Passage.PASSED, NOON + 3 * HOUR)


def test_an_image_that_no_manifest_names_ends_with_its_build() -> None:
    entry = entry_of(replace(DONE, deployed=()))
    assert entry.is_over
    assert entry.clocks[Station.DEPLOYED].says == "no manifest names it"


BUILT = NOON + 9 * HOUR


@pytest.mark.parametrize(
    ("places", "at"),
    [
        ([(BUILT + HOUR, False)], BUILT + HOUR),
        ([(BUILT + HOUR, False), (BUILT + 3 * HOUR, False)], BUILT + 3 * HOUR),
        ([(BUILT - HOUR, False)], BUILT),
        ([(BUILT - HOUR, True)], BUILT),
        ([(BUILT, True)], BUILT),
        ([(BUILT, True), (BUILT + HOUR, False)], BUILT + HOUR),
        ([(BUILT + HOUR, True), (BUILT + 3 * HOUR, False)], BUILT + 3 * HOUR),
        ([(BUILT + HOUR, True), (BUILT + HOUR, False)], BUILT + HOUR),
        ([(BUILT + HOUR, True)], None),
        ([(BUILT + 3 * HOUR, True), (BUILT + HOUR, False)], None),
        ([(None, True), (BUILT + HOUR, False)], None),
    ],
)
def test_a_fix_is_deployed_since_the_last_place_has_it_as_far_as_that_was_seen(
    places: list[tuple[datetime | None, bool]], at: datetime | None
) -> None:
    deployed = tuple(replace(MANIFEST, since=since, is_older=is_older) for since, is_older in places)
    clock = entry_of(replace(DONE, deployed=deployed)).clocks[Station.DEPLOYED]
    assert (clock.passage, clock.at) == (Passage.PASSED, at)


def test_where_nobody_saw_when_the_image_had_the_fix_a_place_tells_since_when_it_has_it() -> None:
    unseen = replace(DONE, content=Held(False), deployed=(replace(MANIFEST, since=BUILT),))
    assert entry_of(unseen).clocks[Station.DEPLOYED].at == BUILT
    [older] = (replace(each, is_older=True) for each in unseen.deployed)
    assert entry_of(replace(unseen, deployed=(older,))).clocks[Station.DEPLOYED].at is None


def test_what_is_deployed_tells_how_long_that_took_elsewhere() -> None:
    deployed = (replace(MANIFEST, since=BUILT + 2 * HOUR),)
    assert elsewhere([entry_of(replace(DONE, deployed=deployed))])[Station.DEPLOYED] == StationTime(1, 2 * HOUR)


def test_a_station_took_others_as_long_as_from_the_one_before_in_the_middle() -> None:
    late = replace(DONE, content=Held(False, NOON + 25 * HOUR))
    took = elsewhere([entry_of(DONE), entry_of(late), entry_of(UNBUILT)])
    assert (took[Station.BASE].times, took[Station.BASE].median) == (3, 2 * HOUR)
    assert (took[Station.IMAGE].times, took[Station.IMAGE].median) == (2, 4 * HOUR)
    assert took[Station.OWN_BASE] == StationTime(3, 3 * HOUR), "from the base, as there is no mirror"
    assert Station.DEPLOYED not in took


def test_a_time_that_nobody_saw_is_no_length() -> None:
    unseen = replace(DONE, base=replace(ASPNET, content=Held(False)), own_bases=())
    assert elsewhere([entry_of(unseen)]) == {}


def test_entries_are_counted_by_where_they_are() -> None:
    images = (DONE, UNBUILT, UNBUILT, NO_FIX, replace(DONE, content=UNREAD))
    counted = places_of((entry_of(image), 1) for image in images)
    assert (counted.over, counted.cannot_tell, counted.open) == (1, 1, 4)
    assert {place: number for place, number in counted.waiting.items() if number} == {
        Station.FIX: 1,
        Station.IMAGE: 2,
    }


def test_rebuilds_tell_how_long_images_take_where_no_image_with_the_cve_does() -> None:
    rebuilds = StationTime(412, 3 * HOUR, of_rebuilds=True)
    assert with_rebuilds({}, rebuilds) == {Station.OWN_BASE: rebuilds, Station.IMAGE: rebuilds}
    seen = StationTime(2, HOUR)
    assert with_rebuilds({Station.IMAGE: seen}, rebuilds)[Station.IMAGE] == seen
    assert with_rebuilds({}, None) == {}


@pytest.mark.parametrize("first", [DONE, UNBUILT, NO_FIX, replace(NO_FIX, fix=FIXED, base=WITHDRAWN, own_bases=())])
def test_of_images_that_are_known_alike_each_has_the_entry_that_it_has_alone(first: AffectedImage) -> None:
    alike = AlikeEntries()
    others = [replace(first, image=f"contoso/{name}:latest", repository=f"contoso/{name}") for name in "abab"]
    assert [alike.of(each, "known") for each in (first, *others)] == [entry_of(each) for each in (first, *others)]


def test_clocks_that_do_not_name_who_builds_the_image_are_one_object() -> None:
    alike, other = AlikeEntries(), replace(NO_FIX, image="contoso/web:latest", repository="contoso/web")
    assert alike.of(NO_FIX, "known").clocks is alike.of(other, "known").clocks


RUN = RunningBuilds(("shop/web in europe",), has_fix=True, since=NOON + 20 * HOUR)
OLD_RUN = replace(RUN, places=("shop/api in asia",), has_fix=False)


def running(*builds: RunningBuilds, hole: str = "") -> AffectedImage:
    return replace(DONE, runs=RunsOfImage(builds, hole))


def test_a_fix_waits_until_no_older_build_runs() -> None:
    entry = entry_of(running(RUN, OLD_RUN))
    assert (entry.waits_at, entry.clock) == (Station.RUNNING, entry.clocks[Station.RUNNING])
    clock = entry.clocks[Station.RUNNING]
    assert (clock.says, clock.who) == ("older builds run at shop/api in asia", "contoso/shop")


def test_what_runs_has_it_since_the_last_place_does_as_far_as_that_was_seen() -> None:
    entry = entry_of(running(RUN, replace(RUN, since=NOON + 30 * HOUR)))
    assert entry.is_over
    assert entry.clocks[Station.RUNNING].at == NOON + 30 * HOUR
    assert entry_of(running(replace(RUN, is_older=True))).clocks[Station.RUNNING].at is None


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (running(RUN, replace(RUN, has_fix=None)), "it cannot be told what runs at shop/web in europe"),
        (running(RUN, hole="asia was never read"), "not all is known of what runs: asia was never read"),
        (running(hole="asia was never read"), "not all is known of what runs: asia was never read"),
    ],
    ids=["a build that nobody read", "a hole", "nothing but a hole"],
)
def test_where_it_is_not_known_what_runs_it_cannot_be_told(image: AffectedImage, says: str) -> None:
    entry = entry_of(image)
    assert (entry.cannot_tell, entry.clock and entry.clock.says) == (True, says)


@pytest.mark.parametrize("runs", [None, RunsOfImage()], ids=["no source", "nowhere"])
def test_what_runs_concerns_no_image_that_runs_nowhere(runs: RunsOfImage | None) -> None:
    entry = entry_of(replace(DONE, runs=runs))
    assert (entry.is_over, entry.clocks[Station.RUNNING].passage) == (True, Passage.NOT_CONCERNED)


def test_a_manifest_that_names_an_older_build_is_waited_for_though_what_runs_has_the_fix() -> None:
    entry = entry_of(replace(running(RUN), deployed=(replace(MANIFEST, has_fix=False),)))
    assert entry.waits_at is Station.DEPLOYED
