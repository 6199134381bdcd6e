"""What could make a scan a gate: its exit code, its report, and who waits for it. For people to look at."""

from bot.domain.repositories.edit import Edit
from bot.domain.repositories.finding import Fix
from bot.files.audit.delivery.delivery import Deploy, ImageScan
from bot.files.audit.delivery.gates import is_after_failure, upload_fix, uploads_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import is_unknown
from bot.files.audit.splicing.commands import words_after
from bot.files.audit.splicing.items import item_after, word_after
from bot.files.audit.splicing.keys import NotSpliceable, edits_of, merged, with_key, with_keys
from bot.files.audit.suggestions.actions import UPLOAD_SARIF
from bot.files.audit.suggestions.rights import check_own_workflow, rights
from bot.files.formats.source.nodes import Mapping, Scalar, Sequence

_KEYS = {
    "aquasecurity/trivy-action": {"exit-code": "'1'", "severity": "HIGH,CRITICAL", "ignore-unfixed": "true"},
    "anchore/scan-action": {"fail-build": "true", "severity-cutoff": "high", "only-fixed": "true"},
    "docker/scout-action": {"exit-code": "true", "only-severities": "critical,high", "only-fixed": "true"},
}
_OPTIONS = {
    "Trivy": ("trivy image", "--exit-code 1 --severity HIGH,CRITICAL --ignore-unfixed"),
    "Grype": ("grype", "--fail-on high --only-fixed"),
    "Docker Scout": ("docker scout cves", "--exit-code --only-severity critical,high --only-fixed"),
}


def suggest_blocking(repository: RepositoryTexts, scan: ImageScan, advice: str) -> Fix:
    """Suggests that the scan ends the run for HIGH and CRITICAL that have a fix, and that nothing swallows that."""
    try:
        edits = _of_action(repository, scan) if scan.step.action in _KEYS else _of_command(repository, scan)
        for step in uploads_of(scan) if scan.report is not None else ():
            if not is_after_failure(step):
                edits += edits_of(upload_fix(repository, step))
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))
    return Fix(advice, suggested=merged(edits))


def _of_action(repository: RepositoryTexts, scan: ImageScan) -> tuple[Edit, ...]:
    inputs = scan.step.mapping.get("with")
    if not isinstance(inputs, Mapping):
        raise NotSpliceable("it has no inputs")
    keys = dict(_KEYS[scan.step.action])
    if not scan.gates_severities:
        keys["limit-severities-for-sarif"] = "true"
    edits = edits_of(with_keys(repository, inputs, keys, ""))
    if scan.step.mapping.get("continue-on-error") is not None:
        edits += edits_of(with_key(repository, scan.step.mapping, "continue-on-error", ["false"], ""))
    return edits


def _of_command(repository: RepositoryTexts, scan: ImageScan) -> tuple[Edit, ...]:
    if "is not set" not in scan.why:
        raise NotSpliceable(scan.why)
    command, options = _OPTIONS[scan.tool]
    return (words_after(repository, scan.step, command, options),)


def uploading(repository: RepositoryTexts, scan: ImageScan, advice: str) -> Fix:
    """Suggests to upload the report to code scanning, whatever it says."""
    report = scan.report or ""
    try:
        check_own_workflow(scan.pipeline, scan.step)
        if not report or is_unknown(report) or " " in report:
            raise NotSpliceable("where its report stands is known only in a run")
        lines = [f"- uses: {UPLOAD_SARIF}", "  if: ${{ !cancelled() }}", "  with:", f"    sarif_file: {report}"]
        edits = (
            item_after(repository, scan.step.mapping, lines),
            *rights(repository, scan.pipeline, scan.step, {"security-events": "write"}),
        )
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))
    return Fix(advice, suggested=merged(edits))


def waiting(repository: RepositoryTexts, deploy: Deploy, scan: ImageScan, advice: str) -> Fix:
    """Suggests that the job which deploys needs the one that scans."""
    job, scanning = deploy.step.job, scan.step.job
    try:
        check_own_workflow(deploy.pipeline, deploy.step)
        if "/" in scanning.name or job is scanning or job.is_before(scanning):
            raise NotSpliceable("the scan stands behind the deploy, or in a workflow that is called")
        if scanning.mapping.get("if") is not None:
            raise NotSpliceable("the job that scans is left out at times, and whoever needs it is left out with it")
        needs = job.mapping.get("needs")
        if isinstance(needs, Sequence):
            return Fix(advice, suggested=(word_after(repository, needs, scanning.name),))
        names = [needs.value] if isinstance(needs, Scalar) and not needs.is_null else []
        value = f"[{', '.join((*names, scanning.name))}]"
        edits = edits_of(with_key(repository, job.mapping, "needs", [value], advice))
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))
    return Fix(advice, suggested=edits)
