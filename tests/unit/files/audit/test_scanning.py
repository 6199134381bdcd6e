"""Scans of what is pushed: whether they are there, block, and look at the right thing."""

import pytest

from bot.domain.repositories.finding import Outcome
from bot.files.audit.shell import ShellCommand
from tests.unit.files.audit.world import BUILD, PUSH, findings, outcome, outcomes, workflow

HOLDS, FAILS, UNKNOWN = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN


def trivy(*lines: str) -> str:
    given = "\n".join(f"    {line}" for line in lines)
    return f"- uses: aquasecurity/trivy-action@v1\n  with:\n    image-ref: ghcr.io/contoso/api:8\n{given}\n"


def run(command: str, more: str = "") -> str:
    return f"- run: |\n    {command}\n{more}"


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("", FAILS),
        (trivy(), HOLDS),
        (run("trivy image ghcr.io/contoso/api:8"), HOLDS),
        (run("grype ghcr.io/contoso/api:8"), HOLDS),
        (run("docker scout cves ghcr.io/contoso/api:8"), HOLDS),
        (run("docker run --rm aquasec/trivy:0.70 image ghcr.io/contoso/api:8"), HOLDS),
        (run("trivy fs ."), FAILS),
        ("- uses: aquasecurity/trivy-action@v1\n  with: {scan-type: fs}\n", FAILS),
        (run("trivy image --format cyclonedx ghcr.io/contoso/api:8"), FAILS),
        ("- uses: snyk/actions/docker@v1\n", UNKNOWN),
        (run("./build/scan.sh"), UNKNOWN),
    ],
)
def test_what_is_pushed_is_scanned(steps: str, expected: Outcome) -> None:
    assert outcome("image-scanned", {BUILD: workflow(PUSH + steps)}) is expected


def test_a_script_of_the_repository_that_scans_nothing_is_no_excuse() -> None:
    files = {BUILD: workflow(PUSH + run("./restore.sh")), "restore.sh": "dotnet restore\n"}
    assert outcome("image-scanned", files) is FAILS


@pytest.mark.parametrize("triggers", ["pull_request:", "pull_request_target:", "merge_group:"])
def test_a_build_for_a_pull_request_is_asked_nothing(triggers: str) -> None:
    files = {BUILD: workflow(PUSH, triggers)}
    for check in ("image-scanned", "image-signed", "sbom", "provenance", "weekly-rebuild", "actions-pinned"):
        assert outcomes(check, files) == []


@pytest.mark.parametrize(
    "push",
    ["false", "${{ github.event_name == 'pull_request' }}", "''"],
)
def test_a_build_that_pushes_nothing_is_asked_nothing(push: str) -> None:
    steps = f'- uses: docker/build-push-action@v6\n  with: {{push: "{push}", tags: contoso/api}}\n'
    assert outcomes("image-scanned", {BUILD: workflow(steps, "[push, pull_request]")}) == []


@pytest.mark.parametrize(
    "host", ["localhost:5000", "kind-registry:5000", "k3d-contoso.localhost:5111", "registry:5000"]
)
def test_a_registry_of_the_run_itself_is_no_delivery(host: str) -> None:
    steps = f"- run: docker push {host}/contoso/api:8"
    assert outcomes("image-scanned", {BUILD: workflow(steps)}) == []


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (trivy("exit-code: '1'"), HOLDS),
        (trivy("exit-code: 1"), HOLDS),
        (trivy(), FAILS),
        (trivy("exit-code: '0'"), FAILS),
        (trivy("exit-code: ${{ vars.CODE }}"), UNKNOWN),
        (trivy("exit-code: '1'") + "  continue-on-error: true\n", FAILS),
        (trivy("exit-code: '1'") + "  continue-on-error: ${{ vars.SOFT }}\n", UNKNOWN),
        (trivy() + trivy("exit-code: '1'"), HOLDS),
        (run("trivy image --exit-code 1 api"), HOLDS),
        (run("trivy image --exit-code=1 api"), HOLDS),
        (run("trivy image --exit-code 1 api || true"), FAILS),
        (run("trivy image --exit-code 1 api || exit 1"), HOLDS),
        (run("trivy image --exit-code 1 api | tee scan.txt"), FAILS),
        (run("trivy image --exit-code 1 api | tee scan.txt", "  shell: bash\n"), HOLDS),
        (run("set -o pipefail; trivy image --exit-code 1 api | tee scan.txt"), HOLDS),
        (run("set +e; trivy image --exit-code 1 api; echo done"), FAILS),
        (run("set +e; trivy image --exit-code 1 api; code=$?; exit $code"), UNKNOWN),
        (run("if ! trivy image --exit-code 1 api; then echo bad; fi"), FAILS),
        (run("if trivy image --exit-code 1 api; then echo good; fi"), UNKNOWN),
        (run("trivy image --exit-code 1 api &"), FAILS),
        (run("trivy image --exit-code 1 api && echo a\n    # done"), HOLDS),
        (run("trivy image --exit-code 1 api && echo a && echo b"), HOLDS),
        (run("trivy image --exit-code 1 api && echo a && echo b\n    echo c"), FAILS),
        (run("trivy image --exit-code 1 api && echo a && echo b || true"), FAILS),
        (run("trivy image --exit-code 1 api && echo a && echo b &"), FAILS),
        (run("trivy image --exit-code $CODE api"), UNKNOWN),
        (run("grype api"), FAILS),
        (run("grype api --fail-on high"), HOLDS),
        (run("docker scout cves api"), FAILS),
        (run("docker scout cves --exit-code api"), HOLDS),
        ("- uses: anchore/scan-action@v7\n  with: {image: api}\n", HOLDS),
        ("- uses: anchore/scan-action@v7\n  with: {image: api, fail-build: false}\n", FAILS),
        ("- uses: docker/scout-action@v1\n  with: {command: cves, image: api}\n", FAILS),
        ("- uses: docker/scout-action@v1\n  with: {command: cves, image: api, exit-code: true}\n", HOLDS),
    ],
)
def test_a_scan_that_finds_something_ends_the_run(steps: str, expected: Outcome) -> None:
    assert outcome("scan-blocks", {BUILD: workflow(PUSH + steps)}) is expected


SCAN = "trivy image --exit-code 1 api"


@pytest.mark.parametrize(
    ("script", "shell", "expected"),
    [
        (f"{SCAN}; echo done", "pwsh", FAILS),
        (f"{SCAN}", "pwsh", HOLDS),
        (f"{SCAN} # the gate", "powershell", HOLDS),
        (f"{SCAN}; if ($LASTEXITCODE) {{ exit 1 }}", "pwsh", UNKNOWN),
        (f"$PSNativeCommandUseErrorActionPreference = $true; {SCAN}; echo done", "pwsh", HOLDS),
        (f"{SCAN}; echo done", "bash {0}", FAILS),
        (f"{SCAN}; echo done", "bash -e {0}", HOLDS),
        (f"set +e; {SCAN}", "bash", HOLDS),
    ],
)
@pytest.mark.parametrize("is_of_job", [True, False])
def test_the_shell_says_which_failure_ends_a_step(
    script: str, shell: str, expected: Outcome, *, is_of_job: bool
) -> None:
    quoted = f"'{shell}'"
    steps = f'- run: "{script}"\n' + ("" if is_of_job else f"  shell: {quoted}\n")
    job = f"defaults: {{run: {{shell: {quoted}}}}}" if is_of_job else ""
    assert outcome("scan-blocks", {BUILD: workflow(PUSH + steps, job=job)}) is expected


def test_a_runner_of_windows_has_powershell() -> None:
    written = workflow(PUSH + f"- run: {SCAN}; echo done\n").replace("ubuntu-latest", "windows-2025")
    assert outcome("scan-blocks", {BUILD: written}) is FAILS


def test_a_job_that_may_fail_does_not_block() -> None:
    files = {BUILD: workflow(PUSH + trivy("exit-code: '1'"), job="continue-on-error: true")}
    assert outcome("scan-blocks", files) is FAILS


def test_the_environment_of_the_workflow_counts() -> None:
    files = {BUILD: workflow(PUSH + run("trivy image api"), top="env: {TRIVY_EXIT_CODE: 1}")}
    assert outcome("scan-blocks", files) is HOLDS


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (trivy("exit-code: 1", "severity: HIGH,CRITICAL"), HOLDS),
        (trivy("exit-code: 1"), HOLDS),
        (trivy("exit-code: 1", "severity: CRITICAL"), FAILS),
        (trivy("exit-code: 1", "severity: ${{ inputs.severity }}"), UNKNOWN),
        (trivy("exit-code: 1", "severity: HIGH,CRITICAL", "format: sarif"), FAILS),
        (
            trivy("exit-code: 1", "severity: HIGH,CRITICAL", "format: sarif", "limit-severities-for-sarif: true"),
            HOLDS,
        ),
        (run("grype api --fail-on critical"), FAILS),
        (run("grype api --fail-on high"), HOLDS),
        ("- uses: anchore/scan-action@v7\n  with: {image: api}\n", HOLDS),
        ("- uses: anchore/scan-action@v7\n  with: {image: api, severity-cutoff: critical}\n", FAILS),
    ],
)
def test_the_scan_blocks_on_high_and_critical(steps: str, expected: Outcome) -> None:
    assert outcome("scan-severities", {BUILD: workflow(PUSH + steps)}) is expected


def test_severities_are_not_asked_where_nothing_blocks() -> None:
    assert outcomes("scan-severities", {BUILD: workflow(PUSH + trivy("severity: LOW"))}) == []


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (trivy("exit-code: 1", "ignore-unfixed: true"), HOLDS),
        (trivy("exit-code: 1"), FAILS),
        (run("trivy image --ignore-unfixed --exit-code 1 api"), HOLDS),
        (run("grype api --fail-on high --only-fixed"), HOLDS),
    ],
)
def test_what_has_no_fix_is_left_out(steps: str, expected: Outcome) -> None:
    assert outcome("scan-ignores-unfixed", {BUILD: workflow(PUSH + steps)}) is expected


UPLOAD = "- uses: github/codeql-action/upload-sarif@v4\n"


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (trivy("exit-code: 1", "format: sarif") + UPLOAD + "  if: always()\n", HOLDS),
        (trivy("exit-code: 1", "format: sarif") + UPLOAD + "  if: ${{ !cancelled() }}\n", HOLDS),
        (trivy("exit-code: 1", "format: sarif") + UPLOAD, FAILS),
        (trivy("format: sarif") + UPLOAD, HOLDS),
        (trivy("exit-code: 1", "format: sarif"), FAILS),
        (trivy("exit-code: 1", "format: sarif") + "- uses: actions/upload-artifact@v5\n", UNKNOWN),
    ],
)
def test_reports_are_uploaded_after_a_failure(steps: str, expected: Outcome) -> None:
    assert outcome("scan-report-uploaded", {BUILD: workflow(PUSH + steps)}) is expected


@pytest.mark.parametrize(
    ("rights", "expected"),
    [
        ("permissions: {contents: read}", FAILS),
        ("permissions: read-all", FAILS),
        ("permissions: {contents: read, security-events: write}", HOLDS),
        ("permissions: write-all", HOLDS),
        ("", HOLDS),
    ],
)
def test_a_report_is_uploaded_by_a_job_that_may(rights: str, expected: Outcome) -> None:
    steps = PUSH + trivy("exit-code: 1", "format: sarif") + UPLOAD + "  if: always()\n"
    (found,) = findings("scan-report-uploaded", {BUILD: workflow(steps, top=rights)})
    assert found.outcome is expected
    suggested = "".join(each.text for each in found.fix.suggested) if found.fix is not None else ""
    assert ("security-events: write" in suggested) is (rights == "permissions: {contents: read}")


def test_a_report_that_is_uploaded_by_another_token_needs_no_right_of_the_job() -> None:
    upload = UPLOAD + "  if: always()\n  with: {token: '${{ secrets.TOKEN }}'}\n"
    steps = PUSH + trivy("exit-code: 1", "format: sarif") + upload
    files = {BUILD: workflow(steps, top="permissions: {contents: read}")}
    assert outcome("scan-report-uploaded", files) is HOLDS


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("ghcr.io/contoso/api:8", HOLDS),
        ("ghcr.io/contoso/api@${{ steps.build.outputs.digest }}", HOLDS),
        ("${{ steps.build.outputs.imageid }}", HOLDS),
        ("ghcr.io/contoso/other:8", FAILS),
        ("ghcr.io/contoso/api:${{ github.sha }}", UNKNOWN),
        ("api:test", UNKNOWN),
    ],
)
def test_what_is_scanned_is_what_is_pushed(target: str, expected: Outcome) -> None:
    step = f'- uses: aquasecurity/trivy-action@v1\n  with: {{image-ref: "{target}"}}\n'
    assert outcome("scan-target", {BUILD: workflow(PUSH + step)}) is expected


@pytest.mark.parametrize(
    ("behind", "expected"),
    [("", HOLDS), ("@${{ steps.build.outputs.digest }}", HOLDS), ("@sha256:abc", HOLDS), ("-test", UNKNOWN)],
)
def test_a_tag_that_begins_as_the_pushed_one_is_another(behind: str, expected: Outcome) -> None:
    name = "ghcr.io/contoso/api:${{ steps.version.outputs.number }}"
    step = f'- uses: aquasecurity/trivy-action@v1\n  with: {{image-ref: "{name}{behind}"}}\n'
    pushing = PUSH.replace("ghcr.io/contoso/api:8", name)
    assert outcome("scan-target", {BUILD: workflow(pushing + step)}) is expected


JOBS = """
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/build-push-action@v6
        with: {{push: true, tags: contoso/api}}
  scan:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - run: trivy image --exit-code 1 contoso/api
  deploy:
    needs: {needs}
    runs-on: ubuntu-latest
    steps:
      - run: kubectl apply -f deploy
"""


def test_a_deploy_waits_for_the_scan() -> None:
    assert outcome("scan-before-deploy", {BUILD: JOBS.format(needs="[build, scan]")}) is HOLDS
    assert outcome("scan-before-deploy", {BUILD: JOBS.format(needs="build")}) is FAILS


def test_local_actions_are_followed_with_their_inputs() -> None:
    action = """
        inputs: {image: {required: true}, code: {default: '0'}}
        runs:
          using: composite
          steps:
            - uses: aquasecurity/trivy-action@v1
              with: {image-ref: "${{ inputs.image }}", exit-code: "${{ inputs.code }}"}
    """
    files = {".github/actions/scan/action.yml": action}
    call = "- uses: ./.github/actions/scan\n  with: {image: 'ghcr.io/contoso/api:8'}\n"
    assert outcome("scan-blocks", {**files, BUILD: workflow(PUSH + call)}) is FAILS
    assert outcome("scan-blocks", {**files, BUILD: workflow(PUSH + call.replace("}", ", code: 1}"))}) is HOLDS


def test_reusable_workflows_are_followed_with_their_inputs() -> None:
    called = """
        on:
          workflow_call:
            inputs: {push: {type: boolean, default: false}}
        jobs:
          image:
            runs-on: ubuntu-latest
            steps:
              - uses: docker/build-push-action@v6
                with: {push: "${{ inputs.push }}", tags: contoso/api}
    """
    caller = "on: push\njobs: {{call: {{uses: ./.github/workflows/called.yml, with: {{push: {push}}}}}}}"
    files = {".github/workflows/called.yml": called}
    assert outcomes("image-scanned", {**files, BUILD: caller.format(push="false")}) == []
    (found,) = findings("image-scanned", {**files, BUILD: caller.format(push="true")})
    assert (found.outcome, found.subject) == (FAILS, "job call/image · docker/build-push-action")


def test_an_expression_that_a_caller_hands_over_is_judged_for_each_event() -> None:
    called = """
        on: {workflow_call: {inputs: {push: {type: boolean}}}}
        jobs:
          image:
            runs-on: x
            steps: [{uses: docker/build-push-action@v6, with: {push: "${{ inputs.push }}"}}]
    """
    caller = """
        on: [push, pull_request]
        jobs:
          call:
            uses: ./.github/workflows/called.yml
            with: {push: "${{ github.event_name == 'pull_request' }}"}
    """
    assert outcomes("image-scanned", {".github/workflows/called.yml": called, BUILD: caller}) == []


def test_a_workflow_of_others_is_unknown_by_name() -> None:
    steps = workflow(PUSH) + "  scan: {uses: contoso/ci/.github/workflows/scan.yml@v1}\n"
    (found,) = findings("image-scanned", {BUILD: steps})
    assert found.outcome is UNKNOWN
    assert "contoso/ci/.github/workflows/scan.yml@v1" in found.settled_by


def test_a_matrix_that_is_written_out_is_expanded() -> None:
    steps = """
    - uses: docker/build-push-action@v6
      with: {push: true, tags: "contoso/${{ matrix.service }}"}
    - run: trivy image --exit-code 1 contoso/${{ matrix.service }}
    """
    files = {BUILD: workflow(steps, job="strategy: {matrix: {service: [api, web]}}")}
    messages = [each.message for each in findings("image-scanned", files)]
    assert messages == ["Trivy scans contoso/api", "Trivy scans contoso/web"]
    assert set(outcomes("scan-target", files)) == {HOLDS}


CALLED = ".github/workflows/called.yml"
OF_JOB = """
  scan:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - uses: aquasecurity/trivy-action@v1
        with: {image-ref: "${{ vars.NAME }}@${{ needs.build.outputs.digest }}"}
"""


@pytest.mark.parametrize(
    ("output", "expected"), [("steps.build.outputs.digest", HOLDS), ("steps.other.outputs.digest", UNKNOWN)]
)
def test_a_digest_is_followed_through_the_output_of_its_job(output: str, expected: Outcome) -> None:
    builds = workflow(PUSH, job=f"outputs: {{digest: '${{{{ {output} }}}}'}}")
    assert outcome("scan-target", {BUILD: builds + OF_JOB}) is expected


@pytest.mark.parametrize(("step", "expected"), [("build", HOLDS), ("other", UNKNOWN)])
def test_a_digest_is_followed_through_a_workflow_that_is_called(step: str, expected: Outcome) -> None:
    outputs = "workflow_call: {outputs: {digest: {value: '${{ jobs.build.outputs.digest }}'}}}"
    called = workflow(PUSH, outputs, job=f"outputs: {{digest: '${{{{ steps.{step}.outputs.digest }}}}'}}")
    caller = f"on: {{push: {{branches: [main]}}}}\njobs:\n  build: {{uses: ./{CALLED}}}\n{OF_JOB}"
    assert outcome("scan-target", {BUILD: caller, CALLED: called}) is expected


def test_a_step_of_the_same_name_in_another_job_is_another_step() -> None:
    scans = """
  other:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - uses: docker/build-push-action@v6
        id: build
        with: {load: true}
      - uses: aquasecurity/trivy-action@v1
        with: {image-ref: "${{ steps.build.outputs.imageid }}"}
"""
    assert outcome("scan-target", {BUILD: workflow(PUSH) + scans}) is UNKNOWN


@pytest.mark.parametrize("check", ["image-scanned", "image-signed"])
@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (
            "docker pull contoso/api:8 && docker tag contoso/api:8 contoso/api:latest && docker push contoso/api",
            UNKNOWN,
        ),
        ("docker pull contoso/base && docker build -t contoso/api . && docker push contoso/api", FAILS),
        ("docker push contoso/api", FAILS),
    ],
)
def test_what_is_only_brought_on_was_scanned_and_signed_where_it_was_built(
    check: str, script: str, expected: Outcome
) -> None:
    assert outcome(check, {BUILD: workflow(run(script))}) is expected


@pytest.mark.parametrize("check", ["weekly-rebuild", "dispatchable"])
def test_a_workflow_that_only_brings_images_on_is_asked_for_no_rebuild(check: str) -> None:
    script = "docker pull contoso/api:8; docker tag contoso/api:8 contoso/api; docker push contoso/api"
    assert outcomes(check, {BUILD: workflow(run(script))}) == []


@pytest.mark.parametrize("check", ["image-scanned", "image-signed"])
def test_commands_are_looked_through_once_however_many_images_their_workflow_pushes(
    check: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[ShellCommand] = []

    def noting(command: ShellCommand) -> None:
        looked_at.append(command)

    monkeypatch.setattr("bot.files.audit.delivery.unread.script_of", noting)
    monkeypatch.setattr("bot.files.audit.delivery.statements.is_build", noting)
    steps = "".join(f"- run: docker push ghcr.io/contoso/a{number}:8\n" for number in range(20))
    assert outcomes(check, {BUILD: workflow(steps)}) == [FAILS] * 20
    assert len(looked_at) <= 60


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("wizcli scan container-image ghcr.io/contoso/api:8", UNKNOWN),
        ("./wizcli docker scan --image ghcr.io/contoso/api:8", UNKNOWN),
        ("snyk container test ghcr.io/contoso/api:8", UNKNOWN),
        ("docker run --rm quay.io/sysdig/sysdig-cli-scanner:1 ghcr.io/contoso/api:8", UNKNOWN),
        ("docker scan ghcr.io/contoso/api:8", UNKNOWN),
        ("snyk --severity-threshold=high container test ghcr.io/contoso/api:8", UNKNOWN),
        ("jf docker scan ghcr.io/contoso/api:8", UNKNOWN),
        ("jf docker push ghcr.io/contoso/api:8", FAILS),
        ("snyk test", FAILS),
        ("wizcli dir scan --path .", FAILS),
        ("wizcli auth", FAILS),
        ("echo wizcli docker scan", FAILS),
    ],
)
def test_a_scanner_that_is_started_as_a_command_may_have_looked(command: str, expected: Outcome) -> None:
    (found,) = findings("image-scanned", {BUILD: workflow(f"{PUSH}- run: {command}\n")})
    assert found.outcome is expected


def test_a_scanner_in_a_container_is_named_and_not_the_engine_that_starts_it() -> None:
    command = "docker run --rm -v /a:/b contoso.azurecr.io/wizcli:1 docker scan --image ghcr.io/contoso/api:8"
    (found,) = findings("image-scanned", {BUILD: workflow(f"{PUSH}- run: {command}\n")})
    assert "`wizcli docker scan` may" in found.message


@pytest.mark.parametrize("name", ["./ci/keys.ps1", ".\\ci\\keys.ps1", ".\\\\ci\\\\keys.ps1", "ci/../ci/keys.ps1"])
@pytest.mark.parametrize(("text", "expected"), [("Set-Content a.cs x\n", FAILS), ("trivy image api\n", UNKNOWN)])
def test_a_script_is_found_however_its_path_is_written(name: str, text: str, expected: Outcome) -> None:
    steps = f"- shell: pwsh\n  run: |\n    {name} -key x\n{PUSH}"
    assert outcome("image-scanned", {BUILD: workflow(steps), "ci/keys.ps1": text}) is expected


@pytest.mark.parametrize(
    "build",
    [
        "docker build -t ghcr.io/contoso/api:1 -t ghcr.io/contoso/api:latest .",
        "docker build -t ghcr.io/contoso/api .\n    docker tag ghcr.io/contoso/api ghcr.io/contoso/api:1",
    ],
)
@pytest.mark.parametrize("scanned", ["ghcr.io/contoso/api:1", "ghcr.io/contoso/api:latest", "ghcr.io/contoso/api"])
def test_an_image_of_two_tags_is_scanned_by_either(build: str, scanned: str) -> None:
    push = "docker push ghcr.io/contoso/api:1\n    docker push ghcr.io/contoso/api:latest"
    steps = f"- run: |\n    {build}\n    trivy image --exit-code 1 {scanned}\n    {push}\n"
    assert outcomes("image-scanned", {BUILD: workflow(steps)}) == [HOLDS]


def test_a_scan_of_one_image_is_none_of_another_of_the_same_step() -> None:
    build = "docker build -t contoso/api:1 .\n    docker build -t contoso/web:1 web"
    steps = f"- run: |\n    {build}\n    trivy image contoso/api:1\n    docker push contoso/api:1\n"
    steps += "    docker push contoso/web:1\n"
    assert sorted(outcomes("image-scanned", {BUILD: workflow(steps)})) == sorted([HOLDS, FAILS])


META = """
- uses: docker/metadata-action@v5
  id: meta
  with: {images: '${{ env.REGISTRY }}/contoso/api'}
- uses: docker/build-push-action@v6
  with:
    push: true
    tags: ${{ steps.meta.outputs.tags }}
"""
REGISTRY = "env: {REGISTRY: ghcr.io}"


@pytest.mark.parametrize(
    ("target", "scanned", "fits"),
    [
        ("${{ steps.meta.outputs.tags }}", HOLDS, HOLDS),
        ("${{ fromJSON(steps.meta.outputs.json).tags[0] }}", HOLDS, HOLDS),
        ("${{ fromJSON(env.DOCKER_METADATA_OUTPUT_JSON).tags[0] }}", HOLDS, HOLDS),
        ("${{ env.REGISTRY }}/contoso/api:${{ steps.meta.outputs.version }}", HOLDS, HOLDS),
        ("ghcr.io/contoso/api:latest", HOLDS, UNKNOWN),
        ("docker.io/contoso/api:latest", HOLDS, UNKNOWN),
        ("${{ vars.REGISTRY }}/api", HOLDS, UNKNOWN),
        ("ghcr.io/contoso/web:latest", FAILS, FAILS),
        ("${{ vars.REGISTRY }}/web:latest", FAILS, FAILS),
        ("mcr.microsoft.com/dotnet/aspnet:8.0", FAILS, FAILS),
    ],
)
def test_a_scan_counts_for_the_image_that_it_names(target: str, scanned: Outcome, fits: Outcome) -> None:
    step = f"- uses: aquasecurity/trivy-action@v1\n  with:\n    image-ref: {target}\n"
    files = {BUILD: workflow(META + step, top=REGISTRY)}
    assert outcome("image-scanned", files) is scanned
    assert outcome("scan-target", files) is fits


@pytest.mark.parametrize(
    ("command", "scanned", "fits"),
    [
        ("trivy image ghcr.io/contoso/api:8 --exit-code 1", HOLDS, HOLDS),
        ("trivy image --severity HIGH ghcr.io/contoso/api:8 --no-progress", HOLDS, HOLDS),
        ("grype -o sarif registry:ghcr.io/contoso/api:8 --fail-on high", HOLDS, HOLDS),
        ("docker scout cves --only-fixed registry://ghcr.io/contoso/api:8 --exit-code", HOLDS, HOLDS),
        ("trivy image --input web.tar", HOLDS, UNKNOWN),
        ("trivy image ${REGISTRY}/web:latest", FAILS, FAILS),
        ("trivy image ${REGISTRY}/api:latest", HOLDS, UNKNOWN),
        ("trivy image $IMAGE", HOLDS, UNKNOWN),
        ("echo a | xargs -I {} trivy image {}", HOLDS, UNKNOWN),
    ],
)
def test_the_image_of_a_command_is_found_between_its_options(command: str, scanned: Outcome, fits: Outcome) -> None:
    files = {BUILD: workflow(PUSH + run(command))}
    assert outcome("image-scanned", files) is scanned
    assert outcome("scan-target", files) is fits


TWO = """
- uses: docker/build-push-action@v6
  with: {push: true, tags: 'ghcr.io/contoso/api:8,ghcr.io/contoso/api:latest'}
- uses: docker/build-push-action@v6
  with: {push: true, file: Alpine, tags: 'ghcr.io/contoso/api:8-alpine'}
"""


@pytest.mark.parametrize(
    ("tag", "expected"),
    [(":8", [HOLDS, FAILS]), ("", [HOLDS, FAILS]), (":8-alpine", [FAILS, HOLDS]), (":9", [HOLDS, HOLDS])],
)
def test_a_tag_that_one_build_alone_has_is_none_of_another(tag: str, expected: list[Outcome]) -> None:
    steps = TWO + run(f"trivy image ghcr.io/contoso/api{tag}")
    assert outcomes("image-scanned", {BUILD: workflow(steps)}) == expected
