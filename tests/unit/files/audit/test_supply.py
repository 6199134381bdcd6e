"""SBOM, provenance, signatures and their verification."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.files.audit.world import BUILD, PUSH, findings, outcome, outcomes, workflow

HOLDS, FAILS, UNKNOWN, NOT_APPLICABLE = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
BUILDX = "- uses: docker/setup-buildx-action@v3\n"
CONTAINERD = """
- uses: docker/setup-docker-action@v5
  with:
    daemon-config: |
      {"features": {"containerd-snapshotter": IS}}
""".lstrip("\n")
TOKEN = "permissions: {contents: read, id-token: write}"


def push(*lines: str) -> str:
    given = "\n".join(f"    {line}" for line in lines)
    return f"- uses: docker/build-push-action@v6\n  id: build\n  with:\n    push: true\n{given}\n"


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (BUILDX + push(), FAILS),
        (BUILDX + push("sbom: true"), HOLDS),
        (push("sbom: true"), UNKNOWN),
        (CONTAINERD.replace("IS", "true") + push("sbom: true"), HOLDS),
        (CONTAINERD.replace("IS", "false") + push("sbom: true"), UNKNOWN),
        (BUILDX + push("attests: type=sbom"), HOLDS),
        (BUILDX + push("sbom: ${{ inputs.sbom }}"), UNKNOWN),
        (BUILDX + push() + "- run: cosign attest --type spdxjson --predicate s.json --yes a@sha256:x\n", HOLDS),
        (BUILDX + push() + "- uses: anchore/sbom-action@v0\n", UNKNOWN),
        (BUILDX + push() + "- run: syft contoso/api -o spdx-json > s.json\n", UNKNOWN),
        ("- run: docker buildx build --push --sbom=true -t contoso/api .\n", UNKNOWN),
        (BUILDX + "- run: docker buildx build --push --sbom=true -t contoso/api .\n", HOLDS),
        ("- run: docker buildx build --push --attest type=sbom -t contoso/api .\n", UNKNOWN),
        ("- run: docker buildx create --use && docker buildx build --push --sbom=true -t c/a .\n", HOLDS),
        ("- run: docker buildx build --push --sbom=true -t c/a . && docker buildx create --use\n", UNKNOWN),
        ("- run: docker build --push --sbom=true -t contoso/api .\n", UNKNOWN),
        ("- run: docker build -t contoso/api . && docker push contoso/api\n", FAILS),
    ],
)
def test_images_carry_an_sbom(steps: str, expected: Outcome) -> None:
    assert outcome("sbom", {BUILD: workflow(steps)}) is expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("v2", FAILS),
        ("v2.10.0", FAILS),
        ("v3.2.0", FAILS),
        ("v3.2", FAILS),
        ("v3", HOLDS),
        ("v3.3.0", HOLDS),
        ("v4", HOLDS),
        ("master", HOLDS),
        ("a" * 40 + " # v2.9.0", FAILS),
        ("a" * 40 + " # v6", HOLDS),
        ("a" * 40, UNKNOWN),
    ],
)
def test_an_sbom_is_made_by_versions_of_the_action_that_know_the_input(version: str, expected: Outcome) -> None:
    steps = BUILDX + push("sbom: true").replace("build-push-action@v6", f"build-push-action@{version}")
    assert outcome("sbom", {BUILD: workflow(steps)}) is expected


def test_provenance_that_an_old_action_cannot_be_told_to_leave_out_is_attached_by_buildx() -> None:
    steps = BUILDX + push("provenance: false").replace("build-push-action@v6", "build-push-action@v2")
    assert outcome("provenance", {BUILD: workflow(steps)}) is HOLDS


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (BUILDX + push(), HOLDS),
        (push(), UNKNOWN),
        (BUILDX.rstrip() + "\n  with: {driver: docker}\n" + push(), UNKNOWN),
        (BUILDX + push("provenance: false"), FAILS),
        (BUILDX + push("provenance: mode=max"), HOLDS),
        (BUILDX + push("provenance: false") + "- uses: actions/attest-build-provenance@v3\n", HOLDS),
        (BUILDX + push("provenance: false") + "- uses: actions/attest@v4\n  with: {subject-path: dist}\n", FAILS),
        ("- run: docker push contoso/api\n", UNKNOWN),
        ("- run: docker build -t contoso/api . && docker push contoso/api\n", UNKNOWN),
        ("- run: docker build --provenance=false -t c/api . && docker push c/api\n", FAILS),
        ("- run: docker build -t c/api . && docker push c/api\n  env: {DOCKER_BUILDKIT: '0'}\n", FAILS),
        ("- run: docker image build -t c/api . && docker push c/api\n", UNKNOWN),
        ("- run: podman build -t c/api . && podman push c/api\n", FAILS),
    ],
)
def test_images_carry_provenance(steps: str, expected: Outcome) -> None:
    assert outcome("provenance", {BUILD: workflow(steps)}) is expected


@pytest.mark.parametrize(
    ("steps", "top", "triggers", "expected"),
    [
        (push("provenance: false"), "", "push:", "level 0"),
        (BUILDX + push(), "", "push:", "level 1"),
        (BUILDX + push() + "- uses: actions/attest-build-provenance@v3\n", TOKEN, "push:", "level 2"),
        (BUILDX + push() + "- uses: actions/attest-build-provenance@v3\n", "", "push:", "level 1"),
        (BUILDX + push() + "- uses: actions/attest-build-provenance@v3\n", TOKEN, "workflow_call:", "level 3"),
    ],
)
def test_the_level_that_a_build_reaches(steps: str, top: str, triggers: str, expected: str) -> None:
    (found,) = findings("slsa-level", {BUILD: workflow(steps, triggers, top=top)})
    assert expected in found.message
    assert found.outcome is (HOLDS if expected in {"level 2", "level 3"} else FAILS)


@pytest.mark.parametrize(
    ("version", "expected"), [("v3", FAILS), ("v3.3", FAILS), ("v3.3.1", FAILS), ("v3.3.0", HOLDS), ("v4", HOLDS)]
)
def test_the_version_that_switches_provenance_off_attaches_none(version: str, expected: Outcome) -> None:
    steps = BUILDX + push().replace("build-push-action@v6", f"build-push-action@{version}")
    assert outcome("provenance", {BUILD: workflow(steps)}) is expected


def builder(*inputs: str) -> str:
    lines = "\n".join(f"      {each}" for each in ("output: image", *inputs))
    called = "docker/github-builder/.github/workflows/build.yml@v1"
    return f"on: push\njobs:\n  build:\n    uses: {called}\n    with:\n{lines}\n"


@pytest.mark.parametrize(
    ("check", "inputs", "expected"),
    [
        ("sbom", ["push: true"], [FAILS]),
        ("sbom", ["push: true", "sbom: true"], [HOLDS]),
        ("sbom", ["push: true", "sbom: ${{ inputs.sbom }}"], [UNKNOWN]),
        ("image-signed", ["push: true", "sign: auto"], [HOLDS]),
        ("image-signed", ["push: true", "sign: false"], [FAILS]),
        ("image-signed", ["push: true", "sign: '${{ vars.SIGN }}'"], [UNKNOWN]),
        ("slsa-level", ["push: true", "sign: false"], [FAILS]),
        ("image-scanned", ["push: true"], [FAILS]),
        ("weekly-rebuild", ["push: true"], [FAILS]),
        ("weekly-rebuild", ["push: false"], []),
        ("sbom", [], []),
        ("image-signed", ["push: ${{ github.event_name == 'pull_request' }}"], []),
    ],
)
def test_what_a_builder_of_docker_is_asked_for_is_read(
    check: str, inputs: list[str], expected: list[Outcome]
) -> None:
    assert outcomes(check, {BUILD: builder(*inputs)}) == expected


def test_a_build_of_dockers_builder_that_is_scanned_in_the_same_run_holds() -> None:
    steps = "    steps:\n      - run: trivy image --exit-code 1 contoso/api:8\n"
    scan = f"  scan:\n    needs: build\n    runs-on: ubuntu-latest\n{steps}"
    assert outcome("image-scanned", {BUILD: builder("push: true") + scan}) is HOLDS


def test_dockers_verifying_workflow_builds_nothing() -> None:
    text = "on: push\njobs: {verify: {uses: docker/github-builder/.github/workflows/verify.yml@v1}}"
    for check in ("provenance", "sbom", "image-signed"):
        assert outcomes(check, {BUILD: text}) == []


def test_a_builder_of_docker_is_isolated_from_its_caller() -> None:
    text = builder("push: true")
    for check in ("provenance", "slsa-level", "image-signed"):
        assert outcome(check, {BUILD: text}) is HOLDS


CALLED = "on: {{workflow_call: {{}}}}\njobs:\n{jobs}"
BUILD_JOB = """
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/build-push-action@v6
        with: {push: true, tags: 'ghcr.io/contoso/api:8'}
"""
SIGN_JOB = """
  sign:
    runs-on: ubuntu-latest
    steps: [{run: 'cosign sign --yes ghcr.io/contoso/api@sha256:abc'}]
"""


@pytest.mark.parametrize("own", ["./", "$/"])
@pytest.mark.parametrize(("needs", "expected"), [("needs: build, ", HOLDS), ("", FAILS)])
def test_jobs_of_called_workflows_are_as_their_callers_are(own: str, needs: str, expected: Outcome) -> None:
    chain = f"""
  build: {{uses: {own}.github/workflows/a.yml}}
  sign: {{{needs}uses: {own}.github/workflows/b.yml}}
"""
    files = {
        ".github/workflows/a.yml": CALLED.format(jobs=BUILD_JOB),
        ".github/workflows/b.yml": CALLED.format(jobs=SIGN_JOB),
        ".github/workflows/chain.yml": CALLED.format(jobs=chain),
        BUILD: f"on: push\njobs: {{image: {{uses: {own}.github/workflows/chain.yml}}}}\n",
    }
    assert outcome("image-signed", files) is expected


def sign(*references: str, options: str = "--yes") -> str:
    return PUSH + f"- run: cosign sign {options} {' '.join(references)}\n"


DIGEST = "ghcr.io/contoso/api@${{ steps.build.outputs.digest }}"


def test_what_is_pushed_is_signed() -> None:
    assert outcome("image-signed", {BUILD: workflow(sign(DIGEST))}) is HOLDS
    assert outcome("image-signed", {BUILD: workflow(PUSH)}) is FAILS
    assert outcome("image-signed", {BUILD: workflow("- uses: contoso/sign-nuget-packages@v1\n" + PUSH)}) is FAILS


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (sign(DIGEST), HOLDS),
        (sign("ghcr.io/contoso/api@sha256:" + "a" * 64), HOLDS),
        (sign("ghcr.io/contoso/api:8"), FAILS),
        (sign("ghcr.io/contoso/api:${{ github.sha }}"), FAILS),
        (sign("$IMAGE"), UNKNOWN),
        (
            PUSH
            + "- run: |\n    images=''\n    for tag in ${TAGS}; do\n      images+=\"${tag}@${DIGEST} \"\n    done\n"
            "    cosign sign --yes ${images}\n"
            "  env: {DIGEST: '${{ steps.build.outputs.digest }}'}\n",
            HOLDS,
        ),
        (
            PUSH + '- run: echo "${TAGS}" | xargs -I {} cosign sign --yes {}@${DIGEST}\n'
            "  env: {DIGEST: '${{ steps.build.outputs.digest }}'}\n",
            HOLDS,
        ),
    ],
)
def test_a_digest_is_signed_and_not_a_tag(steps: str, expected: Outcome) -> None:
    assert outcome("signed-by-digest", {BUILD: workflow(steps)}) is expected


@pytest.mark.parametrize(
    ("before", "reference", "expected"),
    [
        ("", "api@${{ steps.nothing.outputs.digest }}", UNKNOWN),
        ("- id: meta\n  uses: docker/metadata-action@v5\n", "api@${{ steps.meta.outputs.digest }}", UNKNOWN),
        ("- id: look\n  run: crane manifest api:8\n", "api@${{ steps.look.outputs.digest }}", UNKNOWN),
        (
            '- id: look\n  run: echo "digest=$(crane digest api:8)" >> "$GITHUB_OUTPUT"\n',
            "api@${{ steps.look.outputs.digest }}",
            HOLDS,
        ),
        ("- id: own\n  uses: ./.github/actions/build\n", "api@${{ steps.own.outputs.digest }}", HOLDS),
        (
            "- id: meta\n  uses: docker/metadata-action@v5\n- id: own\n  uses: ./.github/actions/build\n",
            "${{ steps.meta.outputs.tags }}@${{ steps.own.outputs.digest }}",
            HOLDS,
        ),
        ("", "${{ env.IMAGE }}@${{ inputs.digest }}", HOLDS),
        ("", "api@${DIGEST}", UNKNOWN),
        ('- run: echo "DIGEST=$(crane digest api:8)" >> "$GITHUB_ENV"\n', "api@${DIGEST}", HOLDS),
        ("", "api@$(crane digest api:8)", HOLDS),
        ("", "api@${{ inputs.digest }}", HOLDS),
        ("", "api@${{ needs.other.outputs.digest }}", UNKNOWN),
    ],
)
def test_a_digest_that_is_signed_is_one_that_a_step_writes(before: str, reference: str, expected: Outcome) -> None:
    steps = PUSH + before + f"- run: cosign sign --yes {reference}\n"
    assert outcome("signed-by-digest", {BUILD: workflow(steps)}) is expected


def test_the_digest_of_a_job_that_ended_before_is_written_there() -> None:
    sign_job = """
  sign:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - run: cosign sign --yes api@${{ needs.build.outputs.digest }}
"""
    told = "outputs: {digest: '${{ steps.build.outputs.digest }}'}"
    assert outcome("signed-by-digest", {BUILD: workflow(PUSH, job=told) + sign_job.strip("\n") + "\n"}) is HOLDS


def test_a_digest_that_a_called_workflow_is_given_is_written_beside_the_call() -> None:
    path = ".github/workflows/sign.yml"
    call = """
  sign:
    needs: build
    uses: ./.github/workflows/sign.yml
    with: {digest: "${{ needs.build.outputs.digest }}"}
"""
    signs = """
on: {workflow_call: {inputs: {digest: {type: string}}}}
jobs:
  sign:
    runs-on: ubuntu-latest
    steps:
      - run: cosign sign --yes "api@${{ inputs.digest }}"
"""
    told = "outputs: {digest: '${{ steps.build.outputs.digest }}'}"
    files = {BUILD: workflow(PUSH, job=told) + call.strip("\n") + "\n", path: signs}
    assert outcome("signed-by-digest", files) is HOLDS


@pytest.mark.parametrize(
    ("options", "top", "expected"),
    [
        ("--yes", TOKEN, HOLDS),
        ("--yes", "permissions: write-all", HOLDS),
        ("--yes", "permissions: {contents: read}", FAILS),
        ("--yes", "", FAILS),
        ("--key env://COSIGN_PRIVATE_KEY", TOKEN, FAILS),
        ("--key azurekms://contoso.vault.azure.net/cosign", "", NOT_APPLICABLE),
        ("--key ${{ secrets.KEY }}", "", UNKNOWN),
    ],
)
def test_signatures_are_made_without_a_key(options: str, top: str, expected: Outcome) -> None:
    assert outcome("keyless-signing", {BUILD: workflow(sign(DIGEST, options=options), top=top)}) is expected


IDENTITY = "--certificate-identity https://github.com/contoso/api/.github/workflows/build.yml@refs/heads/main"
ISSUER = "--certificate-oidc-issuer https://token.actions.githubusercontent.com"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (f"{IDENTITY} {ISSUER}", HOLDS),
        (f"--certificate-identity-regexp '^https://github.com/contoso/' {ISSUER}", HOLDS),
        (f"--certificate-identity-regexp 'contoso' {ISSUER}", FAILS),
        (f"--certificate-identity-regexp '.*' {ISSUER}", FAILS),
        (f'--certificate-identity-regexp "https://github.com/$GITHUB_REPOSITORY/.*" {ISSUER}', FAILS),
        (f'--certificate-identity-regexp "^https://github.com/$GITHUB_REPOSITORY/" {ISSUER}', HOLDS),
        (f'--certificate-identity-regexp "$IDENTITY" {ISSUER}', UNKNOWN),
        (f"--certificate-identity-regexp '^.*$' {ISSUER}", FAILS),
        (f"{IDENTITY} --certificate-oidc-issuer-regexp '.*'", FAILS),
        (ISSUER, FAILS),
        (IDENTITY, FAILS),
        ("--key cosign.pub", HOLDS),
        (f"{IDENTITY} {ISSUER} api || true #", FAILS),
    ],
)
def test_who_verifies_names_whom(options: str, expected: Outcome) -> None:
    steps = f"- run: cosign verify {options} contoso/api@sha256:abc\n"
    assert outcome("verified-identity", {BUILD: workflow(steps)}) is expected


@pytest.mark.parametrize(
    ("verified", "expected"),
    [
        ("contoso/api@sha256:abc", HOLDS),
        ("contoso/api@${{ steps.build.outputs.digest }}", HOLDS),
        ('"${IMAGE}@${DIGEST}"', HOLDS),
        ("contoso/api:8", FAILS),
        ("contoso/api", FAILS),
        ("contoso/api:${{ github.sha }}", FAILS),
        ("--output text contoso/api:8", FAILS),
        ("contoso/api@sha256:abc contoso/web:8", FAILS),
        ('"$IMAGE"', UNKNOWN),
        ("${{ steps.build.outputs.image }}", UNKNOWN),
        ("--local-image ./image", HOLDS),
        ("contoso/api:8 | jq -r '.[0].critical.image.\"docker-manifest-digest\"'", UNKNOWN),
    ],
)
@pytest.mark.parametrize("who", [f"{IDENTITY} {ISSUER}", "--key cosign.pub"])
def test_what_is_verified_is_a_digest(verified: str, expected: Outcome, who: str) -> None:
    steps = f"- run: |\n    set -o pipefail; cosign verify {who} {verified}\n"
    assert outcome("verified-identity", {BUILD: workflow(steps)}) is expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("if ! {verify}; then echo no; exit 1; fi", HOLDS),
        ("if ! {verify}; then echo no; else echo yes; fi", FAILS),
        ("if ! {verify}; then exit $CODE; fi", UNKNOWN),
        ("if ! {verify}; then if $STRICT; then exit 1; fi; fi", UNKNOWN),
        ("if {verify}; then echo yes; else exit 1; fi", HOLDS),
        ("if {verify}; then echo yes; fi", UNKNOWN),
        ("if ! {verify}; then exit 0; fi", FAILS),
        ("! {verify}", FAILS),
        ("{verify} || true", FAILS),
    ],
)
def test_a_branch_that_exits_stops_the_step(script: str, expected: Outcome) -> None:
    verify = f"cosign verify {IDENTITY} {ISSUER} contoso/api@sha256:abc"
    steps = f"- run: |\n    {script.format(verify=verify)}\n"
    assert outcome("verified-identity", {BUILD: workflow(steps)}) is expected


@pytest.mark.parametrize("check", ["keyless-signing", "signed-by-digest", "verified-identity"])
def test_what_only_tries_out_signing_is_asked_nothing(check: str) -> None:
    steps = "- run: cosign sign --yes demo:1\n- run: cosign verify demo:1\n"
    triggers = "pull_request:\nworkflow_dispatch:"
    assert outcomes(check, {".github/workflows/kind-verify.yml": workflow(steps, triggers)}) == []
    assert outcomes(check, {".github/workflows/release.yml": workflow(steps, "push: {tags: ['v*']}")}) == [FAILS]


def test_a_token_that_is_given_is_an_identity() -> None:
    steps = sign(DIGEST, options="--yes --identity-token $OIDC_TOKEN")
    assert outcome("keyless-signing", {BUILD: workflow(steps)}) is HOLDS


KYVERNO = """
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {{name: signed}}
spec:
  {action}
  rules: [{{name: signed, verifyImages: [{{imageReferences: ['*'] {own}}}]}}]
"""


@pytest.mark.parametrize(
    ("action", "own", "expected"),
    [
        ("validationFailureAction: Enforce", "", HOLDS),
        ("validationFailureAction: Audit", "", FAILS),
        ("background: false", "", FAILS),
        ("background: false", ", failureAction: Enforce", HOLDS),
    ],
)
def test_a_policy_of_kyverno_enforces(action: str, own: str, expected: Outcome) -> None:
    assert outcome("admission-enforced", {"policy.yaml": KYVERNO.format(action=action, own=own)}) is expected


def test_a_policy_of_the_policy_controller_names_an_identity() -> None:
    policy = (
        "apiVersion: policy.sigstore.dev/v1beta1\nkind: ClusterImagePolicy\n"
        "spec: {{authorities: [{{keyless: {keyless}}}]}}"
    )
    named = "{identities: [{issuer: https://token.actions.githubusercontent.com, subject: x}]}"
    assert outcome("admission-enforced", {"policy.yaml": policy.format(keyless=named)}) is HOLDS
    assert outcome("admission-enforced", {"policy.yaml": policy.format(keyless="{url: x}")}) is FAILS


def test_repositories_without_a_policy_are_asked_nothing() -> None:
    assert outcomes("admission-enforced", {"a.yaml": "apiVersion: v1\nkind: ConfigMap\n"}) == []


ONLY_MAIN = "${{ startsWith(github.ref, 'refs/tags/') || github.ref_name == 'main' }}"


@pytest.mark.parametrize(
    ("triggers", "asked"),
    [
        ("push: {branches-ignore: [main]}", False),
        ("pull_request:\npush: {branches-ignore: [main], paths: [src/**]}", False),
        ("push: {branches: [develop]}", False),
        ("push: {branches: [develop, main]}", True),
        ("push: {branches: ['release/*', 'm*']}", True),
        ("push: {branches: ['release/*']}", False),
        ("push: {branches-ignore: [main], tags: [v*]}", True),
        ("push: {tags: [v*]}", True),
        ("push:", True),
        ("push: {branches-ignore: ['ma*']}", True),
        ("workflow_dispatch:\npush: {branches-ignore: [main]}", True),
    ],
)
@pytest.mark.parametrize("through", ["flag", "environment", "condition"])
def test_a_push_for_branches_that_the_workflow_does_not_run_for_is_none(
    triggers: str, asked: bool, through: str
) -> None:
    flag = {"flag": ONLY_MAIN, "environment": "${{ env.PUBLISHES == 'true' }}", "condition": "true"}[through]
    condition = f"  if: {ONLY_MAIN}\n" if through == "condition" else ""
    steps = f"- uses: docker/build-push-action@v6\n{condition}  with:\n    push: {flag}\n    tags: contoso/api\n"
    text = workflow(steps, triggers, top=f'env: {{PUBLISHES: "{ONLY_MAIN}"}}' if through == "environment" else "")
    assert bool(outcomes("image-signed", {BUILD: text})) is asked


@pytest.mark.parametrize(
    ("script", "asked"),
    [
        ("echo 'PUBLISHES=true' >> $GITHUB_ENV", True),
        ('"PUBLISHES=true" | Out-File $Env:GITHUB_ENV -Append', True),
        ("{ echo 'PUBLISHES=true'; } >> \"$GITHUB_ENV\"", True),
        ("echo 'OTHER=true' >> $GITHUB_ENV", False),
        ("echo 'PUBLISHES=true'", False),
    ],
)
def test_a_variable_that_a_step_writes_for_the_next_is_not_what_the_job_says(script: str, asked: bool) -> None:
    flag = "${{ env.PUBLISHES == 'true' }}"
    push = f"- uses: docker/build-push-action@v6\n  if: {flag}\n  with: {{push: true, tags: contoso/api}}\n"
    steps = f"- run: |\n    {script}\n{push}"
    text = workflow(steps, job="env: {PUBLISHES: 'false'}")
    assert bool(outcomes("image-signed", {BUILD: text})) is asked


SCRIPT = "- run: |\n    docker build -t ghcr.io/contoso/api:8 .\n    docker push ghcr.io/contoso/api:8\n"


@pytest.mark.parametrize(
    ("check", "steps", "said"),
    [
        ("sbom", SCRIPT, "build and push in one, with `docker buildx build --sbom=true --push`, on a builder"),
        (
            "provenance",
            SCRIPT.replace("build", "build --provenance=false"),
            "build and push in one, with `docker buildx build --provenance=mode=max --push`",
        ),
        ("provenance", SCRIPT.replace("docker", "podman"), "attest what is pushed, by its digest"),
        ("sbom", SCRIPT.replace("docker", "podman"), "attach it to what is pushed, by its digest"),
        (
            "provenance",
            "- run: docker buildx build --push --provenance=false -t ghcr.io/contoso/api:8 .\n",
            "leave `provenance` at its default",
        ),
    ],
)
def test_what_is_advised_changes_something_for_how_it_is_pushed(check: str, steps: str, said: str) -> None:
    (found,) = findings(check, {BUILD: workflow(steps)})
    assert found.fix is not None
    assert said in found.fix.advice


@pytest.mark.parametrize(
    "command",
    [
        "sudo -E docker-compose push api",
        "docker-compose -f deploy/compose.yml push api",
        "docker compose --file deploy/compose.yml --env-file=.env push",
        "docker compose -p shop --progress plain push api",
        "env TAG=8 docker compose push",
    ],
)
def test_a_push_by_compose_is_seen_behind_what_runs_it_and_behind_its_options(command: str) -> None:
    assert outcome("image-signed", {BUILD: workflow(f"- run: {command}\n")}) is FAILS


@pytest.mark.parametrize(("more", "pushes"), [("", True), ("    push: false\n", False), ("    push: true\n", True)])
def test_version_1_of_the_build_action_pushes_unless_it_is_told_not_to(more: str, pushes: bool) -> None:
    steps = f"- uses: docker/build-push-action@v1\n  with:\n    repository: a/api\n    tags: 8, latest\n{more}"
    files = {BUILD: workflow(steps)}
    for check in ("image-signed", "image-scanned", "sbom", "provenance", "slsa-level"):
        found = findings(check, files)
        assert [each.outcome for each in found] == [FAILS] * pushes
        assert all(each.fix is not None and not each.fix.edits and not each.fix.suggested for each in found)


def test_what_version_1_pushes_to_a_registry_of_the_run_is_no_delivery() -> None:
    steps = "- uses: docker/build-push-action@v1\n  with: {registry: 'localhost:5000', repository: a, tags: 8}\n"
    assert outcomes("image-signed", {BUILD: workflow(steps)}) == []


JOINED = "- run: docker manifest create contoso/api:8 contoso/api:8-arm64 && docker manifest push contoso/api:8\n"


@pytest.mark.parametrize(
    ("steps", "said", "left_alone"),
    [
        (BUILDX + push("provenance: false"), "", ""),
        (push("provenance: false"), ", with docker/setup-buildx-action before the build", ""),
        (
            BUILDX + "  with: {driver: docker}\n" + push("provenance: false"),
            ", with another driver than docker for docker/setup-buildx-action",
            "the builder has the driver docker, which need not store statements",
        ),
        (
            BUILDX + push("provenance: false") + JOINED,
            ", and join the images with `docker buildx imagetools create`, which takes them with it",
            "`docker manifest create` joins the images, and takes none with statements",
        ),
        *(
            (
                BUILDX + push("provenance: false", also),
                ", in a build that does not load the image",
                "the build loads the image too, and Docker's exporter refuses one with statements",
            )
            for also in ("load: true", "outputs: type=docker,dest=/tmp/api.tar")
        ),
    ],
)
@pytest.mark.parametrize(
    ("check", "begins"),
    [("sbom", "set sbom: true"), ("provenance", "attach provenance: leave `provenance` at its default")],
)
def test_a_statement_is_asked_for_where_the_builder_and_what_comes_after_can_take_it(
    steps: str, said: str, left_alone: str, check: str, begins: str
) -> None:
    asked_for = steps if check == "provenance" else steps.replace("provenance: false", "pull: true")
    found = findings(check, {BUILD: workflow(asked_for)})[0]
    assert found.fix is not None
    assert (found.fix.advice, found.fix.left_alone) == (begins + said, left_alone)
    assert bool(found.fix.edits or found.fix.suggested) is (not left_alone)


@pytest.mark.parametrize(
    ("given", "expected", "why"),
    [
        ("provenance: false", FAILS, "provenance is false in the build of what it joins"),
        ("provenance: true", HOLDS, "provenance is asked for in the build of what it joins"),
        ("provenance: ${{ inputs.all }}", UNKNOWN, "provenance is ${{ inputs.all }}, which only a run knows"),
    ],
)
@pytest.mark.parametrize("tags", ["    tags: contoso/api:8-arm64\n", "    outputs: type=image,name=a,push=true\n"])
def test_what_a_list_of_images_carries_is_what_those_carry_that_it_joins(
    given: str, expected: Outcome, why: str, tags: str
) -> None:
    join = "\n".join(f"      {line}" for line in JOINED.splitlines())
    files = {
        BUILD: workflow(BUILDX + push(given) + tags)
        + f"  join:\n    needs: build\n    runs-on: ubuntu-latest\n    steps:\n{join}\n"
    }
    found = findings("provenance", files)[-1]
    assert found.outcome is expected
    assert why in found.message


def test_a_list_of_images_that_another_workflow_builds_is_not_judged_by_the_builds_here() -> None:
    assert outcomes("provenance", {BUILD: workflow(JOINED)}) == [UNKNOWN]
    other = BUILDX + push("provenance: false") + "    tags: contoso/web:8\n"
    text = workflow(other).replace("jobs:\n", f"jobs:\n  join:\n    needs: build\n    steps:\n      {JOINED}")
    assert sorted(outcomes("provenance", {BUILD: text})) == [FAILS, UNKNOWN]


@pytest.mark.parametrize(
    ("check", "step", "expected"),
    [
        (
            "sbom",
            "uses: actions/attest@v4\n  with: {subject-name: ghcr.io/contoso/api, sbom-path: a.json}",
            UNKNOWN,
        ),
        ("sbom", "uses: actions/attest@v4\n  with: {subject-name: ghcr.io/contoso/web, sbom-path: a.json}", FAILS),
        ("sbom", "uses: actions/attest@v4\n  with: {subject-path: a.json, sbom-path: a.json}", FAILS),
        ("image-signed", 'run: cosign sign --yes "ghcr.io/contoso/api@$DIGEST"', UNKNOWN),
        ("image-signed", "run: cosign sign --yes ghcr.io/contoso/web:8", FAILS),
    ],
)
def test_what_another_workflow_does_with_an_image_of_the_same_name_is_not_told_as_missing(
    check: str, step: str, expected: Outcome
) -> None:
    other = ".github/workflows/after.yml"
    files = {BUILD: workflow(PUSH), other: workflow(f"- {step}\n", "workflow_run: {workflows: [build]}")}
    assert outcomes(check, files) == [expected]


def test_what_is_off_by_default_is_advised_to_be_asked_for() -> None:
    (found,) = findings("provenance", {BUILD: workflow(BUILDX + push().replace("action@v6", "action@v3"))})
    assert found.fix is not None
    assert found.fix.advice == "set provenance: mode=max"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("*.output=type=image,push=true", [FAILS]),
        ("*.output=type=registry", [FAILS]),
        ("api.output+=type=image,name=ghcr.io/contoso/api,push=1", [FAILS]),
        ("*.output=type=image,push=${{ github.ref_type == 'branch' }}", [FAILS]),
        ("*.output=type=image,push=false", []),
        ("*.output=type=docker", []),
    ],
)
def test_what_bake_is_told_by_set_is_pushed(given: str, expected: list[Outcome]) -> None:
    steps = f"- uses: docker/bake-action@v6\n  with:\n    set: |\n      *.tags=ghcr.io/contoso/api\n      {given}\n"
    assert outcomes("image-signed", {BUILD: workflow(steps)}) == expected


def test_what_bake_is_told_by_set_on_a_command_line_is_pushed() -> None:
    steps = "- run: docker buildx bake --set *.platform=linux/amd64 --set *.output=type=image,push=true\n"
    assert outcome("image-signed", {BUILD: workflow(steps)}) is FAILS


def test_bake_pushes_nothing_to_a_registry_of_the_machine() -> None:
    given = "      *.tags=localhost:5000/api\n      *.output=type=registry\n"
    steps = f"- uses: docker/bake-action@v6\n  with:\n    set: |\n{given}"
    assert outcomes("image-signed", {BUILD: workflow(steps)}) == []


CHART = "- run: helm push api-8.tgz oci://ghcr.io/contoso/charts\n"


@pytest.mark.parametrize(
    ("artifact", "signed"),
    [
        (CHART, "ghcr.io/contoso/charts/api:8"),
        ("- run: helm push api-8.tgz oci://ghcr.io/contoso\n", "ghcr.io/contoso/api-chart:8"),
        (
            "- run: flux push artifact oci://ghcr.io/contoso/manifests:8 --path=deploy\n",
            "ghcr.io/contoso/manifests:8",
        ),
        ("- run: timoni mod push ./mod oci://ghcr.io/contoso/modules/api -v 8\n", "ghcr.io/contoso/modules/api:8"),
    ],
)
def test_what_signs_a_chart_or_an_artifact_signs_no_image(artifact: str, signed: str) -> None:
    files = {BUILD: workflow(PUSH + artifact + f"- run: cosign sign --yes {signed}\n")}
    assert outcome("image-signed", files) is FAILS
    assert outcomes("signed-by-digest", files) == outcomes("keyless-signing", files) == []


def test_an_image_that_is_signed_beside_a_chart_is_judged_alone() -> None:
    steps = PUSH + CHART + f"- run: cosign sign --yes {DIGEST} ghcr.io/contoso/charts/api:8\n"
    files = {BUILD: workflow(steps)}
    assert outcome("image-signed", files) is outcome("signed-by-digest", files) is HOLDS


def test_a_chart_that_another_workflow_signs_is_perhaps_no_image_of_this_one() -> None:
    meta = PUSH.replace("ghcr.io/contoso/api:8", "${{ steps.meta.outputs.tags }}")
    chart = workflow(CHART + "- run: cosign sign --yes ghcr.io/contoso/charts/api:8\n")
    files = {BUILD: workflow(meta), ".github/workflows/chart.yml": chart}
    assert outcomes("image-signed", files) == [FAILS]


@pytest.mark.parametrize(
    ("before", "advice"),
    [
        (PUSH, "sign …@${{ steps.build.outputs.digest }}"),
        (PUSH.replace("  id: build\n", "  id: image\n"), "sign …@${{ steps.image.outputs.digest }}"),
        (
            PUSH.replace("  id: build\n", ""),
            "give the step that pushes an id, such as build, and sign …@${{ steps.build.outputs.digest }}",
        ),
        ("", "sign the digest that the push tells, …@sha256:…, in place of the tag"),
    ],
)
def test_the_digest_to_sign_is_one_of_a_step_that_is_there(before: str, advice: str) -> None:
    (found,) = findings(
        "signed-by-digest", {BUILD: workflow(before + "- run: cosign sign ghcr.io/contoso/api:8\n")}
    )
    assert found.fix is not None
    assert found.fix.advice == advice


@pytest.mark.parametrize(
    ("before", "options", "expected"),
    [
        ("", "--plugin azure-kv --id https://k", NOT_APPLICABLE),
        ("- run: notation key add --plugin azure-kv --id https://k shop\n", "--key shop", NOT_APPLICABLE),
        ('- run: echo "$KEY" > ~/.config/notation/localkeys/shop.key\n', "", FAILS),
        ("- run: notation cert generate-test shop\n", "--key shop", FAILS),
        ("", "", UNKNOWN),
    ],
)
def test_notation_signs_with_the_key_that_it_is_given(before: str, options: str, expected: Outcome) -> None:
    steps = PUSH + before + f"- run: notation sign {options} {DIGEST}\n"
    assert outcome("keyless-signing", {BUILD: workflow(steps)}) is expected


@pytest.mark.parametrize("call", ["retry", "retry 5", "retry 5 10s", "sudo retry"])
def test_a_function_that_runs_what_it_is_given_signs(call: str) -> None:
    function = '    retry() {\n      until "$@"; do\n        sleep 1\n      done\n    }\n'
    files = {BUILD: workflow(PUSH + f"- run: |\n{function}    {call} cosign sign --yes {DIGEST}\n")}
    assert outcome("image-signed", files) is outcome("signed-by-digest", files) is HOLDS


def test_a_function_that_hands_its_words_to_one_program_is_that_program_only() -> None:
    function = '    push() { docker push "$@"; }\n'
    files = {BUILD: workflow(f"- run: |\n{function}    push cosign sign {DIGEST}\n")}
    assert HOLDS not in outcomes("image-signed", files)


@pytest.mark.parametrize(
    ("folder", "text", "expected"),
    [
        ("${{ github.action_path }}/", "tar xf image.tar", FAILS),
        ("${{ github.action_path }}/../load/", "tar xf image.tar", FAILS),
        ("${{ github.workspace }}/.github/actions/load/", "cosign sign --yes $1", UNKNOWN),
    ],
)
def test_a_script_beside_an_action_is_read(folder: str, text: str, expected: Outcome) -> None:
    action = f"runs:\n  using: composite\n  steps:\n    - run: {folder}load.sh\n      shell: bash\n"
    files = {
        BUILD: workflow("- uses: ./.github/actions/load\n" + PUSH),
        ".github/actions/load/action.yml": action,
        ".github/actions/load/load.sh": text,
    }
    assert outcome("image-signed", files) is expected


@pytest.mark.parametrize(
    "where", ["runs-on: windows-latest", "strategy: {matrix: {os: [ubuntu-latest, windows-latest]}}"]
)
@pytest.mark.parametrize("check", ["sbom", "provenance"])
def test_no_builder_of_buildx_is_advised_for_windows(check: str, where: str) -> None:
    steps = "- if: matrix.os == 'windows-latest'\n  run: docker build -t contoso/api . && docker push contoso/api\n"
    text = workflow(steps if "matrix" in where else steps.replace("- if: matrix.os == 'windows-latest'\n  ", "- "))
    label = where if "matrix" not in where else f"runs-on: ${{{{ matrix.os }}}}\n    {where}"
    (found, *_) = findings(check, {BUILD: text.replace("runs-on: ubuntu-latest", label)})
    assert found.fix is not None
    assert "buildx" not in found.fix.advice


OF_ALL = "push: {branches: [main], tags: ['v*']}"
ON_MAIN = "  if: github.ref == 'refs/heads/main'\n"
ON_TAGS = "  if: startsWith(github.ref, 'refs/tags/')\n"
SIGNED = "- run: cosign sign --yes contoso/api@sha256:x\n"
ATTESTED = "- uses: actions/attest-build-provenance@v2\n"
SCANNED = "- uses: aquasecurity/trivy-action@v1\n"
GATED = "  with: {image-ref: contoso/api, exit-code: '1'}\n"


@pytest.mark.parametrize(
    ("check", "step", "rest"),
    [
        ("image-signed", SIGNED, ""),
        ("provenance", ATTESTED, ""),
        ("slsa-level", ATTESTED, ""),
        ("sbom", "- uses: actions/attest-sbom@v2\n", ""),
        ("image-scanned", SCANNED, GATED),
        ("scan-blocks", SCANNED, GATED),
    ],
)
def test_a_step_that_runs_for_some_of_the_refs_that_push_holds_for_none_of_the_others(
    check: str, step: str, rest: str
) -> None:
    pushing = "- run: docker build -t contoso/api . && docker push contoso/api\n"
    files = {BUILD: workflow(pushing + step + ON_MAIN + rest, OF_ALL, top=TOKEN)}
    (found,) = findings(check, files)
    assert found.outcome is UNKNOWN
    assert "refs/tags/v…" in found.message
    both = pushing + step + ON_MAIN + rest + step + ON_TAGS + rest
    for steps in (both, pushing.rstrip() + "\n" + ON_MAIN + step + ON_MAIN + rest):
        assert outcome(check, {BUILD: workflow(steps, OF_ALL, top=TOKEN)}) is HOLDS


def test_the_condition_of_a_job_before_and_the_flag_of_the_action_tell_which_refs_push() -> None:
    flag = push("tags: contoso/api").replace("push: true", "push: ${{ github.ref == 'refs/heads/main' }}")
    assert outcome("image-signed", {BUILD: workflow(flag + SIGNED + ON_MAIN, OF_ALL)}) is HOLDS
    job = "  sign:\n    needs: build\n    runs-on: ubuntu-latest\n    steps:\n      - run: cosign sign --yes a@b\n"
    of_main = workflow(push("tags: contoso/api"), OF_ALL, job="if: github.ref == 'refs/heads/main'")
    assert outcome("image-signed", {BUILD: of_main + job}) is HOLDS
    later = job.replace("    needs", "    if: github.ref == 'refs/heads/main'\n    needs")
    assert outcome("image-signed", {BUILD: workflow(push("tags: contoso/api"), OF_ALL) + later}) is UNKNOWN


@pytest.mark.parametrize(
    ("commits", "condition", "expected"),
    [
        ("branches: [main]", "github.event_name == 'push'", UNKNOWN),
        ("tags: ['v*']", "startsWith(github.ref, 'refs/tags/')", UNKNOWN),
        ("branches: [main]", "github.event_name != 'pull_request'", HOLDS),
        ("branches: [main]", "github.ref == 'refs/heads/main'", HOLDS),
    ],
)
def test_a_signature_of_commits_alone_is_none_of_what_a_schedule_pushes(
    commits: str, condition: str, expected: Outcome
) -> None:
    steps = push("tags: contoso/api") + SIGNED + f"  if: {condition}\n"
    triggers = f"push: {{{commits}}}\nschedule: [{{cron: '1 2 * * 3'}}]"
    (found,) = findings("image-signed", {BUILD: workflow(steps, triggers)})
    assert found.outcome is expected


@pytest.mark.parametrize(
    ("before", "build", "expected"),
    [
        ("", "docker buildx build . -t contoso/api", UNKNOWN),
        ("", "docker build . -t contoso/api", UNKNOWN),
        ("- uses: docker/setup-buildx-action@v3\n", "docker buildx build . -t contoso/api --load", FAILS),
        ("", "docker buildx build . -t contoso/api --provenance=false", FAILS),
    ],
)
def test_buildx_on_dockers_own_builder_is_docker_build(before: str, build: str, expected: Outcome) -> None:
    steps = f"{before}- run: |\n    {build}\n    docker push contoso/api\n"
    assert outcome("provenance", {BUILD: workflow(steps)}) is expected


@pytest.mark.parametrize(
    ("before", "given", "provenance", "sbom"),
    [
        ("", "load: true", UNKNOWN, FAILS),
        ("", "push: true", UNKNOWN, FAILS),
        ("", "load: true, provenance: false", FAILS, FAILS),
        ("", "load: true, sbom: true", UNKNOWN, UNKNOWN),
        ("- uses: docker/setup-buildx-action@v3\n", "load: true", FAILS, FAILS),
    ],
)
def test_a_command_pushes_what_the_action_has_built_with_what_it_attaches(
    before: str, given: str, provenance: Outcome, sbom: Outcome
) -> None:
    build = f"- uses: docker/build-push-action@v6\n  with: {{{given}, tags: 'contoso/api:8'}}\n"
    bring = "- run: |\n    docker tag contoso/api:8 contoso/api\n    docker push contoso/api\n"
    files = {BUILD: workflow(before + build + bring)}
    assert outcomes("provenance", files)[-1] is provenance
    assert outcomes("sbom", files)[-1] is sbom
    assert ("level 0 or 1" in findings("slsa-level", files)[-1].message) is (provenance is UNKNOWN)


@pytest.mark.parametrize(
    ("built", "said"),
    [("ghcr.io/contoso/api:8", True), ("${{ vars.REGISTRY }}/api", True), ("ghcr.io/contoso/web:8", False)],
)
def test_an_image_that_a_job_before_builds_is_said_to_come_from_there(built: str, *, said: bool) -> None:
    bring = "docker pull ghcr.io/contoso/api:8 && docker tag a b && docker push contoso.azurecr.io/api:8"
    job = f"  bring:\n    needs: build\n    runs-on: ubuntu-latest\n    steps:\n      - run: {bring}\n"
    files = {BUILD: workflow(push(f"tags: {built}")) + job}
    for check in ("provenance", "sbom", "image-scanned", "image-signed"):
        found = findings(check, files)[-1]
        assert (found.outcome, "job build · docker/build-push-action" in found.message) == (UNKNOWN, said)


ON_ENGINE = "- uses: docker/build-push-action@v6\n  with: {push: true, sbom: true, tags: 'ghcr.io/contoso/api:8'}\n"


@pytest.mark.parametrize(
    ("before", "outcome", "why"),
    [
        ("", UNKNOWN, "but no step sets up a builder that can store it"),
        (
            "- uses: ./.ci/setup\n",
            UNKNOWN,
            "but whether ./.ci/setup sets up a builder that can store it is not told",
        ),
        ("- uses: namespacelabs/nscloud-setup-buildx-action@v1\n", HOLDS, "sbom is asked for"),
        ("- run: docker buildx create --use\n", HOLDS, "sbom is asked for"),
    ],
)
def test_a_builder_is_told_by_the_steps_that_are_read(before: str, outcome: Outcome, why: str) -> None:
    (found,) = findings("sbom", {BUILD: workflow(before + ON_ENGINE)})
    assert found.outcome is outcome
    assert found.message.endswith(why)


def test_no_other_builder_is_set_up_beside_one_that_a_command_makes() -> None:
    steps = "- run: docker buildx create --use\n" + ON_ENGINE.replace("sbom: true, ", "")
    (found,) = findings("sbom", {BUILD: workflow(steps)})
    assert found.fix is not None
    assert "setup-buildx" not in found.fix.advice
    assert [edit.text for edit in found.fix.edits] == [", sbom: true"]


PLAIN = BUILDX + push("provenance: false", "tags: 'ghcr.io/contoso/api:8'")
ASKED = ("image-scanned", "image-signed", "sbom", "provenance", "slsa-level")


@pytest.mark.parametrize("check", ASKED)
@pytest.mark.parametrize("where", ["before", "after"])
def test_nothing_fails_for_lacking_what_a_step_that_is_not_read_may_do(check: str, where: str) -> None:
    unread = "- uses: ./.ci/finish\n"
    steps = unread + PLAIN if where == "before" else PLAIN + unread
    assert outcomes(check, {BUILD: workflow(PLAIN)}) == [FAILS]
    assert outcomes(check, {BUILD: workflow(steps)}) == [UNKNOWN]


@pytest.mark.parametrize(
    ("step", "check"),
    [
        ("docker://aquasec/trivy:0.60.0", "image-scanned"),
        ("docker://gcr.io/projectsigstore/cosign:v3", "image-signed"),
        ("contoso/attest-image@v1", "sbom"),
        ("contoso/attest-image@v1", "slsa-level"),
        ("docker://contoso/provenance-attester:1", "provenance"),
    ],
)
def test_nothing_fails_for_lacking_what_others_may_do_by_their_name(step: str, check: str) -> None:
    assert outcomes(check, {BUILD: workflow(f"{PLAIN}- uses: {step}\n")}) == [UNKNOWN]
    assert outcomes(check, {BUILD: workflow(f"{PLAIN}- uses: docker://contoso/notify:1\n")}) == [FAILS]


def buildx(*inputs: str) -> str:
    return "- uses: docker/setup-buildx-action@v3\n  with:\n" + "".join(f"    {each}\n" for each in inputs)


@pytest.mark.parametrize(
    ("builder", "is_old", "said"),
    [
        (buildx("driver-opts: image=moby/buildkit:v0.10.6"), True, "moby/buildkit:v0.10.6"),
        (
            buildx("driver-opts: |", "  network=host", "  image=r.io/moby/buildkit:v0.9"),
            True,
            "r.io/moby/buildkit:v0.9",
        ),
        (buildx("version: v0.9.1"), True, "Buildx v0.9.1"),
        (
            "- run: docker buildx create --use --driver-opt image=moby/buildkit:v0.10.6\n",
            True,
            "moby/buildkit:v0.10.6",
        ),
        (buildx("driver-opts: image=moby/buildkit:v0.11.0"), False, ""),
        (buildx("driver-opts: image=moby/buildkit:buildx-stable-1"), False, ""),
        (buildx("version: latest"), False, ""),
        (buildx("version: v0.10.0"), False, ""),
    ],
)
def test_nothing_is_asked_of_a_builder_that_it_does_not_have(builder: str, is_old: bool, said: str) -> None:
    (plain,) = findings("provenance", {BUILD: workflow(builder + push())})
    assert plain.outcome is (FAILS if is_old else HOLDS)
    for check, given in (("sbom", "pull: true"), ("provenance", "provenance: false")):
        (found,) = findings(check, {BUILD: workflow(builder + push(given))})
        assert found.outcome is FAILS
        assert found.fix is not None
        assert bool(found.fix.edits or found.fix.suggested) is not is_old
        assert ("BuildKit 0.11 and Buildx 0.10 or newer" in found.fix.advice) is is_old
        assert said in found.fix.left_alone


@pytest.mark.parametrize(
    "image", ["moby/buildkit@sha256:abc", "moby/buildkit:${{ vars.BUILDKIT }}", "${{ vars.IMAGE }}"]
)
def test_a_builder_whose_version_is_not_told_is_asked_for_nothing(image: str) -> None:
    builder = buildx(f"driver-opts: image={image}")
    assert outcome("provenance", {BUILD: workflow(builder + push())}) is UNKNOWN
    (found,) = findings("sbom", {BUILD: workflow(builder + push())})
    assert found.fix is not None
    assert (found.fix.edits, found.fix.suggested) == ((), ())


@pytest.mark.parametrize(
    ("signed", "expected"),
    [
        ("ghcr.io/contoso/api@${{ steps.build.outputs.digest }}", HOLDS),
        ("ghcr.io/contoso/other@${{ steps.build.outputs.digest }}", HOLDS),
        ("ghcr.io/contoso/web@${{ needs.web.outputs.digest }}", FAILS),
        ("ghcr.io/contoso/web:8", FAILS),
        ("docker.io/contoso/api:8", HOLDS),
        ("$IMAGE", HOLDS),
        ("$(cat tags)", HOLDS),
    ],
)
def test_a_signature_counts_for_the_image_that_it_names(signed: str, expected: Outcome) -> None:
    steps = push("tags: 'ghcr.io/contoso/api:8'") + f"- run: cosign sign --yes {signed}\n"
    assert outcome("image-signed", {BUILD: workflow(steps)}) is expected


@pytest.mark.parametrize(("name", "expected"), [("ghcr.io/contoso/api", HOLDS), ("ghcr.io/contoso/web", FAILS)])
def test_a_statement_counts_for_the_image_that_it_names(name: str, expected: Outcome) -> None:
    steps = push("provenance: false", "tags: 'ghcr.io/contoso/api:8'")
    steps += f"- uses: actions/attest@v4\n  with: {{subject-name: {name}, subject-digest: 'sha256:a'}}\n"
    assert outcome("provenance", {BUILD: workflow(steps)}) is expected


@pytest.mark.parametrize(
    "before",
    [
        "docker build -t contoso/tests . && docker load -i api.tar",
        "bazel run //api:load && docker build --build-arg A=B -t contoso/other .",
        "nix build .#image && ./result | docker load && docker buildx build --load -t contoso/other .",
    ],
)
def test_what_another_builder_makes_is_not_judged_by_the_builds_beside_it(before: str) -> None:
    files = {BUILD: workflow(f"- run: |\n    {before}\n    docker push contoso/api:8\n")}
    for check in ("sbom", "provenance", "slsa-level"):
        (found,) = findings(check, files)
        assert (found.outcome, "the build of what is pushed is not seen here" in found.message) == (UNKNOWN, True)


@pytest.mark.parametrize(("build", "expected"), [(".", FAILS), ("{context: ., sbom: true}", UNKNOWN)])
@pytest.mark.parametrize("command", ["docker compose build && docker compose push", "docker compose build --push"])
def test_what_compose_attaches_is_told_by_its_version(build: str, expected: Outcome, command: str) -> None:
    files = {
        BUILD: workflow(f"- run: {command}\n"),
        "compose.yaml": f"services: {{api: {{image: contoso/api, build: {build}}}}}\n",
    }
    assert outcome("provenance", files) is UNKNOWN
    assert outcome("sbom", files) is expected


def test_those_who_call_a_workflow_are_asked_for_the_rights_that_its_own_root_gives() -> None:
    called = workflow(PUSH, "pull_request:\nworkflow_call:", top="permissions: {contents: read, packages: write}")
    calls = "on: {push: {branches: [main]}}\npermissions: {contents: read}\njobs:\n  ship:\n"
    calls += "    permissions: {contents: read, packages: write}\n    uses: ./.github/workflows/build.yml\n"
    found = findings("image-signed", {BUILD: called, ".github/workflows/main.yml": calls})
    asked = [each.fix.left_alone for each in found if each.fix is not None]
    assert asked
    assert all("contents: read, packages: write, id-token: write" in each for each in asked)


def test_no_provenance_is_asked_for_that_would_show_a_secret() -> None:
    given = "push: true\n    provenance: false\n    build-args: FEED_TOKEN=${{ secrets.FEED }}"
    (found,) = findings("provenance", {BUILD: workflow(PUSH.replace("push: true", given))})
    assert found.fix is not None
    assert (found.fix.edits, found.fix.suggested) == ((), ())
    assert found.fix.left_alone == "provenance shows the build's arguments, and FEED_TOKEN is a secret"


@pytest.mark.parametrize(
    ("builder", "is_suggested"), [("", False), ("- uses: docker/setup-buildx-action@v3\n", True)]
)
def test_no_builder_is_set_up_for_an_sbom_whose_provenance_would_show_a_secret(
    builder: str, *, is_suggested: bool
) -> None:
    given = "push: true\n    build-args: FEED_TOKEN=${{ secrets.FEED }}"
    push = PUSH.replace("- uses: docker/setup-buildx-action@v3\n", builder).replace("push: true", given)
    (found,) = findings("sbom", {BUILD: workflow(push)})
    assert found.fix is not None
    assert bool(found.fix.edits or found.fix.suggested) is is_suggested
    assert ("is a secret" in found.fix.left_alone) is not is_suggested
