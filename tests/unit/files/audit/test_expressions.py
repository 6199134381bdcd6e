"""GitHub's expressions as conditions, where the text `false` holds, and as inputs of actions, where it does not."""

from itertools import product

import pytest
from hypothesis import given

from bot.domain.repositories.finding import Outcome
from bot.files.audit.workflows.expressions import (
    MOST_ADDED,
    as_input_true,
    evaluated,
    filled,
    input_condition,
    truth,
)
from tests.unit.files.audit.expressions import expressions
from tests.unit.files.audit.world import BUILD, PUSH, outcome, outcomes, workflow

FALSE = {"env.x": "false", "env.none": "", "inputs.x": "false", "steps.a.outputs.x": "0"}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("${{ env.X }}", True),
        ("env.X", True),
        ("steps.a.outputs.x", True),
        ("'false'", True),
        ("env.NONE", False),
        ("inputs.x", False),
        ("!env.X", False),
        ("env.X && env.X == 'true'", False),
        ("env.X == 'false'", True),
        ("env.X == false", False),
        ("env.NONE == false", True),
        ("contains('a', 'b')", False),
        ("false", False),
    ],
)
def test_a_text_holds_in_a_condition_whatever_it_says(condition: str, holds: bool) -> None:
    assert truth(condition, FALSE) is holds


@pytest.mark.parametrize("condition", ["${{ env.NONE }} == 'true'", "!${{ true }}", "${{ false }} && ${{ false }}"])
def test_an_expression_with_more_around_it_is_a_text_that_holds(condition: str) -> None:
    assert truth(condition, FALSE) is True


_SAID = ("true", "false", "", "x")


@given(expressions())
def test_the_condition_of_an_input_holds_just_where_the_action_reads_true(expression: str) -> None:
    for a, c in product(_SAID, ("true", "false")):
        values = {"env.a": a, "env.b": "false", "inputs.c": c, "matrix.d": "true"}
        said = evaluated(expression, values)
        assert said is not None
        assert truth(as_input_true(expression), values) is (said.lower() == "true")
        assert truth(input_condition(f"${{{{ {expression} }}}}"), values) is (said.lower() == "true")


SCAN = """
- uses: aquasecurity/trivy-action@0.28.0
  if: ${{ env.SCANS }}
  with: {image-ref: 'ghcr.io/contoso/api:8', exit-code: '1', severity: 'HIGH,CRITICAL'}
"""


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("github.event.pull_request.head.repo.fork == false", True),
        ("github.event.pull_request.number == 0", True),
        ("github.event.pull_request.draft != true", True),
        ("github.event.pull_request.draft == true", False),
        ("github.event.pull_request.title == 'x'", False),
        ("null == false", True),
        ("null == 1", False),
        ("true == 1", True),
    ],
)
def test_what_an_event_does_not_have_is_zero_beside_no_text(condition: str, holds: bool) -> None:
    absent = ("head.repo.fork", "number", "draft", "title")
    assert truth(condition, {f"github.event.pull_request.{name}": "" for name in absent}) is holds


def test_a_step_runs_by_a_variable_that_says_false() -> None:
    assert outcome("image-scanned", {BUILD: workflow(PUSH + SCAN, top="env: {SCANS: 'false'}")}) is Outcome.HOLDS
    assert outcome("image-scanned", {BUILD: workflow(PUSH + SCAN, top="env: {SCANS: ''}")}) is Outcome.FAILS


def test_nothing_is_pushed_by_an_input_whose_variable_says_false() -> None:
    told = PUSH.replace("push: true", "push: ${{ env.PUSHES }}")
    of_main = "env: {PUSHES: \"${{ github.ref == 'refs/heads/main' }}\"}"
    assert outcomes("image-scanned", {BUILD: workflow(told, top="env: {PUSHES: 'false'}")}) == []
    assert outcomes("image-scanned", {BUILD: workflow(told, "push: {branches: [dev]}", top=of_main)}) == []
    assert outcomes("image-scanned", {BUILD: workflow(told, top=of_main)}) == [Outcome.FAILS]


ACTION = """
inputs:
  scans: {{default: '{default}'}}
runs:
  using: composite
  steps:
    - uses: aquasecurity/trivy-action@0.28.0
      if: ${{{{ inputs.scans }}}}
      with: {{image-ref: 'ghcr.io/contoso/api:8', exit-code: '1'}}
"""


@pytest.mark.parametrize(("default", "expected"), [("false", Outcome.HOLDS), ("", Outcome.FAILS)])
def test_inputs_of_an_action_are_texts(default: str, expected: Outcome) -> None:
    files = {
        BUILD: workflow(PUSH + "- uses: ./.github/actions/scan\n"),
        ".github/actions/scan/action.yml": ACTION.format(default=default),
    }
    assert outcome("image-scanned", files) is expected


CALLED = """
on:
  workflow_call:
    inputs:
      scans: {{type: {kind}, default: false}}
jobs:
  scan:
    runs-on: ubuntu-latest
    steps:
      - uses: aquasecurity/trivy-action@0.28.0
        if: inputs.scans
        with: {{image-ref: 'ghcr.io/contoso/api:8', exit-code: '1'}}
"""


@pytest.mark.parametrize(("kind", "expected"), [("string", Outcome.HOLDS), ("boolean", Outcome.FAILS)])
def test_inputs_of_a_workflow_are_of_their_kind(kind: str, expected: Outcome) -> None:
    caller = workflow(PUSH) + "  scan:\n    needs: build\n    uses: ./.github/workflows/scan.yml\n"
    files = {BUILD: caller, ".github/workflows/scan.yml": CALLED.format(kind=kind)}
    assert outcome("image-scanned", files) is expected


def test_values_that_are_made_of_one_another_grow_no_longer_than_is_read() -> None:
    value, lengths = "x", list[int]()
    for _ in range(22):
        value = filled("${{ env.a }}${{ env.a }}", {"env.a": value})
        lengths.append(len(value))
    assert max(lengths) <= MOST_ADDED + len("${{ env.a }}" * 2)


def test_a_text_that_is_put_together_grows_no_longer_than_is_read() -> None:
    expression = "'x'"
    for _ in range(3):
        expression = f"format('{'{0}' * 50}', {expression})"
    assert evaluated(expression, {}) is None
    assert evaluated("format('{0}-{1}', 'a', 'b')", {}) == "a-b"
