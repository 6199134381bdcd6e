"""A rebuild takes the current base, not a layer that was kept.

What: a build with a layer cache (`cache-from`) has `pull: true` or `no-cache: true`; `docker build` on a runner of
one's own has `--pull`, in the step that pushes or one before it, also in a job whose archive it loads.

Example that fails::

    with: {push: true, cache-from: type=gha}

Fix: `pull: true`.

Exceptions: builds without a cache on GitHub's runners hold. Where the base is one that only the job's engine has,
which no registry gives, `no-cache: true` is advised.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.domain.repositories.usage import Role
from bot.files.audit.delivery.building import builds_of, dockerfile_of, loads_of
from bot.files.audit.delivery.deliveries import BUILDKIT_ACTIONS, deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.delivery.engine_images import stands_on_engine
from bot.files.audit.images.dockerfile import dockerfile_at
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.shell import ShellCommand, is_unknown
from bot.files.audit.splicing.keys import with_key
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.audit.workflows.model import PipelineStep
from bot.files.formats.dockerfile import finder
from bot.files.formats.source.nodes import Mapping

_FIXED = "its bases are named by digest, which no layer that was kept is behind"
_HOSTED = ("ubuntu-", "windows-", "macos-")


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for push in deliveries(repository).pushes:
        if _has_fixed_bases(repository, push):
            yield holds(repository.where(push.step), push.step.subject, _FIXED)
            continue
        setting = "no-cache" if stands_on_engine(repository, push) else "pull"
        if push.step.action in BUILDKIT_ACTIONS:
            yield _of_action(repository, push.step, setting)
        for loading in loads_of(push):
            yield _of_action(repository, loading, setting)
        for step, command in builds_of(push):
            if "build" in command.words[:4] and command.name != "dotnet":
                yield _of_command(repository, step, command, setting)


def _has_fixed_bases(repository: RepositoryTexts, push: Push) -> bool:
    """Whether an action builds a Dockerfile whose images are all named by digest, and gives it no others."""
    path = dockerfile_of(push) if push.step.action in BUILDKIT_ACTIONS else None
    file = dockerfile_at(repository, path)
    if file is None or push.step.input("build-contexts"):
        return False
    images = finder.find(file.path, repository.text(file.path))
    is_given = bool(push.step.input("build-args")) and any("$" in stage.word.text for stage in file.stages)
    pins = [usage.reference.digest for usage in images.usages if usage.role is not Role.SYNTAX]
    return bool(pins) and all(pins) and not images.problems and not is_given


def _of_action(repository: RepositoryTexts, step: PipelineStep, setting: str) -> Verdict:
    """What an action builds on; `setting` is what would have it take the current base."""
    place = repository.where(step)
    settings = [step.input(name) for name in ("pull", "no-cache")]
    if any(each.lower() == "true" for each in settings):
        return holds(place, step.subject, "the base is looked up anew")
    if any(is_unknown(each) for each in settings):
        return unknown(place, step.subject, "pull is known only in a run", "its value in a scheduled run")
    if step.input("cache-from"):
        inputs = step.mapping.get("with")
        advice = f"set {setting}: true"
        fix = Fix(advice)
        if isinstance(inputs, Mapping) and setting == "pull":
            fix = with_key(repository, inputs, setting, ["true"], advice)
        return fails(place, step.subject, "it builds on cached layers, and pull is not set", fix)
    return _of_runner(repository, step, f"{setting}: true")


def _of_command(repository: RepositoryTexts, step: PipelineStep, command: ShellCommand, setting: str) -> Verdict:
    place = repository.where(step)
    if command.has("--pull", "--no-cache"):
        return holds(place, step.subject, "the base is looked up anew")
    if command.has("--cache-from"):
        return fails(place, step.subject, "it builds on cached layers without --pull", f"add --{setting}")
    return _of_runner(repository, step, f"--{setting}")


def _of_runner(repository: RepositoryTexts, step: PipelineStep, setting: str) -> Verdict:
    """What the job's machine keeps; `setting` is what has the base looked up anew."""
    place = repository.where(step)
    names = step.job.runners
    if names and all(name.startswith(_HOSTED) for name in names):
        return holds(place, step.subject, "no layer is kept between runs")
    if any(name == "self-hosted" for name in names):
        return fails(place, step.subject, "the runner keeps images, and pull is not set", f"set {setting}")
    return unknown(
        place,
        step.subject,
        "whether the runner keeps images is not known here",
        f"{setting}, or what the runner is",
    )


RULE = Rule(
    "fresh-layers",
    "Rebuilds take the current base",
    "A cached layer gives a green run on the old base.",
    FindingSeverity.MEDIUM,
    judge,
)
