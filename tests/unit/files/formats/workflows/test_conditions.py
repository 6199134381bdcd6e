"""Whether a step runs in a rebuild, by what starts the workflow and by its conditions."""

import pytest

from bot.files.formats.source.yaml import read
from bot.files.formats.workflows.conditions import StepReach, reach_of
from bot.files.formats.workflows.steps import steps_of


def reach(on: str, job: str = "", step: str = "") -> StepReach:
    of_job = f"    if: {job}\n" if job else ""
    of_step = f"      - if: {step}\n        run: x\n" if step else "      - run: x\n"
    [document] = read(f"on: {on}\njobs:\n  build:\n{of_job}    steps:\n{of_step}")
    [found] = steps_of(document)
    return reach_of(document, found)


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("push", StepReach.REBUILDS),
        ("[push, pull_request]", StepReach.REBUILDS),
        ("workflow_call", StepReach.REBUILDS),
        ("{schedule: [{cron: '0 4 * * 1'}]}", StepReach.REBUILDS),
        ("{push: {branches: [main], tags: ['v*']}}", StepReach.REBUILDS),
        ("{push: {tags: ['v*']}}", StepReach.RELEASES),
        ("release", StepReach.RELEASES),
        ("{release: {types: [published]}, workflow_dispatch: }", StepReach.REBUILDS),
        ("pull_request", StepReach.NEVER),
        ("{pull_request: {types: [closed]}}", StepReach.REBUILDS),
    ],
)
def test_what_starts_a_workflow_tells_when_its_steps_run(on: str, expected: StepReach) -> None:
    assert reach(on) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("github.event_name == 'pull_request'", StepReach.NEVER),
        ("${{ github.event_name == 'pull_request' && success() }}", StepReach.NEVER),
        ("github.event_name != 'pull_request'", StepReach.REBUILDS),
        ("github.event_name == 'pull_request' || github.event_name == 'push'", StepReach.REBUILDS),
        ("(github.event_name == 'pull_request') || false", StepReach.NEVER),
        ("${{ !startsWith(github.ref, 'refs/pull/') }}", StepReach.REBUILDS),
        ("startsWith(github.ref, 'refs/pull/')", StepReach.NEVER),
        ("startsWith(github.ref, 'refs/tags/v')", StepReach.RELEASES),
        ("github.ref_type == 'tag'", StepReach.RELEASES),
        ("github.ref == 'refs/heads/main'", StepReach.REBUILDS),
        ("github.ref != 'refs/heads/main'", StepReach.REBUILDS),
        ("github.head_ref != ''", StepReach.NEVER),
        ("github.event.pull_request.merged == true", StepReach.NEVER),
        ("github.event.pull_request.draft == false", StepReach.REBUILDS),
        ("github.event.pull_request.head.repo.fork != false", StepReach.NEVER),
        ("github.event_name == false", StepReach.NEVER),
        ("(github.ref == 'refs/heads/main' && 'stable' || 'edge') == 'stable'", StepReach.REBUILDS),
        ("(github.ref_type == 'tag' && 'stable' || 'edge') == 'stable'", StepReach.RELEASES),
        ("(github.event_name == 'pull_request' && 'test' || 'live') == 'live'", StepReach.REBUILDS),
        ("(github.event_name == 'push' && '') == ''", StepReach.REBUILDS),
        ("(github.repository && false) == true", StepReach.NEVER),
        ("github.repository == 'contoso/shop'", StepReach.REBUILDS),
        ("needs.changes.outputs.src == 'true' && github.ref_type == 'tag'", StepReach.RELEASES),
        ("contains(github.event.head_commit.message, 'release')", StepReach.REBUILDS),
        ("false", StepReach.NEVER),
        ("always()", StepReach.REBUILDS),
        ("((( github.ref", StepReach.REBUILDS),
        ("'it''s' == 'it''s'", StepReach.REBUILDS),
    ],
)
def test_a_condition_counts_as_far_as_event_and_ref_decide_it(condition: str, expected: StepReach) -> None:
    written = f'"{condition}"'
    assert reach("[push, pull_request]", job=written) is expected
    assert reach("[push, pull_request]", step=written) is expected


def test_a_condition_that_no_trigger_of_the_workflow_can_meet_never_holds() -> None:
    assert reach("workflow_dispatch", step="github.ref_type == 'tag'") is StepReach.NEVER
    assert reach("[workflow_dispatch, pull_request]", step="github.event_name == 'push'") is StepReach.NEVER
    assert reach("workflow_dispatch", job="github.event_name != 'push'") is StepReach.REBUILDS


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("release", StepReach.RELEASES),
        ("workflow_run", StepReach.REBUILDS),
        ("repository_dispatch", StepReach.REBUILDS),
        ("pull_request_target", StepReach.NEVER),
    ],
)
def test_a_workflow_that_others_call_runs_for_whatever_starts_these(event: str, expected: StepReach) -> None:
    assert reach("workflow_call", step=f"github.event_name == '{event}'") is expected
