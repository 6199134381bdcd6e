"""What verifies an image before a deploy: steps of the run, and policies that stand in the repository.

Sources: the manuals of cosign, Notation, GitHub's `gh attestation`, slsa-verifier, Kyverno and policy-controller.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import takewhile

from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import Deploy, Push
from bot.files.audit.delivery.named_images import target_fits
from bot.files.audit.delivery.pushing import operands_of, repository_of
from bot.files.audit.delivery.unread import scripts_called
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import ShellCommand, is_unknown
from bot.files.audit.workflows.model import PipelineStep
from bot.files.audit.workloads.objects import word
from bot.files.formats.source.nodes import Mapping

_VERIFIERS = {
    "cosign": (("verify",), ("verify-attestation",)),
    "notation": (("verify",),),
    "gh": (("attestation", "verify"),),
    "slsa-verifier": (("verify-image",),),
    "freshness-bot": (("verify",),),
}
_VERIFYING_ACTION = "notaryproject/notation-action/verify"
_MAY_VERIFY = re.compile(r"verif(?!.*install)")
_PROGRAMS = r"\b(?:cosign|notation|slsa-verifier)\b|\battestation verify\b"


@dataclass(frozen=True, slots=True)
class StepGate:
    """A step before a deploy that verifies. `stops` says whether its failure keeps the deploy from running."""

    tool: str
    stops: bool | None


def gates_before(repository: RepositoryTexts, deploy: Deploy) -> Iterator[StepGate]:
    """The verifications of the run before a deploy, in all runs that deploy."""
    pushes = [push for push in deliveries(repository).pushes if push.pipeline is deploy.pipeline]
    for step in deploy.pipeline.steps:
        is_earlier = step is deploy.step or step.is_before(deploy.step)
        if not is_earlier or not deploy.step.events <= step.events:
            continue
        if step.action == _VERIFYING_ACTION:
            yield StepGate("notation", _unless_continued(step, stops=True))
        for command in takewhile(lambda each: each is not deploy.command, step.commands):
            if _verifies(command) and _is_about(repository, step, command, pushes):
                yield StepGate(command.name, _unless_continued(step, stops=command.stops))


def _unless_continued(step: PipelineStep, *, stops: bool | None) -> bool | None:
    return False if step.may_fail is True or stops is False else None if step.may_fail is None else stops


def _verifies(command: ShellCommand) -> bool:
    return any(command.words[1 : 1 + len(way)] == way for way in _VERIFIERS.get(command.name, ()))


def _is_about(repository: RepositoryTexts, step: PipelineStep, command: ShellCommand, pushes: list[Push]) -> bool:
    """Whether what is verified may be what is pushed and deployed: before the push it is a base, or a tool."""
    names = [name.removeprefix("oci://") for name in operands_of(command.words[2:])]
    if not pushes or any(target_fits(repository, push, step, name) is True for push in pushes for name in names):
        return True
    return any(push.step is step or push.step.is_before(step) for push in pushes)


def may_verify(repository: RepositoryTexts, deploy: Deploy) -> list[str]:
    """What comes before a deploy and may verify, and is not read here."""
    names = [job.remote for job in deploy.pipeline.remote_jobs if job.remote and job.is_before(deploy.step.job)]
    earlier = (step for step in deploy.pipeline.steps if step.is_before(deploy.step))
    names += [step.uses for step in earlier if step.unread or _MAY_VERIFY.search(step.action)]
    names += scripts_called(repository, deploy.pipeline, _PROGRAMS)
    known = repository.surroundings.environments or {}
    environment = known.get((deploy.step.job.environment or "").lower())
    if environment is not None and environment.has_own_rules:
        names.append(f"a rule of the environment {deploy.step.job.environment}")
    return list(dict.fromkeys(names))


def patterns_of(manifest: Mapping) -> tuple[str, ...]:
    """The globs of images that a policy of Kyverno or policy-controller looks at; all where it names none."""
    spec = manifest.mapping("spec")
    globs = [word(each.get("glob")) for each in spec.sequence("images") if isinstance(each, Mapping)]
    for rule in spec.sequence("rules"):
        for check in rule.sequence("verifyImages") if isinstance(rule, Mapping) else ():
            if isinstance(check, Mapping):
                globs += [word(each) for each in check.sequence("imageReferences")] + [word(check.get("image"))]
    return tuple(each for each in globs if each) or ("*",)


def covers(patterns: tuple[str, ...], names: list[str]) -> bool | None:
    """Whether globs take in all images of these names; None where that is not told."""
    if any(set(pattern) <= {"*", "/", ":"} for pattern in patterns):
        return True
    if not names or any(is_unknown(repository_of(name)) for name in names):
        return None
    return all(
        any(fnmatchcase(name, glob) or fnmatchcase(repository_of(name), glob) for glob in patterns)
        for name in names
    )
