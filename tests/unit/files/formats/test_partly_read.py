"""Which pipelines put in templates that none of a repository's own files is."""

import pytest

from bot.files.formats.builds import NamedTemplate
from bot.files.formats.partly_read import partly_read

STEPS = b"steps:\n- script: make\n"


def names_lacking(text: str, **others: bytes) -> list[NamedTemplate]:
    files = {"azure-pipelines.yml": text.encode(), **others}
    return [each.lacking for each in partly_read(files).values()]


def test_a_template_of_another_repository_is_not_in_reach() -> None:
    text = "trigger: none\nextends:\n  template: images/build.yml@shared\n"
    assert names_lacking(text) == [NamedTemplate("azure-pipelines.yml", 3, "images/build.yml@shared", None)]


@pytest.mark.parametrize("name", ["ci/${{ parameters.kind }}.yml", "'${{ variables.file }}'", "gone.yml"])
def test_a_template_whose_name_an_expression_makes_or_no_file_has_is_not_in_reach(name: str) -> None:
    [lacking] = names_lacking(f"steps:\n- template: {name}\n")
    assert lacking.line == 2


@pytest.mark.parametrize("name", ["ci/steps.yml", "/ci/steps.yml", "./ci/steps.yml", "ci/steps.yml@self"])
def test_a_template_of_the_same_repository_is_in_reach(name: str) -> None:
    assert names_lacking(f"steps:\n- template: {name}\n", **{"ci/steps.yml": STEPS}) == []


def test_templates_are_followed_from_their_own_folders_and_what_is_read_is_named() -> None:
    files = {
        "azure-pipelines.yml": b"jobs:\n- template: ci/job.yml\n",
        "ci/job.yml": b"jobs:\n- job: image\n  steps:\n  - template: steps.yml\n  - template: push.yml@shared\n",
        "ci/steps.yml": STEPS,
        "other.yml": STEPS,
    }
    partly = partly_read(files)["azure-pipelines.yml"]
    assert partly.lacking == NamedTemplate("ci/job.yml", 5, "push.yml@shared", None)
    assert partly.paths == ("azure-pipelines.yml", "ci/job.yml", "ci/steps.yml")


def test_templates_that_put_in_each_other_come_to_an_end() -> None:
    files = {"azure-pipelines.yml": b"steps:\n- template: a.yml\n", "a.yml": b"steps:\n- template: a.yml\n"}
    assert partly_read(files) == {}


def test_a_template_in_a_file_of_another_kind_is_nothing_of_a_pipeline() -> None:
    workflow = b"kind: Workflow\napiVersion: argoproj.io/v1alpha1\nspec:\n  template: build@shared\n"
    assert partly_read({"argo.yml": workflow}) == {}


def test_what_cannot_be_read_lacks_nothing() -> None:
    assert names_lacking("steps:\n- template: [a@b\n") == []
