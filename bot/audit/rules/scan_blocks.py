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

from bot.audit.repository import Repository
from bot.audit.rule import Rule
from bot.audit.splices import with_key
from bot.audit.verdict import Verdict, fails, holds, unknown
from bot.audit.workflows.deliveries import Scan, deliveries
from bot.audit.workflows.gates import scans_of
from bot.domain.finding import Fix, Severity
from bot.formats.source.nodes import Mapping


def judge(repository: Repository) -> Iterator[Verdict]:
    for push in deliveries(repository).pushes:
        scans = scans_of(repository, push)
        if not scans:
            continue
        blocking = next((scan for scan in scans if scan.blocks is True), None)
        unsure = next((scan for scan in scans if scan.blocks is None), None)
        if blocking is not None:
            place = repository.place(blocking.step.mapping, blocking.step.path)
            yield holds(place, blocking.step.subject, f"{blocking.tool} ends the run when it finds something")
        elif unsure is not None:
            place = repository.place(unsure.step.mapping, unsure.step.path)
            yield unknown(place, unsure.step.subject, unsure.why, "an exit code that is written out")
        else:
            scan = scans[0]
            place = repository.place(scan.step.mapping, scan.step.path)
            yield fails(
                place, scan.step.subject, f"{scan.tool} does not end the run: {scan.why}", _fix(repository, scan)
            )


def _fix(repository: Repository, scan: Scan) -> Fix:
    advice = f"let {scan.tool} fail the job: an exit code other than 0, and nothing that swallows it"
    given = scan.step.mapping.get("with")
    if (
        scan.step.action == "aquasecurity/trivy-action"
        and scan.step.may_fail is False
        and isinstance(given, Mapping)
    ):
        return with_key(repository, given, "exit-code", ["'1'"], "set exit-code: '1'")
    return Fix(advice)


RULE = Rule(
    "scan-blocks",
    "A scan that finds something ends the run",
    "A report that nobody must read stops nothing.",
    Severity.HIGH,
    judge,
)
