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
from bot.files.audit.delivery.delivery import ImageScan, Push
from bot.files.audit.delivery.gates import related, scans_of
from bot.files.audit.delivery.named_images import target_fits
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.verdict import Verdict, fails, holds, unknown


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for push in deliveries(repository).pushes:
        scans = scans_of(repository, push) or _of_nothing_pushed(repository, push)
        if not scans:
            continue
        fits = [target_fits(repository, push, scan.step, scan.target) for scan in scans]
        scan = scans[fits.index(True)] if True in fits else scans[0]
        place, subject = repository.where(scan.step), scan.step.subject
        target = " ".join(scan.target.split())[:120] or "nothing that is named"
        pushed = ", ".join(push.names)[:120] or "names that are not told"
        if True in fits:
            yield holds(place, subject, f"{target} is what is pushed")
        elif all(fit is False for fit in fits):
            yield fails(place, subject, f"it scans {target}, but {pushed} is pushed", "scan the build's own output")
        else:
            yield unknown(
                place,
                subject,
                f"it scans {target}; whether that is {pushed} only a run tells",
                "the digest of the build step as its target",
            )


def _of_nothing_pushed(repository: RepositoryTexts, push: Push) -> list[ImageScan]:
    """The scans of the runs that push which are of no image that any of them pushes."""
    pushes = [each for each in deliveries(repository).pushes if each.pipeline is push.pipeline]
    return [
        scan
        for scan in related(push, deliveries(repository).scans)
        if all(target_fits(repository, each, scan.step, scan.target) is False for each in pushes)
    ]


RULE = Rule(
    "scan-target",
    "What is scanned is what is pushed",
    "A scan of another image says nothing about this one.",
    FindingSeverity.MEDIUM,
    judge,
)
