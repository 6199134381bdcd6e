"""What is deployed is verified first, or the cluster asks; where neither can be seen is told."""

from collections.abc import Mapping

import pytest

from bot.domain.repositories.finding import Finding, Outcome
from bot.domain.repositories.surroundings import EnvironmentProtection, Surroundings
from bot.files.audit.auditing import judge_repository
from bot.files.audit.patches import Texts, patches
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rules import BY_CHECK
from tests.unit.files.audit.world import BUILD, NOW, PUSH, deployment, outcome, outcomes, texts, workflow

CHECK = "verified-before-deploy"
HOLDS, FAILS, UNKNOWN = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN
IDENTITY = "--certificate-identity-regexp '^https://github.com/contoso/' --certificate-oidc-issuer x"
VERIFY = f"- run: cosign verify {IDENTITY} ghcr.io/contoso/api@${{{{ steps.build.outputs.digest }}}}\n"
TO_CLUSTER = "- run: helm upgrade api chart\n"
TO_APP = "- run: az containerapp update --name api --image ghcr.io/contoso/api:8\n"
SIGN = '- run: cosign sign --yes "ghcr.io/contoso/api@${{ steps.build.outputs.digest }}"\n'


def found(files: Mapping[str, str], surroundings: Surroundings) -> list[Finding]:
    repository = RepositoryTexts(texts(files), surroundings=surroundings)
    return list(judge_repository(repository, NOW, rules=[BY_CHECK[CHECK]]).findings)


def test_a_deploy_to_a_cluster_without_a_verification_is_unknown_with_what_settles_it() -> None:
    (finding,) = found({BUILD: workflow(PUSH + TO_CLUSTER)}, Surroundings())
    assert finding.outcome is UNKNOWN
    assert "cosign verify" in finding.settled_by
    assert "audit.admission" in finding.settled_by


@pytest.mark.parametrize(
    "deploy",
    [
        TO_APP,
        "- uses: azure/webapps-deploy@v3\n  with: {app-name: a, images: 'ghcr.io/contoso/api:8'}\n",
        "- run: flyctl deploy --image ghcr.io/contoso/api:8\n",
    ],
)
def test_what_runs_without_asking_anybody_fails_where_nothing_verifies(deploy: str) -> None:
    assert outcome(CHECK, {BUILD: workflow(PUSH + deploy)}) is FAILS
    assert outcome(CHECK, {BUILD: workflow(PUSH + VERIFY + deploy)}) is HOLDS


@pytest.mark.parametrize("deploy", [TO_CLUSTER, TO_APP])
@pytest.mark.parametrize(
    "verify",
    [
        VERIFY,
        "- run: notation verify ghcr.io/contoso/api:8\n",
        "- run: gh attestation verify oci://ghcr.io/contoso/api:8 --owner contoso\n",
        "- uses: notaryproject/notation-action/verify@v1\n",
    ],
)
def test_a_verification_before_it_holds(verify: str, deploy: str) -> None:
    assert outcome(CHECK, {BUILD: workflow(PUSH + verify + deploy)}) is HOLDS


def test_one_in_a_job_that_it_needs_holds_and_one_behind_it_does_not() -> None:
    deploy = "\n  deploy:\n    needs: build\n    runs-on: x\n    steps:\n      - run: helm upgrade api chart\n"
    assert outcome(CHECK, {BUILD: workflow(PUSH + VERIFY).rstrip() + deploy}) is HOLDS
    assert outcome(CHECK, {BUILD: workflow(PUSH + TO_APP + VERIFY)}) is FAILS


@pytest.mark.parametrize(
    "verify",
    [
        VERIFY.rstrip() + " || true\n",
        VERIFY + "  continue-on-error: true\n",
        "- if: github.event_name == 'workflow_dispatch'\n" + VERIFY.replace("- run", "  run"),
    ],
)
def test_one_that_ends_no_run_is_none(verify: str) -> None:
    triggers = "push: {branches: [main]}\nworkflow_dispatch:"
    assert outcome(CHECK, {BUILD: workflow(PUSH + verify + TO_APP, triggers)}) is FAILS
    assert outcome(CHECK, {BUILD: workflow(PUSH + verify + TO_CLUSTER, triggers)}) is UNKNOWN


def test_a_command_of_the_same_script_counts_where_it_comes_first() -> None:
    first = f"- run: cosign verify {IDENTITY} ghcr.io/contoso/api:8 && {TO_APP.removeprefix('- run: ')}"
    assert outcome(CHECK, {BUILD: workflow(PUSH + first)}) is HOLDS
    last = f"{TO_APP.rstrip()} && cosign verify {IDENTITY} ghcr.io/contoso/api:8\n"
    assert outcome(CHECK, {BUILD: workflow(PUSH + last)}) is FAILS


def test_a_base_that_is_verified_before_the_build_says_nothing_of_what_is_deployed() -> None:
    base = f"- run: cosign verify {IDENTITY} gcr.io/distroless/static@sha256:abc\n"
    assert outcome(CHECK, {BUILD: workflow(base + PUSH + TO_APP)}) is FAILS


@pytest.mark.parametrize(
    "steps",
    [
        "- run: helm upgrade api chart --dry-run\n",
        "- run: kubectl rollout status deployment/api\n",
        "- run: kubectl create secret generic a --from-literal=a=b --dry-run=client -o yaml | kubectl apply -f -\n",
        "- run: kubectl apply -f deploy/namespace.yaml\n",
        "- run: kubectl set env deployment/api A=b\n",
        "- run: az containerapp update --name api --set-env-vars A=b\n",
        "- uses: azure/webapps-deploy@v3\n  with: {app-name: api, package: ./out}\n",
        "- uses: helm/kind-action@v1\n- run: kubectl apply -f deploy/api.yaml\n",
        "- run: kind create cluster\n- run: helm install api chart\n",
    ],
)
def test_what_brings_no_image_to_others_is_asked_nothing(steps: str) -> None:
    files = {
        BUILD: workflow(steps),
        "deploy/namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}",
    }
    assert outcomes(CHECK, files) == []


def test_a_file_that_lies_in_another_folder_is_not_taken_for_one_of_the_root() -> None:
    steps = "- run: kubectl apply -f api.yaml\n  working-directory: deploy\n"
    files = {BUILD: workflow(steps), "api.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"}
    assert outcome(CHECK, files) is UNKNOWN


def test_a_change_that_is_not_accepted_yet_deploys_nothing_that_counts() -> None:
    assert outcomes(CHECK, {BUILD: workflow(TO_APP, "pull_request:")}) == []


@pytest.mark.parametrize(
    "run",
    [
        "oc process -f template.yml -p TAG=8 | oc apply -n shop -f -",
        "oc apply -f deploy/api.yaml",
        "oc set image dc/api api=ghcr.io/contoso/api:8",
        "oc rollout latest dc/api",
    ],
)
def test_a_deploy_to_openshift_is_one_to_a_cluster(run: str) -> None:
    assert outcome(CHECK, {BUILD: workflow(f"- run: {run}\n")}) is UNKNOWN


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("aws ecs update-service --service api --force-new-deployment", [UNKNOWN]),
        ("aws ecs update-service --service api --desired-count 2", []),
        ("aws lambda update-function-code --function-name api --image-uri contoso/api:8", [FAILS]),
        ("aws lambda update-function-code --function-name api --zip-file fileb://a.zip", []),
    ],
)
def test_a_deploy_by_the_command_line_of_aws_is_seen_where_it_brings_an_image(
    run: str, expected: list[Outcome]
) -> None:
    assert outcomes(CHECK, {BUILD: workflow(f"- run: {run}\n")}) == expected


def test_a_restart_takes_what_a_moved_tag_names() -> None:
    assert outcome(CHECK, {BUILD: workflow(PUSH + "- run: kubectl rollout restart deployment/api\n")}) is UNKNOWN


@pytest.mark.parametrize(
    "before",
    [
        "- uses: contoso/verify-image@v1\n",
        "- run: ./verify.sh\n",
        "- uses: ./.github/actions/verify\n",
    ],
)
def test_what_may_verify_and_is_not_read_is_unknown(before: str) -> None:
    assert outcome(CHECK, {BUILD: workflow(PUSH + before + TO_APP)}) is UNKNOWN


def test_a_workflow_of_another_repository_before_it_may_verify() -> None:
    text = f"""
on: push
jobs:
  build: {{uses: contoso/workflows/.github/workflows/build.yml@v1}}
  deploy:
    needs: build
    runs-on: ubuntu-latest
    steps:
      {TO_APP.strip()}
"""
    assert outcome(CHECK, {BUILD: text}) is UNKNOWN


def test_a_reusable_workflow_of_the_repository_is_looked_into() -> None:
    called = (
        "on: {workflow_call: {}}\njobs: {deploy: {runs-on: x, steps: [{run: az containerapp update --image a}]}}"
    )
    caller = "on: push\njobs:\n  deploy: {uses: ./.github/workflows/deploy.yml}\n"
    files = {BUILD: caller, ".github/workflows/deploy.yml": called}
    assert outcome(CHECK, files) is FAILS


def test_a_step_that_builds_what_it_deploys_is_unknown() -> None:
    deploy = "- uses: azure/container-apps-deploy-action@v2\n  with: {appSourcePath: ., acrName: contoso}\n"
    assert outcome(CHECK, {BUILD: workflow(deploy)}) is UNKNOWN
    assert outcome(CHECK, {BUILD: workflow("- run: fly deploy\n")}) is UNKNOWN


def policy(images: str, action: str = "Enforce") -> str:
    return f"""
        apiVersion: kyverno.io/v1
        kind: ClusterPolicy
        metadata: {{name: signed}}
        spec:
          validationFailureAction: {action}
          rules: [{{name: a, verifyImages: [{{imageReferences: ['{images}']}}]}}]
    """


@pytest.mark.parametrize(
    ("images", "action", "expected"),
    [
        ("*", "Enforce", HOLDS),
        ("ghcr.io/contoso/*", "Enforce", HOLDS),
        ("ghcr.io/other/*", "Enforce", UNKNOWN),
        ("*", "Audit", UNKNOWN),
    ],
)
def test_a_policy_of_the_repository_counts_for_the_images_that_it_looks_at(
    images: str, action: str, expected: Outcome
) -> None:
    files = {BUILD: workflow(PUSH + TO_CLUSTER), "policies/signed.yaml": policy(images, action)}
    assert outcome(CHECK, files) is expected


def test_a_policy_of_clusters_says_nothing_of_container_apps() -> None:
    files = {BUILD: workflow(PUSH + TO_APP), "policies/signed.yaml": policy("*")}
    assert outcome(CHECK, files) is FAILS


def test_the_operators_word_on_admission_counts() -> None:
    (finding,) = found({BUILD: workflow(PUSH + TO_CLUSTER)}, Surroundings(admits_verified_only=True))
    assert finding.outcome is HOLDS
    assert "operator" in finding.message


def test_a_rule_of_the_environment_may_verify() -> None:
    files = {BUILD: workflow(PUSH + TO_APP, job="environment: production")}
    environments = {"production": EnvironmentProtection(has_own_rules=True)}
    (finding,) = found(files, Surroundings(environments=environments))
    assert finding.outcome is UNKNOWN


FLUX = """
    apiVersion: source.toolkit.fluxcd.io/v1
    kind: OCIRepository
    metadata: {{name: shop}}
    spec: {{url: oci://ghcr.io/contoso/manifests, {verify}}}
    ---
    apiVersion: kustomize.toolkit.fluxcd.io/v1
    kind: Kustomization
    metadata: {{name: shop}}
    spec: {{sourceRef: {{kind: OCIRepository, name: shop}}}}
"""
OIDC = "matchOIDCIdentity: [{issuer: '^https://token', subject: '^https://github'}]"


@pytest.mark.parametrize(
    ("verify", "expected"),
    [
        (f"verify: {{provider: cosign, {OIDC}}}", [HOLDS]),
        ("verify: {provider: cosign, secretRef: {name: keys}}", [HOLDS]),
        ("verify: {provider: cosign}", [FAILS, UNKNOWN]),
        ("interval: 5m", [UNKNOWN]),
    ],
)
def test_flux_verifies_what_it_takes(verify: str, expected: list[Outcome]) -> None:
    assert outcomes(CHECK, {"clusters/shop.yaml": FLUX.format(verify=verify)}) == expected


ARGO = """
    apiVersion: argoproj.io/v1alpha1
    kind: Application
    metadata: {name: shop}
    spec: {project: shop}
"""
SIGNED = """
    apiVersion: argoproj.io/v1alpha1
    kind: AppProject
    metadata: {name: shop}
    spec: {signatureKeys: [{keyID: 4AEE18F83AFDEB23}]}
"""


def test_argo_cd_may_take_signed_commits_alone() -> None:
    assert outcome(CHECK, {"apps/shop.yaml": ARGO}) is UNKNOWN
    assert outcome(CHECK, {"apps/shop.yaml": ARGO, "apps/project.yaml": SIGNED}) is HOLDS


def test_many_applications_are_one_question() -> None:
    files = {f"apps/{number}.yaml": ARGO for number in range(5)}
    assert outcomes(CHECK, files) == [UNKNOWN]


def test_manifests_alone_are_asked_nothing() -> None:
    assert outcomes(CHECK, {"deploy/api.yaml": deployment()}) == []


def test_a_step_is_suggested_where_the_image_is_signed_in_the_same_job() -> None:
    files = texts({BUILD: workflow(PUSH + SIGN + TO_APP, job="permissions: {id-token: write}")})
    repository = Texts(RepositoryTexts(files), files, NOW)
    findings = judge_repository(repository.repository, NOW).findings
    (failing,) = [each for each in findings if each.check == CHECK]
    patch = patches(repository, findings)[failing]
    assert "+        run: >-\n+          cosign verify --certificate-identity-regexp" in patch
    assert '+          "${IMAGE}@${DIGEST}"\n' in patch


def test_no_step_is_suggested_where_nothing_is_signed_yet() -> None:
    (finding,) = found({BUILD: workflow(PUSH + TO_APP)}, Surroundings())
    assert finding.fix is not None
    assert finding.fix.suggested == ()
    assert "signs" in finding.fix.left_alone


@pytest.mark.parametrize(
    ("action", "expected"),
    [("azure/cli@v2", [FAILS]), ("Azure/powershell@v1", [FAILS]), ("contoso/cli@v2", [])],
)
def test_a_script_that_is_handed_to_an_action_of_azure_is_read(action: str, expected: list[Outcome]) -> None:
    script = "az containerapp update --name api --image ghcr.io/contoso/api:8"
    steps = f"- uses: {action}\n  with:\n    inlineScript: |\n      {script}\n"
    assert outcomes(CHECK, {BUILD: workflow(steps)}) == expected


def test_a_build_in_a_script_that_is_handed_to_an_action_of_azure_is_a_push() -> None:
    steps = "- uses: azure/cli@v2\n  with: {inlineScript: az acr build --registry shop --image api:8 .}\n"
    assert outcomes("image-signed", {BUILD: workflow(steps)}) == [FAILS]


@pytest.mark.parametrize(
    ("name", "expected"), [("01-assert", []), ("01-install", [UNKNOWN]), ("errors", [UNKNOWN])]
)
def test_what_a_test_expects_of_a_cluster_deploys_nothing(name: str, expected: list[Outcome]) -> None:
    assert outcomes(CHECK, {f"apps/{name}.yaml": ARGO}) == expected
