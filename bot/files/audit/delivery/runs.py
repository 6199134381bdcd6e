"""Whether a run of a workflow pushes an image: surely, perhaps or never, by how it is started."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from bot.files.audit.delivery.deliveries import deliveries, deliveries_of
from bot.files.audit.delivery.delivery import Deliveries, Push, RemoteBuild
from bot.files.audit.delivery.metadata_action import naming_step
from bot.files.audit.delivery.pushing import undecided_flag
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import is_unknown
from bot.files.audit.workflows.flattening import as_started
from bot.files.audit.workflows.model import Pipeline
from bot.files.audit.workflows.starts import RunStart

_OF_TAGS = re.compile(r"type=(?:semver|pep440|match)\b(?!.*\bvalue=)|type=ref,.*\bevent=(?:tag|pr)\b")
"""Kinds of tags that metadata-action makes where the run is of a Git tag (or a pull request), and nowhere else."""


_RELEASING = frozenset({"push", "release"})


class Pushes(IntEnum):
    """Whether a run pushes; the greater answer is the surer one."""

    NEVER = 0
    PERHAPS = 1
    SURELY = 2


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """Whether a run pushes, and what that hangs on where only the run tells."""

    pushes: Pushes
    hangs_on: str = ""


def outcome_of(
    repository: RepositoryTexts, pipeline: Pipeline, starts: Iterable[RunStart], path: str = ""
) -> RunOutcome:
    """Whether the workflow pushes, however it is started of `starts`; by steps of the file at `path` where one is
    named."""
    outcomes = [_outcome(repository, pipeline, start, path) for start in starts]
    answers = {each.pushes for each in outcomes}
    if len(answers) == 1:
        return outcomes[0]
    hangs_on = next((each.hangs_on for each in outcomes if each.hangs_on), "the name of the default branch")
    return RunOutcome(Pushes.PERHAPS if answers else Pushes.NEVER, hangs_on if answers else "")


def _outcome(repository: RepositoryTexts, pipeline: Pipeline, start: RunStart, path: str) -> RunOutcome:
    sure = deliveries_of([as_started(repository, pipeline, start, surely=True)])
    is_of_tag = start.values.get("github.ref_type") == "tag"
    if any(_is_sure(push, is_of_tag) for push in _own(sure, path)) or any(
        not is_unknown(each.input("push")) for each in _builds_of_others(sure, path)
    ):
        return RunOutcome(Pushes.SURELY)
    perhaps = deliveries_of([as_started(repository, pipeline, start, surely=False)])
    pushes = [push for push in _own(perhaps, path) if not _has_no_tags(push, is_of_tag)]
    builds = _builds_of_others(perhaps, path)
    if not pushes and not builds:
        return RunOutcome(Pushes.NEVER)
    return RunOutcome(Pushes.PERHAPS, _hangs_on(pushes, builds))


def released_elsewhere(repository: RepositoryTexts, pipeline: Pipeline, starts: Iterable[RunStart]) -> list[Push]:
    """The pushes of what commits, tags or releases publish that none of these runs makes, under any of their names.

    One whose names are not written down is not told: it may be any of the others.
    """
    runs = [deliveries_of([as_started(repository, pipeline, start, surely=False)]).pushes for start in starts]
    made = [push for pushes in runs for push in pushes]
    steps = {id(push.step.mapping) for push in made}
    names = {name for push in made for name in push.names}
    return [
        push
        for push in deliveries(repository).pushes
        if push.pipeline is pipeline
        and push.events & _RELEASING
        and push.names
        and id(push.step.mapping) not in steps
        and not names & {*push.names}
    ]


def _own(deliveries: Deliveries, path: str) -> list[Push]:
    return [push for push in deliveries.pushes if not path or push.step.path == path]


def _builds_of_others(deliveries: Deliveries, path: str) -> list[RemoteBuild]:
    return [each for each in deliveries.remote_builds if not path or each.job.path == path]


def _is_sure(push: Push, is_of_tag: bool) -> bool:
    is_in_branch = push.command is not None and push.command.branch.is_taken is not True
    return not is_in_branch and not undecided_flag(push.step) and not _has_no_tags(push, is_of_tag)


def _has_no_tags(push: Push, is_of_tag: bool) -> bool:
    """Whether all names of what is pushed come from metadata-action, which makes none where there is no Git tag."""
    tags = push.step.mapping.mapping("with").scalar("tags")
    metadata = naming_step(push.pipeline, push.step, tags.value) if tags is not None else None
    if metadata is None or is_of_tag:
        return False
    lines = [line.strip() for line in metadata.input("tags").splitlines() if line.strip()]
    return bool(lines) and all(map(_OF_TAGS.match, lines))


def _hangs_on(pushes: list[Push], builds: list[RemoteBuild]) -> str:
    """The condition of the first push, or of its job, that is written down."""
    for push in pushes:
        flag = undecided_flag(push.step)
        of_job = push.step.job.mapping.scalar("if")
        written = [
            flag,
            push.command.branch.on if push.command is not None else "",
            push.step.condition,
            of_job.value if of_job is not None else "",
        ]
        for text in written:
            if text:
                return f"`{' '.join(text.split())[:120]}`"
    for build in builds:
        flag, condition = build.input("push"), build.job.mapping.scalar("if")
        text = flag if is_unknown(flag) else condition.value if condition is not None else ""
        if text:
            return f"`{' '.join(text.split())[:120]}`"
    return "a condition of what comes before"
