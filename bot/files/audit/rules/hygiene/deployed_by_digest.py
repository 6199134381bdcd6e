"""What is deployed is named by its digest.

What: each container of a manifest, kustomization or chart has a digest, after a kustomization's `images`.

Example that fails::

    containers: [{name: api, image: contoso/api:8.1}]

Fix: `contoso/api:8.1@sha256:…`, which the bot keeps up to date with the tag.

Exceptions: those of `no-latest-deployed`, which also judges `latest` and names without a tag.
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
        elif image.pin is NamedBy.TAG and not image.is_pulled:
            yield not_applicable(image.place, subject, NEVER_PULLED)
        elif image.pin is NamedBy.TAG:
            why = f"{image.name[:120]} is a tag, which may be moved after its scan"
            yield fails(image.place, subject, why, "write its digest behind the tag")
        elif image.pin is NamedBy.DIGEST:
            yield holds(image.place, subject, "it names a digest")


RULE = Rule(
    "deployed-by-digest",
    "What is deployed is named by its digest",
    "A tag may be moved between the scan and the start of a pod.",
    FindingSeverity.LOW,
    judge,
)
