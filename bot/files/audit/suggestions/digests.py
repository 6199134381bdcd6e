"""The digest that a build step tells, in the place of a tag of what it pushes."""

import re

from bot.domain.repositories.usage import Edit
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.pushing import repository_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.splicing.commands import words_replaced
from bot.files.audit.workflows.model import PipelineStep


def digest_of_push(repository: RepositoryTexts, step: PipelineStep, name: str, description: str) -> Edit | None:
    """The edit of a step's command that names an image by the digest of the step of its job that pushes it.

    None where not one step does; `description` names the image in the reason. Raises `NotSpliceable`.
    """
    pushes = [
        push
        for push in deliveries(repository).pushes
        if push.step.job is step.job and push.step.id and push.step.is_before(step) and name in push.names
    ]
    if len(pushes) != 1:
        return None
    digest = f"{repository_of(name)}@${{{{ steps.{pushes[0].step.id}.outputs.digest }}}}"
    pattern = rf"(?<![^\s\"']){re.escape(name)}(?=[\s\"']|$)"
    return words_replaced(repository, step, pattern, digest, description)
