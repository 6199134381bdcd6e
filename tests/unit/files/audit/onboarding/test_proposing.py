"""What a proposal takes, and what it leaves to people with which reason."""

from collections.abc import Collection
from datetime import datetime

import pytest

from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.repositories.finding import JudgedRepository
from bot.domain.repositories.onboarding import SAFE_CHECKS, LeftToPeople, Proposal
from bot.files.audit.auditing import judge_repository
from bot.files.audit.onboarding import proposing
from bot.files.audit.onboarding.proposing import MOST_SPLICES, MOST_TRIES, WantedProposal, propose
from bot.files.audit.onboarding.weekly_workflow import PATH
from bot.files.audit.repository import RepositoryTexts
from bot.files.formats.source.yaml import read
from bot.views.repositories.onboarding import commits_with_patches
from sandbox.fleets.bare_repository import BUILD, DEPLOYMENT
from tests.unit.files.audit.world import NOW, PUSH, deployment, workflow

DISPATCHABLE = "workflow_dispatch: {inputs: {correlation: {type: string}}}"
LOGIN = ActionCommit("a" * 40, "v3.6.0")


def proposed(files: dict[str, str], *checks: str) -> Proposal:
    commits = {ActionTag("docker/login-action", "v3"): LOGIN}
    texts = {path: text.encode() for path, text in files.items()}
    return propose(texts, "contoso/shop", (), WantedProposal(checks or SAFE_CHECKS, commits), NOW)


def text(proposal: Proposal, path: str = BUILD) -> str:
    return proposal.files[path].decode()


def left(files: dict[str, str], check: str) -> LeftToPeople:
    """The only finding of the check that is left, of which nothing was taken."""
    proposal = proposed(files, check)
    assert proposal.commits == ()
    (found,) = [each for each in proposal.left_to_people if each.check == check]
    return found


# The weekly rebuild


def test_one_workflow_that_pushes_gets_a_schedule_of_its_own() -> None:
    found = text(proposed({BUILD: workflow(PUSH)}, "weekly-rebuild"))
    assert "on:\n  schedule:\n    - cron: '47 4 * * 1'\n  push: {branches: [main]}\n" in found


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("on: push\n", "on:\n  push:\n"),
        ("on: [push, pull_request]  # both\n", "on:  # both\n  push:\n  pull_request:\n"),
        ("'on': [ push ]\r\n", "'on':\r\n  push:\r\n"),
    ],
)
def test_the_short_forms_of_events_become_the_long_one(short: str, long: str) -> None:
    before = workflow(PUSH).replace("on:\n  push: {branches: [main]}\n", short)
    found = text(proposed({BUILD: before}, "dispatchable", "weekly-rebuild"))
    ending = "\r\n" if "\r" in short else "\n"
    assert found.startswith(long.split(ending)[0] + ending)
    assert all(f"{line}{ending}" in found for line in long.split(ending)[1:-1])
    assert f"{ending}  workflow_dispatch:{ending}    inputs:{ending}" in found
    assert f"    - cron: '47 4 * * 1'{ending}" in found


def test_events_in_a_list_over_several_lines_are_left_alone() -> None:
    before = workflow(PUSH).replace("on:\n  push: {branches: [main]}\n", "on:\n  - push\n")
    found = left({BUILD: before}, "dispatchable")
    assert found.reason == "its events are a list over several lines"
    before = workflow(PUSH).replace("on:\n  push: {branches: [main]}\n", "on: [push,\n  pull_request]\n")
    assert left({BUILD: before}, "dispatchable").reason == "its events are a list over several lines"


@pytest.mark.parametrize(
    ("triggers", "expected"),
    [
        (
            "on: {push: {branches: [main]}}  # ours\n",
            "on: {push: {branches: [main]}, workflow_dispatch: {inputs: {correlation: {type: string, "
            "required: false}}}, schedule: [{cron: 47 4 * * 1}]}  # ours\n",
        ),
        (
            "on: { push: { branches: [ main, 'it''s', \"a}b\" ] } }\r\n",
            "on: { push: { branches: [ main, 'it''s', \"a}b\" ] }, workflow_dispatch: {inputs: {correlation: "
            "{type: string, required: false}}}, schedule: [{cron: 47 4 * * 1}] }\r\n",
        ),
    ],
)
def test_events_in_braces_on_one_line_get_more_in_them(triggers: str, expected: str) -> None:
    before = workflow(PUSH).replace("on:\n  push: {branches: [main]}\n", triggers)
    assert text(proposed({BUILD: before}, "dispatchable", "weekly-rebuild")).startswith(expected)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("with: {push: true, tags: 'c/a'}  # ours", "with: {push: true, tags: 'c/a', sbom: true}  # ours"),
        ('with: { push: true, tags: "c/a" }', 'with: { push: true, tags: "c/a", sbom: true }'),
        ("with: {push: true, sbom: false}", "with: {push: true, sbom: true}"),
    ],
)
def test_inputs_in_braces_on_one_line_get_more_in_them(given: str, expected: str) -> None:
    steps = f"- uses: docker/setup-buildx-action@v3\n- uses: docker/build-push-action@v6\n  {given}\n"
    assert f"        {expected}\n" in text(proposed({BUILD: workflow(steps)}, "sbom"))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("with: {push: true,\n    tags: c/a}", "it is written in braces or brackets over several lines"),
        ("with: {push: true, tags: c/a,}", "its last entry ends in a comma"),
    ],
)
def test_other_inputs_in_braces_are_left_alone(given: str, why: str) -> None:
    steps = f"- uses: docker/setup-buildx-action@v3\n- uses: docker/build-push-action@v6\n  {given}\n"
    assert left({BUILD: workflow(steps)}, "sbom").reason == why


def test_a_container_in_braces_gets_a_context_in_them() -> None:
    manifest = deployment(image="x").replace("- name: api\n          image: x", "- {name: a, image: b}")
    found = text(proposed({DEPLOYMENT: manifest}, "seccomp-profile"), DEPLOYMENT)
    assert "    - {name: a, image: b, securityContext: {seccompProfile: {type: RuntimeDefault}}}\n" in found


def test_another_name_gives_another_minute() -> None:
    files = {BUILD: workflow(PUSH).encode()}
    crons = {
        propose(files, f"contoso/{number}", (), WantedProposal(["weekly-rebuild"]), NOW).files[BUILD].split(b"'")[1]
        for number in range(20)
    }
    assert len(crons) > 15


def test_several_workflows_that_push_are_started_by_one_of_its_own() -> None:
    other = ".github/workflows/worker.yml"
    files = {path: workflow(PUSH, f"push: {{branches: [main]}}\n{DISPATCHABLE}") for path in (BUILD, other)}
    proposal = proposed(files, "weekly-rebuild")
    assert list(proposal.files) == [PATH]
    assert "gh workflow run build.yml" in text(proposal, PATH)
    assert "gh workflow run worker.yml" in text(proposal, PATH)
    assert len(proposal.commits[0].mended) == 2
    assert read(text(proposal, PATH))


def test_where_no_schedule_can_be_put_in_a_workflow_of_its_own_starts_it() -> None:
    files = {BUILD: workflow(PUSH).replace("on:\n  push: {branches: [main]}", f"on: {{push: ,\n  {DISPATCHABLE}}}")}
    assert list(proposed(files, "weekly-rebuild").files) == [PATH]


@pytest.mark.parametrize(
    "triggers",
    [
        "push: {branches: [main]}",
        "push: {branches: [main]}\nworkflow_dispatch: {inputs: {tag: {required: true}}}",
    ],
)
def test_what_cannot_be_started_without_a_person_is_left(triggers: str) -> None:
    other = ".github/workflows/worker.yml"
    files = {path: workflow(PUSH, triggers) for path in (BUILD, other)}
    assert PATH not in proposed(files, "weekly-rebuild").files


@pytest.mark.parametrize("triggers", ["release:\n  types: [published]", "push:\n  tags: ['v*']"])
def test_what_builds_releases_only_gets_no_schedule(triggers: str) -> None:
    for check in ("weekly-rebuild", "dispatchable"):
        found = left({BUILD: workflow(PUSH, triggers)}, check)
        alone = "it builds releases alone, and no branch"
        missing = "; without workflow_dispatch its newest tag cannot be built anew"
        assert found.reason == alone + (missing if check == "weekly-rebuild" else "")


def test_what_publishes_another_branch_alone_is_not_made_startable() -> None:
    stable = workflow(PUSH, "push:\n  branches: [stable]\n  tags: ['v*']")
    files = {".github/workflows/preview.yml": workflow(PUSH, f"push: {{branches: [main]}}\n{DISPATCHABLE}")}
    found = left({**files, BUILD: stable}, "dispatchable")
    assert found.reason == "started by hand it would publish the default branch, which no commit to it does"


def test_a_workflow_that_builds_releases_only_is_not_started_with_the_others() -> None:
    names = [".github/workflows/a.yml", ".github/workflows/b.yml"]
    files = {path: workflow(PUSH, f"push: {{branches: [main]}}\n{DISPATCHABLE}") for path in names}
    release = workflow(PUSH, f"release:\n  types: [published]\n{DISPATCHABLE}")
    found = text(proposed({**files, ".github/workflows/release.yml": release}, "weekly-rebuild"), PATH)
    assert "run b.yml" in found
    assert "release.yml" not in found


# SBOMs


@pytest.mark.parametrize(
    ("inputs", "top", "why"),
    [
        ("provenance: false", "", "provenance is false"),
        ("provenance: ${{ vars.PROVENANCE }}", "", "provenance is ${{ vars.PROVENANCE }}"),
        ("attests: 'type=provenance,disabled=true'", "", "attests disables provenance"),
        ("pull: true", "env: {BUILDX_NO_DEFAULT_ATTESTATIONS: 1}", "BUILDX_NO_DEFAULT_ATTESTATIONS is set"),
    ],
)
def test_no_index_is_made_of_an_image_that_is_kept_a_plain_manifest(inputs: str, top: str, why: str) -> None:
    steps = PUSH.replace("push: true", f"push: true\n    {inputs}")
    found = left({BUILD: workflow(steps, top=top)}, "sbom")
    assert found.reason == f"{why}, and an SBOM makes what is pushed an index"


@pytest.mark.parametrize(
    ("platforms", "why"),
    [
        ("linux/amd64", "an SBOM makes what is pushed an index"),
        ("'${{ vars.PLATFORMS }}'", "an SBOM makes what is pushed an index, unless its platforms do"),
        ("'${{ env.PLATFORMS }}'", "an SBOM stands in the index beside the platforms as well"),
        ("linux/amd64,linux/arm64", "an SBOM stands in the index beside the platforms as well"),
    ],
)
def test_what_is_an_index_by_its_platforms_is_not_said_to_become_one(platforms: str, why: str) -> None:
    steps = PUSH.replace("push: true", f"push: true\n    provenance: false\n    platforms: {platforms}")
    text = workflow(steps, top="env: {PLATFORMS: 'linux/amd64,linux/arm64'}")
    assert left({BUILD: text}, "sbom").reason == f"provenance is false, and {why}"


def test_an_action_that_knows_no_sbom_is_raised_in_the_same_edit() -> None:
    steps = PUSH.replace("build-push-action@v6", "build-push-action@v2")
    found = text(proposed({BUILD: workflow(steps)}, "sbom"))
    assert "          sbom: true\n" in found
    assert "      - uses: docker/build-push-action@53b7df96c91f9c12dcc8a07bcb9ccacbed38856a # v7.3.0\n" in found


@pytest.mark.parametrize(
    ("download", "is_raised"),
    [
        ("- uses: actions/download-artifact@v4\n  with: {path: all}\n", False),
        ("- uses: actions/download-artifact@v4\n", False),
        ("- run: gh run download\n", False),
        ("- uses: actions/download-artifact@v4\n  with: {name: app}\n", True),
        ("- uses: actions/download-artifact@v4\n  with: {pattern: app-*}\n", True),
        ("- run: gh run download --name app\n", True),
    ],
)
def test_no_action_is_raised_to_one_that_uploads_its_record_among_artifacts_of_any_name(
    download: str, is_raised: bool
) -> None:
    files = {BUILD: workflow(PUSH.replace("build-push-action@v6", "build-push-action@v2") + download)}
    if is_raised:
        assert "# v7.3.0" in text(proposed(files, "sbom"))
    else:
        why = "downloads artifacts of any name, and newer versions of docker/build-push-action upload one"
        assert left(files, "sbom").reason.endswith(why)


@pytest.mark.parametrize(
    ("written", "is_taken"), [("exit-code: '0'", True), ("exit-code: '0'  # do not block releases, see #12", False)]
)
def test_an_exit_code_that_a_comment_explains_is_left_to_people(written: str, is_taken: bool) -> None:
    scan = (
        f"- uses: aquasecurity/trivy-action@0.28.0\n  with:\n    image-ref: ghcr.io/contoso/api:8\n    {written}\n"
    )
    files = {BUILD: workflow(PUSH + scan)}
    if is_taken:
        assert "exit-code: '1'" in text(proposed(files, "scan-blocks"))
    else:
        assert left(files, "scan-blocks").reason == "a comment beside exit-code says that people chose it"


def test_an_action_that_knows_it_keeps_its_version() -> None:
    assert "build-push-action@v6\n" in text(proposed({BUILD: workflow(PUSH)}, "sbom"))


def test_on_a_runner_of_ones_own_no_action_is_raised() -> None:
    before = workflow(PUSH.replace("build-push-action@v6", "build-push-action@v2"))
    found = left({BUILD: before.replace("ubuntu-latest", "self-hosted")}, "sbom")
    assert found.reason == "whether its runner takes a newer version of docker/build-push-action is not known"


# Actions


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("docker/login-action@v3", f"docker/login-action@{LOGIN.sha} # v3.6.0"),
        ("'docker/login-action@v3'", f"'docker/login-action@{LOGIN.sha}' # v3.6.0"),
        ("docker/login-action@v3 # v3.1", f"docker/login-action@{LOGIN.sha} # v3.6.0"),
        ("docker/login-action@v3 # signs in", f"docker/login-action@{LOGIN.sha} # v3.6.0 # signs in"),
    ],
)
def test_an_action_is_named_by_commit(before: str, after: str) -> None:
    found = text(proposed({BUILD: workflow(f"- uses: {before}\n{PUSH}")}, "actions-pinned"))
    assert f"      - uses: {after}\n" in found


def test_an_action_whose_commit_nobody_tells_is_advice() -> None:
    found = left({BUILD: workflow("- uses: docker/metadata-action@v5\n- run: docker push x/y")}, "actions-pinned")
    assert found.reason == "the commit of docker/metadata-action@v5 could not be asked of the forge"


# What is left alone


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ("# Code generated by a tool. DO NOT EDIT.\n" + deployment(), "the file says that it is generated"),
        (
            deployment().replace("- name: api", "- &api\n          name: api"),
            "parts of the file are shared by anchors",
        ),
        (deployment().replace("spec:", "spec: # {{- tpl }}", 1), "the file is a template"),
        (deployment().replace("image: ", "image:\t"), "the file has tabs"),
        (
            deployment(image="x").replace("- name: api\n          image: x", "- {name: a,\n  image: b}"),
            "it is written in braces or brackets over several lines",
        ),
    ],
)
def test_what_says_more_than_it_shows_is_left_with_the_reason(manifest: str, why: str) -> None:
    assert left({DEPLOYMENT: manifest}, "seccomp-profile").reason == why


def test_a_generated_dockerfile_is_left_alone() -> None:
    files = {"Dockerfile": "# Generated by make. Do not edit.\nFROM mcr.microsoft.com/dotnet/aspnet:8.0.11\n"}
    assert left(files, "base-pinned").reason == "the file says that it is generated"


@pytest.mark.parametrize(
    ("roll_forward", "is_taken"),
    [("", False), ("disable", False), ("latestPatch", False), ("latestFeature", True), ("minor", True)],
)
def test_an_sdk_image_that_global_json_holds_to_one_feature_band_stays(roll_forward: str, is_taken: bool) -> None:
    rule = f', "rollForward": "{roll_forward}"' if roll_forward else ""
    files = {
        "global.json": f'{{"sdk": {{"version": "10.0.302"{rule}}}}}',
        "Dockerfile": "FROM mcr.microsoft.com/dotnet/sdk:10.0.302-noble AS build\n",
    }
    proposal = proposed(files, "base-pinned")
    assert bool(proposal.commits) is is_taken
    assert is_taken or "feature band" in proposal.left_to_people[0].reason
    runtime = {**files, "Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:10.0.6-noble\n"}
    assert proposed(runtime, "base-pinned").commits


def test_a_waived_finding_is_neither_mended_nor_left() -> None:
    dockerfile = "# freshness: ignore[base-pinned] reason=measured\nFROM mcr.microsoft.com/dotnet/aspnet:8.0.11\n"
    proposal = proposed({"Dockerfile": dockerfile}, "base-pinned")
    assert (proposal.commits, [each for each in proposal.left_to_people if each.check == "base-pinned"]) == ((), [])


def test_a_check_that_the_operator_leaves_out_is_told_so() -> None:
    proposal = proposed({BUILD: workflow(PUSH)}, "dispatchable")
    assert "the operator's settings leave this check out" in {
        each.reason for each in proposal.left_to_people if each.check == "weekly-rebuild"
    }


SET_UP = "- uses: docker/setup-buildx-action@v3\n"
DRIVER_OF_RUN = (SET_UP, f"{SET_UP}  with: {{driver: '${{{{ matrix.driver }}}}'}}\n")


def test_an_edit_that_would_not_make_its_check_hold_is_told_as_a_patch() -> None:
    """Whether a driver that only a run knows stores what `sbom: true` asks for is not known."""
    found = left({BUILD: workflow(PUSH.replace(*DRIVER_OF_RUN))}, "sbom")
    assert found.reason == "with that change the check would not hold, or another finding would be new"
    assert "+          sbom: true\n" in found.patch


def test_an_edit_that_needs_a_builder_first_is_left_with_both_as_a_patch() -> None:
    found = left({BUILD: workflow(PUSH.replace("- uses: docker/setup-buildx-action@v3\n", ""))}, "sbom")
    assert found.reason == "it needs a person's judgement"
    assert "+          sbom: true\n" in found.patch
    assert "+      - uses: docker/setup-buildx-action@" in found.patch


def test_a_pull_request_stays_small() -> None:
    files = {f"deploy/{number}.yaml": deployment() for number in range(MOST_SPLICES + 5)}
    proposal = proposed(files, "seccomp-profile")
    assert (len(proposal.files), proposal.more) == (MOST_SPLICES, 5)


@pytest.mark.parametrize("number_of_others", [0, 1])
@pytest.mark.parametrize("number", [16, MOST_SPLICES + 2])
def test_many_splices_are_tried_out_together_where_one_of_them_does_not_stand_too(
    monkeypatch: pytest.MonkeyPatch, number: int, number_of_others: int
) -> None:
    of_others = PUSH.replace(*DRIVER_OF_RUN)
    texts = [of_others] * number_of_others + [PUSH] * number
    judged = list[RepositoryTexts]()

    def counted(repository: RepositoryTexts, now: datetime, unwaivable: Collection[str] = ()) -> JudgedRepository:
        judged.append(repository)
        return judge_repository(repository, now, unwaivable)

    monkeypatch.setattr(proposing, "judge_repository", counted)
    proposal = proposed({f".github/workflows/{at}.yml": workflow(each) for at, each in enumerate(texts)}, "sbom")
    assert len(proposal.files) == min(number, MOST_SPLICES)
    assert proposal.more == max(0, number - MOST_SPLICES)
    assert [each.check for each in proposal.left_to_people if each.check == "sbom"] == ["sbom"] * number_of_others
    assert len(judged) <= 2 + number_of_others * (MOST_TRIES + 4)


@pytest.mark.parametrize("denied", [(), ("Dockerfile",)])
def test_bytes_that_are_no_text_stay_in_the_file_and_break_no_words_for_people(denied: tuple[str, ...]) -> None:
    files = {"Dockerfile": b"# J\xfcrgen\nFROM mcr.microsoft.com/dotnet/aspnet:8.0.4\n"}
    proposal = propose(files, "contoso/shop", (), WantedProposal(["base-pinned"], denied=denied), NOW)
    patches = [each.patch for each in proposal.left_to_people] + [
        patch for _, patch in commits_with_patches(proposal)
    ]
    assert "-FROM mcr.microsoft.com/dotnet/aspnet:8.0.4" in "".join(patches).encode().decode()
    assert all(text.startswith(b"# J\xfcrgen\n") for text in proposal.files.values())
