"""The report of a scan is uploaded also when the scan failed.

What: where a scan writes SARIF, a later step uploads it with a condition that holds after a failure: `always()`,
`!cancelled()`, or `failure()` beside `success()`.

Example that fails::

    - uses: github/codeql-action/upload-sarif@…      # without `if`, after a scan that blocks

Fix: `if: ${{ !cancelled() }}`.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.gates import UPLOAD_ADVICE, is_after_failure, upload_fix, uploads_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.suggestions.gates import uploading
from bot.files.audit.verdict import Verdict, fails, holds, unknown


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    own_deliveries = deliveries(repository)
    pushing = set(own_deliveries.pushing())
    for scan in own_deliveries.scans:
        if scan.report is None or scan.pipeline not in pushing:
            continue
        place, subject = repository.where(scan.step), scan.step.subject
        sarif = uploads_of(scan)
        good = [step for step in sarif if is_after_failure(step) or scan.blocks is False]
        if good:
            yield holds(place, subject, "its report is uploaded, whatever it found")
        elif sarif:
            step = sarif[0]
            upload_place = repository.where(step)
            yield fails(
                upload_place,
                step.subject,
                "the report is not uploaded when the scan fails",
                upload_fix(repository, step),
            )
        elif any(
            step.action == "actions/upload-artifact" and scan.step.is_before(step) for step in scan.pipeline.steps
        ):
            why = "it writes SARIF, which a later step may keep as an artifact, not in code scanning"
            yield unknown(place, subject, why, "who looks at the artifact")
        else:
            yield fails(
                place,
                subject,
                "it writes SARIF, and no later step uploads it",
                uploading(repository, scan, UPLOAD_ADVICE),
            )


RULE = Rule(
    "scan-report-uploaded",
    "Reports are uploaded also when a scan failed",
    "The report matters most when it is bad.",
    FindingSeverity.LOW,
    judge,
)
