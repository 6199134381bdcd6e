"""What is scanned is what is pushed.

What: the scan looks at a reference that is pushed, or at the digest or id that the build step gave.

Example that fails::

    tags: contoso/api:${{ github.sha }}     # pushed
    image-ref: contoso/other:latest         # scanned

Fix: name the build's own output, such as `…@${{ steps.build.outputs.digest }}`.

Exceptions: where names are put together in a run, whether they agree is unknown.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.gates import scans_of, target_fits
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.verdict import Verdict, fails, holds, unknown


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for push in deliveries(repository).pushes:
        scans = scans_of(repository, push)
        if not scans:
            continue
        fits = [target_fits(push, scan.target) for scan in scans]
        scan = scans[fits.index(True)] if True in fits else scans[0]
        place, subject = repository.where(scan.step), scan.step.subject
        target = " ".join(scan.target.split())[:120] or "nothing that is named"
        pushed = ", ".join(push.names)[:120] or "names that are not told"
        if True in fits:
            yield holds(place, subject, f"{target} is what is pushed")
        elif all(fit is False for fit in fits) and _is_local(scan.target):
            yield unknown(
                place, subject, f"it scans {target}, and {pushed} is pushed", "whether both are the same build"
            )
        elif all(fit is False for fit in fits):
            yield fails(place, subject, f"it scans {target}, but {pushed} is pushed", "scan the build's own output")
        else:
            yield unknown(
                place,
                subject,
                f"it scans {target}; whether that is {pushed} only a run tells",
                "the digest of the build step as its target",
            )


def _is_local(target: str) -> bool:
    """A name without a registry, such as people give to a build that they scan before they tag and push it."""
    return "/" not in target.partition("@")[0]


RULE = Rule(
    "scan-target",
    "What is scanned is what is pushed",
    "A scan of another image says nothing about this one.",
    FindingSeverity.MEDIUM,
    judge,
)
