"""What could be done about findings is shown as diffs of the texts at hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.repositories.finding import Finding, Outcome
from bot.domain.repositories.usage import Edit, Span
from bot.files.audit.auditing import audit
from bot.files.audit.patches import apart, patches
from bot.files.audit.splicing.keys import with_edits
from bot.files.audit.suggestions.actions import ATTEST, COSIGN_INSTALLER, SETUP_BUILDX, UPLOAD_SARIF
from bot.files.audit.suggestions.actions import TRIVY as TRIVY_ACTION
from tests.growth import LINEAR, growth
from tests.unit.files.audit.patching import ARGUED, FILES, TAKEN, TOKEN, found, known
from tests.unit.files.audit.world import BUILD, DEPLOYMENT, NOW, PUSH, deployment, texts, workflow

BAD = {Outcome.FAILS, Outcome.UNKNOWN}


@pytest.mark.parametrize(
    ("check", "path", "lines"),
    [
        ("drop-all-capabilities", DEPLOYMENT, ["securityContext:", "capabilities:", "drop: [ALL]"]),
        ("run-as-non-root", DEPLOYMENT, ["securityContext:", "runAsNonRoot: true"]),
        ("seccomp-profile", DEPLOYMENT, ["securityContext:", "seccompProfile:", "type: RuntimeDefault"]),
        ("drop-all-capabilities", "compose.yaml", ["cap_drop: [ALL]"]),
        ("no-privilege-escalation", "compose.yaml", ["security_opt: [no-new-privileges:true]"]),
        ("read-only-root", "compose.yaml", ["read_only: true", "tmpfs: [/tmp]"]),
        ("run-as-non-root", "compose.yaml", ["user: '1654'"]),
        ("image-user", "Dockerfile", ["USER $APP_UID"]),
        ("sbom", BUILD, ["sbom: true"]),
    ],
)
def test_a_patch_adds_these_lines_and_makes_the_check_hold(check: str, path: str, lines: list[str]) -> None:
    finding = found(check, path)
    assert finding.fix is not None
    patch = patches(known(FILES), [finding], audit(FILES, NOW))[finding]
    assert [line[1:].strip() for line in patch.splitlines() if line[0] == "+" and line[:3] != "+++"] == lines
    assert [line for line in patch.splitlines() if line[0] == "-" and line[:3] != "---"] == []
    after = audit(with_edits(FILES, finding.fix.edits or finding.fix.suggested), NOW)
    outcomes = {each.outcome for each in after if (each.check, each.place.path) == (check, path)}
    assert outcomes == {Outcome.HOLDS}


SETUP = "- uses: docker/setup-buildx-action@v3\n"
FLAGGED = PUSH.replace("push: true", "push: ${{ github.ref == 'refs/heads/main' }}")
META = (
    "- uses: docker/metadata-action@v5\n  id: meta\n  with: {images: ghcr.io/contoso/api}\n"
    + PUSH.replace("tags: ghcr.io/contoso/api:8", "tags: ${{ steps.meta.outputs.tags }}").lstrip()
)
UNNAMED = PUSH.replace("  id: build\n", "")
KEPT = (
    PUSH + "- run: cosign sign --yes --key env://COSIGN_KEY ghcr.io/contoso/api@${{ steps.build.outputs.digest }}\n"
)
TAG = PUSH + "- run: cosign sign --yes ghcr.io/contoso/api:8\n"
VERIFY = PUSH + "- run: cosign verify ghcr.io/contoso/api:8\n"
TRIVY = "- run: trivy image ghcr.io/contoso/api:8\n"
GRYPE = """
- uses: anchore/scan-action@v7
  with:
    image: ghcr.io/contoso/api:8
    fail-build: false
    output-format: table
"""
SARIF = """
- uses: aquasecurity/trivy-action@v1
  with:
    image-ref: ghcr.io/contoso/api:8
    format: sarif
    output: found.sarif
"""
POLICY = """
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: signed}
spec:
  validationFailureAction: Audit
  rules:
    - name: verify
      verifyImages:
        - imageReferences: [contoso/*]
"""
ONE_SECRET = """
env:
  - name: DB_HOST
    value: db
  - name: Db__Password
    valueFrom:
      secretKeyRef:
        name: db
        key: password
"""
LISTED = ARGUED.replace("build-args: NUGET", "build-args: |\n      MODE=fast\n      NUGET")
DEPLOYS = """
on: {push: {branches: [main]}}
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/build-push-action@v6
        with: {push: true, tags: contoso/api}
  scan:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - run: trivy image --exit-code 1 contoso/api
  deploy:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - run: kubectl apply -f api.yaml
"""


@pytest.mark.parametrize(
    ("check", "files", "expected"),
    [
        (
            "image-signed",
            {BUILD: workflow(PUSH)},
            ["permissions:", "id-token: write", "sigstore/cosign-installer@"],
        ),
        ("image-signed", {BUILD: workflow(UNNAMED)}, ["id: build", "${{ steps.build.outputs.digest }}"]),
        ("image-signed", {BUILD: workflow(META)}, ["IMAGE: ghcr.io/contoso/api"]),
        ("image-signed", {BUILD: workflow(FLAGGED)}, ["if: ${{ github.ref == 'refs/heads/main' }}"]),
        ("image-signed", {BUILD: workflow(PUSH, top="permissions: {contents: read}")}, ["contents: read"]),
        (
            "image-signed",
            {BUILD: workflow(PUSH, job="permissions: {contents: read}")},
            [", id-token: write, attestations: write}"],
        ),
        ("image-scanned", {BUILD: workflow(PUSH)}, ["image-ref: ghcr.io/contoso/api@", "exit-code: '1'"]),
        ("slsa-level", {BUILD: workflow(PUSH)}, ["attestations: write", "subject-digest: ${{ steps.build.outputs"]),
        (
            "provenance",
            {BUILD: workflow(PUSH.replace("tags:", "provenance: false\n    tags:"))},
            ["provenance: mode=max"],
        ),
        (
            "provenance",
            {BUILD: workflow(PUSH.replace(SETUP, "").replace("tags:", "provenance: false\n    tags:"))},
            ["docker/setup-buildx-action@"],
        ),
        ("sbom", {BUILD: workflow(PUSH.replace(SETUP, ""))}, ["sbom: true", "docker/setup-buildx-action@"]),
        ("keyless-signing", {BUILD: workflow(KEPT)}, ["cosign sign --yes ghcr.io/contoso/api@", "id-token: write"]),
        ("signed-by-digest", {BUILD: workflow(TAG)}, ["api@${{ steps.build.outputs.digest }}"]),
        ("verified-identity", {BUILD: workflow(VERIFY)}, ["--certificate-oidc-issuer https://token.actions"]),
        (
            "scan-blocks",
            {BUILD: workflow(PUSH + TRIVY)},
            ["--exit-code 1 --severity HIGH,CRITICAL --ignore-unfixed"],
        ),
        ("scan-blocks", {BUILD: workflow(PUSH + GRYPE)}, ["fail-build: true", "severity-cutoff: high"]),
        ("scan-report-uploaded", {BUILD: workflow(PUSH + SARIF)}, ["upload-sarif@", "sarif_file: found.sarif"]),
        ("scan-before-deploy", {BUILD: DEPLOYS}, ["needs: [build, scan]"]),
        (
            "scan-before-deploy",
            {BUILD: DEPLOYS.replace("needs: build", "needs: [build]")},
            ["needs: [build, scan]"],
        ),
        ("scan-before-deploy", {BUILD: DEPLOYS.replace("needs: build", "needs:\n      - build")}, ["- scan"]),
        ("admission-enforced", {"deploy/policy.yaml": POLICY}, ["validationFailureAction: Enforce"]),
        ("read-only-root", {DEPLOYMENT: deployment()}, ["readOnlyRootFilesystem: true", "emptyDir: {}"]),
        (
            "read-only-root",
            {DEPLOYMENT: deployment("volumeMounts:\n  - name: a\n    mountPath: /a", "volumes:\n- name: a")},
            ["- name: tmp", "mountPath: /tmp"],
        ),
        (
            "runtime-secrets",
            {DEPLOYMENT: deployment(ONE_SECRET)},
            ["mountPath: /run/secrets/db", "path: Db__Password"],
        ),
        ("runtime-secrets", {DEPLOYMENT: deployment("envFrom:\n  - secretRef: {name: db}")}, ["secretName: db"]),
        ("runtime-secrets", {"compose.yaml": TAKEN}, ["secrets:", "- DB_PASSWORD", "environment: SA"]),
        (
            "runtime-secrets",
            {"compose.yaml": TAKEN.replace("      - A=b\n", "")},
            ["- DB_PASSWORD", "environment: SA"],
        ),
        (
            "runtime-secrets",
            {"compose.yaml": TAKEN.replace("- A=b", "A: b").replace("- DB_PASSWORD=", "DB_PASSWORD: ")},
            ["- DB_PASSWORD", "environment: SA"],
        ),
        ("image-secrets", {"Dockerfile": TOKEN}, ["RUN --mount=type=secret,id=NUGET_TOKEN,env=NUGET_TOKEN dotnet"]),
        (
            "image-secrets",
            {"Dockerfile": TOKEN, BUILD: workflow(ARGUED)},
            ["secrets: NUGET_TOKEN=", "RUN --mount="],
        ),
        ("build-argument-secrets", {"Dockerfile": TOKEN, BUILD: workflow(LISTED)}, ["secrets: |", "RUN --mount="]),
    ],
)
def test_a_suggestion_makes_its_check_hold_and_nothing_else_fail(
    check: str, files: dict[str, str], expected: list[str]
) -> None:
    before = texts(files)
    (finding,) = [each for each in audit(before, NOW) if (each.check, each.outcome) == (check, Outcome.FAILS)]
    assert finding.fix is not None
    assert finding.fix.left_alone == ""
    patch = patches(known(before), [finding], audit(before, NOW))[finding]
    added = "\n".join(line[1:] for line in patch.splitlines() if line[0] == "+")
    assert [each for each in expected if each not in added] == []
    after = audit(with_edits(before, finding.fix.suggested), NOW)
    assert {each.outcome for each in after if each.check == check} == {Outcome.HOLDS}
    had = {(each.check, each.place.path) for each in audit(before, NOW) if each.outcome in BAD}
    assert {(each.check, each.place.path) for each in after if each.outcome in BAD} <= had


def test_all_patches_of_a_repository_are_proved_in_few_judgements() -> None:
    """Each finding with edits has one, though many edits of a container stand at the same place."""
    findings = audit(FILES, NOW)
    wanted = [each for each in findings if each.fix is not None and (each.fix.edits or each.fix.suggested)]
    assert set(patches(known(FILES), findings)) == {each for each in wanted if each.outcome is Outcome.FAILS}


def test_what_is_tried_out_is_bounded_by_the_texts_that_are_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = audit(FILES, NOW)
    monkeypatch.setattr("bot.files.audit.patches.MOST_WORK", 1)
    few = patches(known(FILES), findings)
    monkeypatch.undo()
    assert 0 < len(few) < len(patches(known(FILES), findings))


def test_an_edit_that_does_not_mend_its_finding_is_left_as_words() -> None:
    finding = found("sbom", BUILD)
    assert finding.fix is not None
    useless = replace(
        finding.fix, edits=tuple(replace(each, text="    # sbom: true\n") for each in finding.fix.edits)
    )
    findings = [replace(each, fix=useless) if each == finding else each for each in audit(FILES, NOW)]
    shown = {each.check for each in patches(known(FILES), findings)}
    assert "sbom" not in shown
    assert "image-signed" in shown


def test_an_edit_that_breaks_something_else_is_left_as_words() -> None:
    finding = found("sbom", BUILD)
    assert finding.fix is not None
    harmful = replace(
        finding.fix,
        edits=tuple(replace(each, text=f"{each.text}    cache-from: type=gha\n") for each in finding.fix.edits),
    )
    assert patches(known(FILES), [replace(finding, fix=harmful)], audit(FILES, NOW)) == {}


BASE = {
    "base/kustomization.yaml": "resources: [api.yaml]\n",
    "base/api.yaml": deployment(ONE_SECRET),
    "overlay/kustomization.yaml": "resources: [../base]\n",
}


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("drop-all-capabilities", "drop: [ALL]"),
        ("run-as-non-root", "runAsNonRoot: true"),
        ("read-only-root", "emptyDir: {}"),
        ("runtime-secrets", "mountPath: /run/secrets/db"),
    ],
)
def test_a_base_that_a_kustomization_takes_as_it_is_has_patches(check: str, expected: str) -> None:
    files = texts(BASE)
    (finding,) = [each for each in audit(files, NOW) if each.check == check]
    assert finding.fix is not None
    assert finding.fix.edits == ()
    patch = patches(known(files), [finding], audit(files, NOW))[finding]
    assert "+++ b/base/api.yaml" in patch
    assert expected in patch


def test_a_pod_that_a_patch_has_changed_is_left_to_people() -> None:
    patch = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec: {template: {spec: {hostPID: false}}}\n"
    )
    overlay = {"overlay/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n"}
    files = texts({**BASE, **overlay, "overlay/p.yaml": patch})
    (finding,) = [each for each in audit(files, NOW) if each.check == "drop-all-capabilities"]
    assert finding.fix is not None
    assert finding.fix.suggested == ()
    assert finding.fix.left_alone == "a kustomization or a chart puts it together"


def test_settings_that_a_chart_has_in_its_values_have_patches_there() -> None:
    template = deployment("securityContext:\n  {{- toYaml .Values.securityContext | nindent 12 }}")
    chart = {"chart/Chart.yaml": "name: api\n", "chart/templates/api.yaml": template}
    files = texts({**chart, "chart/values.yaml": "securityContext:\n  runAsUser: 1654  # ours\n"})
    (finding,) = [each for each in audit(files, NOW) if each.check == "drop-all-capabilities"]
    patch = patches(known(files), [finding], audit(files, NOW))[finding]
    assert "+++ b/chart/values.yaml" in patch
    assert "+  capabilities:\n+    drop: [ALL]" in patch


IN_A_KEY = "securityContext:\n  {{- toYaml .Values.securityContext | nindent 12 }}"
IN_A_BLOCK = (
    "{{- with .Values.securityContext }}\nsecurityContext:\n  {{- toYaml . | nindent 12 }}\n{{- end }}\nports: []"
)


@pytest.mark.parametrize("lines", [IN_A_KEY, IN_A_BLOCK])
@pytest.mark.parametrize(
    "values",
    [
        "securityContext: {}  # ours\n",
        "securityContext:\n  {}\n  # runAsUser: 1000\n",
        "securityContext:\nname: a\n",
        "securityContext: null  # ours\nname: a\n",
        "securityContext: ~\n",
        'securityContext: ""\n',
    ],
)
def test_settings_that_a_chart_leaves_to_values_that_are_empty_have_patches_there(lines: str, values: str) -> None:
    template = deployment(lines)
    files = texts(
        {"chart/Chart.yaml": "name: api\n", "chart/templates/api.yaml": template, "chart/values.yaml": values}
    )
    (finding,) = [each for each in audit(files, NOW) if each.check == "drop-all-capabilities"]
    patch = patches(known(files), [finding], audit(files, NOW))[finding]
    assert "+++ b/chart/values.yaml" in patch
    assert "+  capabilities:\n+    drop: [ALL]" in patch


@pytest.mark.parametrize(
    ("check", "named"),
    [
        ("image-signed", '"${IMAGE,,}@${DIGEST}"'),
        ("image-scanned", "image-ref: ${{ steps.scanned-image.outputs.name }}@"),
        ("slsa-level", "subject-name: ${{ steps.attested-image.outputs.name }}\n"),
    ],
)
def test_a_name_that_metadata_action_makes_small_is_small_in_steps_too(check: str, named: str) -> None:
    files = texts({BUILD: workflow(META.replace("ghcr.io/contoso/api}", "'ghcr.io/${{ github.repository }}'}"))})
    found = audit(files, NOW)
    (finding,) = [each for each in found if each.check == check]
    (patch,) = patches(known(files), [finding], found).values()
    assert named in patch + "\n"
    assert ('run: echo "name=${IMAGE,,}" >> "$GITHUB_OUTPUT"' in patch) is (check != "image-signed")


def test_a_name_that_is_written_out_is_written_small() -> None:
    files = texts({BUILD: workflow(META.replace("contoso/api", "Contoso/Api"))})
    (finding,) = [each for each in audit(files, NOW) if each.check == "image-signed"]
    assert finding.fix is not None
    assert "IMAGE: ghcr.io/contoso/api\n" in "".join(edit.text for edit in finding.fix.suggested)


@pytest.mark.parametrize("shell", ["pwsh", "sh", "bash"])
def test_a_step_is_written_for_bash_whatever_the_shell_of_its_job_is(shell: str) -> None:
    files = texts({BUILD: workflow(PUSH, job=f"defaults: {{run: {{shell: {shell}}}}}")})
    (finding,) = [each for each in audit(files, NOW) if each.check == "image-signed"]
    assert finding.fix is not None
    written = "".join(each.text for each in finding.fix.suggested)
    assert ("shell: bash" in written) is (shell != "bash")


@pytest.mark.parametrize("matrix", ["windows-2022, ubuntu-latest", "ubuntu-latest, windows-2022", "windows-latest"])
def test_a_step_is_written_for_bash_where_the_matrix_has_a_runner_of_windows(matrix: str) -> None:
    job = f"strategy: {{matrix: {{os: [{matrix}]}}}}"
    written = workflow(PUSH, job=job).replace("runs-on: ubuntu-latest", "runs-on: ${{ matrix.os }}")
    found = [each for each in audit(texts({BUILD: written}), NOW) if each.check == "image-signed"]
    fixes = [each.fix for each in found if each.fix is not None]
    assert fixes
    assert all("shell: bash" in "".join(edit.text for edit in fix.suggested) for fix in fixes)


def pushing_if(condition: str) -> Finding:
    files = texts({BUILD: workflow(PUSH.replace("  with:", f"  if: {condition}\n  with:"))})
    (finding,) = [each for each in audit(files, NOW) if each.check == "image-signed"]
    return finding


@pytest.mark.parametrize("condition", ["${{ github.ref_name == 'main' }} && always()", "success() && ${{ true }}"])
def test_a_condition_of_several_expressions_is_put_into_no_other(condition: str) -> None:
    fix = pushing_if(condition).fix
    assert fix is not None
    assert fix.suggested == ()
    assert fix.left_alone == "when it pushes is put together from several expressions"


@pytest.mark.parametrize("words", ["fix: it", "closes #1"])
def test_a_condition_that_yaml_would_cut_is_quoted(words: str) -> None:
    fix = pushing_if(f"\"!contains(github.event.head_commit.message, '{words}')\"").fix
    assert fix is not None
    told = "".join(each.text for each in fix.suggested)
    assert f"if: '${{{{ !contains(github.event.head_commit.message, ''{words}'') }}}}'\n" in told


@pytest.mark.parametrize(
    ("flag", "condition"),
    [
        ("env.PUSH", "env.PUSH == 'true'"),
        ("vars.PUSH", "vars.PUSH == 'true'"),
        ("needs.plan.outputs.push", "needs.plan.outputs.push == 'true'"),
        ("github.event.inputs.push", "github.event.inputs.push == 'true'"),
        ("inputs.push", "format('{0}', inputs.push) == 'true'"),
        ("matrix.push", "format('{0}', matrix.push) == 'true'"),
        ("vars.A == 'b' && 'true' || 'no'", "format('{0}', vars.A == 'b' && 'true' || 'no') == 'true'"),
        ("env.PUSH == 'true'", "env.PUSH == 'true'"),
        ("!env.DRY", "!env.DRY"),
        ("(vars.A == 'a' || startsWith(vars.B, 'b')) && !cancelled()",) * 2,
    ],
)
def test_a_flag_that_may_be_a_text_is_compared_since_the_text_false_holds_in_a_condition(
    flag: str, condition: str
) -> None:
    files = texts({BUILD: workflow(PUSH.replace("push: true", f"push: ${{{{ {flag} }}}}"))})
    (finding,) = [each for each in audit(files, NOW) if each.check == "image-signed"]
    assert finding.fix is not None
    assert f"  if: ${{{{ {condition} }}}}\n" in "".join(each.text for each in finding.fix.suggested)


@pytest.mark.parametrize(
    ("name", "attested"),
    [
        ("contoso/api", "index.docker.io/contoso/api"),
        ("contoso/${{ github.actor }}", "index.docker.io/contoso/${{ github.actor }}"),
        ("ghcr.io/contoso/api", "ghcr.io/contoso/api"),
        ("${{ vars.PLACE }}/api", None),
        ("${{ vars.PLACE }}.azurecr.io/api", "${{ vars.PLACE }}.azurecr.io/api"),
        ("docker.io/contoso/api", None),
    ],
)
def test_an_image_of_docker_hub_is_attested_under_the_name_of_its_index(name: str, attested: str | None) -> None:
    files = texts({BUILD: workflow(PUSH.replace("ghcr.io/contoso/api", name))})
    (finding,) = [each for each in audit(files, NOW) if each.check == "slsa-level"]
    assert finding.fix is not None
    written = "".join(each.text for each in finding.fix.suggested)
    assert f"subject-name: {attested}\n" in written if attested else not written


@pytest.mark.parametrize(
    ("place", "attested"),
    [
        ("contoso", "index.docker.io/${{ env.PLACE }}/api"),
        ("ghcr.io/contoso", "${{ env.PLACE }}/api"),
        ("docker.io/contoso", None),
        ("${{ vars.PLACE }}", None),
    ],
)
@pytest.mark.parametrize("is_by_metadata", [False, True])
def test_an_image_is_attested_by_the_registry_that_the_workflow_gives_a_variable(
    place: str, attested: str | None, *, is_by_metadata: bool
) -> None:
    name = "${{ env.PLACE }}/api"
    steps = PUSH.replace("ghcr.io/contoso/api", name)
    if is_by_metadata:
        tags = PUSH.partition("tags: ")[2].partition("\n")[0].partition(",")[0].rstrip("}")
        steps = PUSH.replace(tags, "'${{ steps.meta.outputs.tags }}'")
        steps = f"- id: meta\n  uses: docker/metadata-action@v5\n  with: {{images: '{name}'}}\n{steps}"
    files = texts({BUILD: workflow(steps, top=f"env: {{PLACE: '{place}'}}")})
    (finding,) = [each for each in audit(files, NOW) if each.check == "slsa-level"]
    assert finding.fix is not None
    written = "".join(each.text for each in finding.fix.suggested)
    small = "${{ steps.attested-image.outputs.name }}" if is_by_metadata else name
    assert f"subject-name: {attested.replace(name, small)}\n" in written if attested else not written


@pytest.mark.parametrize(
    ("registries", "attested"),
    [
        ([""], "index.docker.io/${{ vars.OWNER }}/api"),
        (["", "docker.io"], "index.docker.io/${{ vars.OWNER }}/api"),
        (["ghcr.io"], "${{ vars.OWNER }}/api"),
        (["ghcr.io", ""], None),
        (["${{ vars.REGISTRY }}", "ghcr.io"], None),
        (["${{ vars.REGISTRY }}"], None),
    ],
)
def test_an_image_whose_registry_only_a_run_knows_is_attested_by_what_its_job_logs_in_to(
    registries: list[str], attested: str | None
) -> None:
    logins = "".join(
        f"- uses: docker/login-action@v3\n  with: {{username: a, registry: '{each}'}}\n" for each in registries
    )
    files = texts({BUILD: workflow(logins + PUSH.replace("ghcr.io/contoso/api", "${{ vars.OWNER }}/api"))})
    (finding,) = [each for each in audit(files, NOW) if each.check == "slsa-level"]
    assert finding.fix is not None
    written = "".join(each.text for each in finding.fix.suggested)
    assert f"subject-name: {attested}\n" in written if attested else not written


LOGIN = "- uses: docker/login-action@v3\n  with: {registry: ghcr.io, password: '${{ secrets.GITHUB_TOKEN }}'}\n"


@pytest.mark.parametrize(
    ("beside", "is_suggested"),
    [
        (LOGIN, True),
        ("- run: git push origin v1\n", False),
        ("- run: gh release create v1\n", False),
        ("- uses: softprops/action-gh-release@v2\n  with: {token: '${{ github.token }}'}\n", False),
        ("- run: dotnet release\n  env: {GITHUB_TOKEN: '${{ secrets.GITHUB_TOKEN }}'}\n", False),
    ],
)
def test_a_job_that_uses_its_token_loses_no_rights_by_a_suggestion(beside: str, is_suggested: bool) -> None:
    files = texts({BUILD: workflow(PUSH + beside)})
    (fix,) = [each.fix for each in audit(files, NOW) if each.check == "image-signed"]
    assert fix is not None
    assert (fix.suggested != ()) is is_suggested
    assert ("token is not known" in fix.left_alone) is not is_suggested


def test_a_step_is_named_though_its_job_has_all_the_usual_ids() -> None:
    ids = ("build", "push", "image", "build-image", "pushed-image")
    files = texts({BUILD: workflow("".join(f"- run: echo\n  id: {each}\n" for each in ids) + UNNAMED)})
    (finding,) = [each for each in audit(files, NOW) if each.check == "image-signed"]
    assert finding.fix is not None
    assert "id: build-2" in "".join(each.text for each in finding.fix.suggested)


def test_no_user_is_put_before_what_the_build_still_runs() -> None:
    files = texts(
        {"Dockerfile": 'FROM mcr.microsoft.com/dotnet/aspnet:8.0\nENTRYPOINT ["a"]\nRUN apt-get update\n'}
    )
    (finding,) = [each for each in audit(files, NOW) if each.check == "image-user"]
    assert finding.fix is not None
    assert finding.fix.suggested == ()


def test_nothing_is_mounted_twice_at_tmp() -> None:
    mounted = deployment(
        "volumeMounts:\n  - name: a\n    mountPath: /tmp\n    readOnly: true", "volumes:\n  - name: a"
    )
    (fix,) = [each.fix for each in audit(texts({DEPLOYMENT: mounted}), NOW) if each.check == "read-only-root"]
    assert fix is not None
    assert fix.suggested == ()
    assert fix.left_alone == "something that cannot be written is mounted at /tmp"


def test_an_image_before_net_8_has_no_user_of_its_own_to_suggest() -> None:
    files = texts({"Dockerfile": 'FROM mcr.microsoft.com/dotnet/aspnet:6.0\nENTRYPOINT ["a"]\n'})
    (finding,) = [each for each in audit(files, NOW) if each.check == "image-user"]
    assert finding.fix is not None
    assert finding.fix.suggested == ()
    assert "APP_UID" not in finding.fix.advice


def test_suggested_actions_are_those_of_our_own_workflows() -> None:
    own = "".join(path.read_text() for path in Path(".github/workflows").glob("*.yml"))
    for action in (ATTEST, COSIGN_INSTALLER, SETUP_BUILDX, TRIVY_ACTION, UPLOAD_SARIF):
        assert f"uses: {action}" in own


def test_without_the_texts_there_is_no_patch() -> None:
    assert patches(known({}), audit(FILES, NOW)) == {}


def test_a_deploy_is_not_asked_to_need_a_scan_that_is_left_out_at_times() -> None:
    """Whoever needs a job that is skipped is skipped too."""
    at_times = DEPLOYS.replace("  scan:\n", "  scan:\n    if: github.event_name == 'push'\n")
    (finding,) = [each for each in audit(texts({BUILD: at_times}), NOW) if each.check == "scan-before-deploy"]
    assert finding.fix is not None
    assert finding.fix.suggested == ()
    assert "left out with it" in finding.fix.left_alone


def test_edits_that_do_not_touch_are_put_together_in_time_in_proportion() -> None:
    def put_together(size: int) -> None:
        edit_sets = [(Edit("compose.yaml", Span(10 * number, 10 * number), "a"),) for number in range(size)]
        assert [len(group) for group in apart([*edit_sets, *edit_sets])] == [size, size]

    assert growth(put_together, 200) < LINEAR
