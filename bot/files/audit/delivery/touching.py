"""Which pipelines touch images at all, be it in ways that are not read: what signs in there may be about images."""

from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.deploys import brings_image
from bot.files.audit.delivery.other_programs import unread_push
from bot.files.audit.delivery.pushing import copies_image
from bot.files.audit.delivery.scripts import push_in_script
from bot.files.audit.delivery.unread import is_handed_image, may_push
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import ShellCommand
from bot.files.audit.workflows.flattening import pipelines
from bot.files.audit.workflows.model import Pipeline, PipelineStep
from bot.files.audit.workflows.scripts import script_of, script_texts

_ENGINES = frozenset({"docker", "docker-compose", "podman", "nerdctl", "buildah"})


def with_images(repository: RepositoryTexts) -> frozenset[Pipeline]:
    """The pipelines that build, push, scan, sign or deploy an image, or have something do it that is not read."""
    return repository.kept(_with_images)


def _with_images(repository: RepositoryTexts) -> frozenset[Pipeline]:
    own = deliveries(repository)
    known = (own.pushes, own.scans, own.signings, own.attestations, own.verifications, own.remote_builds)
    deploying = {each.pipeline for each in own.deploys if brings_image(repository, each) is not False}
    touching = deploying.union(*({each.pipeline for each in kind} for kind in known))
    others = (each for each in pipelines(repository) if each not in touching)
    return frozenset(touching.union(each for each in others if any(_may_touch(repository, s) for s in each.steps)))


def _may_touch(repository: RepositoryTexts, step: PipelineStep) -> bool:
    is_of_image = step.action.startswith(("docker/", "azure/docker-login")) or "ecr-login" in step.action
    return (
        is_of_image
        or may_push(step.action)
        or is_handed_image(step)
        or any(_touches(repository, command) for command in step.commands)
        or unread_push(repository, step) != ""
    )


def _touches(repository: RepositoryTexts, command: ShellCommand) -> bool:
    if command.name in _ENGINES or command.words[1:2] == ("acr",) or copies_image(command):
        return True
    script = script_of(command)
    return script is not None and any(push_in_script(repository, each) for each in script_texts(repository, script))
