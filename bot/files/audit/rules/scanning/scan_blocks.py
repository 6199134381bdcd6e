"""A scan that finds something ends the run.

What: of the scans of what is pushed, one fails its job: `exit-code` other than 0 for Trivy, `fail-build` (the
default) or `--fail-on` for Grype, `exit-code: true` for Docker Scout; and neither `continue-on-error`, `|| true`,
a pipe without `pipefail`, nor `set +e` takes that away.

Why: a report that nobody must read stops nothing.

Example that fails::

    - uses: aquasecurity/trivy-action@…
      with: {image-ref: contoso/api}          # exit-code is 0

Fix: `exit-code: '1'`.

Exceptions: a report for code scanning beside a scan that blocks is fine: one that blocks is enough.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import ImageScan
from bot.files.audit.delivery.gates import is_after_failure, scans_of, upload_fix, uploads_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.splicing.keys import with_keys
from bot.files.audit.suggestions.gates import suggest_blocking
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.formats.source.nodes import Mapping


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for push in deliveries(repository).pushes:
        scans = scans_of(repository, push)
        if not scans:
            continue
        blocking = next((scan for scan in scans if scan.blocks is True), None)
        unsure = next((scan for scan in scans if scan.blocks is None), None)
        if blocking is not None:
            place = repository.where(blocking.step)
            yield holds(place, blocking.step.subject, f"{blocking.tool} ends the run when it finds something")
        elif unsure is not None:
            place = repository.where(unsure.step)
            yield unknown(place, unsure.step.subject, unsure.why, "an exit code that is written out")
        else:
            scan = scans[0]
            place = repository.where(scan.step)
            yield fails(
                place, scan.step.subject, f"{scan.tool} does not end the run: {scan.why}", _fix(repository, scan)
            )


def _fix(repository: RepositoryTexts, scan: ImageScan) -> Fix:
    """All that the gate needs at once, so that no other check of the scan begins to fail."""
    inputs = scan.step.mapping.get("with")
    if scan.step.action != "aquasecurity/trivy-action" or scan.step.may_fail is not False:
        advice = f"let {scan.tool} fail the job: an exit code other than 0, and nothing that swallows it"
        return suggest_blocking(repository, scan, advice)
    advice = "set exit-code: '1', for HIGH and CRITICAL that have a fix"
    if not isinstance(inputs, Mapping):
        return Fix(advice)
    keys = {"exit-code": "'1'"}
    if scan.severities is None or not {"HIGH", "CRITICAL"} <= scan.severities:
        keys["severity"] = "HIGH,CRITICAL"
    if scan.ignores_unfixed is not True:
        keys["ignore-unfixed"] = "true"
    if not scan.gates_severities:
        keys["limit-severities-for-sarif"] = "true"
    fix = with_keys(repository, inputs, keys, advice)
    uploads = [upload_fix(repository, step) for step in uploads_of(scan) if not is_after_failure(step)]
    if scan.report is None or not fix.edits:
        return fix
    if not all(each.edits for each in uploads):
        return Fix(advice)
    return Fix(advice, (*fix.edits, *(edit for each in uploads for edit in each.edits)))


RULE = Rule(
    "scan-blocks",
    "A scan that finds something ends the run",
    "A report that nobody must read stops nothing.",
    FindingSeverity.HIGH,
    judge,
)
