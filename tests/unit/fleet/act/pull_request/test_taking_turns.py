"""Two that write to one branch: nobody's work is written over."""

from datetime import timedelta

from bot.domain.forge.refusals import FilesDenied
from bot.domain.rollouts.rebuild import RebuildState
from tests.unit.fleet.act.world import BRANCH, NOON, World, change, digest, rebuild, reference


async def opened(world: World) -> None:
    world.add(rebuild())
    await world.tick()


async def test_a_superseded_rebuild_in_flight_never_overwrites_its_successor(world: World) -> None:
    """Its commit is made when another worker plans, takes its lease and brings a newer digest."""
    await opened(world)
    world.add(rebuild(id=2, to="c", pull_request=1), None, change("c"))

    def superseded() -> None:
        world.store.jobs.steal(2)
        world.shop.commit_to(BRANCH, {"Dockerfile": f"FROM {reference('d')}\n".encode()})
        world.shop.edit(1, body="for d")

    world.forge.meanwhile["prepare"] = superseded
    await world.tick()
    assert world.shop.content(BRANCH) == f"FROM {reference('d')}\n"
    assert world.shop.requests[1].body == "for d"
    assert world.forge.calls[-1] == "prepare"


async def test_a_person_who_pushes_at_that_moment_is_not_written_over(world: World) -> None:
    await opened(world)
    world.add(rebuild(id=2, to="c", pull_request=1), None, change("c"))
    world.forge.meanwhile["carry_out"] = lambda: world.shop.commit_to(BRANCH, {"fix.md": b"by hand"})
    await world.tick()
    assert world.store[2].state is RebuildState.WAITING
    assert world.shop.content(BRANCH, "fix.md") == "by hand"
    await world.later()
    assert world.store[2].state is RebuildState.OPEN
    assert world.shop.content(BRANCH) == f"FROM {reference('c')}\n"
    assert world.shop.content(BRANCH, "fix.md") == "by hand"


async def test_a_branch_that_a_person_makes_at_that_moment_is_built_upon(world: World) -> None:
    world.add(rebuild())
    world.forge.meanwhile["carry_out"] = lambda: world.shop.commit_to(BRANCH, {"fix.md": b"by hand"})
    await world.tick()
    await world.later()
    assert world.shop.content(BRANCH) == f"FROM {reference('b')}\n"
    assert world.shop.content(BRANCH, "fix.md") == "by hand"


async def test_no_write_follows_once_the_lease_is_lost(world: World) -> None:
    world.add(rebuild())
    world.forge.meanwhile["carry_out"] = lambda: world.store.jobs.steal(1)
    await world.tick()
    assert world.forge.calls == ["carry_out"]


async def test_a_commit_amended_under_another_author_is_kept(world: World) -> None:
    """`git commit --amend --reset-author` keeps the bot's message and trailers."""
    await opened(world)
    world.shop.amend(BRANCH, {"fix.md": b"by hand"}, reset_author=True)
    world.add(rebuild(id=2, to="c", pull_request=1), None, change("c"))
    await world.tick()
    assert world.shop.content(BRANCH, "fix.md") == "by hand"
    assert world.shop.content(BRANCH) == f"FROM {reference('c')}\n"


# Text


async def know_more(world: World) -> None:
    """A CVE becomes known."""
    world.store.outdate(1)
    world.store.alter(1, changes=(change(cves=("CVE-2026-1",)),))
    await world.later()


async def test_new_wording_moves_no_branch(world: World) -> None:
    await opened(world)
    head = world.shop.branches[BRANCH]
    world.shop.commit_to("main", {"README.md": b"new\n"})
    await know_more(world)
    assert world.shop.branches[BRANCH] == head
    assert "CVE-2026-1" in world.shop.requests[1].body


async def test_what_people_wrote_around_the_bots_section_stays(world: World) -> None:
    await opened(world)
    known = world.shop.requests[1]
    world.shop.edit(1, body=f"Please wait for #7.\n\n{known.body}\n\n- [x] tried in staging")
    await know_more(world)
    body = world.shop.requests[1].body
    assert body.startswith("Please wait for #7.\n\n<!-- freshness-bot rebuild ")
    assert body.endswith("<!-- freshness-bot end -->\n\n- [x] tried in staging")
    assert "CVE-2026-1" in body
    assert body.count("freshness-bot rebuild") == 1


async def test_a_title_that_a_person_changed_stays(world: World) -> None:
    await opened(world)
    world.shop.edit(1, title="chore: base image")
    await know_more(world)
    assert world.shop.requests[1].title == "chore: base image"
    assert "CVE-2026-1" in world.shop.requests[1].body


async def test_a_title_that_nobody_changed_follows_what_is_known(world: World) -> None:
    await opened(world)
    await know_more(world)
    assert world.shop.requests[1].title.endswith("(1 CVE)")


async def test_a_section_that_a_person_took_out_comes_back_behind_what_is_there(world: World) -> None:
    await opened(world)
    world.shop.edit(1, body="mine")
    await know_more(world)
    assert world.shop.requests[1].body.startswith("mine\n\n<!-- freshness-bot rebuild ")


async def test_what_an_earlier_version_wrote_becomes_the_section(world: World) -> None:
    await opened(world)
    world.shop.edit(1, body=f"old text\n\n<!-- freshness-bot rebuild {digest('b')} -->")
    await know_more(world)
    body = world.shop.requests[1].body
    assert "old text" not in body
    assert body.count("freshness-bot rebuild") == 1


# Rights


def with_workflow(world: World) -> tuple[str, ...]:
    text = f"FROM {reference('a')}\n".encode()
    world.shop.commit_to("main", {".github/workflows/build.yml": text})
    return ("Dockerfile", ".github/workflows/build.yml")


async def test_without_the_right_to_workflow_files_the_rest_is_brought_and_that_is_said(world: World) -> None:
    world.forge.may_change_workflows = False
    world.add(rebuild(), paths=with_workflow(world))
    tally = await world.tick()
    told = ".github/workflows/build.yml is left out, since the bot lacks the right workflows: write"
    assert (world.store[1].state, tally.problems) == (RebuildState.OPEN, ())
    assert world.store[1].reason.endswith(told)
    assert "workflows: write" in world.shop.requests[1].body
    assert world.shop.content(BRANCH) == f"FROM {reference('b')}\n"
    assert world.shop.content(BRANCH, ".github/workflows/build.yml") == f"FROM {reference('a')}\n"


async def test_where_only_workflow_files_would_change_the_right_is_named(world: World) -> None:
    world.forge.may_change_workflows = False
    world.shop.commit_to("main", {"Dockerfile": b"FROM scratch\n"})
    world.add(rebuild(), paths=with_workflow(world))
    await world.tick()
    assert world.store[1].state is RebuildState.SKIPPED
    assert "lacks the right workflows: write" in world.store[1].reason


async def test_what_goes_without_some_files_began_when_it_was_first_tried(world: World) -> None:
    world.forge.may_change_workflows = False
    world.forge.takes = timedelta(seconds=1)
    world.add(rebuild(), paths=with_workflow(world))
    await world.tick()
    assert (world.store[1].state, world.store[1].attempted_at) == (RebuildState.OPEN, NOON + timedelta(seconds=1))


async def test_a_right_that_is_missing_for_what_is_left_as_well_is_told_and_tried_no_third_time(
    world: World,
) -> None:
    world.forge.failing["carry_out"] = FilesDenied(".github/workflows/", "workflows: write")
    world.add(rebuild(), paths=with_workflow(world))
    await world.tick()
    assert [call for call, _ in world.forge.asked].count("carry_out") == 2
    assert world.store[1].state is RebuildState.WAITING
    assert "workflows: write" in world.store[1].reason
