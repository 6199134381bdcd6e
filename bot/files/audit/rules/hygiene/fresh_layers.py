"""A rebuild takes the current base, not a layer that was kept.

What: a build with a layer cache (`cache-from`) also has `pull: true` or `no-cache: true`; `docker build` on a
runner of one's own has `--pull`.

Why: a cached layer gives a green run on the old base.

Example that fails::

    with: {push: true, cache-from: type=gha}

Fix: `pull: true`.

Exceptions: builds without a cache on GitHub's runners begin with nothing, and hold.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.files.audit.delivery.deliveries import BUILDKIT_ACTIONS, deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.shell import is_unknown
from bot.files.audit.splicing.keys import with_key
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.formats.source.nodes import Mapping

_HOSTED = ("ubuntu-", "windows-", "macos-")


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for push in deliveries(repository).pushes:
        if push.step.action in BUILDKIT_ACTIONS:
            yield _of_action(repository, push)
        elif push.command is not None and "build" in push.command.words[:4]:
            yield _of_command(repository, push)


def _of_action(repository: RepositoryTexts, push: Push) -> Verdict:
    step = push.step
    place = repository.where(step)
    settings = [step.input(name) for name in ("pull", "no-cache")]
    if any(each.lower() == "true" for each in settings):
        return holds(place, push.subject, "the base is looked up anew")
    if any(is_unknown(each) for each in settings):
        return unknown(place, push.subject, "pull is known only in a run", "its value in a scheduled run")
    if step.input("cache-from"):
        inputs = step.mapping.get("with")
        advice = "set pull: true"
        fix = with_key(repository, inputs, "pull", ["true"], advice) if isinstance(inputs, Mapping) else Fix(advice)
        return fails(place, push.subject, "it builds on cached layers, and pull is not set", fix)
    return _of_runner(repository, push)


def _of_command(repository: RepositoryTexts, push: Push) -> Verdict:
    command = push.command
    place = repository.where(push.step)
    if command is not None and command.has("--pull", "--no-cache"):
        return holds(place, push.subject, "the base is looked up anew")
    if command is not None and command.has("--cache-from"):
        return fails(place, push.subject, "it builds on cached layers without --pull", "add --pull")
    return _of_runner(repository, push)


def _of_runner(repository: RepositoryTexts, push: Push) -> Verdict:
    place = repository.where(push.step)
    names = push.step.job.runners
    if names and all(name.startswith(_HOSTED) for name in names):
        return holds(place, push.subject, "no layer is kept between runs")
    if any(name == "self-hosted" for name in names):
        return fails(place, push.subject, "the runner keeps images, and pull is not set", "set pull: true")
    return unknown(
        place,
        push.subject,
        "whether the runner keeps images is not known here",
        "pull: true, or what the runner is",
    )


RULE = Rule(
    "fresh-layers",
    "Rebuilds take the current base",
    "A cached layer gives a green run on the old base.",
    FindingSeverity.MEDIUM,
    judge,
)
