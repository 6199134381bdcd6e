"""What is left out is left out by evidence, and told; what only sounds like a fixture is judged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.repositories.finding import Outcome
from bot.files.audit.auditing import judge_repository
from bot.files.audit.onboarding.proposing import WantedProposal, propose
from bot.files.audit.repository import RepositoryTexts
from bot.files.scope import DEVELOPMENT_WORDS, LEFT_OUT_WORDS
from tests.unit.files.audit.world import NOW, deployment, texts, workflow

TEST_PROJECT = '<Project><ItemGroup><PackageReference Include="Microsoft.NET.Test.Sdk" /></ItemGroup></Project>'
DOCKERFILE = "FROM contoso/base:1\n"


def judged(files: dict[str, str], *, leaves_out: bool = True) -> set[str]:
    """The files of which anything is said."""
    repository = RepositoryTexts(texts(files), leaves_out=leaves_out)
    return {finding.place.path for finding in judge_repository(repository, NOW).findings}


def scope(files: dict[str, str]) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.folder, each.paths) for each in RepositoryTexts(texts(files)).scope.left_out()]


@pytest.mark.parametrize(
    "folder",
    [
        *("golden-images", "docs-api", "dev-portal", "templates-service", "src/loan-demo", "test-results-api"),
        *("deploy/dev", "deploy/overlays/test", "test.runner", "my_samples", "golden"),
    ],
)
def test_no_file_is_left_out_by_a_part_of_a_name(folder: str) -> None:
    path = f"{folder}/api.yaml"
    assert judged({path: deployment()}) == {path}
    assert scope({path: deployment()}) == []


@pytest.mark.parametrize("name", ["Dockerfile.dev-portal", "test-results.Dockerfile", "Dockerfile.ci-runner"])
def test_no_dockerfile_is_left_out_by_a_part_of_its_name(name: str) -> None:
    assert name in judged({name: DOCKERFILE})


words = st.text("abdemostcvx-_. ", min_size=1, max_size=12).filter(lambda word: word not in {".", ".."})
sounding = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "my", "pre-", "x."]),
    st.sampled_from(sorted(LEFT_OUT_WORDS)),
    st.sampled_from(["", "s", "-api", ".web", "_two"]),
)


@given(st.lists(words | sounding, max_size=4))
def test_no_path_whose_words_are_not_exactly_those_is_left_out(folders: list[str]) -> None:
    repository = RepositoryTexts(texts({"/".join([*folders, "api.yaml"]): deployment()}))
    if not LEFT_OUT_WORDS & {folder.lower() for folder in folders}:
        assert repository.scope.left_out() == ()
        assert judge_repository(repository, NOW).findings != ()


@given(st.lists(words, min_size=1, max_size=3))
def test_no_dockerfile_whose_words_are_not_exactly_those_is_left_out(parts: list[str]) -> None:
    path = ".".join(["Dockerfile", *parts]).replace(" ", "")
    if not {part.strip("-_").lower() for part in path.split(".")} & DEVELOPMENT_WORDS:
        assert RepositoryTexts({path: DOCKERFILE.encode()}).scope.left_out() == ()


def test_the_folder_of_a_test_project_is_left_out() -> None:
    files = {"src/Checks/Checks.csproj": TEST_PROJECT, "src/Checks/Dockerfile": DOCKERFILE}
    assert judged(files) == set()
    assert scope(files) == [("src/Checks", ("src/Checks/Dockerfile",))]


def test_a_folder_with_another_project_is_not_that_of_tests() -> None:
    files = {
        "src/Checks/Checks.csproj": TEST_PROJECT,
        "src/Checks/Api/Api.csproj": "<Project />",
        "src/Checks/Dockerfile": DOCKERFILE,
    }
    assert "src/Checks/Dockerfile" in judged(files)


PUSHED = "- uses: docker/build-push-action@v6\n  with:\n    {}\n    push: true\n    tags: ghcr.io/contoso/shop:1\n"
DELIVERING = {
    "a workflow that pushes": {".github/workflows/b.yml": workflow(PUSHED.format("context: samples/shop"))},
    "a workflow that deploys": {
        ".github/workflows/b.yml": workflow("- run: kubectl apply -f samples/shop/api.yaml\n")
    },
    "a Compose file": {"compose.yaml": "services: {shop: {build: {context: ./samples/shop}}}\n"},
    "a kustomization": {"deploy/kustomization.yaml": "resources:\n- ../samples/shop/api.yaml\n"},
}


@pytest.mark.parametrize("way", DELIVERING)
def test_what_is_delivered_from_a_folder_of_samples_is_judged(way: str) -> None:
    files = {"samples/shop/Dockerfile": DOCKERFILE, "samples/shop/api.yaml": deployment()}
    assert "samples/shop/Dockerfile" not in judged(files)
    assert "samples/shop/api.yaml" in judged(files | DELIVERING[way])


def test_a_workflow_that_only_tests_there_delivers_nothing() -> None:
    steps = "- run: dotnet test tests/Api.Tests\n- run: docker build -t test .\n"
    files = {"tests/api.yaml": deployment(), ".github/workflows/ci.yml": workflow(steps)}
    assert "tests/api.yaml" not in judged(files)


def test_what_is_left_out_is_listed_by_folder_with_the_files_that_checks_look_at() -> None:
    files = {
        "tests/api.yaml": deployment(),
        "tests/app/Dockerfile": DOCKERFILE,
        "tests/Api.csproj": "<Project />",
        "Dockerfile.dev": DOCKERFILE,
    }
    assert scope(files) == [("", ("Dockerfile.dev",)), ("tests", ("tests/api.yaml", "tests/app/Dockerfile"))]


def test_all_is_judged_where_that_is_wished() -> None:
    files = {"tests/api.yaml": deployment(), "Dockerfile.dev": DOCKERFILE}
    assert judged(files, leaves_out=False) == set(files)
    assert RepositoryTexts(texts(files), leaves_out=False).scope.left_out() == ()


def test_a_proposal_leaves_what_may_be_a_fixture_alone() -> None:
    files = texts({"deploy/api.yaml": deployment(), "golden/api.yaml": deployment()})
    proposal = propose(files, "contoso/shop", (), WantedProposal(), NOW)
    assert {path for commit in proposal.commits for path in commit.files} == {"deploy/api.yaml"}
    reasons = {left.reason for left in proposal.left_to_people if left.place.path == "golden/api.yaml"}
    assert "it may be a fixture, by the folder that it lies in" in reasons


def test_a_template_of_dotnet_may_be_a_fixture() -> None:
    files = {"service/.template.config/template.json": "{}", "service/api.yaml": deployment()}
    repository = RepositoryTexts(texts(files))
    outcomes = {each.outcome for each in judge_repository(repository, NOW).findings}
    assert Outcome.FAILS in outcomes
    assert repository.scope.may_be_fixture("service/api.yaml")


DUMP = (
    deployment().replace("  name: api\n", '  name: api\n  resourceVersion: "123"\n', 1) + "status:\n  replicas: 1\n"
)
SOURCED = "---\n# Source: shop/templates/api.yaml\n" + deployment()
OF_CHART = {
    "charts/shop/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
    "charts/shop/templates/api.yaml": deployment(),
}


def test_what_was_rendered_of_a_chart_that_is_judged_is_not_judged_again() -> None:
    files = {**OF_CHART, "rendered/shop.yaml": SOURCED}
    assert judged(files) == {"charts/shop/templates/api.yaml"}
    (left_out,) = RepositoryTexts(texts(files)).scope.left_out()
    assert (left_out.folder, left_out.why) == ("rendered", "rendered of the chart charts/shop, which is judged")
    assert judged(files, leaves_out=False) == {"charts/shop/templates/api.yaml", "rendered/shop.yaml"}


def test_what_was_rendered_is_judged_where_it_is_deployed_or_its_chart_is_elsewhere() -> None:
    deploys = workflow("- run: kubectl apply -f rendered/shop.yaml")
    files = {**OF_CHART, "rendered/shop.yaml": SOURCED, ".github/workflows/deploy.yml": deploys}
    assert "rendered/shop.yaml" in judged(files)
    assert judged({"rendered/shop.yaml": SOURCED}) == {"rendered/shop.yaml"}


@pytest.mark.parametrize(
    ("text", "why"), [(DUMP, "it is what a cluster gave out"), (SOURCED, "it was rendered of a chart")]
)
def test_what_is_no_source_is_told_as_what_it_is_and_not_edited(text: str, why: str) -> None:
    repository = RepositoryTexts(texts({"k8s/api.yaml": text}))
    findings = judge_repository(repository, NOW).findings
    told = [each for each in findings if each.outcome in {Outcome.FAILS, Outcome.UNKNOWN}]
    assert told
    assert all(f"({why}, which is no source)" in each.message for each in told)
    assert all(each.fix is None or not each.fix.edits for each in findings)
    assert propose(texts({"k8s/api.yaml": text}), "contoso/shop", (), WantedProposal(), NOW).files == {}


def test_a_status_that_a_generator_leaves_empty_makes_no_dump() -> None:
    text = deployment() + "status: {}\n"
    text = text.replace("  name: api\n", "  name: api\n  creationTimestamp: null\n", 1)
    assert RepositoryTexts(texts({"k8s/api.yaml": text})).scope.why_no_source("k8s/api.yaml") == ""


@pytest.mark.parametrize(("push", "is_left_out"), [("true", False), ("false", True)])
def test_what_a_workflow_pushes_is_left_out_by_no_name(push: str, *, is_left_out: bool) -> None:
    step = f"{{uses: docker/build-push-action@v6, with: {{\n  file: server/Dockerfile.ci,\n  push: {push}}}}}"
    workflow = f"on: push\njobs: {{build: {{steps: [\n{step}]}}}}\n"
    files = {"server/Dockerfile.ci": DOCKERFILE, ".github/workflows/build.yml": workflow}
    assert bool(scope(files)) is is_left_out
