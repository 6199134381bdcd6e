"""What is left of a rebuild once a part of it was declined."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.forge.pull_requests import PullRequest
from bot.domain.reference import Base, Reference
from bot.domain.repositories.usage import Replacement
from bot.domain.rollouts.journal import HOLD, IGNORE
from bot.domain.rollouts.pinning import wanted_digests_of
from bot.domain.rollouts.rebuild import RebuildState, Target
from bot.fleet.act.ports import Job
from bot.fleet.act.pull_request.answers import Declined, less_declined, was_closed_by_us
from bot.fleet.act.pull_request.text.section import closed, marked_section
from tests.unit.fleet.act.world import ASPNET, BRANCH, NOON, World, change, digest, member, rebuild, reference

SDK = Base(ASPNET.registry, "dotnet/sdk", "10.0")
BOTH = (Target(ASPNET, digest("a"), digest("b"), (1,)), Target(SDK, digest("d"), digest("e"), (2,)))


@pytest.mark.parametrize(("closed", "left", "pin"), [("b", SDK, "10.0.104"), ("e", ASPNET, None)])
def test_what_global_json_asks_for_moves_with_the_sdk_image_or_not_at_all(
    closed: str, left: Base, pin: str | None
) -> None:
    asked = Reference(SDK.name, "10.0.103")
    planned = rebuild(
        targets=(Target(ASPNET, digest("a"), digest("b"), (1,)), Target(SDK, digest("d"), digest("e"), (2,))),
        replacements=(
            Replacement(asked, asked.with_tag("10.0.104", None)),
            Replacement(reference("a"), reference("b")),
        ),
    )
    job = Job(planned, member(), "main", (change(),), ("Dockerfile", "global.json"))
    text = f"<!-- freshness-bot rebuild {digest(closed)} -->"
    request = PullRequest(1, "", "branch", "sha", "", text, False, False)
    rest = less_declined([request], job).rest
    assert rest is not None
    orders = wanted_digests_of(rest.rebuild, rest.changes)
    assert ([order.base for order in orders.of_bases], orders.sdk) == ([left], pin)


def asked(*letters: str, number: int = 1, is_open: bool = False, is_merged: bool = False) -> PullRequest:
    body = marked_section("text", [digest(letter) for letter in letters], "title")
    return PullRequest(number, "", "branch", "sha", "", body, is_open, is_merged)


def job_of(*targets: Target) -> Job:
    return Job(rebuild(targets=targets), member(), "main", (change(),), ("Dockerfile",))


@pytest.mark.parametrize(
    "found",
    [
        pytest.param([], id="nothing was asked before"),
        pytest.param([asked("b", is_open=True)], id="it is open"),
        pytest.param([asked("b", is_merged=True)], id="it was merged"),
        pytest.param([asked("c")], id="another digest was closed"),
    ],
)
def test_where_nothing_was_declined_the_job_stays_as_it_is(found: list[PullRequest]) -> None:
    other = Reference("registry.contoso.com/other", "1")
    job = job_of(*BOTH[:1])
    job = replace(job, rebuild=replace(job.rebuild, replacements=(Replacement(other, other.with_tag("2", None)),)))
    assert less_declined(found, job) == Declined(job)


def test_what_was_closed_as_a_whole_leaves_nothing_and_names_the_latest_pull_request() -> None:
    found = [asked("b", "e", number=7), asked("b", number=4)]
    told = "pull request #7 for these digests was closed by a maintainer"
    assert less_declined(found, job_of(*BOTH)) == Declined(None, (told,), found[0])


def test_what_was_closed_in_parts_leaves_the_rest_with_its_changes_alone() -> None:
    rest = less_declined([asked("e", number=4)], job_of(*BOTH))
    assert rest.remarks == ("sdk:10.0 is left alone, since #4 was closed",)
    assert rest.rest is not None
    assert (rest.rest.rebuild.targets, rest.rest.changes) == (BOTH[:1], (change(),))
    assert rest.rest.rebuild.replacements == rebuild().replacements
    other = less_declined([asked("b", number=4)], job_of(*BOTH)).rest
    assert other is not None
    assert (other.rebuild.targets, other.changes) == (BOTH[1:], ())
    assert other.rebuild.replacements == ()


@pytest.mark.parametrize(("closed_one", "pin"), [("b", "10.0.104"), ("e", None)])
def test_what_global_json_asks_for_moves_with_an_sdk_image_of_any_system(closed_one: str, pin: str | None) -> None:
    sdk = Base(SDK.registry, SDK.repository, "10.0-noble")
    planned = rebuild(
        targets=(BOTH[0], Target(sdk, digest("d"), digest("e"), (2,))),
        replacements=(Replacement(Reference(SDK.name, "10.0.103"), Reference(SDK.name, "10.0.104")),),
    )
    rest = less_declined([asked(closed_one)], Job(planned, member(), "main", (change(),), ())).rest
    assert rest is not None
    assert wanted_digests_of(rest.rebuild, rest.changes).sdk == pin


@pytest.mark.parametrize(
    ("values", "ours"),
    [({}, True), ({"number": 2}, False), ({"is_merged": True}, False), ({"body": "by hand"}, False)],
)
def test_the_bot_knows_its_own_pull_request_that_it_has_closed(values: dict[str, object], ours: bool) -> None:
    request = asked("b")
    request = replace(request, body=closed(request.body, "it is done"))
    assert was_closed_by_us([replace(request, **values)], rebuild(pull_request=1)) is ours  # type: ignore[arg-type]


async def opened(world: World) -> None:
    world.add(rebuild())
    await world.tick()


async def test_one_that_is_held_is_not_closed_though_somebody_forestalled_it(world: World) -> None:
    await opened(world)
    world.shop.edit(1, labels=(HOLD,))
    world.shop.commit_to("main", {"Dockerfile": world.shop.content(BRANCH).encode()})
    world.store.outdate(1)
    await world.tick()
    assert world.shop.requests[1].is_open
    assert world.store[1].state is RebuildState.OPEN
    world.shop.edit(1, labels=())
    await world.later()
    assert (world.shop.requests[1].is_open, world.store[1].state) == (False, RebuildState.SUCCEEDED)


async def test_a_held_one_that_ends_is_followed_to_its_end(world: World) -> None:
    await opened(world)
    world.shop.edit(1, labels=(HOLD,))
    world.store.outdate(1)
    await world.tick()
    world.shop.merge(1)
    await world.later()
    assert world.store[1].text_version == world.store[1].facts_version


async def test_one_to_ignore_keeps_its_digests_so_that_closing_it_counts_as_a_no(world: World) -> None:
    await opened(world)
    world.shop.edit(1, labels=(IGNORE,))
    world.store.outdate(1)
    await world.tick()
    assert digest("b") in world.shop.requests[1].body
    assert world.shop.requests[1].body.endswith(
        "**Closed by the bot:** pull request #1 is labelled freshness:ignore.\n<!-- freshness-bot end -->"
    )
    world.shop.edit(1, labels=())
    world.add(rebuild(id=2))
    await world.tick()
    assert world.store[2].reason == "pull request #1 for these digests was closed by a maintainer"


@pytest.mark.parametrize("label", [HOLD, IGNORE])
async def test_a_merged_one_says_nothing_about_the_next(world: World, label: str) -> None:
    await opened(world)
    world.shop.edit(1, labels=(label,))
    world.shop.merge(1)
    world.add(rebuild(id=2, to="c"), None, change("c"))
    await world.tick()
    assert world.store[2].state is RebuildState.OPEN


@pytest.mark.parametrize(
    ("state", "ended"), [(RebuildState.OPEN, RebuildState.CANCELLED), (RebuildState.PLANNED, RebuildState.SKIPPED)]
)
async def test_what_a_person_wants_ignored_ends_as_what_was_cancelled_or_never_begun(
    world: World, state: RebuildState, ended: RebuildState
) -> None:
    await opened(world)
    world.shop.edit(1, labels=(IGNORE,))
    if state is RebuildState.OPEN:
        world.store.outdate(1)
    else:
        world.store.alter(1, rebuild=rebuild())
    await world.tick()
    assert (world.store[1].state, world.shop.requests[1].is_open) == (ended, False)
    assert world.store[1].reason == "pull request #1 is labelled freshness:ignore"


async def test_what_is_to_begin_with_one_that_is_held_waits_and_says_so(world: World) -> None:
    await opened(world)
    world.shop.edit(1, labels=(HOLD,))
    world.store.alter(1, rebuild=rebuild())
    await world.tick()
    assert (world.store[1].state, world.store[1].reason) == (
        RebuildState.WAITING,
        "pull request #1 is labelled freshness:hold",
    )


async def test_a_closed_one_that_is_to_be_held_says_nothing_and_one_to_be_ignored_does(world: World) -> None:
    await opened(world)
    world.shop.close(1)
    world.shop.edit(1, labels=(HOLD,))
    world.add(rebuild(id=2, to="c"), None, change("c"))
    await world.tick()
    assert (world.store[2].state, world.store[2].pull_request) == (RebuildState.OPEN, 2)
    world.shop.close(2)
    world.shop.edit(1, labels=(IGNORE,))
    world.add(rebuild(id=3, to="d"), None, change("d"))
    await world.tick()
    assert world.store[3].reason == "pull request #1 is labelled freshness:ignore"


@pytest.mark.parametrize("label", [HOLD, IGNORE])
async def test_what_a_person_says_of_one_that_is_not_open_any_more_writes_nothing(world: World, label: str) -> None:
    await opened(world)
    world.shop.close(1)
    world.shop.edit(1, labels=(label,))
    world.store.outdate(1)
    world.forge.calls.clear()
    await world.tick()
    assert world.forge.calls == []
    assert world.store[1].state is (RebuildState.OPEN if label is HOLD else RebuildState.CANCELLED)


async def test_one_that_is_held_is_looked_at_the_less_often_the_older_it_is(world: World) -> None:
    await opened(world)
    world.shop.edit(1, labels=(HOLD,))
    for age, rest in ((timedelta(0), world.options.follow_every), (timedelta(days=3), timedelta(hours=1))):
        world.clock.move_to(NOON + age)
        world.store.outdate(1)
        await world.tick()
        assert world.store[1].due_at == world.clock.now() + rest
