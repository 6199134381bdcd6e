"""Another bot's pull request for the same digest is followed, and no second one is opened beside it."""

from dataclasses import replace

import pytest

from bot.domain.forge.pull_requests import OtherRequest, PullRequest
from bot.domain.rollouts.rebuild import RebuildState
from tests.unit.fleet.act.world import BRANCH, NO_ANSWER, NOON, World, change, rebuild, reference

THEIRS = "dependabot/docker/dotnet/aspnet-10.0"


def opened_by_them(world: World, letter: str, branch: str = THEIRS) -> int:
    head = world.shop.commit_to(branch, {"Dockerfile": f"FROM {reference(letter)}\n".encode()})
    number = len(world.shop.requests) + 1
    world.shop.requests[number] = PullRequest(
        number,
        f"https://forge/{number}",
        branch,
        head,
        "Bump",
        "",
        is_open=True,
        is_merged=False,
        node_id="PR_theirs",
    )
    return number


async def test_the_same_digest_is_followed_and_nothing_is_written(world: World) -> None:
    number = opened_by_them(world, "b")
    world.add(rebuild())
    await world.tick()
    assert world.forge.calls == []
    found = world.store[1]
    assert (found.state, found.pull_request, found.node_id) == (RebuildState.OPEN, number, "PR_theirs")
    assert found.reason == (
        f"Dependabot's pull request #{number} brings the same; it is followed instead of a second one"
    )


async def test_one_into_another_branch_brings_the_default_one_nothing(world: World) -> None:
    number = opened_by_them(world, "b")
    world.shop.edit(number, base="release")
    world.add(rebuild())
    await world.tick()
    assert (world.store[1].state, world.store[1].pull_request) == (RebuildState.OPEN, number + 1)


async def test_what_is_theirs_is_not_written_to_when_more_is_known(world: World) -> None:
    opened_by_them(world, "b")
    world.add(rebuild())
    await world.tick()
    world.store.outdate(1)
    await world.tick()
    assert world.forge.calls == []
    assert world.store[1].text_version == world.store[1].facts_version


async def test_it_goes_on_with_theirs_where_they_bring_the_next_digest_too(world: World) -> None:
    number = opened_by_them(world, "b")
    world.add(rebuild())
    await world.tick()
    opened_by_them(world, "c")
    del world.shop.requests[number + 1]
    world.add(rebuild(id=2, to="c", pull_request=number), None, change("c"))
    await world.tick()
    assert (world.store[2].state, world.store[2].pull_request) == (RebuildState.OPEN, number)
    assert world.forge.calls == []


async def test_another_digest_is_brought_by_its_own(world: World) -> None:
    number = opened_by_them(world, "d")
    world.add(rebuild())
    await world.tick()
    assert world.store[1].pull_request == number + 1


async def test_a_persons_pull_request_is_no_other_bots(world: World) -> None:
    opened_by_them(world, "b", "fix/base")
    world.add(rebuild())
    await world.tick()
    assert world.store[1].pull_request == 2


async def test_files_are_only_asked_for_where_another_bot_has_something_open(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    assert "tips" not in [call for call, _ in world.forge.asked]


@pytest.mark.parametrize(
    ("author", "branch", "bot"),
    [
        ("renovate[bot]", "deps/x", "Renovate"),
        ("renovate", "x", "Renovate"),
        ("someone", "renovate/x", "Renovate"),
        ("dependabot[bot]", "x", "Dependabot"),
        ("someone", "dependabot/docker/x", "Dependabot"),
        ("octocat", "fix/x", None),
        ("", "renovated/x", None),
    ],
)
def test_bots_are_known_by_account_or_branch(author: str, branch: str, bot: str | None) -> None:
    assert replace(OtherRequest(1, "", "", branch, "", ""), author=author).bot == bot


async def test_theirs_is_looked_at_as_any_and_told_with_its_address(world: World) -> None:
    number = opened_by_them(world, "b")
    world.add(rebuild(facts_version=3))
    await world.tick()
    found = world.store[1]
    assert (found.url, found.text_version) == (f"https://forge/{number}", 3)
    assert found.due_at == NOON + world.options.follow_every


async def test_one_whose_commit_is_not_shown_does_not_hide_the_next(world: World) -> None:
    gone = opened_by_them(world, "b", "renovate/gone")
    del world.shop.branches["renovate/gone"]
    world.shop.edit(gone, head="0" * 40)
    number = opened_by_them(world, "b")
    world.add(rebuild())
    await world.tick()
    assert world.store[1].pull_request == number


async def test_one_that_leaves_a_file_behind_is_not_followed(world: World) -> None:
    world.shop.commit_to("main", {"web/Dockerfile": f"FROM {reference('a')}\n".encode()})
    number = opened_by_them(world, "b")
    world.add(rebuild(), paths=("Dockerfile", "web/Dockerfile"))
    await world.tick()
    assert world.store[1].pull_request == number + 1


async def test_what_the_bot_has_closed_and_another_brings_by_now_is_followed_there(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.shop.commit_to("main", {"Dockerfile": f"FROM {reference('b')}\n".encode()})
    world.store.outdate(1)
    world.forge.after["close_pull_request"] = NO_ANSWER
    await world.tick()
    assert (world.store[1].state, world.shop.requests[1].is_open) == (RebuildState.OPEN, False)
    world.shop.commit_to("main", {"Dockerfile": f"FROM {reference('a')}\n".encode()})
    del world.shop.branches[BRANCH]
    number = opened_by_them(world, "b")
    world.forge.calls.clear()
    await world.later()
    assert (world.store[1].state, world.store[1].pull_request) == (RebuildState.OPEN, number)
    assert world.forge.calls == []


async def test_one_beside_which_a_file_is_left_to_people_is_not_followed(world: World) -> None:
    """Its pull request would not tell them."""
    world.shop.commit_to("main", {"web/Dockerfile": b"FROM $BASE\n"})
    number = opened_by_them(world, "b")
    world.add(rebuild(), paths=("Dockerfile", "web/Dockerfile"))
    await world.tick()
    assert world.store[1].pull_request == number + 1


async def test_what_has_a_pull_request_of_its_own_goes_on_with_it_though_another_bot_brings_the_same(
    world: World,
) -> None:
    world.add(rebuild())
    await world.tick()
    opened_by_them(world, "c")
    world.add(rebuild(id=2, to="c", pull_request=1), None, change("c"))
    await world.tick()
    assert (world.store[2].pull_request, world.shop.content(BRANCH)) == (1, f"FROM {reference('c')}\n")


async def test_one_that_takes_the_base_away_brings_no_new_digest_of_it(world: World) -> None:
    number = opened_by_them(world, "b")
    head = world.shop.commit_to(THEIRS, {"Dockerfile": b"FROM nginx\n"})
    world.shop.edit(number, head=head)
    world.add(rebuild())
    await world.tick()
    assert world.store[1].pull_request == number + 1
