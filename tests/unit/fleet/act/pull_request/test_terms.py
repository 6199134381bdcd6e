"""What the operator's rules ask of a pull request besides its content."""

from dataclasses import replace

from bot.domain.bases.change import Cause
from bot.domain.forge.pull_requests import PullRequest
from bot.domain.repositories.repository_config import OwnedPaths
from bot.domain.rollouts.journal import QUARANTINED
from bot.domain.rollouts.policy import Match, Policy, PolicyRule
from bot.fleet.act.ports import ActOptions, Job
from bot.fleet.act.pull_request.wishes import wishes_of
from tests.unit.fleet.act.world import ASPNET, BRANCH, SHOP, World, change, member, rebuild

OWNED = (OwnedPaths(("octocat", "contoso/platform"), ("Dockerfile",)), OwnedPaths(("ann",), ("src/Dockerfile",)))


def under(world: World, *rules: PolicyRule) -> None:
    world.options = replace(world.options, policy=Policy(rules))


async def test_it_begins_as_a_draft_where_a_rule_says_so(world: World) -> None:
    under(world, PolicyRule(draft=True))
    world.add(rebuild())
    await world.tick()
    assert world.shop.requests[1].is_draft


async def test_a_draft_that_a_person_has_made_ready_stays_ready(world: World) -> None:
    under(world, PolicyRule(draft=True))
    world.add(rebuild())
    await world.tick()
    world.shop.edit(1, is_draft=False)
    world.add(rebuild(id=2, to="c", pull_request=1), None, change("c"))
    await world.tick()
    assert not world.shop.requests[1].is_draft


async def test_it_has_the_labels_of_the_bot_the_rule_and_the_repository(world: World) -> None:
    under(world, PolicyRule(labels=("dependencies",)))
    world.asks("labels: [docker]")
    world.add(rebuild())
    await world.tick()
    assert world.shop.requests[1].labels == ("dependencies", "docker", "freshness")


async def test_it_is_assigned_once(world: World) -> None:
    under(world, PolicyRule(assignees=("octocat",)))
    world.add(rebuild())
    await world.tick()
    assert world.shop.requests[1].assignees == ("octocat",)
    world.shop.edit(1, assignees=())
    world.add(rebuild(id=2, to="c", pull_request=1), None, change("c"))
    await world.tick()
    assert world.shop.requests[1].assignees == ()


async def test_an_assignee_whom_nobody_knows_is_told(world: World) -> None:
    world.forge.unknown.add("nobody")
    under(world, PolicyRule(assignees=("nobody", "octocat")))
    world.add(rebuild())
    await world.tick()
    assert world.shop.requests[1].assignees == ("octocat",)
    assert world.store[1].reason.endswith("not assigned to nobody: nobody of that name is known")


async def test_the_code_owners_of_what_it_touches_are_asked_where_the_repository_names_none(world: World) -> None:
    under(world, PolicyRule(reviewers=("someone-else",)))
    world.add(rebuild(), member(owned=OWNED), paths=("Dockerfile", "src/Dockerfile"))
    await world.tick()
    assert world.shop.reviewers == [(("octocat",), ("platform",))]


async def test_whom_the_repository_names_is_asked_instead_of_its_code_owners(world: World) -> None:
    world.asks("owners: [bea]")
    world.add(rebuild(), member(owned=OWNED))
    await world.tick()
    assert world.shop.reviewers == [(("bea",), ())]


async def test_whom_the_rule_names_is_asked_where_the_repository_names_nobody_at_all(world: World) -> None:
    under(world, PolicyRule(reviewers=("ann", "contoso/platform", "elsewhere/team")))
    world.add(rebuild())
    await world.tick()
    assert world.shop.reviewers == [(("ann",), ("platform",))]


async def test_a_rule_for_some_changes_holds_for_these_as_they_are_known_by_now(world: World) -> None:
    under(world, PolicyRule(Match(causes=(Cause.DOTNET_SECURITY,)), labels=("security",)))
    world.add(rebuild(), None, change(cause=Cause.OS_UPDATE))
    await world.tick()
    assert world.shop.requests[1].labels == ("freshness",)
    world.store.alter(1, changes=(change(),))
    world.store.outdate(1)
    await world.tick()
    assert "security" in world.shop.requests[1].labels


async def test_the_first_line_of_its_commit_is_the_rules(world: World) -> None:
    under(world, PolicyRule(Match(repositories=(SHOP,)), commit_message="build(deps): {bases}"))
    world.add(rebuild())
    await world.tick()
    message = world.shop.commits[world.shop.branches[BRANCH]].message
    assert message.startswith("build(deps): aspnet:10.0\n\n`aspnet:10.0` moves")
    assert "Freshness-Base: " in message
    assert world.shop.requests[1].title == "Refresh aspnet:10.0 to .NET 10.0.5"


async def test_no_more_are_asked_than_the_forge_takes_and_each_once(world: World) -> None:
    people = tuple(f"person-{number}" for number in range(20))
    under(world, PolicyRule(reviewers=("ann", "ann", *people)))
    world.add(rebuild())
    await world.tick()
    assert world.shop.reviewers == [(("ann", *people[:14]), ())]


async def test_teams_of_the_repositorys_own_owner_are_asked_however_that_is_written(world: World) -> None:
    under(world, PolicyRule(reviewers=("Contoso/platform", "contoso/", "fabrikam/platform")))
    world.add(rebuild())
    await world.tick()
    assert world.shop.reviewers == [((), ("platform",))]


async def test_teams_that_the_repository_names_are_asked_instead_of_its_code_owners(world: World) -> None:
    world.asks("owners: [contoso/base-images]")
    world.add(rebuild(), member(owned=OWNED))
    await world.tick()
    assert world.shop.reviewers == [((), ("base-images",))]


async def test_what_is_quarantined_bears_a_label_as_long_as_it_is(world: World) -> None:
    world.add(rebuild())
    world.store.alter(1, quarantined={ASPNET: "3 of 5 repositories fail on it"})
    await world.tick()
    assert world.shop.requests[1].labels == ("freshness", "freshness:quarantined")
    world.store.alter(1, quarantined={})
    world.store.outdate(1)
    await world.tick()
    assert world.shop.requests[1].labels == ("freshness",)


def test_before_there_is_a_pull_request_all_of_its_labels_are_wished_for() -> None:
    """By these the forge is asked, as the branch is looked at."""
    job = Job(rebuild(), member(), "main", (change(),), (), quarantined={ASPNET: "it fails"})
    assert wishes_of(job, ActOptions()).labels == ("freshness", QUARANTINED)


def test_a_pull_request_that_was_quarantined_loses_that_label_by_whomever_it_is_taken_up() -> None:
    job = Job(rebuild(), member(), "main", (change(),), ())
    found = PullRequest(1, "", BRANCH, "sha", "", "", is_open=True, is_merged=False, labels=(QUARANTINED,))
    assert wishes_of(job, ActOptions(), found).unlabel == (QUARANTINED,)
