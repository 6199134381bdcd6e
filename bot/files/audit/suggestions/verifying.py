"""A step that could verify what a job deploys, for people to look at: it ends runs where nothing is signed."""

from bot.domain.repositories.finding import Fix
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import Deploy
from bot.files.audit.delivery.gates import about
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.splicing.keys import NotSpliceable
from bot.files.audit.suggestions.steps import step_before
from bot.files.audit.suggestions.told_by_push import shell_lines

_IDENTITY = r'--certificate-identity-regexp "^https://github\.com/${GITHUB_REPOSITORY}/"'
_ISSUER = "--certificate-oidc-issuer https://token.actions.githubusercontent.com"


def verify_before(repository: RepositoryTexts, deploy: Deploy, advice: str) -> Fix:
    """Suggests to verify in front of a deploy what its job has pushed and signed with its own identity."""
    pushes = [
        push
        for push in deliveries(repository).pushes
        if push.step.job is deploy.step.job and push.step.is_before(deploy.step)
    ]
    if len(pushes) != 1:
        return Fix(advice, left_alone="which image its job has pushed is not told")
    (push,) = pushes
    signings = about(repository, push, deliveries(repository).signings)
    if not any(each.tool == "cosign" and not each.key and each.step.job is push.step.job for each in signings):
        return Fix(advice, left_alone="no step of its job signs that image with its own identity yet")
    try:
        edits = step_before(
            repository,
            push,
            deploy.step,
            lambda image: [
                "- name: Verify the signature of the image",
                *shell_lines(push),
                "  env:",
                f"    IMAGE: {image.name}",
                f"    DIGEST: {image.digest}",
                "  run: >-",
                f"    cosign verify {_IDENTITY}",
                f"    {_ISSUER}",
                f'    "{image.variable}@${{DIGEST}}"',
            ],
        )
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))
    return Fix(advice, suggested=edits)
