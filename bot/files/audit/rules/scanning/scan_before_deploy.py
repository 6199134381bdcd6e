"""Nothing is deployed before its scan has ended well.

What: where a workflow pushes and deploys, each deploy comes after a scan that blocks: a later step of its job, or a
job that needs it.

Example that fails::

    jobs: {build: …, deploy: {needs: build}, scan: {needs: build}}

Fix: `needs: [build, scan]` for the deploy job.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.deploys import brings_image
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.suggestions.gates import waiting
from bot.files.audit.verdict import Verdict, fails, holds


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    own_deliveries = deliveries(repository)
    pushing = set(own_deliveries.pushing())
    for deploy in own_deliveries.deploys:
        if deploy.pipeline not in pushing or brings_image(repository, deploy) is False:
            continue
        scans = [scan for scan in own_deliveries.scans if scan.pipeline is deploy.pipeline and scan.blocks is True]
        if not scans:
            continue
        place = repository.where(deploy.step)
        if any(scan.step.is_before(deploy.step) for scan in scans):
            yield holds(place, deploy.step.subject, "a scan that blocks comes before it")
        else:
            yield fails(
                place,
                deploy.step.subject,
                "it does not wait for the scan",
                waiting(repository, deploy, scans[0], "let the deploy need the job that scans"),
            )


RULE = Rule(
    "scan-before-deploy",
    "Nothing is deployed before its scan",
    "A gate behind the deploy closes on what is out already.",
    FindingSeverity.MEDIUM,
    judge,
)
