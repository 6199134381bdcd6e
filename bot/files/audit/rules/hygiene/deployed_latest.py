"""What is deployed is named by more than `latest`.

What: each container of a manifest, kustomization or chart has a tag other than `latest`, or a digest, after a
kustomization's `images`.

Example that fails::

    containers: [{name: api, image: contoso/api:latest}]

Fix: the version as tag, with its digest.

Exceptions: names that are filled in later, by Skaffold too, are unknown. Compose files, and images with
`imagePullPolicy: Never`, are asked nothing.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.verdict import Verdict, fails, holds, not_applicable, unknown
from bot.files.audit.workloads.deployed_images import NEVER_PULLED, NamedBy, deployed_images


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for image in deployed_images(repository):
        subject = image.container.subject
        if image.pin is NamedBy.UNKNOWN:
            yield unknown(image.place, subject, image.why, "the manifests as they are deployed")
        elif image.pin is NamedBy.LATEST and not image.is_pulled:
            yield not_applicable(image.place, subject, NEVER_PULLED)
        elif image.pin is NamedBy.LATEST:
            why = f"{image.name[:120]} is whatever latest is when a node pulls it"
            yield fails(image.place, subject, why, "name the version, with its digest")
        else:
            yield holds(image.place, subject, f"{image.name[:120]} names a {image.pin}")


RULE = Rule(
    "no-latest-deployed",
    "What is deployed is named by more than latest",
    "Nobody can tell what runs, and going back names the same tag.",
    FindingSeverity.MEDIUM,
    judge,
)
