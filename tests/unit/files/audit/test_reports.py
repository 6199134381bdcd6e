"""Scans whose report is read later: they are not made to fail, and the gate stands behind the readers."""

import pytest

from bot.domain.repositories.finding import Finding, Outcome
from bot.domain.repositories.onboarding import Proposal
from bot.files.audit.onboarding.proposing import WantedProposal, propose
from tests.unit.files.audit.world import BUILD, NOW, PUSH, findings, outcome, workflow

HOLDS, FAILS, UNKNOWN = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN
UPLOAD = "- uses: github/codeql-action/upload-sarif@v4\n  with: {sarif_file: found.sarif}\n"


def trivy(*lines: str, head: str = "") -> str:
    given = "\n".join(f"    {line}" for line in lines)
    return f"- uses: aquasecurity/trivy-action@v1\n{head}  with:\n    image-ref: ghcr.io/contoso/api:8\n{given}\n"


JSON = trivy("format: json", "output: found.json")
SARIF = trivy("format: sarif", "output: found.sarif")


def blocking(steps: str) -> Finding:
    (finding,) = findings("scan-blocks", {BUILD: workflow(PUSH + steps)})
    return finding


def proposed(steps: str) -> Proposal:
    files = {BUILD: workflow(PUSH + steps).encode()}
    return propose(files, "contoso/shop", (), WantedProposal(["scan-blocks"]), NOW)


def reason(steps: str) -> str:
    proposal = proposed(steps)
    assert proposal.commits == ()
    (left,) = [each.reason for each in proposal.left_to_people if each.check == "scan-blocks"]
    return left


def test_the_gate_stands_behind_the_upload_and_the_scan_that_it_reads_stays_as_it_is() -> None:
    text = proposed(SARIF + UPLOAD).files[BUILD].decode()
    before, after = text.split("      - uses: github/codeql-action/upload-sarif@v4\n")
    assert before == workflow(PUSH + SARIF)
    assert after.startswith("        with: {sarif_file: found.sarif}\n      - uses: aquasecurity/trivy-action@")
    assert "          exit-code: '1'\n          severity: HIGH,CRITICAL\n          ignore-unfixed: true\n" in after
    assert "          image-ref: ghcr.io/contoso/api:8\n" in after


def test_the_gate_stands_behind_the_last_of_several_readers() -> None:
    artifact = "- uses: actions/upload-artifact@v5\n  with: {name: scan, path: found.sarif}\n"
    text = proposed(SARIF + artifact + UPLOAD + "- run: docker info\n").files[BUILD].decode()
    assert text.index("upload-artifact") < text.index("upload-sarif") < text.index("exit-code: '1'")
    assert text.index("exit-code: '1'") < text.index("docker info")


def test_the_gate_runs_when_the_scan_does() -> None:
    text = proposed(trivy("format: sarif", "output: found.sarif", head="  if: github.actor != 'x'\n") + UPLOAD)
    assert text.files[BUILD].decode().count("if: github.actor != 'x'\n") == 2


def test_after_the_gate_the_check_holds() -> None:
    proposal = proposed(SARIF + UPLOAD)
    files = {BUILD: proposal.files[BUILD].decode()}
    assert outcome("scan-blocks", files) is HOLDS
    assert outcome("scan-report-uploaded", files) is HOLDS


COPA = "- uses: project-copacetic/copa-action@v1\n  with: {image: api, image-report: found.json}\n"


@pytest.mark.parametrize(
    "reader",
    [
        "- run: jq -e '.Results == []' found.json\n",
        "- run: ./gate.sh found.json\n",
        "- run: cat found.json | jq -e '.Results == []'\n",
        "- run: cat found.json && test ! -s found.json\n",
        "- run: echo $(jq -e '.Results == []' found.json)\n",
        "- run: docker run -v ./found.json:/report contoso/notify\n",
        "- run: grep CRITICAL *.json\n",
        "- uses: contoso/notify@v1\n  with: {report: './found.json'}\n",
        '- run: ./gate.sh "$REPORT"\n  env: {REPORT: found.json}\n',
    ],
)
def test_what_reads_the_report_may_be_the_gate(reader: str) -> None:
    finding = blocking(JSON + reader)
    assert finding.outcome is UNKNOWN
    assert "reads its report" in finding.message
    assert proposed(JSON + reader).commits == ()


@pytest.mark.parametrize("shown", ["- run: cat found.json\n", "- run: cat found.json >> $GITHUB_STEP_SUMMARY\n"])
def test_what_only_shows_the_report_is_no_gate_and_keeps_its_place_before_one(shown: str) -> None:
    assert blocking(JSON + shown).outcome is FAILS
    text = proposed(JSON + shown).files[BUILD].decode()
    assert text.index("cat found.json") < text.index("exit-code: '1'")


def test_a_scan_by_whose_report_the_image_is_patched_is_left_to_a_person() -> None:
    assert blocking(JSON + COPA).outcome is FAILS
    assert "makes another image by it" in reason(JSON + COPA)


def test_a_report_that_the_rest_of_the_script_reads_may_be_the_gate() -> None:
    script = "- run: |\n    trivy image -f json -o found.json api\n    jq -e '.Results == []' found.json\n"
    assert blocking(script).outcome is UNKNOWN


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("steps.scan.outcome == 'failure'", HOLDS),
        ("steps.scan.outcome != 'success'", HOLDS),
        ("always() && steps.scan.outcome == 'failure'", HOLDS),
        ("steps.scan.conclusion == 'failure'", FAILS),
        ("steps.other.outcome == 'failure'", FAILS),
    ],
)
def test_a_later_step_may_end_the_run_in_the_place_of_the_scan(condition: str, expected: Outcome) -> None:
    scan = trivy("exit-code: '1'", head="  id: scan\n  continue-on-error: true\n")
    assert blocking(f"{scan}- if: {condition}\n  run: |\n    echo bad\n    exit 1\n").outcome is expected


ELSEWHERE = """
  tell:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - uses: actions/download-artifact@v5
        with: {name: scan}
      - run: cat found.json
"""


def test_a_report_that_another_job_downloads_is_left_to_a_person() -> None:
    artifact = "- uses: actions/upload-artifact@v5\n  with: {name: scan, path: found.json}\n"
    files = {BUILD: (workflow(PUSH + JSON + artifact) + ELSEWHERE.lstrip("\n")).encode()}
    proposal = propose(files, "contoso/shop", (), WantedProposal(["scan-blocks"]), NOW)
    assert proposal.commits == ()
    (left,) = [each for each in proposal.left_to_people if each.check == "scan-blocks"]
    assert "job tell" in left.reason


def test_a_report_that_is_kept_as_an_artifact_by_its_folder_is_read() -> None:
    scan = trivy("format: json", "output: reports/found.json")
    artifact = "- uses: actions/upload-artifact@v5\n  with: {name: scan, path: reports/}\n"
    text = proposed(scan + artifact).files[BUILD].decode()
    assert text.index("upload-artifact") < text.index("exit-code: '1'")


def test_a_scan_that_nobody_reads_is_the_gate_itself() -> None:
    text = proposed(trivy() + "- run: docker info\n").files[BUILD].decode()
    assert text.count("trivy-action@") == 1
    assert "exit-code: '1'" in text


def test_an_output_of_the_scan_that_a_later_step_takes_is_read() -> None:
    scan = "- uses: anchore/scan-action@v7\n  id: scan\n  with: {image: api, fail-build: false}\n"
    upload = "- uses: actions/upload-artifact@v5\n  with: {path: '${{ steps.scan.outputs.json }}'}\n"
    assert "reads its report" in reason(scan + upload)


@pytest.mark.parametrize(
    ("uploaded", "is_read"),
    [
        ("trivy.sarif", True),
        (".", True),
        ("${{ steps.other.outputs.sarif }}", False),
        ("other.sarif", False),
    ],
)
def test_an_upload_reads_the_report_that_it_names(uploaded: str, *, is_read: bool) -> None:
    scan = trivy("format: sarif", "output: trivy.sarif")
    upload = (
        f"- name: Upload it\n  uses: github/codeql-action/upload-sarif@v3\n  with: {{sarif_file: '{uploaded}'}}\n"
    )
    (found,) = findings("scan-blocks", {BUILD: workflow(PUSH + scan + upload)})
    assert found.fix is not None
    assert ("Upload it" in f"{found.fix.advice} {found.fix.left_alone}") is is_read


@pytest.mark.parametrize(
    ("check", "lines"),
    [
        ("scan-ignores-unfixed", ("format: sarif", "output: found.sarif", "exit-code: '1'")),
        ("scan-severities", ("format: sarif", "output: found.sarif", "exit-code: '1'", "severity: HIGH")),
    ],
)
@pytest.mark.parametrize("is_read", [True, False])
def test_a_report_that_is_read_is_made_to_tell_of_no_less(
    check: str, lines: tuple[str, ...], *, is_read: bool
) -> None:
    always = UPLOAD.replace("- uses", "- if: always()\n  uses")
    found = findings(check, {BUILD: workflow(PUSH + trivy(*lines) + always * is_read)})
    (fix,) = [each.fix for each in found if each.outcome is FAILS and each.fix is not None]
    assert bool(fix.edits or fix.suggested) is not is_read
    assert ("reads its report" in fix.left_alone) is is_read
