"""The scan that blocks does so for HIGH and CRITICAL.

What: the blocking scan counts HIGH and CRITICAL. Trivy's action writes SARIF, and counts, all severities, whatever
`severity` says, unless `limit-severities-for-sarif` is true.

Example that fails::

    with: {format: sarif, severity: 'HIGH,CRITICAL', exit-code: '1'}

Fix: `severity: HIGH,CRITICAL`, and with SARIF `limit-severities-for-sarif: true`.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import ImageScan
from bot.files.audit.delivery.gates import scans_of
from bot.files.audit.delivery.reports import why_as_it_is
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.shell import is_unknown
from bot.files.audit.splicing.keys import with_key
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.formats.source.nodes import Mapping

_WANTED = frozenset({"HIGH", "CRITICAL"})


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for push in deliveries(repository).pushes:
        blocking = [scan for scan in scans_of(repository, push) if scan.blocks is True]
        verdicts = [_of(repository, scan) for scan in blocking]
        best = [verdict for verdict in verdicts if verdict.outcome == "holds"]
        yield from best[:1] or verdicts[:1]


def _of(repository: RepositoryTexts, scan: ImageScan) -> Verdict:
    place, subject = repository.where(scan.step), scan.step.subject
    if not scan.gates_severities:
        fix = _fix(repository, scan, "limit-severities-for-sarif", "true", "set limit-severities-for-sarif: true")
        return fails(
            place, subject, "in SARIF mode the action gates on all severities, not on those of `severity`", fix
        )
    if scan.severities is None:
        return holds(place, subject, "it blocks on every severity, HIGH and CRITICAL among them")
    if any(is_unknown(each) for each in scan.severities):
        return unknown(place, subject, "its severities are known only in a run", "severities that are written out")
    missing = sorted(_WANTED - scan.severities)
    if missing:
        fix = _fix(repository, scan, "severity", "HIGH,CRITICAL", "block on HIGH and CRITICAL")
        return fails(place, subject, f"it does not block on {' and '.join(missing)}", fix)
    return holds(place, subject, "it blocks on HIGH and CRITICAL")


def _fix(repository: RepositoryTexts, scan: ImageScan, key: str, value: str, advice: str) -> Fix:
    inputs = scan.step.mapping.get("with")
    if scan.step.action != "aquasecurity/trivy-action" or not isinstance(inputs, Mapping):
        return Fix(advice)
    if why := why_as_it_is(scan):
        return Fix(f"{advice} in a scan of its own that blocks", left_alone=why)
    return with_key(repository, inputs, key, [value], advice)


RULE = Rule(
    "scan-severities",
    "The scan blocks on HIGH and CRITICAL",
    "HIGH is where most of what is exploited stands.",
    FindingSeverity.MEDIUM,
    judge,
)
