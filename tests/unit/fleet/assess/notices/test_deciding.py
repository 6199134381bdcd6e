from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import pytest

from bot.domain.bases.mirrors import Behind
from bot.domain.bases.notice import Notice, OpenNotice, Topic
from bot.domain.bases.observation import Observation
from bot.domain.clock import ManualClock
from bot.domain.failure import LeaseLost
from bot.domain.feeds.advisory import Advisory, Release
from bot.domain.reference import Base
from bot.fleet.assess.notices.deciding import AlertOptions, Cleared, NoticeDifference, Picture, compare_notices
from bot.fleet.assess.notices.published import Listed, Published
from bot.fleet.assess.notices.tick import FleetLook, NoticesTally, tick
from bot.upstream.dotnet.releases import ReleaseIndex
from tests.unit.fleet.assess.world import DAY, base, image, release, seen

HOUR, DAYS = timedelta(hours=1), timedelta(days=1)
NAME = "aspnet:8.0-alpine3.20"
LINUX = frozenset({"linux"})


def picture(
    *history: Observation,
    listed: str | None = "8.0-alpine3.22 8.0-noble",
    windows: str = "",
    is_first: bool = False,
    open_notices: Sequence[OpenNotice] = (),
    above: Sequence[Observation] = (),
) -> Picture:
    """One used base with its history; `listed` are the tags of `dotnet/aspnet` in the inventory."""
    tags = {("dotnet/aspnet", tag): Listed(f"sha256:{tag}", LINUX) for tag in (listed or "").split()}
    tags |= {("dotnet/aspnet", tag): Listed(None, frozenset({"windows"})) for tag in windows.split()}
    histories = {of[0].base: of for of in (history, above) if of}
    published = None if listed is None else Published(frozenset({"dotnet/aspnet"}), tags)
    return Picture({history[0].base: 7} if history else {}, histories, published, open_notices, is_first)


def at(now: datetime, shown: Picture, *releases: Release, options: AlertOptions | None = None) -> NoticeDifference:
    return compare_notices(shown, ReleaseIndex(releases), {}, now, options or AlertOptions())


def as_stored(difference: NoticeDifference, *, told: bool = True) -> list[OpenNotice]:
    notices = [item.notice for item in difference.opened]
    return [_stored(number, notice, told) for number, notice in enumerate(notices, 1)]


def _stored(number: int, notice: Notice, told: bool) -> OpenNotice:
    return OpenNotice(
        *(number, notice.topic, notice.base, notice.since, notice.until, notice.text, notice.toward, told),
        notice.since + notice.delay,
    )


def topics(difference: NoticeDifference) -> list[Topic]:
    return [item.notice.topic for item in difference.opened]


# Withdrawn


def test_a_withdrawn_base_leads_to_what_the_inventory_lists() -> None:
    (opened,) = at(DAY + DAYS, picture(seen("1", of=NAME), replace(seen(None, of=NAME), at=DAY + HOUR))).opened
    assert opened.tell
    assert opened.notice.toward[0] == base("aspnet:8.0-alpine3.22")
    assert opened.notice.since == DAY + HOUR


def test_a_linux_base_never_leads_to_windows() -> None:
    gone = picture(seen("1", of=NAME), seen(None, of=NAME), listed="8.0-noble", windows="8.0-nanoserver-1809")
    (opened,) = at(DAY, gone).opened
    assert [found.tag for found in opened.notice.toward] == ["8.0-noble"]


def test_a_base_that_was_gone_before_anybody_looked_is_told_without_a_time() -> None:
    (opened,) = at(DAY, picture(seen("1", of=NAME), is_first=True)).opened
    assert opened.tell
    assert opened.notice.text == (
        f"{NAME} is not in the published inventory and gets no more fixes; move to 8.0-alpine3.22"
    )


@pytest.mark.parametrize(("ends", "opens"), [(date(2026, 11, 10), False), (date(2025, 6, 1), True)])
def test_a_first_inventory_without_a_whole_channel_withdraws_nothing_of_it_while_it_is_supported(
    ends: date, opens: bool
) -> None:
    shown = picture(seen("1", of="aspnet:8.0-noble"), listed="9.0 10.0", is_first=True)
    found = at(DAY, shown, replace(release("8.0.16"), end_of_life=ends), options=AlertOptions(end_of_life=HOUR))
    assert (Topic.WITHDRAWN in topics(found)) is opens


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(picture(seen("1", of="runtime:8.0")), id="another repository"),
        pytest.param(picture(seen("1", of="aspnet:our-own")), id="a tag of somebody's own"),
        pytest.param(picture(seen("1", of=NAME), listed=None), id="no inventory"),
        pytest.param(
            picture(seen("1", replace(image("1"), created="2025-06-10T09:00:00Z"), of=NAME)), id="a new image"
        ),
        pytest.param(picture(seen("1", of=NAME), seen(None, of=NAME), listed=NAME.partition(":")[2]), id="listed"),
    ],
)
def test_absence_from_the_inventory_is_not_believed_everywhere(shown: Picture) -> None:
    assert at(DAY, shown).opened == ()


def test_without_an_inventory_what_was_observed_counts() -> None:
    gone = picture(seen("1", of=NAME), seen(None, of=NAME), listed=None)
    assert topics(at(DAY, gone)) == [Topic.WITHDRAWN]


def test_what_is_stored_is_not_opened_again_but_tells_how_long_it_lasts() -> None:
    gone = picture(seen("1", of=NAME), seen(None, of=NAME))
    stored = as_stored(at(DAY, gone))
    later = at(DAY + 3 * DAYS, replace(gone, open=stored))
    (refreshed,) = later.refreshed
    assert (later.opened, later.cleared) == ((), ())
    assert "withdrawn 3 days ago" in refreshed.notice.text
    assert not refreshed.tell
    assert not refreshed.reword


def test_another_tag_to_move_to_changes_the_message() -> None:
    gone = picture(seen("1", of=NAME), seen(None, of=NAME))
    newer = picture(*gone.histories[base(NAME)], listed="8.0-alpine3.23", open_notices=as_stored(at(DAY, gone)))
    (refreshed,) = at(DAY, newer).refreshed
    assert refreshed.reword


@pytest.mark.parametrize(
    ("later", "outcome"),
    [
        (picture(seen("1", of=NAME), listed="8.0-alpine3.20"), "it is published again after 2 days"),
        (picture(listed="8.0-alpine3.20"), "no repository uses it any more"),
    ],
)
def test_what_holds_no_longer_is_cleared_with_its_outcome(later: Picture, outcome: str) -> None:
    stored = as_stored(at(DAY, picture(seen("1", of=NAME), seen(None, of=NAME))))
    assert at(DAY + 2 * DAYS, replace(later, open=stored)).cleared == (Cleared(1, outcome),)


# Waiting for a base


FIX = release("8.0.17", "CVE-2025-0001", at=DAY)
WAITING = picture(seen("1", of="aspnet:8.0"), listed="8.0")


def test_a_fix_that_misses_is_shown_at_once_and_told_when_it_has_missed_too_long() -> None:
    early = at(DAY + HOUR, WAITING, FIX)
    (opened,) = early.opened
    assert (opened.notice.topic, opened.tell) == (Topic.WAITING_FOR_BASE, False)
    assert early.look_again_at == DAY + 24 * HOUR
    late = at(early.look_again_at, replace(WAITING, open=as_stored(early, told=False)), FIX)
    assert [item.tell for item in late.refreshed] == [True]


def test_a_fix_that_its_source_takes_back_clears_it_and_says_so() -> None:
    waiting = picture(
        seen("1", of="aspnet:8.0"), listed="8.0", open_notices=as_stored(at(DAY + HOUR, WAITING, FIX))
    )
    found = at(DAY + 2 * HOUR, waiting, replace(FIX, taken_back_at=DAY + 2 * HOUR))
    assert found.cleared == (Cleared(1, "no source tells of that fix any more"),)


def test_how_long_a_fix_may_miss_is_the_operators_choice() -> None:
    (opened,) = at(DAY + HOUR, WAITING, FIX, options=AlertOptions(waiting_for_base=HOUR)).opened
    assert opened.tell


def test_a_fix_that_arrives_clears_it() -> None:
    stored = as_stored(at(DAY + 30 * HOUR, WAITING, FIX))
    moved = picture(
        seen("1", of="aspnet:8.0"),
        seen("2", of="aspnet:8.0", version="8.0.17", at=DAY + 48 * HOUR),
        listed="8.0",
        open_notices=stored,
    )
    found = at(DAY + 49 * HOUR, moved, FIX)
    assert found.cleared == (Cleared(1, "the fix arrived after 2 days"),)


def test_an_older_fix_that_becomes_known_later_is_the_same_wait() -> None:
    stored = as_stored(at(DAY + HOUR, WAITING, FIX))
    earlier = release("8.0.18", "CVE-2025-0002", at=DAY - DAYS)
    found = at(DAY + HOUR, replace(WAITING, open=stored), FIX, earlier)
    assert (found.opened, found.cleared) == ((), ())
    assert [item.notice.since for item in found.refreshed] == [DAY - DAYS]


# End of life


@pytest.mark.parametrize(("days", "number"), [(91, 0), (89, 1), (-3, 1)])
def test_an_end_of_life_is_told_when_it_comes_within_the_time(days: int, number: int) -> None:
    ends: date = (DAY + days * DAYS).date()
    found = at(DAY, replace(WAITING, is_first=True), replace(release("8.0.16"), end_of_life=ends))
    assert [(item.notice.topic, item.tell) for item in found.opened] == [(Topic.END_OF_LIFE, True)] * number


# Events and lags


MOVED = (
    seen("1", image("1", os="bookworm-slim"), of="aspnet:8.0"),
    replace(seen("2", image("2", os="noble"), of="aspnet:8.0"), at=DAY + HOUR),
)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_tag_that_changed_underneath_is_told_unless_it_is_old_news(is_first: bool) -> None:
    (opened,) = at(DAY + 2 * HOUR, picture(*MOVED, listed="8.0", is_first=is_first)).opened
    assert (opened.notice.topic, opened.tell) == (Topic.MOVED_UNDERNEATH, not is_first)


def test_an_event_that_was_not_told_at_first_is_never_told() -> None:
    first = at(DAY + 2 * HOUR, picture(*MOVED, listed="8.0", is_first=True))
    later = picture(*MOVED, listed="8.0", open_notices=as_stored(first, told=False))
    assert at(DAY + DAYS, later).refreshed == ()


def test_an_event_fades_after_a_week() -> None:
    stored = as_stored(at(DAY + 2 * HOUR, picture(*MOVED, listed="8.0")))
    found = at(DAY + 9 * DAYS, picture(*MOVED, listed="8.0", open_notices=stored))
    assert [item.id for item in found.cleared] == [1]


def test_the_newest_release_lag_and_a_pending_sibling_are_shown_and_never_told() -> None:
    name = "aspnet:8.0-noble-chiseled"
    cut = (seen("1", of=name), replace(seen("2", of=name, version="8.0.17"), at=DAY + HOUR))
    full = [
        replace(seen(digit, image(digit, layers=layers), of="aspnet:8.0-noble"), at=DAY + hours * HOUR)
        for digit, layers, hours in (("5", "ab", 0), ("6", "cb", 2), ("7", "db", 3))
    ]
    shown = picture(*cut, listed="8.0-noble 8.0-noble-chiseled", above=full)
    found = at(DAY + 40 * DAYS, shown, release("8.0.17", at=DAY))
    assert [(item.notice.topic, item.notice.since, item.tell) for item in found.opened] == [
        (Topic.RELEASE_LAG, DAY, False),
        (Topic.SIBLING_LAG, DAY + 2 * HOUR, False),
    ]


def test_without_news_the_next_look_is_a_day_later() -> None:
    found = at(DAY, WAITING)
    assert (found.opened, found.look_again_at) == ((), DAY + DAYS)


# The tick


@dataclass
class MemoryStore:
    look: FleetLook | None
    taken_over: bool = False
    saved: list[NoticeDifference] = field(default_factory=list)

    async def claim_look(self) -> FleetLook | None:
        return self.look

    async def save_look(self, look: FleetLook, difference: NoticeDifference) -> None:
        if self.taken_over:
            raise LeaseLost("another worker looks")
        self.saved.append(difference)


@dataclass
class Feeds:
    asked: int = 0

    async def known_releases(self) -> Mapping[str, Release]:
        self.asked += 1
        return {FIX.version: FIX}

    async def known_advisories(self) -> Mapping[str, Advisory]:
        return {}


CLOCK = ManualClock(DAY + HOUR)


async def test_a_tick_keeps_what_it_found() -> None:
    store = MemoryStore(FleetLook(1, "mark", WAITING))
    assert await tick(store, Feeds(), CLOCK, AlertOptions()) == NoticesTally(opened=1)
    assert [topics(found) for found in store.saved] == [[Topic.WAITING_FOR_BASE]]


async def test_a_tick_without_a_look_asks_nobody() -> None:
    feeds = Feeds()
    assert await tick(MemoryStore(None), feeds, CLOCK, AlertOptions()) == NoticesTally()
    assert feeds.asked == 0


async def test_a_look_that_another_worker_took_over_is_left_to_it() -> None:
    store = MemoryStore(FleetLook(1, "mark", WAITING), taken_over=True)
    assert await tick(store, Feeds(), CLOCK, AlertOptions()) == NoticesTally()


def test_a_mirror_holds_the_same_tags() -> None:
    there = Base("registry.example", "dotnet/aspnet", "8.0-alpine3.20")
    gone = picture(replace(seen("1", of=NAME), base=there))
    (opened,) = at(DAY, gone).opened
    assert str(opened.notice.toward[0]) == "registry.example/dotnet/aspnet:8.0-alpine3.22"


COPY = Base("myacr.azurecr.io", "mcr/dotnet/aspnet", "8.0")
LATE = Picture({COPY: 7}, {}, None, (), False, [Behind(COPY, base("aspnet:8.0"), "sha256:1", DAY)])


def test_a_mirror_that_is_behind_is_told_once_that_lasts_longer_than_it_may() -> None:
    early = at(DAY + HOUR, LATE)
    assert [(each.notice.topic, each.tell) for each in early.opened] == [(Topic.MIRROR_BEHIND, False)]
    assert early.look_again_at == DAY + 24 * HOUR
    stored = replace(LATE, open=as_stored(early, told=False))
    [refreshed] = at(DAY + 24 * HOUR, stored).refreshed
    assert refreshed.tell
    told = "myacr.azurecr.io/mcr has not shown what mcr.microsoft.com/dotnet/aspnet:8.0 shows for 24 h"
    assert refreshed.notice.text == told


def test_a_mirror_that_shows_something_of_its_own_is_told_as_such() -> None:
    foreign = replace(LATE, behind=(replace(LATE.behind[0], foreign=f"sha256:{'f' * 64}"),))
    [opened] = at(DAY + 24 * HOUR, foreign).opened
    assert opened.notice.text.startswith(
        "myacr.azurecr.io/mcr shows sha256:ffffffffffff under aspnet:8.0, which mcr."
    )


def test_a_mirror_that_has_caught_up_ends_its_notice() -> None:
    stored = as_stored(at(DAY + HOUR, LATE))
    there = Observation(DAY + 2 * HOUR, COPY, "sha256:1")
    caught_up = replace(LATE, open=stored, behind=(), histories={COPY: [there]})
    assert [each.outcome for each in at(DAY + 2 * HOUR, caught_up).cleared] == [
        "the mirror came to show it after 2 h"
    ]


def test_what_is_so_of_a_copy_and_of_its_upstream_is_told_of_upstream_alone() -> None:
    origin = base("aspnet:8.0")
    histories = {COPY: [replace(seen("1"), base=COPY)], origin: [seen("1")]}
    shown = Picture({COPY: 7, origin: 8}, histories, None, (), False)
    ends = replace(release("8.0.16"), end_of_life=(DAY + 30 * DAYS).date())
    both, one = (at(DAY, picture, ends).opened for picture in (shown, replace(shown, copies=[COPY])))
    assert {each.notice.topic for each in both} == {Topic.END_OF_LIFE}
    assert (len(both), [each.notice.base for each in one]) == (2, [origin])


@pytest.mark.parametrize(
    ("topic", "outcome"),
    [
        (Topic.WITHDRAWN, "it is published again after 2 h"),
        (Topic.WAITING_FOR_BASE, "the fix arrived after 2 h"),
        (Topic.MIRROR_BEHIND, "the mirror came to show it after 2 h"),
        (Topic.ROLLBACK, "it came forward again after 2 h"),
        (Topic.END_OF_LIFE, "its end of life is no longer near"),
        (Topic.MOVED_UNDERNEATH, "it has moved on"),
        (Topic.RELEASE_LAG, "it has moved on"),
        (Topic.SIBLING_LAG, "it has moved on"),
    ],
)
def test_each_notice_ends_in_words_of_its_own(topic: Topic, outcome: str) -> None:
    stored = OpenNotice(3, topic, base("aspnet:8.0"), DAY, None, "", (), told=True)
    assert at(DAY + 2 * HOUR, replace(WAITING, open=[stored])).cleared == (Cleared(3, outcome),)


@pytest.mark.parametrize("topic", [topic for topic in Topic if topic is not Topic.WITHDRAWN])
def test_what_held_of_a_base_that_is_withdrawn_since_ends_with_that(topic: Topic) -> None:
    stored = OpenNotice(3, topic, base(NAME), DAY, None, "", (), told=True)
    withdrawn = picture(seen("1", of=NAME), seen(None, of=NAME), open_notices=[stored])
    assert at(DAY + 2 * HOUR, withdrawn).cleared == (Cleared(3, "it was withdrawn"),)


def test_what_is_told_by_now_asks_for_no_look_before_the_next_day() -> None:
    now = DAY + 24 * HOUR
    assert at(now, WAITING, FIX).look_again_at == now + DAYS
    assert at(now, LATE).look_again_at == now + DAYS


def test_the_first_of_what_is_to_be_told_asks_for_the_next_look() -> None:
    both = replace(
        WAITING, used={base("aspnet:8.0"): 7, COPY: 8}, behind=[replace(LATE.behind[0], since=DAY - HOUR)]
    )
    assert at(DAY + HOUR, both, FIX).look_again_at == DAY + 23 * HOUR
    assert at(DAY + HOUR, replace(both, behind=LATE.behind), FIX).look_again_at == DAY + 24 * HOUR
    options = AlertOptions(waiting_for_base=2 * HOUR, mirror_behind=3 * HOUR)
    assert at(DAY + HOUR, both, FIX, options=options).look_again_at == DAY + 2 * HOUR


def test_a_notice_in_the_same_words_is_not_written_again() -> None:
    early = at(DAY + HOUR, WAITING, FIX)
    assert at(DAY + HOUR, replace(WAITING, open=as_stored(early, told=False)), FIX).refreshed == ()


def test_what_has_been_told_is_not_told_again() -> None:
    late = at(DAY + 30 * HOUR, WAITING, FIX)
    [refreshed] = at(DAY + 31 * HOUR, replace(WAITING, open=as_stored(late)), FIX).refreshed
    assert (refreshed.tell, refreshed.reword) == (False, False)


@pytest.mark.parametrize(("days", "opens"), [(2, False), (3, True)])
def test_a_new_image_has_three_days_to_come_into_the_inventory(days: int, opens: bool) -> None:
    made = (DAY - days * DAYS).isoformat()
    shown = picture(seen("1", replace(image("1"), created=made), of=NAME))
    assert bool(at(DAY, shown).opened) is opens


@pytest.mark.parametrize("created", ["odd", "2025-06-10T09:00:00", ""])
def test_an_image_of_no_known_age_is_not_new(created: str) -> None:
    shown = picture(seen("1", replace(image("1"), created=created), of=NAME))
    assert topics(at(DAY, shown)) == [Topic.WITHDRAWN]


def test_an_event_fades_from_the_eighth_day_on() -> None:
    shown = picture(*MOVED, listed="8.0")
    assert topics(at(DAY + HOUR + 7 * DAYS, shown)) == [Topic.MOVED_UNDERNEATH]
    assert topics(at(DAY + 2 * HOUR + 7 * DAYS, shown)) == []


def test_a_tag_that_is_doubted_withdraws_nothing() -> None:
    gone = picture(seen("1", of=NAME))
    assert gone.published is not None
    doubted = replace(gone.published, doubted=frozenset({("dotnet/aspnet", "8.0-alpine3.20")}))
    assert at(DAY, replace(gone, published=doubted)).opened == ()


def test_a_base_that_goes_back_is_told_and_a_copy_of_it_is_not() -> None:
    name = "aspnet:8.0"
    back = (seen("1", of=name, version="8.0.17"), seen("2", of=name, version="8.0.16", at=DAY + HOUR))
    shown = picture(*back, listed="8.0")
    [opened] = at(DAY + 2 * HOUR, shown).opened
    assert (opened.notice.topic, opened.tell, opened.notice.since) == (Topic.ROLLBACK, True, DAY + HOUR)
    assert at(DAY + 2 * HOUR, replace(shown, copies=[base(name)])).opened == ()


def test_a_mirror_that_no_repository_uses_is_not_told() -> None:
    assert at(DAY + HOUR, replace(LATE, used={})).opened == ()


def test_what_is_no_wait_asks_for_no_look() -> None:
    now = DAY + 2 * HOUR
    assert at(now, picture(*MOVED, listed="8.0")).look_again_at == now + DAYS


def test_without_an_inventory_a_withdrawn_base_leads_to_the_live_ones_of_the_fleet() -> None:
    histories = {
        base(name): [seen("1", of=name), *([seen(None, of=name)] if is_gone else [])]
        for name, is_gone in ((NAME, True), ("aspnet:8.0-alpine3.21", True), ("aspnet:8.0-alpine3.22", False))
    }
    fleet = Picture({each: number for number, each in enumerate(histories)}, histories, None, (), False)
    toward = [opened.notice.toward for opened in at(DAY, fleet).opened]
    assert toward == [(base("aspnet:8.0-alpine3.22"),)] * 2


def test_what_is_to_be_told_by_now_is_told_in_the_words_that_it_had() -> None:
    foreign = replace(LATE, behind=[replace(LATE.behind[0], foreign=f"sha256:{'f' * 64}")])
    stored = as_stored(at(DAY + 23 * HOUR, foreign), told=False)
    [refreshed] = at(DAY + 24 * HOUR, replace(foreign, open=stored)).refreshed
    assert (refreshed.tell, refreshed.notice.text) == (True, stored[0].text)


@pytest.mark.parametrize(
    ("platform", "leads"),
    [("windows/amd64", "8.0-nanoserver-1809"), ("linux/amd64", "8.0-noble"), ("linux/arm/v7", "8.0-noble")],
)
def test_a_base_leads_to_tags_of_its_own_system(platform: str, leads: str) -> None:
    name = "aspnet:8.0-gone"
    gone = seen("1", image("1", platform=platform), of=name), seen(None, of=name)
    (opened,) = at(DAY, picture(*gone, listed="8.0-noble", windows="8.0-nanoserver-1809")).opened
    assert [found.tag for found in opened.notice.toward] == [leads]


def test_alerts_come_after_a_day_and_three_months_ahead_of_an_end() -> None:
    assert AlertOptions() == AlertOptions(24 * HOUR, 90 * DAYS, DAYS, 24 * HOUR)


def test_a_look_at_the_fleet_knows_of_no_mirrors_and_no_stale_inventory() -> None:
    assert Picture({}, {}, None, (), False) == Picture({}, {}, None, (), False, (), ())
    assert NoticeDifference((), (), (), DAY) == NoticeDifference((), (), (), DAY, None)
    assert Published(frozenset(), {}) == Published(frozenset(), {}, frozenset())
    stored = (1, Topic.ROLLBACK, seen("1").base, DAY, None, "", (), False)
    assert OpenNotice(*stored) == OpenNotice(*stored, None)


def test_a_tally_of_notices_counts_from_nothing() -> None:
    assert NoticesTally() == NoticesTally(0, 0)


def test_a_base_that_was_withdrawn_hides_nothing_of_the_next() -> None:
    gone, back = "aspnet:8.0-alpine3.20", "aspnet:8.0-noble"
    histories = {
        base(gone): [seen("1", of=gone), replace(seen(None, of=gone), at=DAY + HOUR)],
        base(back): [
            seen("2", version="8.0.17", of=back),
            replace(seen("3", version="8.0.16", of=back), at=DAY + HOUR),
        ],
    }
    used = {each: number for number, each in enumerate(histories, 1)}
    found = compare_notices(
        Picture(used, histories, None, (), is_first=False), ReleaseIndex([]), {}, DAY + 2 * HOUR, AlertOptions()
    )
    assert topics(found) == [Topic.WITHDRAWN, Topic.ROLLBACK]
