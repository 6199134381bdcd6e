"""Which workflows can be dispatched."""

import pytest

from bot.domain.repositories.repository import Workflow
from bot.files.formats.workflows.dispatchable import dispatchable

PATH = ".github/workflows/rebuild.yml"


@pytest.mark.parametrize(
    "text",
    [
        "on: workflow_dispatch\n",
        "on: [push, workflow_dispatch]\n",
        "on:\n  - workflow_dispatch\n",
        "on:\n  push:\n  workflow_dispatch:\n",
        "on:\n  workflow_dispatch: {}\n",
        '"on": workflow_dispatch\n',
        "'on':\n  workflow_dispatch: ~\n",
        "on: &when [workflow_dispatch]\njobs: {}\n",
    ],
)
def test_every_form_of_the_trigger_counts(text: str) -> None:
    assert dispatchable(PATH, text) == Workflow(PATH)


def test_inputs_are_told_in_their_order() -> None:
    text = "on:\n  workflow_dispatch:\n    inputs:\n      reason: {type: string}\n      correlation:\n"
    assert dispatchable(PATH, text) == Workflow(PATH, ("reason", "correlation"))


@pytest.mark.parametrize(
    "text",
    [
        "on: push\n",
        "on: [push]\n# workflow_dispatch\n",
        "on:\n  push:\n    branches: [workflow_dispatch]\n",
        "name: workflow_dispatch\non: push\n",
        "jobs:\n  workflow_dispatch:\n    on: push\n",
        "- workflow_dispatch\n",
        "workflow_dispatch",
        "",
    ],
)
def test_the_word_elsewhere_does_not(text: str) -> None:
    assert dispatchable(PATH, text) is None


@pytest.mark.parametrize(
    "text", ["on: [workflow_dispatch\n", "on: {workflow_dispatch: *nowhere}\n", "\x00workflow_dispatch"]
)
def test_a_file_that_cannot_be_read_is_no_workflow(text: str) -> None:
    assert dispatchable(PATH, text) is None


@pytest.mark.parametrize("inputs", ["inputs", "[a, b]", "{a: [1]}", "~"])
def test_strange_inputs_do_no_harm(inputs: str) -> None:
    found = dispatchable(PATH, f"on:\n  workflow_dispatch:\n    inputs: {inputs}\n")
    assert found is not None
    assert found.file == "rebuild.yml"
