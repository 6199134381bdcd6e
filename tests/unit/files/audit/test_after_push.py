"""What a run starts after its push by what is not read: hooks of deploys, and Terraform."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.files.audit.world import BUILD, PUSH, findings, workflow

CONTAINERS = 'resource "azurerm_container_app" "api" {\n}\n'
NETWORK = 'resource "azurerm_virtual_network" "own" {\n}\n'


def told(steps: str, more: dict[str, str] | None = None) -> list[str]:
    found = findings("unread-delivery", {BUILD: workflow(steps), **(more or {})})
    assert {each.outcome for each in found} <= {Outcome.UNKNOWN}
    return [each.message.partition(", and may put")[0] for each in found if each.place.path == BUILD]


@pytest.mark.parametrize(
    ("step", "is_told"),
    [
        ("run: curl -fail -X POST ${{ secrets.WEBHOOK_URL }}", True),
        ("run: curl --request POST 'https://api.render.com/deploy/srv-1?key=1'", True),
        ('run: curl -X POST -d tag=1 "$DEPLOY_HOOK"', True),
        ("run: wget -qO- --post-data= https://portainer.contoso.com/api/webhooks/1", True),
        ('run: "Invoke-RestMethod -Method Post -Uri ${{ secrets.PORTAINER_WEBHOOK }}"', True),
        ("uses: enflo/curl-action@v1\n  with: {curl: '-X POST ${{ secrets.UPDATE_WEBHOOK }}'}", True),
        ("uses: distributhor/workflow-webhook@v3\n  env: {webhook_url: '${{ secrets.DEPLOY_URL }}'}", True),
        ("run: curl -X POST -d @message.json ${{ secrets.WEBHOOK_URL }}", False),
        ("run: curl -X POST ${{ secrets.SLACK_WEBHOOK_URL }}", False),
        ("run: v=$(curl -fsS --retry 2 'https://contoso.com/about?deployment=1' | jq -r .version)", False),
        ("run: curl -s https://contoso.com/deployed/version | grep 8", False),
        ("run: code=$(curl -s -o /dev/null -w '%{http_code}' \"$DEPLOY_HOOK\")", True),
        ('run: id=$(curl -s -X POST "$DEPLOY_HOOK" | jq -r .id)', True),
        ("run: curl -fsSL https://example.com/install.sh | sh", False),
        ('run: curl -fsS "https://api.render.com/deploy/srv-1?key=1" || exit 1', True),
        ("run: curl -fsSX POST https://contoso.com/webhooks/1 | jq .", True),
        ("run: curl -fsSd @message.json $WEBHOOK_URL || exit 1", False),
        ("run: |\n    # curl -X POST $DEPLOY_HOOK\n    true", False),
        ("uses: joelwmale/webhook-action@v1\n  with: {url: '${{ secrets.DISCORD }}', body: hi}", False),
    ],
)
def test_a_hook_that_is_called_after_the_push_is_told(step: str, *, is_told: bool) -> None:
    messages = told(f"{PUSH}- {step}\n")
    assert [each.endswith("calls a hook after the push") for each in messages] == ([True] if is_told else [])


def test_what_is_called_before_the_push_or_without_one_puts_nothing_into_use() -> None:
    call = "- run: curl -X POST $DEPLOY_HOOK\n"
    assert told(call + PUSH) == []
    assert told(call) == []


@pytest.mark.parametrize(
    ("step", "files", "is_told"),
    [
        ("run: terraform apply -auto-approve", {"infra/main.tf": CONTAINERS}, True),
        ("run: terraform -chdir=infra apply plan.tfplan", {}, True),
        ("run: nix-shell -A opentofu ../shell.nix --run 'tofu apply -auto-approve'", {}, True),
        ("uses: dflook/terraform-apply@v2", {}, True),
        ("run: terraform apply -var image_tag=1", {"infra/main.tf": NETWORK}, True),
        ("run: terraform apply -auto-approve", {"infra/main.tf": NETWORK}, False),
        ("run: terraform plan", {}, False),
        ("run: terraform apply -destroy", {}, False),
    ],
)
def test_terraform_that_is_applied_after_the_push_is_told(
    step: str, files: dict[str, str], *, is_told: bool
) -> None:
    assert [each.endswith("comes after the push") for each in told(f"{PUSH}- {step}\n", files)] == [True] * is_told
    assert told(f"- {step}\n{PUSH}", files) == []


APPLYING = """
inputs:
  vars: {default: ''}
runs:
  using: composite
  steps:
    - {shell: bash, run: terraform plan -out=plan.tfplan}
    - {shell: bash, run: terraform apply plan.tfplan}
"""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("vars: |\n      group=a\n      api_container_image=${{ needs.build.outputs.api }}", 1),
        ("vars: resource_group_name=a", 0),
    ],
)
def test_an_action_here_that_has_terraform_apply_an_image_is_told_though_no_push_is_seen(
    given: str, expected: int
) -> None:
    call = f"- uses: ./.github/templates/terraform\n  with:\n    {given}\n"
    files = {
        BUILD: workflow("- run: dotnet cake\n" + call),
        ".github/templates/terraform/action.yml": APPLYING,
        "infra/main.tf": CONTAINERS,
        "Dockerfile": "FROM node:24\n",
    }
    found = [each.message for each in findings("unread-delivery", files) if "apply" in each.message]
    why = "`terraform apply` is given an image, and may put what was pushed into use, which is not judged"
    assert found == [why] * expected
