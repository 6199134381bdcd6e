"""Whether the run that comes every week pushes: conditions as a schedule meets them."""

import pytest

from bot.domain.repositories.finding import Finding, Outcome
from bot.domain.repositories.onboarding import Proposal
from bot.domain.repositories.surroundings import Surroundings
from bot.files.audit.auditing import judge_repository
from bot.files.audit.onboarding.proposing import WantedProposal, propose
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rules import BY_CHECK
from tests.unit.files.audit.world import BUILD, NOW, PUSH, findings, outcomes, texts, workflow

HOLDS, FAILS, UNKNOWN, NOT_APPLICABLE = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
WEEKLY = "schedule: [{cron: '17 3 * * 1'}]"
MAIN = f"push: {{branches: [main]}}\n{WEEKLY}"


def weekly(files: dict[str, str], path: str = BUILD) -> Finding:
    (finding,) = [each for each in findings("weekly-rebuild", files) if each.place.path == path]
    return finding


def guarded(condition: str) -> str:
    """The push with a condition."""
    return PUSH.replace("  id: build", f"  if: {condition}")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("startsWith(github.ref, 'refs/tags/')", FAILS),
        ("startsWith(github.ref, 'refs/tags/v') || github.event_name == 'workflow_dispatch'", FAILS),
        ("github.ref == 'refs/heads/main'", HOLDS),
        ("github.ref_name == 'main' && github.event_name != 'pull_request'", HOLDS),
        ("github.ref == 'refs/heads/release'", FAILS),
        ("github.ref == format('refs/heads/{0}', github.event.repository.default_branch)", HOLDS),
        ("inputs.publish", FAILS),
        ("github.event.inputs.publish == 'true'", FAILS),
        ("inputs.publish != 'false'", HOLDS),
        ("github.event.schedule == '17 3 * * 1'", HOLDS),
        ("github.event.schedule == '0 0 1 * *'", FAILS),
        ("success()", HOLDS),
        ("failure()", FAILS),
        ("!github.event.repository.fork", HOLDS),
        ("steps.changes.outputs.api == 'true'", UNKNOWN),
        ("vars.PUBLISH == 'true'", UNKNOWN),
        ("hashFiles('Dockerfile') != ''", UNKNOWN),
        ("github.event_name == 'schedule' || vars.PUBLISH == 'true'", HOLDS),
        ("github.event_name == 'push' && vars.PUBLISH == 'true'", FAILS),
    ],
)
def test_a_condition_is_judged_as_a_schedule_meets_it(condition: str, expected: Outcome) -> None:
    triggers = f"{MAIN}\nworkflow_dispatch: {{inputs: {{publish: {{type: boolean, default: true}}}}}}"
    assert weekly({BUILD: workflow(guarded(condition), triggers)}).outcome is expected


def test_an_unknown_names_the_condition_that_it_hangs_on() -> None:
    finding = weekly({BUILD: workflow(guarded("vars.PUBLISH == 'true'"), MAIN)})
    assert "`vars.PUBLISH == 'true'`" in finding.message
    assert finding.settled_by


def test_where_two_branches_may_be_the_default_one_a_condition_on_one_of_them_is_unknown() -> None:
    triggers = f"push: {{branches: [main, develop]}}\n{WEEKLY}"
    assert weekly({BUILD: workflow(guarded("github.ref == 'refs/heads/main'"), triggers)}).outcome is UNKNOWN
    both = "github.ref == 'refs/heads/main' || github.ref_name == 'develop'"
    assert weekly({BUILD: workflow(guarded(both), triggers)}).outcome is HOLDS


def test_where_no_usual_branch_is_named_any_that_is_may_be_the_default_one() -> None:
    triggers = f"push: {{branches: [production]}}\n{WEEKLY}"
    assert weekly({BUILD: workflow(guarded("github.ref_name == 'production'"), triggers)}).outcome is UNKNOWN


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("${{ github.event_name != 'pull_request' }}", HOLDS),
        ("${{ github.ref_type == 'tag' }}", FAILS),
        ("${{ steps.which.outputs.push }}", UNKNOWN),
        ("${{ env.PUSH }}", UNKNOWN),
    ],
)
def test_whether_the_step_pushes_is_judged_alike(flag: str, expected: Outcome) -> None:
    steps = PUSH.replace("push: true", f'push: "{flag}"')
    triggers = MAIN.replace("[main]", "[main], tags: ['v*']")
    assert weekly({BUILD: workflow(steps, triggers)}).outcome is expected


@pytest.mark.parametrize(
    ("needed", "own", "expected"),
    [
        ("github.event_name == 'push'", "", FAILS),
        ("github.event_name == 'push'", "always()", HOLDS),
        ("github.event_name == 'push'", "always() && needs.first.result == 'success'", UNKNOWN),
        ("github.event_name == 'schedule'", "needs.first.result == 'success'", HOLDS),
        ("vars.RUN", "", UNKNOWN),
        ("", "needs.first.outputs.changed == 'true'", UNKNOWN),
    ],
)
def test_a_job_is_left_out_with_the_one_that_it_needs(needed: str, own: str, expected: Outcome) -> None:
    job = f"needs: first\n{f'if: {own}' if own else ''}"
    condition = f"    if: {needed}\n" if needed else ""
    first = f"  first:\n    runs-on: ubuntu-latest\n{condition}    steps: [{{run: echo}}]\n"
    text = workflow(PUSH, MAIN, job).replace("jobs:\n", f"jobs:\n{first}")
    assert weekly({BUILD: text}).outcome is expected


CALLED = """
on: {workflow_call: {inputs: {push: {type: boolean, default: false}}}}
jobs:
  image:
    runs-on: ubuntu-latest
    steps: [{uses: docker/build-push-action@v6, with: {push: "${{ inputs.push }}", tags: contoso/api}}]
"""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("true", HOLDS),
        ("${{ github.ref == 'refs/heads/main' }}", HOLDS),
        ("${{ github.event_name == 'release' || startsWith(github.ref, 'refs/tags/') }}", FAILS),
        ("${{ inputs.push }}", FAILS),
        ("${{ vars.PUSH }}", UNKNOWN),
    ],
)
def test_a_called_workflow_is_judged_with_what_its_caller_hands_over(given: str, expected: Outcome) -> None:
    caller = (
        "on:\n  push: {branches: [main], tags: ['v*']}\n"
        f"  workflow_dispatch: {{inputs: {{push: {{}}}}}}\n  {WEEKLY}\n"
        f'jobs: {{call: {{uses: ./.github/workflows/called.yml, with: {{push: "{given}"}}}}}}\n'
    )
    assert weekly({BUILD: caller, ".github/workflows/called.yml": CALLED}).outcome is expected


def test_a_workflow_that_another_calls_every_week_is_rebuilt_then() -> None:
    own = workflow(PUSH, "push: {branches: [main]}\nworkflow_call:")
    caller = f"on: {{{WEEKLY}}}\njobs: {{call: {{uses: ./.github/workflows/build.yml}}}}\n"
    assert weekly({BUILD: own, ".github/workflows/weekly.yml": caller}).outcome is HOLDS
    never = caller.replace("yml}}", "yml, if: github.event_name == 'push'}}")
    assert weekly({BUILD: own, ".github/workflows/weekly.yml": never}).outcome is FAILS


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("github.event_name == 'workflow_dispatch'", HOLDS),
        ("github.event_name == 'push'", FAILS),
        ("inputs.publish == 'yes'", FAILS),
        ("vars.PUBLISH", UNKNOWN),
    ],
)
def test_a_workflow_that_another_starts_every_week_is_judged_as_it_is_started(
    condition: str, expected: Outcome
) -> None:
    triggers = "push: {branches: [main]}\nworkflow_dispatch: {inputs: {publish: {default: 'no'}}}"
    starter = f"on: {{{WEEKLY}}}\njobs: {{go: {{runs-on: x, steps: [{{run: gh workflow run build.yml}}]}}}}\n"
    files = {BUILD: workflow(guarded(condition), triggers), ".github/workflows/weekly.yml": starter}
    assert weekly(files).outcome is expected
    handed = starter.replace("build.yml", "build.yml -f publish=yes")
    if "inputs" in condition:
        assert weekly({**files, ".github/workflows/weekly.yml": handed}).outcome is UNKNOWN


METADATA = """
- uses: docker/metadata-action@v5
  id: meta
  with:
    images: ghcr.io/contoso/api
    tags: |
      type=semver,pattern={{version}}
      type=ref,event=tag
"""


def test_a_scheduled_run_that_has_no_names_to_push_pushes_nothing() -> None:
    push = PUSH.replace("tags: ghcr.io/contoso/api:8", "tags: ${{ steps.meta.outputs.tags }}")
    assert weekly({BUILD: workflow(METADATA + push, MAIN)}).outcome is FAILS
    branch = METADATA.replace("event=tag", "event=branch")
    assert weekly({BUILD: workflow(branch + push, MAIN)}).outcome is HOLDS


def proposed(files: dict[str, str]) -> Proposal:
    texts = {path: text.encode() for path, text in files.items()}
    return propose(texts, "contoso/shop", (), WantedProposal(["weekly-rebuild"]), NOW)


@pytest.mark.parametrize("condition", ["startsWith(github.ref, 'refs/tags/')", "vars.PUBLISH"])
def test_a_schedule_that_need_not_push_is_not_proposed(condition: str) -> None:
    files = {BUILD: workflow(guarded(condition), "push: {branches: [main], tags: ['v*']}")}
    (finding,) = findings("weekly-rebuild", files)
    assert finding.fix is not None
    assert (finding.fix.edits, finding.fix.suggested) == ((), ())
    proposal = proposed(files)
    assert proposal.commits == ()
    (left,) = [each for each in proposal.left_to_people if each.check == "weekly-rebuild"]
    assert "a scheduled run would push" in left.reason


NIGHTLY = ".github/workflows/nightly.yml"


@pytest.mark.parametrize(
    ("released", "nightly", "expected"),
    [
        ("ghcr.io/contoso/api:8", "ghcr.io/contoso/api:8", HOLDS),
        ("ghcr.io/contoso/api:8", "ghcr.io/contoso/api:8,ghcr.io/contoso/api:nightly", HOLDS),
        ("ghcr.io/${{ github.repository }}:8", "ghcr.io/${{ github.repository }}:8", HOLDS),
        ("ghcr.io/contoso/api:8", "ghcr.io/contoso/api:nightly", FAILS),
        ("ghcr.io/contoso/api:8,ghcr.io/contoso/api:latest", "ghcr.io/contoso/api:8", FAILS),
        ("ghcr.io/contoso/api:${{ github.sha }}", "ghcr.io/contoso/api:${{ github.sha }}", FAILS),
    ],
)
def test_a_nightly_that_pushes_the_same_tags_is_the_weekly_rebuild(
    released: str, nightly: str, expected: Outcome
) -> None:
    files = {
        BUILD: workflow(PUSH.replace("ghcr.io/contoso/api:8", released)),
        NIGHTLY: workflow(PUSH.replace("ghcr.io/contoso/api:8", nightly), "schedule: [{cron: '3 3 * * *'}]"),
    }
    assert weekly(files).outcome is expected
    assert weekly(files, NIGHTLY).outcome is HOLDS


BY_HAND = "workflow_dispatch: {inputs: {environment: {type: string, required: true}}}"


def left(files: dict[str, str]) -> str:
    """Why nothing is proposed for the only workflow that is not rebuilt."""
    proposal = proposed(files)
    assert proposal.commits == ()
    (found,) = [each for each in proposal.left_to_people if each.check == "weekly-rebuild"]
    return found.reason


def test_what_only_people_start_with_a_value_gets_no_schedule() -> None:
    assert "has none of the inputs" in left({BUILD: workflow(PUSH, BY_HAND)})


@pytest.mark.parametrize("more", ["- uses: ./.github/actions/deploy-shop", "- run: terraform apply"])
def test_what_only_people_start_and_does_more_than_push_is_neither_scheduled_nor_started(more: str) -> None:
    assert "may do more than push images" in left({BUILD: workflow(PUSH + more, "workflow_dispatch:")})


def test_what_only_people_publish_is_published_by_no_schedule_of_ours() -> None:
    files = {BUILD: workflow(PUSH, "workflow_dispatch:")}
    assert "only people start it, and say when" in left(files)
    assert not proposed(files).commits


@pytest.mark.parametrize("condition", ["", "github.event_name != 'workflow_run' || "])
def test_what_follows_another_workflow_is_not_started_past_it(condition: str) -> None:
    after = "workflow_run: {workflows: [Tests], types: [completed]}\nworkflow_dispatch:"
    steps = guarded(f"{condition}github.event.workflow_run.conclusion == 'success'")
    assert "without waiting for the workflow that it follows" in left({BUILD: workflow(steps, after)})


def test_tags_that_no_push_takes_keep_no_schedule_away() -> None:
    metadata = "- id: meta\n  uses: docker/metadata-action@v5\n  with:\n    images: contoso/api\n"
    (commit,) = proposed({BUILD: workflow(metadata + PUSH, COMMITS)}).commits
    assert b"cron" in commit.files[BUILD]


@pytest.mark.parametrize(
    ("tag", "is_moved"),
    [("${GITHUB_SHA::7}", True), ("$(git rev-parse HEAD)", True), ("$(date +%F)-${GITHUB_SHA::7}", False)],
)
def test_a_commits_tag_is_known_by_the_step_that_tells_it(tag: str, is_moved: bool) -> None:
    told = f'- id: vars\n  run: echo "tag={tag}" >> $GITHUB_OUTPUT\n'
    push = PUSH.replace("ghcr.io/contoso/api:8", "ghcr.io/contoso/api:${{ steps.vars.outputs.tag }}")
    assert bool(proposed({BUILD: workflow(told + push, COMMITS)}).commits) is not is_moved


def test_a_tag_in_which_a_number_stands_beside_the_commit_is_one_of_its_own() -> None:
    told = '- id: vars\n  run: echo "tag=${GITHUB_SHA::7}" >> $GITHUB_OUTPUT\n'
    tag = "${{ github.run_number }}-${{ steps.vars.outputs.tag }}"
    push = PUSH.replace("contoso/api:8", f"contoso/api:{tag}")
    assert proposed({BUILD: workflow(told + push, COMMITS)}).commits


@pytest.mark.parametrize(
    ("tags", "is_moved"),
    [
        ("ghcr.io/contoso/api:git-${{ github.sha }}", True),
        ("ghcr.io/contoso/api:${{ github.sha }}, ghcr.io/contoso/api:latest", True),
        ("ghcr.io/contoso/api:${{ github.sha }}-${{ github.run_number }}", False),
    ],
)
def test_a_tag_of_the_commit_alone_is_moved_by_no_schedule_of_ours(tags: str, is_moved: bool) -> None:
    files = {BUILD: workflow(PUSH.replace("ghcr.io/contoso/api:8", tags), COMMITS)}
    assert bool(proposed(files).commits) is not is_moved


def test_what_publishes_another_branch_is_not_advised_to_be_scheduled() -> None:
    other = {".github/workflows/test.yml": workflow("- run: make", "push: {branches: [main]}")}
    (finding,) = findings("weekly-rebuild", {BUILD: workflow(PUSH, "push: {branches: ['7.x']}"), **other})
    assert finding.fix is not None
    assert finding.fix.advice == "build the branch that is published anew every week, and no other"


@pytest.mark.parametrize("triggers", ["workflow_call:", f"workflow_call:\n{BY_HAND}"])
def test_what_is_called_is_advised_to_be_called_every_week(triggers: str) -> None:
    (finding,) = findings("weekly-rebuild", {BUILD: workflow(PUSH, triggers)})
    assert finding.fix is not None
    assert finding.fix.advice == "call it every week with its inputs, from a workflow with a schedule"


@pytest.mark.parametrize(
    ("triggers", "who"),
    [
        (BY_HAND, "only people start what calls it"),
        (f"{BY_HAND}\npull_request:", "only people start what calls it"),
        ("release: {types: [published]}", "only people and releases start what calls it"),
        ("push: {tags: ['v*']}", "only people and releases start what calls it"),
        ("push: {branches: [main]}", ""),
        ("pull_request:", ""),
    ],
)
def test_what_people_and_releases_alone_call_is_not_called_for_a_newer_commit(triggers: str, who: str) -> None:
    caller = workflow("- run: make", triggers) + "  image:\n    uses: ./.github/workflows/build.yml\n"
    files = {BUILD: workflow(PUSH, f"workflow_call:\n{BY_HAND}"), ".github/workflows/release.yml": caller}
    (finding,) = [each for each in findings("weekly-rebuild", files) if each.place.path == BUILD]
    assert finding.fix is not None
    assert finding.fix.advice.startswith("build what it published last" if who else "call it every week")
    assert (who in finding.fix.left_alone, "release.yml" in finding.fix.left_alone) == (True, bool(who))


def test_what_a_release_and_comments_call_is_not_called_for_a_newer_commit() -> None:
    call = "  image:\n    uses: ./.github/workflows/build.yml\n"
    files = {
        BUILD: workflow(PUSH, "pull_request:\nworkflow_call: {inputs: {app_version: {type: string}}}"),
        ".github/workflows/release.yml": workflow("- run: make", f"push: {{tags: ['v*']}}\n{BY_HAND}") + call,
        ".github/workflows/comment.yml": workflow("- run: make", "issue_comment:") + call,
    }
    (finding,) = [each for each in findings("weekly-rebuild", files) if each.place.path == BUILD]
    assert finding.fix is not None
    assert finding.fix.advice.startswith("build what it published last")
    assert "comment.yml" not in finding.fix.left_alone


OF_PULL_REQUEST = "  if: github.event.issue.pull_request && github.event.comment.body == '/image'"


def test_what_a_comment_on_a_pull_request_starts_builds_no_accepted_change() -> None:
    files = {BUILD: workflow(PUSH.replace("  id: build", OF_PULL_REQUEST), "issue_comment:")}
    (finding,) = findings("weekly-rebuild", files)
    assert (finding.outcome, finding.fix) == (Outcome.NOT_APPLICABLE, None)


def test_what_a_comment_starts_gets_no_schedule() -> None:
    (finding,) = findings("weekly-rebuild", {BUILD: workflow(PUSH, "issue_comment:")})
    assert finding.outcome is FAILS
    assert finding.fix is not None
    assert (finding.fix.edits, finding.fix.suggested) == ((), ())
    assert "has no comment" in finding.fix.in_words


MERGED = "pull_request: {types: [closed], branches: [main]}"


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target"])
@pytest.mark.parametrize("types", ["[closed]", "closed", "[opened, closed]"])
@pytest.mark.parametrize("check", ["weekly-rebuild", "dispatchable", "image-scanned"])
def test_what_a_merge_publishes_is_no_test(check: str, types: str, event: str) -> None:
    steps = PUSH.replace("  id: build", "  if: github.event.pull_request.merged == true")
    assert outcomes(check, {BUILD: workflow(steps, f"{event}: {{types: {types}}}")}) == [Outcome.FAILS]


@pytest.mark.parametrize(
    ("triggers", "condition"),
    [
        ("pull_request: {types: [opened, closed]}", "github.event.action != 'closed'"),
        (MERGED, "github.event.pull_request.merged == false"),
        ("pull_request: {types: [opened, synchronize]}", "always()"),
    ],
)
def test_what_no_merge_publishes_is_a_test(triggers: str, condition: str) -> None:
    steps = PUSH.replace("  id: build", f"  if: {condition}")
    assert outcomes("weekly-rebuild", {BUILD: workflow(steps, triggers)}) == []


def test_what_merges_to_another_branch_publish_gets_no_schedule_of_the_default_branch() -> None:
    other = "on: {push: {branches: [main]}}\njobs: {}\n"
    for branch, is_scheduled in (("main", True), ("release", False)):
        files = {BUILD: workflow(PUSH, MERGED.replace("main", branch)), ".github/workflows/ci.yml": other}
        (finding,) = findings("weekly-rebuild", files)
        assert finding.fix is not None
        assert bool(finding.fix.edits) is is_scheduled


@pytest.mark.parametrize("check", ["weekly-rebuild", "dispatchable"])
@pytest.mark.parametrize(
    ("tag", "is_proposed"),
    [("8", True), ("${{ github.event.pull_request.number }}", False), ("${{ github.base_ref }}", False)],
)
def test_what_is_told_by_a_merge_alone_is_started_by_nothing_else(check: str, tag: str, is_proposed: bool) -> None:
    (finding,) = findings(check, {BUILD: workflow(PUSH.replace("api:8", f"api:{tag}"), MERGED)})
    assert finding.fix is not None
    assert bool(finding.fix.edits) is is_proposed
    assert ("hands over" in finding.fix.left_alone) is not is_proposed


@pytest.mark.parametrize(
    ("branches", "is_scheduled"),
    [
        ("['**', '!main']", False),
        ("['**', '!m*']", False),
        ("['**', '!main', 'ma*']", True),
        ("['**', '!dependabot/**']", True),
        ("['*', '!m[a-z]in']", True),
    ],
)
def test_what_keeps_the_default_branch_out_gets_no_schedule_of_it(branches: str, is_scheduled: bool) -> None:
    files = {BUILD: workflow(PUSH, f"push: {{branches: {branches}}}"), ".github/workflows/ci.yml": ON_MAIN}
    (finding,) = findings("weekly-rebuild", files)
    assert finding.fix is not None
    assert bool(finding.fix.edits) is is_scheduled


ON_MAIN = "on: {push: {branches: [main]}}\njobs: {}\n"


def test_where_two_branches_may_be_the_default_one_it_is_not_said_that_no_commit_publishes_it() -> None:
    files = {BUILD: workflow(PUSH, "push: {branches: [develop]}"), ".github/workflows/ci.yml": ON_MAIN}
    (finding,) = findings("weekly-rebuild", files)
    assert finding.fix is not None
    assert not finding.fix.edits
    assert "hangs on the name of the default branch" in finding.fix.left_alone


@pytest.mark.parametrize("branch", ["develop", "dev", "development", "trunk"])
def test_the_only_branch_that_workflows_name_is_not_surely_the_default_one(branch: str) -> None:
    (finding,) = findings("weekly-rebuild", {BUILD: workflow(PUSH, f"push: {{branches: [{branch}]}}")})
    assert finding.fix is not None
    assert not finding.fix.edits
    assert "hangs on the name of the default branch" in finding.fix.left_alone


@pytest.mark.parametrize(
    ("told", "pushed", "is_scheduled"),
    [("develop", "develop", True), ("main", "develop", False), ("main", "main", True)],
)
def test_the_default_branch_that_the_forge_tells_is_the_one(told: str, pushed: str, *, is_scheduled: bool) -> None:
    files = {BUILD: workflow(PUSH, f"push: {{branches: [{pushed}]}}"), ".github/workflows/ci.yml": ON_MAIN}
    repository = RepositoryTexts(texts(files), surroundings=Surroundings(default_branch=told))
    (finding,) = judge_repository(repository, NOW, rules=[BY_CHECK["weekly-rebuild"]]).findings
    assert finding.fix is not None
    assert bool(finding.fix.edits) is is_scheduled
    assert "hangs on the name" not in finding.fix.left_alone


def test_no_schedule_is_advised_that_pushes_nothing() -> None:
    triggers = "push: {branches: [main]}"
    for condition in ("github.event_name == 'push'", "github.event_name != 'schedule'"):
        (finding,) = findings("weekly-rebuild", {BUILD: workflow(guarded(condition), triggers)})
        assert finding.fix is not None
        assert finding.fix.advice.startswith("build what it publishes anew every week")
        (finding,) = findings("weekly-rebuild", {BUILD: workflow(guarded(condition), MAIN)})
        assert finding.fix is not None
        assert finding.fix.advice.startswith("let the push take place")


def test_what_a_step_of_a_called_action_does_besides_is_named() -> None:
    steps = PUSH + "- uses: ./.github/actions/deploy-shop\n"
    action = "runs: {using: composite, steps: [{run: make, shell: bash}]}\n"
    files = {BUILD: workflow(steps, "workflow_dispatch:"), ".github/actions/deploy-shop/action.yml": action}
    (finding,) = findings("weekly-rebuild", files)
    assert finding.fix is not None
    assert "(`make`)" in finding.fix.left_alone


@pytest.mark.parametrize(
    ("step", "is_scheduled"),
    [
        ("uses: softprops/action-gh-release@v2", False),
        ("uses: appleboy/ssh-action@v1", False),
        ("run: dotnet nuget push a.nupkg", False),
        ("run: terraform -chdir=infra apply -auto-approve", False),
        ("run: pulumi up --yes", False),
        ("run: terraform plan", True),
        ("uses: softprops/action-gh-release@v2\n  if: startsWith(github.ref, 'refs/tags/')", True),
        ("run: helm upgrade api chart", True),
    ],
)
def test_what_makes_a_release_in_each_run_gets_no_schedule(step: str, is_scheduled: bool) -> None:
    files = {BUILD: workflow(f"{PUSH}- {step}\n", "push: {branches: [main]}\nworkflow_dispatch:")}
    (finding,) = findings("weekly-rebuild", files)
    assert finding.fix is not None
    assert bool(finding.fix.edits) is is_scheduled
    assert ("done every week" in finding.fix.left_alone) is not is_scheduled


def test_no_schedule_is_advised_for_what_deploys_to_production_where_it_is_in_doubt_that_it_pushes() -> None:
    steps = "- uses: docker/build-push-action@v6\n  with: {push: '${{ !env.ACT }}', tags: ghcr.io/contoso/api}\n"
    steps += "- uses: softprops/action-gh-release@v2\n"
    (finding,) = findings("weekly-rebuild", {BUILD: workflow(steps, "push: {branches: [main]}")})
    assert finding.fix is not None
    assert "done every week" in finding.fix.left_alone
    assert "add a schedule" not in finding.fix.advice


def test_what_is_started_by_hand_and_works_on_another_machine_gets_no_schedule() -> None:
    (finding,) = findings(
        "weekly-rebuild", {BUILD: workflow(f"{PUSH}- uses: appleboy/ssh-action@v1\n", "workflow_dispatch:")}
    )
    assert finding.fix is not None
    assert not finding.fix.edits


@pytest.mark.parametrize(
    ("triggers", "flag", "expected"),
    [
        ("workflow_dispatch:\npull_request:", "true", NOT_APPLICABLE),
        ("workflow_dispatch:\npull_request:", "${{ github.event_name != 'pull_request' }}", FAILS),
        ("workflow_dispatch:\npull_request:\npush: {branches: [main]}", "true", FAILS),
    ],
)
def test_what_pushes_changes_that_are_not_accepted_yet_needs_no_schedule(
    triggers: str, flag: str, expected: Outcome
) -> None:
    (finding,) = findings(
        "weekly-rebuild", {BUILD: workflow(PUSH.replace("push: true", f"push: {flag}"), triggers)}
    )
    assert finding.outcome is expected


def test_what_is_called_and_builds_changes_is_not_only_called() -> None:
    (finding,) = findings("weekly-rebuild", {BUILD: workflow(PUSH, "pull_request:\nworkflow_call:")})
    assert finding.message.startswith(
        "it is only called, but for changes that are not accepted yet, and no schedule"
    )


COMMITS = "push: {branches: [main]}"
DEPLOYS = """\
  ship:
    needs: build
    runs-on: ubuntu-latest
    environment: {name}
    steps:
      - run: make ship
"""


@pytest.mark.parametrize(
    "name", ["prod", "production", "Production-EU", "{name: prod, url: 'https://contoso.com'}"]
)
def test_a_run_that_deploys_to_production_is_not_proposed_every_week(name: str) -> None:
    assert "job ship runs in environment" in left(
        {BUILD: workflow(PUSH, COMMITS) + DEPLOYS.replace("{name}", name)}
    )


@pytest.mark.parametrize("name", ["staging", "nonprod", "pre-production"])
def test_a_run_that_deploys_to_an_earlier_stage_is_proposed_every_week(name: str) -> None:
    deploys = DEPLOYS.format(name=name).replace("make ship", "kubectl set image deploy/web web=contoso/api:8")
    (commit,) = proposed({BUILD: workflow(PUSH, COMMITS) + deploys}).commits
    assert b"cron" in commit.files[BUILD]


def test_production_that_a_called_workflow_deploys_to_is_seen() -> None:
    called = "on: {workflow_call: {inputs: {environment: {type: string}}}}\njobs:\n" + DEPLOYS.replace(
        "    needs: build\n", ""
    ).format(name="${{ inputs.environment }}")
    caller = "  ship:\n    needs: build\n    uses: ./.github/workflows/ship.yml\n    with: {environment: prod}\n"
    files = {BUILD: workflow(PUSH, COMMITS) + caller, ".github/workflows/ship.yml": called}
    assert "runs in environment prod" in left(files)


def test_production_that_only_a_release_reaches_stands_against_no_schedule() -> None:
    job = DEPLOYS.format(name="prod").replace("    needs", "    if: github.event_name == 'release'\n    needs")
    (commit,) = proposed({BUILD: workflow(PUSH, f"{COMMITS}\nrelease: {{types: [published]}}") + job}).commits
    assert b"cron" in commit.files[BUILD]


@pytest.mark.parametrize(
    "more", ["- uses: getsentry/action-release@v1", "- run: sentry-cli releases new $GITHUB_SHA"]
)
def test_a_run_that_makes_a_release_of_sentry_is_not_proposed_every_week(more: str) -> None:
    assert "may do more than push images" in left({BUILD: workflow(PUSH + more, COMMITS)})


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("type=image,push=true", HOLDS),
        ("type=registry", HOLDS),
        ("type=image,push=${{ vars.PUSHES }}", UNKNOWN),
        ("type=image,push=${{ github.event_name == 'push' }}", FAILS),
    ],
)
def test_a_scheduled_run_pushes_as_the_exporter_says(output: str, expected: Outcome) -> None:
    steps = f"- uses: docker/bake-action@v6\n  with:\n    set: |\n      *.output={output}\n"
    triggers = "push: {branches: [main]}\nschedule: [{cron: '17 4 * * 4'}]"
    assert outcomes("weekly-rebuild", {BUILD: workflow(steps, triggers)}) == [expected]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("- run: aws s3 sync out s3://contoso-files\n", "aws s3 sync"),
        ("- run: az storage blob upload-batch -s out -d files\n", "az storage blob"),
        ("- run: gsutil -m rsync -r out gs://contoso\n", "gsutil"),
        ("- uses: peter-evans/repository-dispatch@v3\n", "repository-dispatch"),
        (
            "- run: gh api repos/contoso/shop/dispatches -f event_type=built\n",
            "gh api repos/contoso/shop/dispatches",
        ),
        ("- uses: contoso/docker-image-push@v1\n", "docker-image-push"),
        ("- run: skaffold run\n", "skaffold"),
    ],
)
def test_a_run_that_brings_more_than_the_image_elsewhere_is_not_proposed_every_week(step: str, said: str) -> None:
    assert said in left({BUILD: workflow(PUSH + step, COMMITS)})


CALLS = "  after:\n    needs: build\n    uses: contoso/workflows/.github/workflows/{name}.yml@v1\n"


@pytest.mark.parametrize("name", ["deploy", "pack-nuget", "test-and-publish"])
def test_a_run_that_calls_a_workflow_which_is_not_read_is_not_proposed_every_week(name: str) -> None:
    assert f"{name}.yml" in left({BUILD: workflow(PUSH, COMMITS) + CALLS.format(name=name)})


def test_a_run_that_calls_a_workflow_which_only_checks_is() -> None:
    (commit,) = proposed({BUILD: workflow(PUSH, COMMITS) + CALLS.format(name="lint")}).commits
    assert b"cron" in commit.files[BUILD]


@pytest.mark.parametrize(
    "step", ["- run: aws s3 cp --quiet s3://contoso/a.zip .\n", "- run: gsutil cp gs://a/b .\n"]
)
def test_a_run_that_only_fetches_files_is(step: str) -> None:
    (commit,) = proposed({BUILD: workflow(PUSH + step, COMMITS)}).commits
    assert b"cron" in commit.files[BUILD]


def pushing(name: str, condition: str) -> str:
    return f"- run: docker build -t {name} . && docker push {name}\n  name: push {name}\n  if: {condition}\n"


OF_BRANCH, OF_TAG = "github.ref_type == 'branch'", "github.ref_type == 'tag'"


def test_a_weekly_run_that_leaves_out_what_releases_push_says_so() -> None:
    triggers = f"push: {{branches: [main], tags: ['v*']}}\n{WEEKLY}"
    steps = pushing("contoso/api:nightly", OF_BRANCH) + pushing("contoso/api:latest", OF_TAG)
    found = weekly({BUILD: workflow(steps, triggers)})
    assert found.outcome is UNKNOWN
    assert "push contoso/api:latest" in found.message


@pytest.mark.parametrize(
    "steps",
    [
        pushing("contoso/api:1", OF_BRANCH) + pushing("contoso/api:1", OF_TAG),
        pushing("contoso/api:1", "success()")
        + pushing("contoso/api:2", "github.event_name == 'workflow_dispatch'"),
        pushing("contoso/api:1", OF_BRANCH) + pushing("contoso/api:2", "vars.ALSO == 'true'"),
    ],
)
def test_a_weekly_run_that_pushes_the_same_or_all_that_is_released_holds(steps: str) -> None:
    triggers = f"push: {{branches: [main], tags: ['v*']}}\nworkflow_dispatch:\n{WEEKLY}"
    assert weekly({BUILD: workflow(steps, triggers)}).outcome is HOLDS


FOLLOWS = """\
on: {workflow_run: {workflows: [Build], types: [completed]}}
jobs:
  deploy:
    if: CONDITION
    runs-on: ubuntu-latest
    environment: production
    steps:
      - run: az containerapp update --name web --image contoso/api
"""


@pytest.mark.parametrize(
    ("condition", "is_scheduled"),
    [
        ("github.event.workflow_run.conclusion == 'success'", False),
        ("github.event.workflow_run.event == 'release'", True),
        ("github.event.workflow_run.event == 'push'", True),
    ],
)
def test_a_run_that_another_follows_to_production_is_not_proposed_every_week(
    condition: str, is_scheduled: bool
) -> None:
    files = {
        BUILD: "name: Build\n" + workflow(PUSH, COMMITS),
        ".github/workflows/deploy.yml": FOLLOWS.replace("CONDITION", condition),
    }
    if is_scheduled:
        (commit,) = proposed(files).commits
        assert b"cron" in commit.files[BUILD]
    else:
        assert "deploy.yml follows it, where job deploy runs in environment production" in left(files)


@pytest.mark.parametrize(
    "run",
    [
        "az containerapp job update -g mds-prod -n scraper --image a",
        "az containerapp update -g prod -n web --image a",
    ],
)
def test_a_run_that_deploys_behind_its_build_is_not_proposed_every_week(run: str) -> None:
    assert "deploys to production" in left({BUILD: workflow(f"{PUSH}- run: {run}\n", COMMITS)})


@pytest.mark.parametrize(
    "run", ["az containerapp update -g shop-dev -n web --image a", "kubectl rollout status d/a"]
)
def test_a_run_that_brings_nothing_to_production_is(run: str) -> None:
    (commit,) = proposed({BUILD: workflow(f"{PUSH}- run: {run}\n", COMMITS)}).commits
    assert b"cron" in commit.files[BUILD]


EVERY_WEEK = "push: {branches: [main], tags: ['v*']}\nschedule: [{cron: '17 4 * * 4'}]"
SHIPS = "docker push contoso/api:8"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (SHIPS, HOLDS),
        (f'if [ "$GITHUB_REF" = refs/heads/main ]; then {SHIPS}; fi', HOLDS),
        (f'if [ "${{{{ github.ref_name }}}}" == "main" ]; then {SHIPS}; fi', HOLDS),
        (f"if [[ $GITHUB_REF == refs/tags/* ]]; then {SHIPS}; fi", FAILS),
        (f"if [[ $GITHUB_REF == refs/tags/* ]]; then echo; else {SHIPS}; fi", HOLDS),
        (f'[ "$GITHUB_EVENT_NAME" = push ] && {SHIPS}', FAILS),
        (f'if [ "$GITHUB_EVENT_NAME" != push ]; then exit 0; fi\n    {SHIPS}', FAILS),
        (f'if [ -z "$TOKEN" ]; then exit 0; fi\n    {SHIPS}', UNKNOWN),
        (f'if [ -z "$TOKEN" ]; then exit 1; fi\n    {SHIPS}', HOLDS),
        (f"if ! docker manifest inspect contoso/api:8; then {SHIPS}; fi", UNKNOWN),
        (f"case $KIND in image) {SHIPS};; esac", UNKNOWN),
        (f"docker build -t contoso/api:8 . && {SHIPS}", HOLDS),
        (f"for tag in 8 9; do {SHIPS}; done", HOLDS),
    ],
)
def test_a_condition_of_the_script_is_judged_as_a_schedule_meets_it(script: str, expected: Outcome) -> None:
    files = {BUILD: workflow(f"- run: |\n    {script}\n", EVERY_WEEK)}
    assert outcomes("weekly-rebuild", files) == [expected]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (f"if ($env:KIND -eq 'image') {{\n      {SHIPS}\n    }}", UNKNOWN),
        (f"foreach ($tag in $tags) {{\n      {SHIPS}\n    }}", HOLDS),
        (f"if ($a) {{ exit 1 }}\n    {SHIPS}", HOLDS),
    ],
)
def test_a_condition_of_powershell_leaves_it_open(script: str, expected: Outcome) -> None:
    files = {BUILD: workflow(f"- shell: pwsh\n  run: |\n    {script}\n", EVERY_WEEK)}
    assert outcomes("weekly-rebuild", files) == [expected]


@pytest.mark.parametrize("triggers", [COMMITS, f"{COMMITS}\nworkflow_dispatch:"])
@pytest.mark.parametrize("condition", ["true", "github.event.workflow_run.event != 'push'"])
def test_what_deploys_after_each_run_keeps_every_weekly_start_away(triggers: str, condition: str) -> None:
    other = FOLLOWS.replace("    environment: production\n", "").replace("CONDITION", condition)
    files = {
        BUILD: "name: Build\n" + workflow(PUSH, triggers),
        ".github/workflows/web.yml": workflow(PUSH, triggers),
        ".github/workflows/deploy.yml": other,
    }
    proposal = proposed(files)
    assert all(b"build.yml" not in text for each in proposal.commits for text in each.files.values())
    assert all(BUILD not in each.files for each in proposal.commits)


@pytest.mark.parametrize(
    ("tags", "is_scheduled"),
    [("", False), ("tags: 'type=schedule'", False), ("tags: 'type=ref,event=branch'", True)],
)
def test_a_schedule_that_would_make_a_tag_of_its_own_is_not_put_in(tags: str, *, is_scheduled: bool) -> None:
    metadata = f"- id: meta\n  uses: docker/metadata-action@v5\n  with:\n    images: contoso/api\n    {tags}\n"
    steps = metadata + PUSH.replace("ghcr.io/contoso/api:8", "${{ steps.meta.outputs.tags }}")
    (found,) = findings("weekly-rebuild", {BUILD: workflow(steps, COMMITS)})
    assert found.fix is not None
    assert ("nightly" not in found.fix.left_alone, bool(found.fix.edits)) == (is_scheduled, is_scheduled)
    dispatched = proposed({BUILD: workflow(steps, f"{COMMITS}\nworkflow_dispatch:")}).commits
    assert [b"gh workflow run" in text for each in dispatched for text in each.files.values()] == [not is_scheduled]


TAGGED = "- id: meta\n  uses: docker/metadata-action@v5\n  with:\n    images: contoso/api\n    tags: |\n{}\n"
PUSH_OF_TAGGED = PUSH.replace("ghcr.io/contoso/api:8", "${{ steps.meta.outputs.tags }}")


@pytest.mark.parametrize("triggers", [COMMITS, f"{COMMITS}\nworkflow_dispatch:"])
@pytest.mark.parametrize(
    ("line", "is_moved"),
    [
        ("type=sha", True),
        ("type=sha,format=long,prefix=", True),
        ("type=raw,value=${{ github.sha }}", True),
        ("type=raw,value=${{ github.sha }}-${{ github.run_number }}", False),
        ("type=sha,enable=false", False),
        ("type=sha,enable=${{ github.event_name == 'push' }}", False),
        ("type=raw,value=edge", False),
        ("type=sha,suffix=-${{ github.run_number }}", False),
        ("type=sha,prefix={{date 'YYYYMMDD'}}-", False),
        ("type=sha,prefix={{ date 'YYYYMMDD' }}-", False),
        ("type=sha,prefix=update-", True),
        ("type=sha,prefix={{branch}}-", True),
        ("type=sha,enable=${{ github.ref == 'refs/heads/main' }}", True),
    ],
)
def test_a_tag_of_the_commit_beside_others_is_moved_by_no_run_of_ours(
    line: str, triggers: str, *, is_moved: bool
) -> None:
    steps = TAGGED.format(f"      type=ref,event=branch\n      {line}") + PUSH_OF_TAGGED
    assert bool(proposed({BUILD: workflow(steps, triggers)}).commits) is not is_moved


def test_a_tag_of_a_schedule_that_labels_alone_tell_of_is_not_pushed() -> None:
    labelled = TAGGED.format("      type=schedule") + PUSH.replace("push: true", "push: true\n    labels: LABELS")
    steps = labelled.replace("LABELS", "${{ steps.meta.outputs.labels }}")
    other = "  other:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ steps.meta.outputs.tags }}\n"
    assert proposed({BUILD: workflow(steps, COMMITS) + other}).commits


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("${{ startsWith(github.ref, 'refs/tags/v') }}", FAILS),
        ("${{ github.event_name == 'schedule' }}", HOLDS),
        ("${{ steps.which.outputs.push }}", UNKNOWN),
        ("${{ matrix.push == 'true' }}", UNKNOWN),
    ],
)
def test_what_a_job_hands_over_is_judged_where_it_is_asked_for(output: str, expected: Outcome) -> None:
    first = f"  first:\n    runs-on: a\n    outputs:\n      ships: {output}\n    steps: [{{run: make}}]\n"
    text = (
        workflow(PUSH, f"push: {{tags: ['v*']}}\n{WEEKLY}", "needs: first\nif: needs.first.outputs.ships == 'true'")
        + first
    )
    assert weekly({BUILD: text}).outcome is expected
    guarded_first = text.replace("  first:\n", "  first:\n    if: vars.FIRST\n")
    assert weekly({BUILD: guarded_first}).outcome is UNKNOWN
