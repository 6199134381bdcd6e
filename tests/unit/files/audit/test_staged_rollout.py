"""Deployments to production pass a gate, and what nobody can see in files is not called one or none."""

from collections.abc import Mapping

import pytest

from bot.domain.repositories.finding import Finding, Outcome
from bot.domain.repositories.surroundings import EnvironmentProtection, Surroundings
from bot.files.audit.auditing import judge_repository
from bot.files.audit.onboarding.proposing import WantedProposal, propose
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rules import BY_CHECK
from tests.unit.files.audit.world import BUILD, NOW, deployment, findings, outcome, outcomes, texts, workflow

CHECK = "staged-rollout"
HOLDS, FAILS, UNKNOWN = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN
APP = "az containerapp update --name api --image ghcr.io/contoso/api:8"


def job(name: str, run: str = APP, more: str = "") -> str:
    lines = [f"  {name}:", "    runs-on: ubuntu-latest", *(f"    {line}" for line in more.splitlines())]
    return "\n".join([*lines, "    steps:", f"      - run: {run}", ""])


def jobs(*written: str, on: str = "push: {branches: [main]}") -> dict[str, str]:
    return {BUILD: f"on:\n  {on}\njobs:\n" + "".join(written)}


def found(files: Mapping[str, str], environments: Mapping[str, EnvironmentProtection]) -> Finding:
    repository = RepositoryTexts(texts(files), surroundings=Surroundings(environments=environments))
    (finding,) = judge_repository(repository, NOW, rules=[BY_CHECK[CHECK]]).findings
    return finding


@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("deploy-production", APP),
        ("deployProd", APP),
        ("deploy", "az containerapp update -n api -g rg-contoso-prod --image a"),
        ("deploy", "fly deploy --image a --app api-production"),
    ],
)
def test_a_deploy_to_production_with_nothing_before_it_fails(name: str, run: str) -> None:
    assert outcome(CHECK, jobs(job(name, run))) is FAILS


@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("deploy-staging", APP),
        ("deploy-pre-production", APP),
        ("deployPreProd", APP),
        ("deploy-test", APP),
        ("deploy", "az containerapp update -n api-dev --image a"),
        ("deploy", "kubectl apply -k overlays/non-prod"),
    ],
)
def test_an_earlier_stage_is_asked_nothing(name: str, run: str) -> None:
    assert outcomes(CHECK, jobs(job(name, run))) == []


@pytest.mark.parametrize("name", ["deploy", "build-test-deploy", "release"])
def test_a_stage_that_nothing_names_is_unknown(name: str) -> None:
    assert outcome(CHECK, jobs(job(name))) is UNKNOWN


def test_what_a_program_is_told_names_no_stage() -> None:
    run = f"{APP} --set-env-vars ASPNETCORE_ENVIRONMENT=Production"
    assert outcome(CHECK, jobs(job("deploy", run))) is UNKNOWN


@pytest.mark.parametrize(
    "written", ["environment: production", "environment: {name: Production, url: 'https://x'}"]
)
@pytest.mark.parametrize(
    ("protection", "expected"),
    [
        (EnvironmentProtection(has_reviewers=True), HOLDS),
        (EnvironmentProtection(waits=30), HOLDS),
        (EnvironmentProtection(has_own_rules=True), HOLDS),
        (EnvironmentProtection(), FAILS),
    ],
)
def test_an_environment_is_a_gate_where_the_forge_says_so(
    written: str, protection: EnvironmentProtection, expected: Outcome
) -> None:
    files = jobs(job("deploy", more=written))
    assert outcome(CHECK, files) is UNKNOWN
    assert found(files, {"production": protection}).outcome is expected


def test_an_environment_that_the_forge_does_not_know_asks_nothing() -> None:
    assert found(jobs(job("deploy", more="environment: production")), {}).outcome is FAILS


def test_of_an_environment_that_names_no_stage_nothing_is_called_a_failure() -> None:
    assert found(jobs(job("deploy", more="environment: azure")), {}).outcome is UNKNOWN


@pytest.mark.parametrize("name", ["${{ inputs.env }}", "${{ vars.ENVIRONMENT }}", "${{ github.ref_name }}"])
def test_an_environment_that_only_a_run_knows_is_unknown(name: str) -> None:
    files = jobs(job("deploy-production", more=f"environment: {name}"))
    assert found(files, {"production": EnvironmentProtection()}).outcome is UNKNOWN


def test_the_environment_that_a_caller_hands_over_is_put_in() -> None:
    called = "on: {workflow_call: {inputs: {env: {type: string}}}}\njobs:\n"
    called += job("deploy", more="environment: ${{ inputs.env }}")
    caller = "on: push\njobs:\n" + "".join(
        f"  {name}: {{uses: ./.github/workflows/deploy.yml, with: {{env: {name}}}}}\n"
        for name in ("staging", "production")
    )
    files = {BUILD: caller, ".github/workflows/deploy.yml": called}
    assert found(files, {"production": EnvironmentProtection(has_reviewers=True)}).outcome is HOLDS
    assert found(files, {}).outcome is FAILS


def test_each_stage_of_a_matrix_is_asked_for_itself() -> None:
    matrix = "strategy: {matrix: {env: [staging, production]}}\nenvironment: ${{ matrix.env }}"
    files = jobs(job("deploy", more=matrix))
    assert found(files, {"production": EnvironmentProtection(waits=5)}).outcome is HOLDS
    assert found(files, {}).outcome is FAILS


def test_an_environment_of_a_job_that_it_needs_counts() -> None:
    files = jobs(job("approve", "echo", "environment: production"), job("deploy-prod", more="needs: approve"))
    assert found(files, {"production": EnvironmentProtection(has_reviewers=True)}).outcome is HOLDS


def test_a_stage_before_it_is_a_gate_and_one_beside_it_is_none() -> None:
    assert outcome(CHECK, jobs(job("deploy-staging"), job("deploy-prod", more="needs: deploy-staging"))) is HOLDS
    assert outcome(CHECK, jobs(job("deploy-staging"), job("deploy-prod"))) is FAILS


@pytest.mark.parametrize(
    "step",
    [
        "      - run: az containerapp ingress traffic set -n api --revision-weight a=10\n",
        "      - run: az containerapp revision set-mode -n api --mode multiple\n",
        "      - run: kubectl argo rollouts -n shop promote api\n",
        "      - run: az webapp deployment slot swap --slot staging\n",
        "      - uses: azure/k8s-deploy@v5\n        with: {strategy: canary, manifests: deploy}\n",
    ],
)
def test_a_canary_step_is_a_gate(step: str) -> None:
    assert outcome(CHECK, jobs(job("deploy-prod") + step)) is HOLDS


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("az containerapp revision show -n api --revision a", FAILS),
        ("az containerapp revision list -n api", FAILS),
        ("az containerapp ingress traffic show -n api", FAILS),
        ("az webapp deployment slot list -n api", FAILS),
        ("az webapp traffic-routing show -n api", FAILS),
        ("kubectl argo rollouts version", FAILS),
        ("kubectl argo rollouts status api", UNKNOWN),
    ],
)
def test_a_command_that_only_reads_rolls_nothing_out(command: str, expected: Outcome) -> None:
    assert outcome(CHECK, jobs(job("deploy-prod") + f"      - run: {command}\n")) is expected


def test_an_approval_before_it_is_a_gate() -> None:
    approve = "approve:\n    runs-on: x\n    steps:\n      - uses: trstringer/manual-approval@v1\n"
    assert outcome(CHECK, jobs("  " + approve, job("deploy-prod", more="needs: approve"))) is HOLDS


def test_what_a_person_starts_needs_no_other_gate() -> None:
    assert outcome(CHECK, jobs(job("deploy-prod"), on="workflow_dispatch:")) is HOLDS


@pytest.mark.parametrize(
    "on",
    [
        "release: {types: [published]}",
        "push: {tags: ['v*']}",
        "workflow_run: {workflows: [staging], types: [completed]}",
        "repository_dispatch:",
    ],
)
def test_what_starts_it_may_be_a_gate(on: str) -> None:
    assert outcome(CHECK, jobs(job("deploy-prod"), on=on)) is UNKNOWN


def test_a_workflow_of_another_repository_before_it_may_be_a_gate() -> None:
    gate = "  gate: {uses: contoso/workflows/.github/workflows/gate.yml@v1}\n"
    assert outcome(CHECK, jobs(gate, job("deploy-prod", more="needs: gate"))) is UNKNOWN


def test_a_chart_that_is_elsewhere_may_roll_out_by_steps() -> None:
    files = jobs(job("deploy-prod", "helm upgrade api oci://ghcr.io/contoso/charts/api"))
    assert outcome(CHECK, files) is UNKNOWN
    assert outcome(CHECK, {**files, "deploy/api.yaml": deployment()}) is FAILS


@pytest.mark.parametrize(
    "manifest",
    [
        "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: api}\nspec: {}\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\nspec: {strategy: {canary: {}}}\n",
    ],
)
def test_argo_rollouts_and_flagger_roll_out_by_steps(manifest: str) -> None:
    files = jobs(job("deploy-prod", "kubectl apply -f deploy"))
    assert outcome(CHECK, {**files, "deploy/api.yaml": deployment(), "deploy/canary.yaml": manifest}) is HOLDS


def test_a_cluster_of_the_job_itself_and_a_pull_request_are_asked_nothing() -> None:
    steps = "      - uses: helm/kind-action@v1\n      - run: helm install a b\n"
    kind = f"  e2e-prod:\n    runs-on: x\n    steps:\n{steps}"
    assert outcomes(CHECK, jobs(kind)) == []
    assert outcomes(CHECK, jobs(job("deploy-prod"), on="pull_request:")) == []


def test_the_environment_is_proposed_with_what_to_set() -> None:
    proposal = propose(texts(jobs(job("deploy-prod"))), "contoso/shop", (), WantedProposal(), NOW)
    (left,) = [each for each in proposal.left_to_people if each.check == CHECK]
    assert "+    environment: production\n" in left.patch
    assert "required reviewers" in left.advice


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("permissions: {id-token: write}", "OIDC"),
        ("strategy: {matrix: {region: [a, b]}}", "matrix"),
    ],
)
def test_none_is_proposed_where_it_could_break_the_job(more: str, why: str) -> None:
    (finding, *_) = findings(CHECK, jobs(job("deploy-prod", more=more)))
    assert finding.fix is not None
    assert finding.fix.suggested == ()
    assert why in finding.fix.left_alone


APP_TEMPLATE = "resource api 'Microsoft.App/containerApps@2025-01-01' = { name: 'api' }\n"
TEMPLATES = {
    "infra/main.bicep": "module api 'modules/api.bicep' = { name: 'api' }\n",
    "infra/modules/api.bicep": APP_TEMPLATE,
    "infra/network.bicep": "resource net 'Microsoft.Network/virtualNetworks@2025-01-01' = { name: 'net' }\n",
}


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("az deployment group create -g shop --template-file infra/main.bicep", [FAILS]),
        ("az deployment sub create --template-file=./infra/modules/api.bicep", [FAILS]),
        ("az stack group create -n shop -f infra/main.bicep", [FAILS]),
        ("az deployment group create -g shop --template-file infra/network.bicep", []),
        ("az deployment group what-if -g shop --template-file infra/main.bicep", []),
        ("az deployment group create -g shop --template-file infra/elsewhere.bicep", []),
    ],
)
def test_a_template_that_runs_containers_is_a_deploy(run: str, expected: list[Outcome]) -> None:
    assert outcomes(CHECK, {**jobs(job("deploy-production", run)), **TEMPLATES}) == expected


@pytest.mark.parametrize(
    ("uses", "given", "expected"),
    [
        ("azure/arm-deploy@v2", "template: ./infra/main.bicep", [FAILS]),
        ("azure/arm-deploy@v2", "{template: ./infra/main.bicep, deploymentMode: Validate}", []),
        ("azure/bicep-deploy@v2", "{operation: create, template-file: infra/main.bicep}", [FAILS]),
        ("azure/bicep-deploy@v2", "{operation: whatIf, template-file: infra/main.bicep}", []),
        ("azure/bicep-deploy@v2", "{operation: create, template-file: infra/network.bicep}", []),
        ("azure/bicep-deploy@v2", "{operation: create, template-file: '${{ inputs.file }}'}", []),
    ],
)
def test_an_action_that_deploys_such_a_template_is_one_too(uses: str, given: str, expected: list[Outcome]) -> None:
    given = given if given.startswith("{") else f"{{{given}}}"
    text = (
        "on: {push: {branches: [main]}}\njobs:\n  deploy-production:\n    runs-on: ubuntu-latest\n    steps:\n"
        f"      - uses: {uses}\n        with: {given}\n"
    )
    assert outcomes(CHECK, {BUILD: text, **TEMPLATES}) == expected


STARTS = [
    'uses: benc-uk/workflow-dispatch@v1\n        with: {workflow: "CD Release"}',
    "uses: benc-uk/workflow-dispatch@v1\n        with: {workflow: build.yml}",
    "run: gh workflow run build.yml -f tag=1",
    "run: gh api repos/contoso/api/actions/workflows/build.yml/dispatches -f ref=main",
]


@pytest.mark.parametrize("start", STARTS)
def test_what_another_workflow_starts_is_not_started_by_hand_alone(start: str) -> None:
    files = jobs(job("deploy-production"), on="workflow_dispatch: {}")
    files[BUILD] = "name: CD Release\n" + files[BUILD]
    assert outcome(CHECK, files) is HOLDS
    ci = f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - {start}\n"
    (finding,) = findings(CHECK, {**files, ".github/workflows/ci.yml": ci})
    assert (finding.outcome, "ci.yml starts it" in finding.message) == (UNKNOWN, True)


def test_each_call_of_a_job_that_deploys_is_asked_by_its_own_stage() -> None:
    deploy = job("deploy", APP + "-${{ inputs.stage }}")
    called = f"on: {{workflow_call: {{inputs: {{stage: {{type: string}}}}}}}}\njobs:\n{deploy}"
    calls = "".join(
        f"  {name}:\n    uses: ./.github/workflows/deploy.yml\n    with: {{stage: {stage}}}\n"
        for name, stage in (("api-first", "stage"), ("api-second", "prod"))
    )
    files = {**jobs(calls), ".github/workflows/deploy.yml": called}
    (finding,) = findings(CHECK, files)
    assert (finding.outcome, "api-second" in finding.subject) == (FAILS, True)
    assert len(findings("verified-before-deploy", files)) == 1


def test_a_job_that_several_workflows_call_is_started_by_hand_in_those_that_people_start() -> None:
    deploys = workflow("- run: az containerapp update -n api --image contoso/api:8\n", "workflow_call:")
    calls = "on: workflow_dispatch\njobs: {deploy-production: {uses: ./.github/workflows/deploy.yml}}\n"
    files = {".github/workflows/deploy.yml": deploys, ".github/workflows/by-hand.yml": calls}
    messages = [each.message for each in findings("staged-rollout", files) if each.outcome is Outcome.HOLDS]
    assert messages == ["by-hand.yml, which runs it, is started by hand alone"]
