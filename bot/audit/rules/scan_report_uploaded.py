"""The report of a scan is uploaded also when the scan failed.

What: where a scan writes SARIF, a later step uploads it with a condition that holds after a failure: `always()`,
`!cancelled()`, or `failure()` beside `success()`.

Why: the report matters most when it is bad, and by default no step runs after one that failed.

Example that fails::

    - uses: github/codeql-action/upload-sarif@…      # without `if`, after a scan that blocks

Fix: `if: ${{ !cancelled() }}`.

Exceptions: scans that write no SARIF are asked nothing.
"""

import re
from collections.abc import Iterator

from bot.audit.repository import Repository
from bot.audit.rule import Rule
from bot.audit.splices import with_key
from bot.audit.verdict import Verdict, fails, holds
from bot.audit.workflows.deliveries import deliveries
from bot.domain.finding import Severity

_AFTER_FAILURE = re.compile(r"\b(?:always|failure)\s*\(|!\s*cancelled\s*\(", re.IGNORECASE)
_FIX = "upload with if: ${{ !cancelled() }}"


def judge(repository: Repository) -> Iterator[Verdict]:
    found = deliveries(repository)
    pushing = set(found.pushing())
    for scan in found.scans:
        if scan.report is None or scan.pipeline not in pushing:
            continue
        place, subject = repository.place(scan.step.mapping, scan.step.path), scan.step.subject
        uploads = [
            step
            for step in scan.pipeline.steps
            if step.action in {"github/codeql-action/upload-sarif", "actions/upload-artifact"}
            and scan.step.is_before(step)
        ]
        sarif = [step for step in uploads if step.action.endswith("upload-sarif")]
        good = [step for step in sarif if _AFTER_FAILURE.search(step.condition) or scan.blocks is False]
        if good:
            yield holds(place, subject, "its report is uploaded, whatever it found")
        elif sarif:
            step = sarif[0]
            fix = with_key(repository, step.mapping, "if", ["${{ !cancelled() }}"], _FIX)
            where = repository.place(step.mapping, step.path)
            yield fails(where, step.subject, "the report is not uploaded when the scan fails", fix)
        else:
            yield fails(place, subject, "it writes SARIF, and no later step uploads it", _FIX)


RULE = Rule(
    "scan-report-uploaded",
    "Reports are uploaded also when a scan failed",
    "The report matters most when it is bad.",
    Severity.LOW,
    judge,
)
