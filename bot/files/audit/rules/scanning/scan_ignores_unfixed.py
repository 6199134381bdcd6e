"""The scan that blocks leaves out what nobody can mend yet.

What: `ignore-unfixed` of Trivy, `only-fixed` of Grype and Docker Scout, on the scan that blocks.

Example that fails::

    run: trivy image --exit-code 1 --severity HIGH,CRITICAL contoso/api

Fix: `--ignore-unfixed`, `ignore-unfixed: true`.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import ImageScan
from bot.files.audit.delivery.gates import scans_of
from bot.files.audit.delivery.reports import why_as_it_is
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.splicing.keys import with_key
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.formats.source.nodes import Mapping

_KEYS = {
    "aquasecurity/trivy-action": "ignore-unfixed",
    "anchore/scan-action": "only-fixed",
    "docker/scout-action": "only-fixed",
}


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for push in deliveries(repository).pushes:
        blocking = [scan for scan in scans_of(repository, push) if scan.blocks is True]
        for scan in blocking[:1]:
            place, subject = repository.where(scan.step), scan.step.subject
            if scan.ignores_unfixed is True:
                yield holds(place, subject, "what has no fix does not end the run")
            elif scan.ignores_unfixed is None:
                yield unknown(
                    place,
                    subject,
                    "whether it ignores what has no fix is known only in a run",
                    "the value written out",
                )
            else:
                yield fails(place, subject, "what has no fix ends the run as well", _fix(repository, scan))


def _fix(repository: RepositoryTexts, scan: ImageScan) -> Fix:
    key, inputs = _KEYS.get(scan.step.action), scan.step.mapping.get("with")
    if key is None or not isinstance(inputs, Mapping):
        return Fix("block only on what has a fix")
    if why := why_as_it_is(scan):
        return Fix(f"set {key}: true in a scan of its own that blocks", left_alone=why)
    return with_key(repository, inputs, key, ["true"], f"set {key}: true")


RULE = Rule(
    "scan-ignores-unfixed",
    "The scan blocks only on what can be mended",
    "A gate that closes on what has no fix is soon switched off.",
    FindingSeverity.LOW,
    judge,
)
