"""Which pipelines are asked for as the service puts them together, how often, and what a refusal comes to."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import cast

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.images.claims import NamedImage
from bot.domain.repositories.builds import WorkflowShown
from bot.domain.repositories.repository import Identity
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.rollouts.policy import Policy, PolicyRule
from bot.domain.rollouts.terms import PathWorkflow, Step
from bot.files.formats.finding import LARGEST_FILE
from bot.files.formats.memory import File
from bot.fleet.discover.expanding import ExpandedFiles, PipelineExpander
from bot.fleet.discover.ports import DiscoverOptions, DiscoverStore, DueRepository
from tests.builders import ASPNET, NOON

PIPELINE = "azure-pipelines: contoso/team one/12"
PATH = "azure-pipelines.yml"
SHOP = DueRepository(1, "octo/shop", "main", None, 1, node_id="R_1")
EXTENDING = "trigger: none\nextends:\n  template: build.yml@shared\n"
WHOLE = "steps:\n- script: docker push ghcr.io/octo/shop\n"


class Contents:
    """What is kept by its name."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def known_blobs(self, shas: Sequence[str]) -> Mapping[str, bytes]:
        return {sha: self.kept[sha] for sha in shas if sha in self.kept}

    async def save_blobs(self, bodies: Mapping[str, bytes]) -> None:
        self.kept |= bodies


class OnePipeline:
    """One pipeline and its text, or what is raised in its place; `asked` is by what."""

    def __init__(self) -> None:
        self.shown: WorkflowShown | None = WorkflowShown("D_12", "active", PATH, revision=1)
        self.text = WHOLE
        self.failure: Failure | None = None
        self.asked: list[str] = []

    async def workflow(self, repository: Identity, file: str) -> WorkflowShown | None:
        assert repository.asked_at == "azure-pipelines"
        self.asked.append("definition")
        return self.shown

    async def expanded(self, repository: Identity, workflow: str, branch: str) -> str:
        assert (workflow, branch) == (PIPELINE, "main")
        self.asked.append("preview")
        if self.failure is not None:
            raise self.failure
        return self.text


class Repository:
    """What is read of the shop, with what is asked for it."""

    def __init__(self, workflow: str | None = PIPELINE, steps: tuple[Step, ...] = ()) -> None:
        self.contents, self.pipelines, self.clock = Contents(), OnePipeline(), ManualClock(NOON)
        policy = Policy((PolicyRule(workflow=workflow, steps=steps),))
        store = cast(DiscoverStore, self.contents)
        self.expander = PipelineExpander(store, self.pipelines, policy, self.clock)

    async def read(self, text: str = EXTENDING, **others: str) -> ExpandedFiles:
        texts = {PATH: text, **others}
        files = [
            File(path, hashlib.sha256(each.encode()).hexdigest(), each.encode()) for path, each in texts.items()
        ]
        return await self.expander.expanded(SHOP, RepositoryConfig(), [(ASPNET, "Dockerfile")], files)

    def asked(self) -> list[str]:
        asked, self.pipelines.asked = self.pipelines.asked, []
        return asked


@pytest.fixture
def shop() -> Repository:
    return Repository()


async def test_a_pipeline_whose_template_is_elsewhere_is_read_as_it_is_put_together(shop: Repository) -> None:
    expanded = await shop.read()
    [file] = expanded.files.values()
    assert (file.path, file.data.decode(), expanded.problems) == (PATH, WHOLE, ())
    assert expanded.blobs == (file.sha,)
    assert expanded.in_place_of([File(PATH, "1", b""), File("other", "2", b"")])[0] == file
    [image] = expanded.placed([NamedImage("ghcr.io/octo/shop", "latest", PATH, 40)])
    assert image.line == 3


async def test_it_is_asked_for_once_and_no_more_while_its_files_and_its_definition_are_as_they_were(
    shop: Repository,
) -> None:
    await shop.read()
    assert shop.asked() == ["definition", "preview"]
    await shop.read(Dockerfile="FROM scratch")
    assert shop.asked() == ["definition"]
    await shop.read(f"{EXTENDING}# changed\n")
    assert shop.asked() == ["definition", "preview"]
    shop.pipelines.shown = WorkflowShown("D_12", "active", PATH, revision=2)
    await shop.read(f"{EXTENDING}# changed\n")
    assert shop.asked() == ["definition", "preview"]


async def test_a_template_in_reach_that_changes_has_it_asked_for_anew(shop: Repository) -> None:
    text = "steps:\n- template: own.yml\n- template: push.yml@shared\n"
    await shop.read(text, **{"own.yml": "steps: []\n"})
    await shop.read(text, **{"own.yml": "steps: [script: make]\n"})
    assert shop.asked() == ["definition", "preview"] * 2


async def test_nothing_is_asked_where_all_templates_are_in_reach(shop: Repository) -> None:
    assert await shop.read("steps:\n- template: own.yml\n", **{"own.yml": "steps: []\n"}) == ExpandedFiles()
    assert shop.asked() == []


async def test_nothing_is_asked_where_no_pipeline_rebuilds_the_repository() -> None:
    shop = Repository("weekly.yml")
    assert await shop.read() == ExpandedFiles()
    assert shop.asked() == []


async def test_no_text_is_asked_for_where_another_file_is_the_one_that_lacks_something(shop: Repository) -> None:
    shop.pipelines.shown = WorkflowShown("D_12", "active", "ci/build.yml", revision=1)
    assert await shop.read() == ExpandedFiles()
    assert shop.asked() == ["definition"]


async def test_a_pipeline_that_builds_another_repository_is_told_and_not_expanded(shop: Repository) -> None:
    shop.pipelines.shown = None
    expanded = await shop.read()
    [problem] = expanded.problems
    assert (expanded.files, problem.path, problem.line) == ({}, PATH, 3)
    assert "builds another repository; allow View build pipeline" in problem.message
    assert shop.asked() == ["definition"]


@pytest.mark.parametrize(
    ("trouble", "status"), [(Trouble.DENIED, 403), (Trouble.MISSING, 404), (Trouble.CONFLICT, 400)]
)
async def test_what_is_refused_is_one_line_with_the_way_out_and_leaves_the_file_as_it_is(
    shop: Repository, trouble: Trouble, status: int
) -> None:
    shop.pipelines.failure = Failure(trouble, f"HTTP {status} no", advice="allow it", status=status)
    expanded = await shop.read()
    assert expanded.files == {}
    assert [problem.message for problem in expanded.problems] == [
        "the template 'build.yml@shared' is not in reach, so what it pushes is unknown: "
        f"{PIPELINE}: HTTP {status} no; allow it"
    ]


@pytest.mark.parametrize(("trouble", "status"), [(Trouble.UNREACHABLE, 503), (Trouble.DENIED, 401)])
async def test_where_nothing_can_be_told_at_present_nothing_is_read_anew(
    shop: Repository, trouble: Trouble, status: int
) -> None:
    shop.pipelines.failure = Failure(trouble, "no", status=status)
    with pytest.raises(Failure):
        await shop.read()


async def test_a_text_that_nobody_has_written_is_neither_read_nor_kept(shop: Repository) -> None:
    shop.pipelines.text = "#" * (LARGEST_FILE + 1)
    expanded = await shop.read()
    assert (expanded.files, max(map(len, shop.contents.kept.values())) > 1_000) == ({}, False)
    assert "larger than 1024 KiB" in expanded.problems[0].message


async def test_what_is_refused_is_asked_for_again_on_the_next_day_or_where_something_has_changed(
    shop: Repository,
) -> None:
    shop.pipelines.failure = Failure(Trouble.DENIED, "HTTP 403 no", status=403)
    first = await shop.read()
    assert shop.asked() == ["definition", "preview"]
    second = await shop.read(Dockerfile="FROM scratch")
    assert (shop.asked(), second.problems) == (["definition"], first.problems)
    assert second.blobs == first.blobs
    assert set(first.blobs) == shop.contents.kept.keys()
    shop.pipelines.shown = WorkflowShown("D_12", "active", PATH, revision=2)
    await shop.read()
    assert shop.asked() == ["definition", "preview"]
    shop.clock.advance(timedelta(days=1))
    shop.pipelines.failure = None
    assert (await shop.read()).problems == ()
    assert shop.asked() == ["definition", "preview"]


@pytest.mark.parametrize(("repository", "asked"), [(None, 2), ("Octo/Shop", 2), ("octo/deploy", 0)])
async def test_a_pipeline_that_is_a_step_of_the_repository_is_read_so_too(
    repository: str | None, asked: int
) -> None:
    shop = Repository("weekly.yml", steps=(Step("production", PIPELINE, repository), Step("pages", "pages.yml")))
    expanded = await shop.read()
    assert (len(shop.asked()), len(expanded.files)) == (asked, asked // 2)


def test_another_rule_about_a_pipeline_has_all_read_anew_and_any_other_rule_nothing() -> None:
    def reader(*workflows: str | None) -> str:
        return DiscoverOptions(policy=Policy(tuple(PolicyRule(workflow=each) for each in workflows))).reader

    assert reader() == reader(None, "weekly.yml")
    assert len({reader(), reader(PIPELINE), reader("weekly.yml", PIPELINE.replace("12", "13"))}) == 3
    steps, parts = (Step("production", PIPELINE),), (PathWorkflow(("a",), PIPELINE),)
    rules = PolicyRule(steps=steps), PolicyRule(workflows=parts)
    assert all(DiscoverOptions(policy=Policy((each,))).reader != reader() for each in rules)
