"""Which files of a repository are Azure Pipelines, whatever they are called."""

from bot.files.audit.delivery.azure_pipelines import MOST_TEMPLATES, azure_pipelines
from bot.files.audit.repository import RepositoryTexts
from tests.unit.files.audit.world import findings, texts

PIPELINE = "trigger: [main]\nsteps:\n- script: docker push contoso/api\n"


def test_a_template_is_found_beside_however_many_pipelines() -> None:
    files = {f"ci/{number}.yml": PIPELINE for number in range(MOST_TEMPLATES + 1)}
    files["ci/last.yml"] = "trigger: [main]\nsteps:\n- template: parts/push.yml\n"
    files["ci/parts/push.yml"] = "parameters: {a: b}\nsteps: []\n"
    assert "ci/parts/push.yml" in azure_pipelines(RepositoryTexts(texts(files)))


def test_a_push_in_a_comment_is_none() -> None:
    task = "#- task: Docker@2\n#  command: push\n"
    told = f"trigger: [main]\nsteps:\n- script: |\n    # docker push contoso/api\n    true\n{task}"
    assert [each.message for each in findings("unread-delivery", {"azure-pipelines.yml": told})] == []
    (found,) = findings("unread-delivery", {"azure-pipelines.yml": told.replace("# docker", "docker")})
    assert found.place.start == 4
