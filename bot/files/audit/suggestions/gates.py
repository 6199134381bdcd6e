"""What could make a scan a gate: its exit code, its report, and who waits for it. For people to look at."""

from collections.abc import Sequence as Items

from bot.domain.repositories.finding import Fix
from bot.domain.repositories.usage import Edit
from bot.files.audit.delivery.delivery import Deploy, ImageScan
from bot.files.audit.delivery.reports import Reader
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import is_unknown
from bot.files.audit.splicing.commands import words_after
from bot.files.audit.splicing.items import item_after, word_after
from bot.files.audit.splicing.keys import NotSpliceable, edits_of, merged, with_key, with_keys
from bot.files.audit.suggestions.actions import TRIVY, UPLOAD_SARIF
from bot.files.audit.suggestions.rights import check_own_workflow, rights
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence

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
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))
    return Fix(advice, suggested=merged(edits))


def gate_behind(repository: RepositoryTexts, scan: ImageScan, readers: Items[Reader]) -> Fix:
    """The fix that scans again behind the last reader of a report, and ends the run there.

    The scan that writes the report, and whoever reads it, stay as they are.
    """
    last = readers[-1].step
    advice = f"scan again with exit-code: '1' behind {last.subject}, which reads the report"
    try:
        return Fix(advice, (item_after(repository, last.mapping, _gate(scan, readers)),))
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))


def _gate(scan: ImageScan, readers: Items[Reader]) -> list[str]:
    """The lines of a step that scans the same as another one, and ends the run. Raises `NotSpliceable`."""
    step = scan.step
    for reader in readers:
        who = f"{reader.step.subject} reads its report"
        if reader.step.job is not step.job:
            raise NotSpliceable(f"{who} in another job, which a gate here would keep from running")
        if reader.is_patcher:
            raise NotSpliceable(f"{who}, and makes another image by it, which the gate has to look at")
        check_own_workflow(scan.pipeline, reader.step)
    check_own_workflow(scan.pipeline, step)
    inputs, condition = step.mapping.get("with"), step.mapping.scalar("if")
    if step.action != "aquasecurity/trivy-action" or not isinstance(inputs, Mapping):
        raise NotSpliceable(f"{readers[-1].step.subject} reads its report, so the gate has to come after that")
    if step.mapping.get("env") is not None:
        raise NotSpliceable("the scan has an environment of its own, which the gate would need too")
    lines = [f"- uses: {TRIVY}", *([f"  if: {_source(condition)}"] if condition is not None else []), "  with:"]
    lines += [
        f"    {key.value}: {_source(value)}" for key, value in inputs.entries() if key.value not in _OF_REPORT
    ]
    return [*lines, "    exit-code: '1'", "    severity: HIGH,CRITICAL", "    ignore-unfixed: true"]


_OF_REPORT = frozenset(
    {"format", "output", "template", "exit-code", "severity", "ignore-unfixed", "limit-severities-for-sarif"}
)
"""What of a scan's inputs is about its report, or is the gate's own."""


def _source(node: Node) -> str:
    """A value of one line as it is written."""
    text = node.source[node.start : node.end] if isinstance(node, Scalar) else ""
    if not text or "\n" in text:
        raise NotSpliceable("the scan is written over several lines, which the gate would repeat")
    return text


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
