"""The audit of the fleet on both databases: what makes a repository due, what is kept, and what moved."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from bot.commands.files.audit_of_fleet import audited_in
from bot.domain.bases.observation import PlatformImage
from bot.domain.failure import Failure, Trouble
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import SeenImage
from bot.domain.repositories.finding import Outcome
from bot.domain.repositories.repository import Reading, Repository
from bot.domain.repositories.surroundings import EnvironmentProtection
from bot.fleet.audit.tick import AuditOptions, AuditTally, tick
from bot.fleet.verify.images.ports import Look
from bot.reconcile.loop import Loop
from bot.store.rows.repositories.audits import audits, practice_days, practice_weeks, practices
from bot.store.rows.repositories.issues import issue_sections, issues
from bot.store.rows.repositories.tables import blobs
from bot.views.fleet.practices import Practice
from tests.fakes.forge import FakeForge
from tests.fakes.repository import FakeRepository
from tests.integration.store.conftest import NOON
from tests.integration.store.filling import HOUR, Stores, digest

SHOP = "contoso/shop"
ROOT = "FROM mcr.microsoft.com/dotnet/aspnet:8.0\n"
STARTED = ROOT + 'COPY . .\nENTRYPOINT ["a"]\nEXPOSE 8080\n'
APP = ROOT + "USER $APP_UID\n"
OPTIONS = AuditOptions()
CLAIM = Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD, "build.yml", 7)


async def reading(stores: Stores, dockerfile: str, more: dict[str, str] | None = None, **told: object) -> None:
    """Every repository that is due holds these files."""
    texts = {"Dockerfile": dockerfile, **(more or {})}
    shas = {path: str(hash(text)) for path, text in texts.items()}
    await stores.discover.save_blobs({shas[path]: text.encode() for path, text in texts.items()})
    await stores.read(Reading(str(hash(dockerfile)), audited=shas, blobs=tuple(shas.values()), **told))  # type: ignore[arg-type]


async def pushed(stores: Stores, dockerfile: str, more: dict[str, str] | None = None) -> None:
    stores.clock.advance(HOUR)
    await stores.listing(Repository(SHOP, "main", stores.clock.now()))
    await reading(stores, dockerfile, more)


async def audited(stores: Stores, options: AuditOptions = OPTIONS) -> AuditTally:
    return await tick(stores.audit, options, Loop(stores.clock))


async def outcome(stores: Stores, check: str = "image-user") -> list[Outcome]:
    found = await stores.practices.audited(SHOP)
    assert found is not None
    return [finding.outcome for finding in found.findings if finding.check == check]


async def practice(stores: Stores, check: str = "image-user") -> Practice:
    return next(row for row in (await stores.practices.fleet()).rows if row.check == check)


@pytest.fixture
async def shop(stores: Stores) -> Stores:
    await stores.listing(Repository(SHOP, "main", NOON - HOUR))
    await reading(stores, ROOT)
    return stores


async def test_what_discovery_has_read_is_judged_once(shop: Stores) -> None:
    assert (await audited(shop)).audited == 1
    assert await outcome(shop) == [Outcome.FAILS]
    assert (await audited(shop)).audited == 0


async def test_patches_are_made_of_what_was_read_last(stores: Stores) -> None:
    await stores.listing(Repository(SHOP, "main", NOON - HOUR))
    await reading(stores, STARTED)
    await audited(stores)
    found = await audited_in(stores.practices, stores.onboardings, SHOP, NOON)
    assert [patch.splitlines()[-3:-1] for patch in found.patches().values()] == [
        ["+USER $APP_UID", ' ENTRYPOINT ["a"]']
    ]


async def test_a_finding_that_the_files_read_since_do_not_give_has_no_patch(stores: Stores) -> None:
    await stores.listing(Repository(SHOP, "main", NOON - HOUR))
    await reading(stores, STARTED)
    await audited(stores)
    await pushed(stores, f"# moved\n{STARTED}")
    found = await audited_in(stores.practices, stores.onboardings, SHOP, NOON)
    assert [each.outcome for each in found.findings if each.check == "image-user"] == [Outcome.FAILS]
    assert found.patches() == {}


async def test_the_default_branch_that_the_forge_tells_decides_what_runs_on_a_schedule(stores: Stores) -> None:
    build = ".github/workflows/build.yml"
    pushes = "{uses: docker/build-push-action@v6, with: {push: true, tags: contoso/shop}}"
    on_develop = (
        f"on: {{push: {{branches: [develop]}}}}\njobs: {{b: {{runs-on: ubuntu-latest, steps: [{pushes}]}}}}\n"
    )
    await stores.listing(Repository(SHOP, "develop", NOON - HOUR))
    await reading(stores, ROOT, {build: on_develop})
    await audited(stores)
    found = await stores.practices.audited(SHOP)
    assert found is not None
    (weekly,) = [each for each in found.findings if each.check == "weekly-rebuild"]
    assert weekly.fix is not None
    assert "name of the default branch" not in weekly.fix.left_alone
    source = await stores.onboardings.source(SHOP)
    assert source is not None
    assert source.default_branch == "develop"


async def test_another_default_branch_has_a_repository_judged_again_though_its_files_are_the_same(
    shop: Stores,
) -> None:
    assert (await audited(shop)).audited == 1
    pushed_at = shop.clock.now()
    for branch, times in (("main", 0), ("develop", 1), ("develop", 0)):
        shop.clock.advance(HOUR)
        await shop.listing(Repository(SHOP, branch, pushed_at))
        assert (await audited(shop)).audited == times


async def test_a_push_that_leaves_its_files_as_they_are_costs_nothing(shop: Stores) -> None:
    await audited(shop)
    await pushed(shop, ROOT)
    assert (await audited(shop)).audited == 0


async def test_changed_files_are_judged_again_and_what_moved_is_counted_in_its_week(shop: Stores) -> None:
    await audited(shop)
    await pushed(shop, APP)
    assert (await audited(shop)).audited == 1
    assert await outcome(shop) == [Outcome.HOLDS]
    assert (await practice(shop)).closed == 1
    await pushed(shop, ROOT)
    await audited(shop)
    found = await practice(shop)
    assert (found.opened, found.closed, found.share) == (1, 1, 0.0)
    assert await weeks(shop) == {date(2026, 3, 9)}


async def weeks(stores: Stores) -> set[date]:
    async with stores.database.reading() as connection:
        return set((await connection.execute(select(practice_weeks.c.week))).scalars())


async def test_the_first_audit_of_a_repository_opens_nothing(shop: Stores) -> None:
    await audited(shop)
    assert [
        (row.opened, row.closed) for row in (await shop.practices.fleet()).rows if row.opened or row.closed
    ] == []


async def test_other_rules_have_everything_judged_again_and_count_no_moves(shop: Stores) -> None:
    await audited(shop)
    other = AuditOptions(never_waived=("image-user",))
    assert (await audited(shop, other)).audited == 1
    assert (await audited(shop, other)).audited == 0
    assert (await practice(shop)).opened == 0


async def test_a_waiver_that_ends_has_its_repository_judged_again_by_itself(shop: Stores) -> None:
    day = (NOON + timedelta(days=3)).date()
    waived = f"# freshness: ignore[image-user] until={day} moving soon\n" + ROOT
    await pushed(shop, waived)
    await audited(shop)
    assert await outcome(shop) == [Outcome.WAIVED]
    shop.clock.advance(datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC) - shop.clock.now())
    assert (await audited(shop)).audited == 0
    shop.clock.advance(timedelta(minutes=1))
    assert (await audited(shop)).audited == 1
    assert await outcome(shop) == [Outcome.FAILS]


async def test_the_operators_word_counts_against_waivers(shop: Stores) -> None:
    await pushed(shop, "# freshness: ignore[image-user] for good\n" + ROOT)
    await audited(shop, AuditOptions(never_waived=("image-user",)))
    assert await outcome(shop) == [Outcome.FAILS]


async def test_the_operators_word_on_what_clusters_admit_counts(shop: Stores) -> None:
    run = "jobs: {deploy: {runs-on: x, steps: [{run: helm upgrade api chart}]}}"
    await pushed(shop, APP, {".github/workflows/deploy.yml": f"on: push\n{run}\n"})
    await audited(shop)
    assert await outcome(shop, "verified-before-deploy") == [Outcome.UNKNOWN]
    await audited(shop, AuditOptions(admission=("Contoso/*",)))
    assert await outcome(shop, "verified-before-deploy") == [Outcome.HOLDS]


GATED = """
on: push
jobs:
  deploy-production:
    runs-on: ubuntu-latest
    environment: Production
    steps: [{run: helm upgrade api chart}]
"""


async def test_what_environments_ask_is_read_at_the_forge_every_day(shop: Stores) -> None:
    home = FakeRepository("1", SHOP)
    forge = FakeForge(shop.clock, [home])
    await pushed(shop, APP, {".github/workflows/deploy.yml": GATED})
    await tick(shop.audit, OPTIONS, Loop(shop.clock), forge)
    assert await outcome(shop, "staged-rollout") == [Outcome.FAILS]
    home.environments["production"] = EnvironmentProtection(has_reviewers=True)
    assert (await tick(shop.audit, OPTIONS, Loop(shop.clock), forge)).audited == 0
    shop.clock.advance(timedelta(days=1))
    await tick(shop.audit, OPTIONS, Loop(shop.clock), forge)
    assert await outcome(shop, "staged-rollout") == [Outcome.HOLDS]
    assert [call for call, _ in forge.asked] == ["environments"] * 2


@pytest.mark.parametrize("trouble", [Trouble.DENIED, Trouble.MISSING])
async def test_what_the_forge_may_not_tell_of_environments_is_unknown(shop: Stores, trouble: Trouble) -> None:
    forge = FakeForge(shop.clock, [FakeRepository("1", SHOP)])
    forge.failing["environments"] = Failure(trouble, "no")
    await pushed(shop, APP, {".github/workflows/deploy.yml": GATED})
    await tick(shop.audit, OPTIONS, Loop(shop.clock), forge)
    assert await outcome(shop, "staged-rollout") == [Outcome.UNKNOWN]


async def test_a_forge_in_trouble_puts_the_audit_off_and_what_was_found_stays(shop: Stores) -> None:
    home = FakeRepository("1", SHOP)
    forge = FakeForge(shop.clock, [home])
    await pushed(shop, APP, {".github/workflows/deploy.yml": GATED})
    await tick(shop.audit, OPTIONS, Loop(shop.clock), forge)
    shop.clock.advance(timedelta(days=1))
    forge.failing["environments"] = Failure(Trouble.UNREACHABLE, "no answer")
    assert (await tick(shop.audit, OPTIONS, Loop(shop.clock), forge)).problems
    assert await outcome(shop, "staged-rollout") == [Outcome.FAILS]


async def test_a_repository_that_names_no_environment_costs_no_request(shop: Stores) -> None:
    forge = FakeForge(shop.clock, [FakeRepository("1", SHOP)])
    await tick(shop.audit, OPTIONS, Loop(shop.clock), forge)
    assert forge.asked == []


async def test_a_produced_image_that_moves_is_looked_at(shop: Stores) -> None:
    await pushed(shop, "FROM contoso/base:1\n")
    await audited(shop)
    assert await outcome(shop) == [Outcome.UNKNOWN]
    shop.clock.advance(HOUR)
    await shop.listing(Repository(SHOP, "main", shop.clock.now()))
    await reading(shop, "FROM contoso/base:1\n", images=(CLAIM,))
    [image] = await shop.taken(shop.images.images)
    fetched = {
        digest("b"): json.dumps({"config": {"digest": digest("c")}}).encode(),
        digest("c"): json.dumps({"config": {"User": "1654"}}).encode(),
    }
    seen = SeenImage(digest("a"), (PlatformImage("linux/amd64", digest("b")),), fetched=fetched)
    await shop.images.record_look(image, Look("latest", seen, ()), shop.clock.now() + HOUR)
    assert (await audited(shop)).audited == 1
    assert await outcome(shop) == [Outcome.HOLDS]


async def test_the_fleet_is_counted_by_day_and_leaves_with_its_repositories(shop: Stores) -> None:
    await audited(shop)
    found = await practice(shop)
    assert (found.counts, found.share, found.judged) == ({Outcome.FAILS: 1}, 0.0, 1)
    shop.clock.advance(timedelta(weeks=1))
    await shop.listing(Repository("contoso/desk", "main", shop.clock.now()))
    await reading(shop, APP)
    await audited(shop)
    after = await practice(shop)
    assert (after.counts, after.trend[-1], after.change) == ({Outcome.HOLDS: 1}, 0.0, 100)
    assert await shop.count(audits) == 1
    assert await shop.practices.audited(SHOP) is None


async def test_a_day_on_which_nothing_changes_is_counted_once(shop: Stores) -> None:
    await audited(shop)
    before = await shop_days(shop)
    shop.clock.advance(timedelta(days=1))
    await audited(shop)
    await audited(shop)
    assert len(await shop_days(shop)) == 2 * len(before)


async def shop_days(stores: Stores) -> list[int]:
    async with stores.database.reading() as connection:
        return list((await connection.execute(select(practice_days.c.repositories))).scalars())


async def test_the_names_case_does_not_count(shop: Stores) -> None:
    await audited(shop)
    assert await shop.practices.audited("Contoso/Shop") == await shop.practices.audited(SHOP)


async def test_a_repository_that_is_not_judged_yet_has_no_time(shop: Stores) -> None:
    found = await shop.practices.audited(SHOP)
    assert found is not None
    assert (found.at, found.findings) == (None, ())


async def test_files_that_are_not_kept_are_told_once_and_tried_again(shop: Stores) -> None:
    async with shop.database.transaction() as connection:
        await connection.execute(blobs.delete())
    first = await audited(shop)
    assert first.problems == [
        "contoso/shop: 1 of its files are not kept any more; the next reading of the repository brings them back"
    ]
    shop.clock.advance(timedelta(days=1))
    assert (await audited(shop)).problems == []


async def test_failing_practices_stand_in_the_issue_but_open_none(shop: Stores) -> None:
    await audited(shop)
    assert await shop.count(issue_sections) == 1
    assert await shop.count(issues) == 0
    await pushed(shop, "FROM scratch\nCOPY out /\n")
    await audited(shop)
    assert await shop.count(issue_sections) == 0


async def test_they_open_one_where_the_operator_wishes_so(shop: Stores) -> None:
    await audited(shop, AuditOptions(opens_issues=True))
    [issue] = await shop.taken(shop.issues.issues)
    assert [section.name for section in issue.sections] == ["practices"]
    assert "`Dockerfile:1` `image-user`" in issue.sections[0].text


async def test_an_open_issue_tells_of_them_and_is_closed_without_other_news(shop: Stores) -> None:
    await audited(shop, AuditOptions(opens_issues=True))
    async with shop.database.transaction() as connection:
        await connection.execute(update(issues).values(is_open=True, told=issues.c.wanted))
    await audited(shop, OPTIONS)
    [issue] = await shop.taken(shop.issues.issues)
    assert issue.sections == ()


async def test_outcomes_are_written_where_they_change_alone(shop: Stores) -> None:
    await audited(shop)
    assert await shop.count(practices) > 3
    await pushed(shop, APP)
    await audited(shop)
    assert (await practice(shop)).counts == {Outcome.HOLDS: 1}


async def test_what_opens_no_issue_is_explained_all_the_same(shop: Stores) -> None:
    await audited(shop)
    explained = await shop.repository_views.explain("contoso/shop")
    assert explained.issue is not None
    assert [section.name for section in explained.issue.sections] == ["practices"]
    assert explained.issue.url is None
