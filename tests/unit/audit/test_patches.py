"""What could be done about findings is shown as diffs of the texts at hand."""

from dataclasses import replace
from pathlib import Path
from textwrap import indent

import pytest

from bot.audit.auditing import audit
from bot.audit.patches import Texts, patches
from bot.audit.repository import RepositoryTexts
from bot.audit.secrets.literals import masked
from bot.audit.splicing.keys import with_edits
from bot.audit.suggestions.actions import ATTEST, COSIGN_INSTALLER, SETUP_BUILDX, UPLOAD_SARIF
from bot.audit.suggestions.actions import TRIVY as TRIVY_ACTION
from bot.domain.repositories.finding import Finding, Outcome
from tests.growth import LINEAR, growth
from tests.unit.audit.world import BUILD, DEPLOYMENT, NOW, PUSH, deployment, texts, workflow

COMPOSE = "services:\n  api:\n    build: .  # ours\n"
DOCKERFILE = 'FROM mcr.microsoft.com/dotnet/aspnet:8.0 AS base\nFROM base\nCOPY app /app\n\nENTRYPOINT ["dotnet"]\n'
FILES = texts({DEPLOYMENT: deployment(), "compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, BUILD: workflow(PUSH)})


BAD = {Outcome.FAILS, Outcome.UNKNOWN}


def known(files: dict[str, bytes]) -> Texts:
    return Texts(RepositoryTexts(files), files, NOW)


def found(check: str, path: str) -> Finding:
    (finding,) = [each for each in audit(FILES, NOW) if (each.check, each.place.path) == (check, path)]
    return finding


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
TAKEN = """
services:
  api:
    image: contoso/api
    environment:
    - A=b
    - DB_PASSWORD=${SA}
    user: '1654'
""".replace("    - ", "      - ")
TOKEN = """
FROM mcr.microsoft.com/dotnet/sdk:8.0
ARG NUGET_TOKEN
RUN dotnet restore --token $NUGET_TOKEN && \\
    true
USER 1
"""
ARGUED = PUSH.replace(
    "    push: true\n", "    push: true\n    build-args: NUGET_TOKEN=${{ secrets.NUGET_TOKEN }}\n"
)
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
        ("image-signed", {BUILD: workflow(PUSH, job="permissions: {contents: read}")}, [", id-token: write}"]),
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
    monkeypatch.setattr("bot.audit.patches.MOST_WORK", 1)
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


@pytest.mark.parametrize(
    "lines", ["environment: {DB_PASSWORD: hunter2}", "environment:\n      - DB=postgres://u:hunter2@db", "x: 1"]
)
def test_a_patch_never_shows_the_value_of_a_secret(lines: str) -> None:
    files = texts({"compose.yaml": f"services:\n  api:\n    image: contoso/api\n    {lines}\n"})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "hunter2" not in shown
    assert "read_only" in shown
    assert ("***" in shown) is (lines != "x: 1")


def test_a_patch_beside_a_secret_in_a_manifest_does_not_show_it_either() -> None:
    files = texts({DEPLOYMENT: deployment("env:\n  - name: DB_PASSWORD\n    value: hunter2")})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    "lines",
    [
        "- value: hunter2\n  name: DB_PASSWORD",
        "- {name: DB_PASSWORD, value: hunter2}\n- {name: A, value: b}",
        "- name: DB_PASSWORD  # of the shop\n  value: hunter2",
        "- name: DB_PASSWORD\n  # of the shop\n  value: hunter2",
        "- name: DB_PASSWORD\n  value: 'hunter2''s'",
        '- name: DB_PASSWORD\n  value: "hunter2\\"s"',
        "- name: DB_PASSWORD\n  value: !!str hunter2",
        "- name: DB_PASSWORD\n  value: |-\n    hunter2\n    hunter2",
        "- name: A_PASSWORD\n  value: abc\n- name: B_A_PASSWORD\n  value: abc-hunter2",
        "- {name: A_PASSWORD, value: hunter2}\n- {name: B, value: b}\n- {value: 'hunter2''s', name: B_PASSWORD}",
    ],
)
def test_no_patch_of_a_manifest_shows_a_secret_however_it_is_written(lines: str) -> None:
    files = texts({DEPLOYMENT: deployment("env:\n" + indent(lines, "  "))})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "hunter2" not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    "lines",
    [
        "DB_PASSWORD: 'hunter2''s'",
        "DB_PASSWORD: >-\n        hunter2\n        hunter2",
        "DB_PASSWORD: !!str hunter2",
        "{A_PASSWORD: 'hunter2''s', B_PASSWORD: 'hunter2''t'}",
        "- 'DB_PASSWORD=hunter2''s'",
    ],
)
def test_no_patch_of_a_compose_file_shows_a_secret_however_it_is_written(lines: str) -> None:
    environment = f" {lines}" if lines.startswith("{") else f"\n      {lines}"
    files = texts({"compose.yaml": f"services:\n  api:\n    image: contoso/api\n    environment:{environment}\n"})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "hunter2" not in shown
    assert "***" in shown


def test_no_line_that_a_patch_writes_anew_shows_a_secret_that_it_repeats() -> None:
    container = "{name: api, image: 'contoso/api:1', env: [{value: 'hunter2''s', name: DB_PASSWORD}]}"
    manifest = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: api}}\nspec:\n  containers:\n    - {container}\n"
    files = texts({"deploy/api.yaml": manifest})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "hunter2" not in shown
    assert "+    - {name: api" in shown


WRITTEN_OUT = """
env:
  - name: DB_HOST
    value: db
  - name: DB_PASSWORD
    value: hunter2
"""
OF_SERVICE = """
services:
  api:
    image: contoso/api
    environment:
      A: b
      DB_PASSWORD: hunter2
    user: '1654'
"""


@pytest.mark.parametrize(
    ("files", "expected", "told"),
    [
        (
            {DEPLOYMENT: deployment(WRITTEN_OUT)},
            ["secretName: api-secrets", "path: DB_PASSWORD"],
            "in the Secret api",
        ),
        ({"compose.yaml": OF_SERVICE}, ["- DB_PASSWORD", "environment: DB_PASSWORD"], "where Compose runs"),
    ],
)
def test_a_secret_that_is_written_out_becomes_a_file_that_must_be_set_first(
    files: dict[str, str], expected: list[str], told: str
) -> None:
    before = texts(files)
    (finding,) = [each for each in audit(before, NOW) if each.check == "runtime-secrets"]
    assert finding.fix is not None
    assert f"set DB_PASSWORD {told}" in finding.fix.advice
    patch = patches(known(before), [finding], audit(before, NOW))[finding]
    added = "\n".join(line[1:] for line in patch.splitlines() if line[0] == "+")
    assert [each for each in expected if each not in added] == []
    assert "hunter2" not in patch
    assert "***" in patch


TWO_CONTAINERS = """
apiVersion: v1
kind: Pod
metadata:
  name: api
spec:
  containers:
    - name: api
      image: contoso/api:1
      env:
        - name: DB_PASSWORD
          value: hunter2
    - name: web
      image: contoso/web:1
      env:
        - name: DB_PASSWORD
          value: {value}
"""
TWO_SERVICES = """
services:
  a:
    image: contoso/a
    environment: {{DB_PASSWORD: hunter2}}
    user: '1'
  b:
    image: contoso/b
    environment: {{DB_PASSWORD: {value}}}
    user: '1'
"""


@pytest.mark.parametrize("value", ["hunter2", "hunter3"])
@pytest.mark.parametrize(("path", "text"), [(DEPLOYMENT, TWO_CONTAINERS), ("compose.yaml", TWO_SERVICES)])
def test_two_secrets_of_one_name_are_not_made_one(path: str, text: str, value: str) -> None:
    text = text.format(value=value)
    found = [each for each in audit(texts({path: text}), NOW) if each.check == "runtime-secrets"]
    suggested = [each.fix.suggested for each in found if each.fix is not None]
    assert len(suggested) == 2
    assert all(map(bool, suggested)) is (value == "hunter2")
    assert any(map(bool, suggested)) is (value == "hunter2")


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
    ("images", "named"),
    [
        ("ghcr.io/Contoso/Api", "IMAGE: ghcr.io/contoso/api\n"),
        ("ghcr.io/${{ github.repository }}", "IMAGE: ${{ steps.image-name.outputs.name }}\n"),
    ],
)
def test_a_name_that_metadata_action_makes_small_is_small_in_steps_too(images: str, named: str) -> None:
    files = texts({BUILD: workflow(META.replace("ghcr.io/contoso/api}", f"'{images}'}}"))})
    (finding,) = [each for each in audit(files, NOW) if each.check == "image-signed"]
    assert finding.fix is not None
    written = "".join(each.text for each in finding.fix.suggested)
    assert named in written
    assert ('run: echo "name=${IMAGE,,}" >> "$GITHUB_OUTPUT"' in written) is ("${{" in images)
    assert patches(known(files), [finding], audit(files, NOW)) != {}


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


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("# syntax=docker/dockerfile:1.4\n" + TOKEN.lstrip(), "1.10 is the first"),
        (TOKEN.replace(" --token $NUGET_TOKEN", ""), "no RUN names NUGET_TOKEN"),
        (TOKEN.replace("USER 1", "EXPOSE 80\n" * 500), "more than 500 instructions"),
        (TOKEN.replace("USER 1", "ENV X=${NUGET_TOKEN-none}"), "used in line 5 by what takes no build secret"),
    ],
)
def test_a_build_that_would_lose_its_token_is_left_to_people(written: str, why: str) -> None:
    files = texts({"Dockerfile": written, BUILD: workflow(ARGUED)})
    (finding,) = [each for each in audit(files, NOW) if each.check == "build-argument-secrets"]
    assert finding.fix is not None
    assert finding.fix.suggested == ()
    assert why in finding.fix.left_alone


@pytest.mark.parametrize("line", ["# syntax=docker/dockerfile:1", "# syntax=docker/dockerfile:1.10"])
def test_a_frontend_that_gives_secrets_to_variables_is_taken(line: str) -> None:
    files = texts({"Dockerfile": f"{line}\n{TOKEN.lstrip()}", BUILD: workflow(ARGUED)})
    (finding,) = [each for each in audit(files, NOW) if each.check == "build-argument-secrets"]
    assert finding.fix is not None
    assert "--mount=" in "".join(each.text for each in finding.fix.suggested)


@pytest.mark.parametrize(
    "written",
    [
        workflow(PUSH, job="env:\n  DB_PASSWORD: hunter2"),
        workflow(PUSH, job="services:\n  db:\n    env:\n      DB_PASSWORD: hunter2"),
        workflow(PUSH + "    build-args: |\n      MODE=fast\n      NUGET_TOKEN=hunter2\n"),
        workflow(PUSH + "  env: {DB_PASSWORD: hunter2}\n"),
        workflow(PUSH + "- run: docker run -e DB_PASSWORD=hunter2 ghcr.io/contoso/api:8\n"),
    ],
)
def test_a_patch_beside_a_secret_in_a_workflow_does_not_show_it_either(written: str) -> None:
    files = texts({BUILD: written, "Dockerfile": TOKEN})
    shown = patches(known(files), audit(files, NOW)).values()
    assert "hunter2" not in "".join(shown)


def test_a_patch_beside_a_secret_before_the_first_stage_does_not_show_it_either() -> None:
    written = 'ARG DB_PASSWORD=hunter2\nFROM mcr.microsoft.com/dotnet/aspnet:8.0\nENTRYPOINT ["a"]\n'
    files = texts({"Dockerfile": written})
    shown = patches(known(files), audit(files, NOW)).values()
    assert "hunter2" not in "".join(shown)


@pytest.mark.parametrize(
    "line",
    [
        'ENV DB_PASSWORD="hunter2\\"hunter2"',
        "ENV DB_PASSWORD=hunter2\\ hunter2",
        "ENV DB_PASSWORD=first\\\nhunter2 \\\n  MODE=fast",
        "ENV DB_PASSWORD   some   hunter2",
        "ENV 'DB_PASSWORD'=hunter2",
        'ENV "DB_PASSWORD=hunter2 hunter2"',
        "ARG DB_PASSWORD='it\"s hunter2'",
    ],
)
def test_no_patch_of_a_dockerfile_shows_a_secret_however_it_is_written(line: str) -> None:
    written = f'FROM mcr.microsoft.com/dotnet/aspnet:8.0\n{line}\nENTRYPOINT ["a"]\n'
    files = texts({"Dockerfile": written})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "USER" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    "run",
    [
        'docker run -e DB_PASSWORD=first\\"hunter2 contoso/api',
        "docker run -e 'DB_PASSWORD=first hunter2' contoso/api",
        'docker run -e "DB_PASSWORD=first\\$ hunter2" contoso/api',
        'docker run -e "DB_PASSWORD"="first\\" hunter2" contoso/api',
        "|\n    docker run -e DB_PASSWORD=first\\\n    hunter2 contoso/api",
        "|\n    docker run -e 'DB_PASSWORD=first\n    hunter2' contoso/api",
        "|\n    P='first hunter2'\n    docker run -e DB_PASSWORD=\"$P\" contoso/api",
    ],
)
def test_no_patch_beside_a_command_shows_a_secret_however_it_is_written(run: str) -> None:
    files = texts({BUILD: workflow(f"- run: {run}\n{PUSH.lstrip()}"), "Dockerfile": TOKEN})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "cosign sign" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize("level", ["top", "job", "step"])
def test_no_patch_shows_a_variable_that_a_command_hands_on_as_a_secret(level: str) -> None:
    env = "env: {OF_SHOP: hunter2}"
    run = "- run: docker run -e DB_PASSWORD=$OF_SHOP contoso/api\n" + (f"  {env}\n" if level == "step" else "")
    around = {level: env} if level != "step" else {}
    files = texts({BUILD: workflow(f"{run}{PUSH.lstrip()}", **around), "Dockerfile": TOKEN})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "cosign sign" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    "line",
    [
        "RUN dotnet nuget add source -u shop -p hunter2 feed",
        "RUN export DB_PASSWORD='a hunter2' && make",
        'RUN curl -H "Authorization: Bearer hunter2" contoso',
        "LABEL token=hunter2",
        "ONBUILD ENV DB_PASSWORD=hunter2",
        "HEALTHCHECK CMD curl http://shop:hunter2@localhost/",
        'CMD ["shop", "--password", "hunter2"]',
        "RUN shop --api-key hunter2",
        "RUN shop --db-password=hunter2",
    ],
)
def test_no_patch_shows_a_secret_that_stands_in_a_command_beside_it(line: str) -> None:
    files = texts({"Dockerfile": f'FROM mcr.microsoft.com/dotnet/aspnet:8.0\n{line}\nENTRYPOINT ["a"]\n'})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "+USER $APP_UID" in shown
    assert "hunter2" not in shown
    assert "***" in shown


def test_lines_that_hold_no_secret_are_shown_as_they_are() -> None:
    line = "RUN --mount=type=secret,id=TOKEN,env=TOKEN x --secret id=TOKEN -p 80:80 --token-file a API_KEY=$KEY"
    files = texts({"Dockerfile": f'FROM mcr.microsoft.com/dotnet/aspnet:8.0\n{line}\nENTRYPOINT ["a"]\n'})
    assert line in "".join(patches(known(files), audit(files, NOW)).values())


@pytest.mark.parametrize("unit", ["--a-", "-a ", '"', "login -p ", "://a:", "nuget ", "a\\"])
def test_secrets_beside_a_patch_are_looked_for_in_time_in_proportion(unit: str) -> None:
    repository = known({}).repository
    assert growth(lambda size: masked(repository, "a", f" {unit * (size // len(unit))}\n"), 8_000) < LINEAR


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


OF_DB = """
env:
  - name: DB_PASSWORD
    valueFrom:
      secretKeyRef:
        name: db
        key: password
"""


@pytest.mark.parametrize(
    ("container", "pod", "why"),
    [
        (
            f'{OF_DB}args: ["--password=$(DB_PASSWORD)"]',
            "",
            "a command or another variable of it names one of them",
        ),
        (f"{OF_DB}  - name: URL\n    value: redis://$(DB_PASSWORD)", "", "a command or another variable"),
        (f"{OF_DB}        optional: true", "", "one of its Secrets is optional"),
        (OF_DB.replace("name: db", "name: my.db"), "", "my.db cannot be the name of a volume"),
        (OF_DB, "volumes:\n  - name: db\n    secret:\n      secretName: db", "the pod has a volume db already"),
        (f"{OF_DB}envFrom:\n  - secretRef: {{name: db}}", "", "which Secret it is stands in no one place"),
    ],
)
def test_secrets_whose_files_a_pod_could_not_have_are_left_to_people(container: str, pod: str, why: str) -> None:
    files = texts({DEPLOYMENT: deployment(container, pod)})
    fixes = [each.fix for each in audit(files, NOW) if each.check == "runtime-secrets"]
    assert [each.suggested for each in fixes if each is not None] == [()] * len(fixes)
    assert all(each is not None and why in each.left_alone for each in fixes)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"compose.yaml": f"{TAKEN}secrets:\n  DB_PASSWORD:\n    environment: OTHER\n"}, "of another source"),
        ({"compose.yaml": TAKEN.replace("contoso/api", "postgres:17")}, "postgres is made by others"),
        ({DEPLOYMENT: deployment(OF_DB, image="docker.io/library/redis:8")}, "redis is made by others"),
    ],
)
def test_a_program_that_would_read_no_file_or_another_keeps_its_environment(
    files: dict[str, str], why: str
) -> None:
    (fix,) = [each.fix for each in audit(texts(files), NOW) if each.check == "runtime-secrets"]
    assert fix is not None
    assert fix.suggested == ()
    assert why in fix.left_alone


def test_a_secret_of_the_same_source_that_the_file_has_is_taken() -> None:
    files = texts({"compose.yaml": f"{TAKEN}secrets:\n  DB_PASSWORD:\n    environment: SA\n"})
    (fix,) = [each.fix for each in audit(files, NOW) if each.check == "runtime-secrets"]
    assert fix is not None
    assert "- DB_PASSWORD" in "".join(each.text for each in fix.suggested)


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


def test_one_key_of_a_secret_becomes_a_file_for_each_variable() -> None:
    more = OF_DB.replace("DB_PASSWORD", "OLD_PASSWORD").replace("\nenv:\n", "")
    files = texts({DEPLOYMENT: deployment(f"{OF_DB}{more}  - {{name: A, value: $(A) $$(B)}}")})
    findings = [each for each in audit(files, NOW) if each.check == "runtime-secrets"]
    (shown, _) = patches(known(files), findings, audit(files, NOW)).values()
    assert "path: DB_PASSWORD" in shown
    assert "path: OLD_PASSWORD" in shown


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
