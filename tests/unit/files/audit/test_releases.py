"""What builds releases alone gets no schedule; the newest one is built anew at its tag, where that does no harm."""

import pytest

from bot.domain.repositories.finding import Outcome
from bot.domain.repositories.onboarding import Proposal
from bot.files.audit.onboarding.proposing import WantedProposal, propose
from bot.files.formats.source.yaml import read
from tests.unit.files.audit.world import BUILD, NOW, PUSH, findings, outcomes, workflow

RELEASE = ".github/workflows/release.yml"
OWN = ".github/workflows/rebuild-released-release.yml"
TAGS = "push: {tags: ['v*']}"


def proposed(files: dict[str, str]) -> Proposal:
    texts = {path: text.encode() for path, text in files.items()}
    return propose(texts, "contoso/shop", (), WantedProposal(["weekly-rebuild"]), NOW)


def reason(text: str) -> str:
    proposal = proposed({RELEASE: text})
    assert proposal.commits == ()
    (left,) = [each.reason for each in proposal.left_to_people if each.check == "weekly-rebuild"]
    return left


@pytest.mark.parametrize(
    "triggers",
    [
        TAGS,
        "push: {tags-ignore: ['x*']}",
        "push: {tags: ['v*']}\npull_request:",
        "release: {types: [published]}",
        f"{TAGS}\nrelease:",
        "workflow_dispatch: {inputs: {version: {required: true}}}",
        "workflow_dispatch: {inputs: {image_tag: {}}}",
        "workflow_call: {inputs: {version: {type: string}}}\nworkflow_dispatch: {inputs: {version: {}}}",
        "repository_dispatch:",
    ],
)
def test_what_builds_releases_gets_no_schedule(triggers: str) -> None:
    text = workflow(PUSH, triggers)
    (finding,) = findings("weekly-rebuild", {RELEASE: text})
    assert finding.outcome is Outcome.FAILS
    if finding.fix is not None:
        assert (finding.fix.edits, finding.fix.suggested) == ((), ())
    assert proposed({RELEASE: text}).commits == ()


def test_the_finding_says_who_starts_it() -> None:
    (finding,) = findings("weekly-rebuild", {RELEASE: workflow(PUSH, f"{TAGS}\nworkflow_dispatch:")})
    assert finding.message.startswith("only a release or a person starts it, ")


def test_the_finding_says_what_is_missing() -> None:
    (finding,) = findings("weekly-rebuild", {RELEASE: workflow(PUSH, TAGS)})
    assert finding.message == "only a release starts it, and nothing builds the newest release anew every week"
    assert finding.fix is not None
    assert "workflow_dispatch" in finding.fix.left_alone


@pytest.mark.parametrize(
    ("triggers", "newest"),
    [
        (TAGS, 'matching-refs/tags/v"'),
        ("push: {tags: ['api/v[0-9]+.*']}", 'matching-refs/tags/api/v"'),
        ("release: {types: [published]}", "gh release view --json tagName"),
    ],
)
def test_a_workflow_of_its_own_builds_the_newest_release_anew(triggers: str, newest: str) -> None:
    proposal = proposed({RELEASE: workflow(PUSH, f"{triggers}\nworkflow_dispatch:")})
    assert list(proposal.files) == [OWN]
    text = proposal.files[OWN].decode()
    assert newest in text
    assert 'gh workflow run release.yml --ref "$tag"' in text
    assert read(text)


@pytest.mark.parametrize("condition", ["", "  if: startsWith(github.ref, 'refs/tags/v')\n"])
def test_with_the_workflow_of_its_own_the_check_holds(condition: str) -> None:
    steps = PUSH.replace("  id: build\n", condition)
    files = {RELEASE: workflow(steps, f"{TAGS}\nworkflow_dispatch:")}
    after = {**files, OWN: proposed(files).files[OWN].decode()}
    assert outcomes("weekly-rebuild", after) == [Outcome.HOLDS]


def test_each_workflow_that_releases_gets_its_own() -> None:
    text = workflow(PUSH, f"{TAGS}\nworkflow_dispatch:")
    proposal = proposed({RELEASE: text, ".github/workflows/worker.yml": text})
    assert sorted(proposal.files) == [OWN, ".github/workflows/rebuild-released-worker.yml"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (workflow(PUSH, TAGS), "without workflow_dispatch its newest tag cannot be built anew"),
        (
            workflow(PUSH + "- run: dotnet nuget push *.nupkg\n", f"{TAGS}\nworkflow_dispatch:"),
            "a run does more than push images (`nuget push`)",
        ),
        (
            workflow(PUSH + "- uses: softprops/action-gh-release@v2\n", f"{TAGS}\nworkflow_dispatch:"),
            "a run does more than push images (`action-gh-release`)",
        ),
        (
            workflow(PUSH + "- run: kubectl apply -f deploy\n", f"{TAGS}\nworkflow_dispatch:"),
            "a run does more than push images",
        ),
        (
            workflow(PUSH.replace(":8", ":${{ github.event.release.tag_name }}"), "release:\nworkflow_dispatch:"),
            "its steps read what only the event of a release hands over",
        ),
        (
            workflow(
                PUSH.replace("  id: build", "  if: github.event_name == 'push'"), f"{TAGS}\nworkflow_dispatch:"
            ),
            "whether it pushes when it is started on a tag by workflow_dispatch is not sure",
        ),
        (
            workflow(PUSH, "push: {tags: ['v*', 'api-*']}\nworkflow_dispatch:"),
            "which of its tags are releases is not told by one pattern",
        ),
        (
            workflow(PUSH, "push: {tags: ['v*.*.*-worker*']}\nworkflow_dispatch:"),
            "which of its tags are releases is not told by one pattern",
        ),
        (
            workflow(PUSH, "push: {tags: ['**']}\nworkflow_dispatch:"),
            "which of its tags are releases is not told by one pattern",
        ),
        (
            workflow(PUSH, "workflow_dispatch: {inputs: {version: {required: true}}}"),
            "whoever starts it hands a value over",
        ),
    ],
)
def test_where_no_safe_rebuild_exists_it_is_left_with_what_is_missing(text: str, why: str) -> None:
    assert why in reason(text)


def test_a_workflow_that_reads_a_version_it_may_be_given_is_not_started_without() -> None:
    steps = PUSH.replace(":8", ":${{ inputs.version }}")
    text = workflow(steps, f"{TAGS}\nworkflow_dispatch: {{inputs: {{version: {{required: false}}}}}}")
    assert "whoever starts it hands a value over" in reason(text)


@pytest.mark.parametrize(
    ("tag", "is_version"),
    [
        ("${{ inputs.tag }}", True),
        ("v${{ github.event.inputs.tag }}", True),
        ("release-${{ inputs.tag }}-alpine", True),
        ("feature-${{ inputs.tag }}", False),
        ("${{ github.run_number }}", True),
    ],
)
def test_an_input_is_a_version_where_it_is_the_whole_tag(tag: str, is_version: bool) -> None:
    steps = PUSH.replace("api:8", f"api:{tag}")
    (finding,) = findings("weekly-rebuild", {BUILD: workflow(steps, "workflow_dispatch: {inputs: {tag: {}}}")})
    assert finding.fix is not None
    assert ("newest release" in finding.fix.advice) is is_version


def test_an_input_that_is_checked_out_is_a_version() -> None:
    checkout = "- uses: actions/checkout@v5\n  with: {ref: 'refs/tags/${{ inputs.tag }}'}\n"
    steps = checkout + PUSH.replace("api:8", "api:feature-${{ inputs.tag }}")
    (finding,) = findings("weekly-rebuild", {BUILD: workflow(steps, "workflow_dispatch: {inputs: {tag: {}}}")})
    assert finding.fix is not None
    assert "newest release" in finding.fix.advice


@pytest.mark.parametrize(
    "triggers",
    ["push: {branches: ['release/**']}", "push: {branches: [stable]}", "push: {branches: [main, develop]}\n#"],
)
def test_a_branch_that_no_commit_publishes_is_not_published_by_a_schedule(triggers: str) -> None:
    other = "on: {pull_request: {branches: [main]}}\njobs: {a: {runs-on: x, steps: [{run: docker info}]}}\n"
    files = {BUILD: workflow(PUSH, triggers), ".github/workflows/test.yml": other}
    commits = proposed(files).commits
    assert bool(commits) is ("develop" in triggers)


def test_such_a_branch_is_not_started_by_a_workflow_of_its_own_either() -> None:
    names = [".github/workflows/a.yml", ".github/workflows/b.yml"]
    dispatchable = "workflow_dispatch: {inputs: {correlation: {type: string}}}"
    text = workflow(PUSH, f"push: {{branches: ['release/**']}}\n{dispatchable}")
    assert proposed(dict.fromkeys(names, text)).commits == ()


def test_a_schedule_is_not_put_in_where_commits_push_nothing() -> None:
    condition = "github.event_name != 'push' || startsWith(github.ref, 'refs/tags/')"
    text = workflow(PUSH.replace("  id: build", f"  if: {condition}"), "push: {branches: [main], tags: ['v*']}")
    assert proposed({BUILD: text}).commits == ()


@pytest.mark.parametrize(
    ("tags", "is_release"),
    [
        ("[devtest]", False),
        ("['deploy-*', staging]", False),
        ("['*']", True),
        ("['v*']", True),
        ("['api-v*', devtest]", True),
        ("['release/*']", True),
        ("['*.*.*']", True),
        ("['server-[0-9]+.[0-9]+']", True),
        ("['!v*', devtest]", False),
    ],
)
def test_a_tag_that_is_moved_makes_no_release(tags: str, is_release: bool) -> None:
    (finding,) = findings("weekly-rebuild", {RELEASE: workflow(PUSH, f"push: {{tags: {tags}}}")})
    assert finding.message.startswith("only a release starts it" if is_release else "only the tag ")
    assert finding.fix is not None
    assert ("newest release" in finding.fix.advice) is is_release


def test_what_builds_a_moved_tag_gets_no_schedule_of_a_branch() -> None:
    text = workflow(PUSH, "push: {tags: [devtest]}\nworkflow_dispatch:")
    (finding,) = findings("weekly-rebuild", {RELEASE: text})
    assert (
        finding.message
        == "only the tag devtest or a person starts it, and nothing builds what stands there " + ("anew every week")
    )
    assert reason(text) == "a scheduled run would publish the default branch, not what the tag stands at"
