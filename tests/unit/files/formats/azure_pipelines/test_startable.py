"""What a pipeline takes as it is started is what its file declares."""

import pytest

from bot.files.formats.azure_pipelines.startable import startable

PATH = "pipelines/deploy.yml"


def test_parameters_are_taken_and_required_where_they_have_no_default() -> None:
    text = """\
trigger: none
parameters:
- name: environment
  type: string
  values: [pre, prod]
- {name: correlation, type: string, default: ''}
extends: {template: stages.yml}
"""
    workflow = startable(PATH, text)
    assert workflow is not None
    assert (workflow.path, workflow.inputs, workflow.required) == (
        *(PATH, ("environment", "correlation")),
        ("environment",),
    )


@pytest.mark.parametrize("text", ["trigger: none\nsteps: []\n", "parameters: {environment: pre}\n"])
def test_a_file_without_a_list_of_parameters_takes_none(text: str) -> None:
    workflow = startable(PATH, text)
    assert workflow is not None
    assert workflow.inputs == ()


@pytest.mark.parametrize("text", ["", "- a\n", "a: [\n"])
def test_what_is_no_pipeline_cannot_be_started(text: str) -> None:
    assert startable(PATH, text) is None
