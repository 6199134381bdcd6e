"""A scan that finds something ends the run.

What: of the scans of what is pushed, one fails its job: `exit-code` other than 0 for Trivy, `fail-build` (the
default) or `--fail-on` for Grype, `exit-code: true` for Docker Scout; and neither `continue-on-error`, `|| true`,
a pipe without `pipefail`, nor `set +e` takes that away.

Example that fails::

    - uses: aquasecurity/trivy-action@…
      with: {image-ref: contoso/api}          # exit-code is 0

Fix: `exit-code: '1'`.

Exceptions: one scan that blocks is enough. Where something unknown reads the report, it may be the gate: unknown.
A scan whose report is read later gets a gate of its own behind the last reader.
"""

from collections.abc import Iterator, Sequence

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.files.audit.delivery.coverage import left_out
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import ImageScan
from bot.files.audit.delivery.gates import scans_of
from bot.files.audit.delivery.reports import Reader, gate_of, readers_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.splicing.keys import with_keys
from bot.files.audit.suggestions.gates import gate_behind, suggest_blocking
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.audit.workflows.model import PipelineStep
from bot.files.formats.source.nodes import Mapping


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for push in deliveries(repository).pushes:
        scans = scans_of(repository, push)
        if not scans:
            continue
        blocking = next((scan for scan in scans if scan.blocks is True), None)
        gate = next((step for scan in scans if (step := gate_of(scan)) is not None), None)
        missed = left_out(push, _that_may_end_it(scans))
        unsure = next((scan for scan in scans if scan.blocks is None), None)
        if missed:
            scan = blocking or scans[0]
            why = f"no scan ends the run of {missed}, as it does others"
            settles = f"whether others pull what {missed} pushes"
            yield unknown(repository.where(scan.step), scan.step.subject, why, settles)
        elif blocking is not None:
            place = repository.where(blocking.step)
            yield holds(place, blocking.step.subject, f"{blocking.tool} ends the run when it finds something")
        elif gate is not None:
            yield holds(repository.where(gate), gate.subject, "it ends the run when the scan has found something")
        elif unsure is not None:
            place = repository.where(unsure.step)
            yield unknown(place, unsure.step.subject, unsure.why, "an exit code that is written out")
        else:
            yield _without_gate(repository, scans)


def _that_may_end_it(scans: Sequence[ImageScan]) -> list[PipelineStep]:
    """The scans that end a run by themselves, or may, and the gates behind others."""
    gates = [gate for scan in scans if (gate := gate_of(scan)) is not None]
    return [*(scan.step for scan in scans if scan.blocks is not False), *gates]


def _without_gate(repository: RepositoryTexts, scans: Sequence[ImageScan]) -> Verdict:
    """No scan ends the run by itself; what reads a report of theirs may."""
    scan = scans[0]
    place = repository.where(scan.step)
    readers_by_scan = [(each, readers_of(each)) for each in scans]
    for each, readers in readers_by_scan:
        reader = next((reader for reader in readers if reader.may_gate), None)
        if reader is not None:
            name = "the rest of its script" if reader.step is each.step else reader.step.subject
            why = f"{each.tool} does not end the run, but {name} reads its report, and may"
            return unknown(repository.where(each.step), each.step.subject, why, f"what {name} does with the report")
    why = f"{scan.tool} does not end the run: {scan.why}"
    return fails(place, scan.step.subject, why, _fix(repository, scan, readers_by_scan[0][1]))


def _fix(repository: RepositoryTexts, scan: ImageScan, readers: Sequence[Reader]) -> Fix:
    """All that the gate needs at once, so that no other check of the scan begins to fail."""
    if readers:
        return gate_behind(repository, scan, readers)
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
    return with_keys(repository, inputs, keys, advice)


RULE = Rule(
    "scan-blocks",
    "A scan that finds something ends the run",
    "A report that nobody must read stops nothing.",
    FindingSeverity.HIGH,
    judge,
)
