"""How often a run is asked for, when the run of an earlier request is looked for, and what is stored on the way."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.builder.runs import Run
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.rollouts.rebuild import Action, Rebuild
from bot.fleet.act.dispatch.asking import dispatch_once, find, next_look, times_asked, waiting_words
from bot.fleet.act.own_word import WordHeld
from tests.unit.fleet.act.world import NOON, World, rebuild

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = NOON + timedelta(minutes=10)


def asked(dispatches: int = 1, **values: Any) -> Rebuild:
    return rebuild(Action.DISPATCH, attempted_at=NOON, dispatches=dispatches, **values)


def test_what_was_attempted_was_asked_for_once_at_least() -> None:
    assert times_asked(rebuild(Action.DISPATCH)) == 0
    assert [times_asked(asked(dispatches)) for dispatches in (0, 1, 2)] == [1, 1, 2]


@pytest.mark.parametrize(
    ("after", "looked_at"),
    [
        (timedelta(0), timedelta(seconds=20)),
        (timedelta(minutes=5), timedelta(minutes=10)),
        (timedelta(minutes=40), HOUR),
        (HOUR - timedelta(seconds=1), HOUR),
        (HOUR, None),
    ],
)
def test_a_first_request_is_looked_for_until_its_run_would_show(
    after: timedelta, looked_at: timedelta | None
) -> None:
    expected = None if looked_at is None else NOON + looked_at
    assert next_look(asked(), NOON + after, HOUR) == expected


@pytest.mark.parametrize(
    ("dispatches", "sent"), [(2, HOUR), (3, HOUR + DAY), (4, HOUR + 2 * DAY)], ids=["second", "third", "fourth"]
)
def test_a_later_request_is_looked_for_for_a_day(dispatches: int, sent: timedelta) -> None:
    wanted, at = asked(dispatches), NOON + sent
    assert next_look(wanted, at + timedelta(minutes=1), HOUR) == at + timedelta(minutes=2)
    assert next_look(wanted, at + DAY - timedelta(seconds=1), HOUR) == at + DAY
    assert next_look(wanted, at + DAY, HOUR) is None


def test_where_runs_show_after_more_than_a_day_a_later_request_is_looked_for_as_long() -> None:
    shown_after = timedelta(days=2)
    at = NOON + shown_after
    assert next_look(asked(2), at + shown_after - timedelta(seconds=1), shown_after) == at + shown_after
    assert next_look(asked(2), at + shown_after, shown_after) is None


def test_what_was_never_asked_for_is_not_looked_for() -> None:
    assert next_look(rebuild(Action.DISPATCH), NOON, HOUR) is None


def test_after_the_first_request_another_is_not_promised() -> None:
    assert waiting_words(asked()) == "an earlier dispatch may still appear"


class Kept:
    """What was stored, and what is sent with it."""

    def __init__(self, answer: int | Failure, *, is_held_back: bool = False) -> None:
        self.held = WordHeld(None, ManualClock(NOON))  # type: ignore[arg-type]
        self.saved: list[Rebuild] = []
        self.sent: list[Rebuild] = []
        self._answer = answer
        self._is_held_back = is_held_back

    async def save(self, each: Rebuild) -> None:
        self.saved.append(each)

    async def send(self, each: Rebuild) -> int | None:
        intent: Callable[[], Awaitable[None]] | None = self.held.intent
        assert intent is not None
        if not self._is_held_back:
            await intent()
        self.sent.append(each)
        if isinstance(self._answer, Failure):
            raise self._answer
        return self._answer

    async def once(self, wanted: Rebuild) -> tuple[Rebuild, int | None]:
        return await dispatch_once(wanted, self.send, self.save, self.held, LATER)


async def test_what_is_sent_is_what_was_stored_with_a_word_by_which_its_run_is_known() -> None:
    kept = Kept(100)
    intended, number = await kept.once(rebuild(Action.DISPATCH))
    assert (kept.saved, kept.sent, number) == ([intended], [intended], 100)
    assert (intended.attempted_at, intended.dispatches) == (LATER, 1)
    word = intended.correlation or ""
    assert (word[:10], len(word), kept.held.intent) == ("freshness-", 26, None)


async def test_a_second_request_bears_the_word_and_the_moment_of_the_first() -> None:
    intended, _ = await Kept(100).once(asked(correlation="freshness-abc"))
    assert (intended.correlation, intended.attempted_at, intended.dispatches) == ("freshness-abc", NOON, 2)


REFUSED = [
    Failure(trouble, "no") for trouble in (Trouble.DENIED, Trouble.MISSING, Trouble.CONFLICT, Trouble.THROTTLED)
]


@pytest.mark.parametrize("failure", [*REFUSED, Failure(Trouble.UNREACHABLE, "HTTP 503", status=503)], ids=str)
async def test_where_nothing_can_have_started_the_intent_is_taken_back(failure: Failure) -> None:
    wanted, kept = rebuild(Action.DISPATCH), Kept(failure)
    with pytest.raises(Failure):
        await kept.once(wanted)
    assert kept.saved == [*kept.sent, wanted]
    assert kept.held.intent is None


@pytest.mark.parametrize(
    "failure",
    [Failure(Trouble.UNREACHABLE, "HTTP 502", status=502), Failure(Trouble.MALFORMED, "no JSON")],
    ids=str,
)
async def test_where_a_run_may_have_started_the_intent_stays(failure: Failure) -> None:
    kept = Kept(failure)
    with pytest.raises(Failure):
        await kept.once(rebuild(Action.DISPATCH))
    assert kept.saved == kept.sent


async def test_what_was_kept_from_being_sent_stores_nothing() -> None:
    kept = Kept(Failure(Trouble.DENIED, "no"), is_held_back=True)
    with pytest.raises(Failure):
        await kept.once(rebuild(Action.DISPATCH))
    assert kept.saved == []


@pytest.mark.parametrize(("sooner", "found"), [(5, 7), (6, None)])
async def test_a_run_may_bear_a_time_a_little_before_its_request(
    world: World, sooner: int, found: int | None
) -> None:
    created = NOON - timedelta(seconds=sooner)
    run = Run(7, "", "queued", None, created, "rebuild", branch="main", event="workflow_dispatch")
    world.shop.show("weekly-rebuild.yml", run)
    seen = await find(world.forge, world.shop.identity, asked(), "main", ())
    assert (seen.id if seen is not None else None) == found
    assert await find(world.forge, world.shop.identity, asked(), "main", {7}) is None
    other = replace(asked(), workflow="other.yml")
    assert await find(world.forge, world.shop.identity, other, "main", ()) is None


@pytest.mark.parametrize(("sooner", "found"), [(timedelta(days=7), 7), (timedelta(days=7, seconds=1), None)])
async def test_a_run_that_was_asked_for_by_a_clock_that_was_ahead_is_known_by_its_word(
    world: World, sooner: timedelta, found: int | None
) -> None:
    """Its request counts as made when that clock was found to be right again."""
    created = NOON - sooner
    run = Run(7, "", "queued", None, created, "freshness-abc", branch="main", event="workflow_dispatch")
    world.shop.show("weekly-rebuild.yml", run)
    seen = await find(world.forge, world.shop.identity, asked(correlation="freshness-abc"), "main", ())
    assert (seen.id if seen is not None else None) == found
