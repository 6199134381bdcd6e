"""The report of a scan is uploaded also when the scan failed.

What: where a scan writes SARIF, a later step uploads it with a condition that holds after a failure: `always()`,
`!cancelled()`, or `failure()` beside `success()`, in a job whose rights let it.

Example that fails::

    - uses: github/codeql-action/upload-sarif@…      # without `if`, after a scan that blocks

Fix: `if: ${{ !cancelled() }}`; where the workflow writes rights down, `security-events: write` among them.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.gates import UPLOAD_ADVICE, is_after_failure, upload_fix, uploads_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.suggestions.gates import uploading
from bot.files.audit.suggestions.rights import rights_alone
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.audit.workflows.model import PipelineStep

_RIGHT = "security-events"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    own_deliveries = deliveries(repository)
    pushing = set(own_deliveries.pushing())
    for scan in own_deliveries.scans:
        if scan.report is None or scan.pipeline not in pushing:
            continue
        place, subject = repository.where(scan.step), scan.step.subject
        sarif = uploads_of(scan)
        good = [step for step in sarif if is_after_failure(step) or scan.blocks is False]
        refused = [step for step in good if _is_refused(step)]
        if good and len(refused) == len(good):
            upload = refused[0]
            yield fails(
                repository.where(upload),
                upload.subject,
                f"the report is uploaded without the right to it: its job has no {_RIGHT}: write",
                rights_alone(repository, scan.pipeline, upload, f"give the job {_RIGHT}: write", _RIGHT),
            )
        elif good:
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


def _is_refused(step: PipelineStep) -> bool:
    """Whether a step uploads by the token of a job that writes its rights down, and not that of code scanning."""
    return not step.input("token") and step.job.permissions is not None and not step.job.may_write(_RIGHT)


RULE = Rule(
    "scan-report-uploaded",
    "Reports are uploaded also when a scan failed",
    "The report matters most when it is bad.",
    FindingSeverity.LOW,
    judge,
)
