"""The workflow that pushes an image runs every week, whether or not anybody commits.

What: a schedule comes at least once a week, and the push takes place in it; or another workflow with such a
schedule calls or dispatches it, or pushes the same tags.

Example that fails::

    on: {push: {branches: [main]}}

Fix: `schedule: [{cron: '17 3 * * 1'}]`, or the bot's own weekly rebuild with `workflow_dispatch`.

Conditions are judged as on the default branch, without inputs or tag. Where only a run tells whether
one holds, it is unknown. What builds releases alone gets no schedule: the newest is built anew at its tag.

Exceptions: builds that push nothing, or that comments on pull requests start, are asked nothing.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.domain.repositories.finding import FindingSeverity, Fix, Place
from bot.domain.repositories.repository import WORKFLOWS, is_workflow
from bot.domain.wording.words import first_few
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.runs import Pushes, RunOutcome, outcome_of, released_elsewhere
from bot.files.audit.delivery.statements import building
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.shell import is_unknown
from bot.files.audit.suggestions.released_rebuild import rebuild_release, what_else_is_published, what_else_it_does
from bot.files.audit.verdict import Verdict, fails, holds, not_applicable, unknown
from bot.files.audit.workflows.flattening import pipelines
from bot.files.audit.workflows.model import CLOSED, COMMENTS, TESTS_ONLY, Pipeline
from bot.files.audit.workflows.refs import may_start
from bot.files.audit.workflows.releases import (
    OF_MOVED_TAG,
    READS_MERGE,
    RELEASES_ALONE,
    TO_ROLL_BACK,
    example_tags,
    follows_another,
    is_started_by_hand_alone,
    reads_merge,
    rolls_back,
    tags_of,
    takes_inputs,
    why_no_schedule,
)
from bot.files.audit.workflows.starts import (
    default_branches,
    dispatched,
    pushed,
    scheduled,
    speaks_of_pull_requests,
)
from bot.files.audit.workflows.triggers import with_trigger
from bot.files.formats.source.nodes import Scalar

_FIX = "add a weekly schedule, on a minute of its own"
_LET_PUSH = "let the push take place when the schedule runs, or start it every week in another way"
_CALL = "call it every week with its inputs, from a workflow with a schedule"
_PUBLISHES_NOTHING_ITSELF = TESTS_ONLY | {"workflow_call"}
_SAME_IN_EACH_RUN = re.compile(r"\$\{\{\s*(?:github\.repository(?:_owner)?|vars\.\w+)\s*\}\}")
_OF_SCHEDULE = re.compile(r"^[ \t]*type=schedule\b(?!.*\benable=false)", re.MULTILINE)
_OF_COMMIT = re.compile(r":(?:(?!\$\{\{).)*\$\{\{\s*github\.sha\s*\}\}(?:(?!\$\{\{).)*$")
"""A tag in which only the commit stands that differs from run to run."""
_OF_STEP = re.compile(r":[^:]*\bsteps\.(?P<step>[\w-]+)\.outputs\.[\w-]+(?:(?!\$\{\{).)*$")
_NAMES_COMMIT = re.compile(r"GITHUB_SHA|github\.sha|\bgit[ \t]+rev-parse")
_DIFFERS = re.compile(r"\bdate\b|run_(?:number|id|attempt)|GITHUB_REF|github\.ref|git[ \t]+describe", re.IGNORECASE)
_TAKES_TAGS = re.compile(r"\.outputs\.(?:tags|json|version|bake-file)|DOCKER_METADATA_OUTPUT")
_ANY = re.compile(r"^(?:\*|\*/1|\?)$")


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    own_deliveries = deliveries(repository)
    for pipeline in building(repository):
        events = frozenset().union(*(push.events for push in own_deliveries.pushes if push.pipeline is pipeline))
        yield _of(repository, pipeline, events)
    for pipeline in dict.fromkeys(build.pipeline for build in own_deliveries.remote_builds):
        if pipeline not in building(repository):
            events = frozenset().union(
                *(build.events for build in own_deliveries.remote_builds if build.pipeline is pipeline)
            )
            yield _of(repository, pipeline, events)


def _of(repository: RepositoryTexts, pipeline: Pipeline, events: frozenset[str]) -> Verdict:
    place = _place(repository, pipeline)
    subject = f"workflow {pipeline.path.rpartition('/')[2]}"
    if events and events <= COMMENTS and speaks_of_pull_requests(repository, pipeline):
        why = "a comment on a pull request starts it, to build a change that is not accepted yet"
        return not_applicable(place, subject, why)
    if rolls_back(pipeline):
        return not_applicable(place, subject, TO_ROLL_BACK)
    if _tries_changes_out(repository, pipeline):
        why = "it pushes changes that are not accepted yet, and besides them only what a person starts it for"
        return not_applicable(place, subject, why)
    weekly = [cron for cron in pipeline.crons if is_weekly(cron.value)]
    runs = [
        *_by_callers(repository, pipeline, place),
        *_by_dispatchers(repository, pipeline, place),
        *_by_others(repository, pipeline, place),
    ]
    is_by_another = any(run.outcome.pushes is Pushes.SURELY for run in runs)
    runs = [*(_by_schedule(repository, pipeline, cron) for cron in weekly), *runs]
    best = max(runs, key=lambda run: run.outcome.pushes, default=None)
    if best is not None and best.outcome.pushes is Pushes.SURELY:
        if (
            weekly
            and not is_by_another
            and (missed := _left_out(repository, pipeline, [cron.value for cron in weekly]))
        ):
            why = f"{best.how}, and leaves out what {missed} pushes in others"
            return unknown(best.place, subject, why, f"whether what {missed} pushes is built anew in another way")
        return holds(best.place, subject, best.how)
    if best is not None and best.outcome.pushes is Pushes.PERHAPS:
        why = f"{best.how}; whether that run pushes hangs on {best.outcome.hangs_on}"
        return unknown(best.place, subject, why, "a scheduled run, or conditions that hold for every schedule")
    if "workflow_call" in pipeline.events and events <= {"workflow_call", "workflow_dispatch"}:
        how = "called or started by hand" if "workflow_dispatch" in pipeline.events else "only called"
        how += ", but for changes that are not accepted yet" if pipeline.events & TESTS_ONLY else ""
        why = f"it is {how}, and no schedule in this repository calls it"
        return fails(place, subject, why, _fix_of_called(repository, pipeline))
    if weekly:
        return fails(repository.place(weekly[0]), subject, "its schedule runs, but pushes nothing then", _LET_PUSH)
    if pipeline.crons:
        return fails(
            repository.place(pipeline.crons[0]), subject, f"{pipeline.crons[0].value} is not every week", _FIX
        )
    if why_no_schedule(pipeline) == RELEASES_ALONE:
        who = "a release or a person" if "workflow_dispatch" in pipeline.events else "a release"
        why = f"only {who} starts it, and nothing builds the newest release anew every week"
    elif why_no_schedule(pipeline) == OF_MOVED_TAG:
        who = f"the tag {first_few(tags_of(pipeline))}"
        who += " or a person" if "workflow_dispatch" in pipeline.events else ""
        why = f"only {who} starts it, and nothing builds what stands there anew every week"
    else:
        why = "it runs only when somebody commits, publishes or starts it"
    return fails(place, subject, why, _fix(repository, pipeline))


def _left_out(repository: RepositoryTexts, pipeline: Pipeline, crons: Iterable[str]) -> str:
    """The first step that pushes what no weekly run of the schedule does; empty where there is none."""
    branches = default_branches(repository)
    starts = [scheduled(repository, pipeline.root, branch, cron) for branch in branches for cron in crons]
    return next((push.subject for push in released_elsewhere(repository, pipeline, starts)), "")


def _tries_changes_out(repository: RepositoryTexts, pipeline: Pipeline) -> bool:
    """Whether all that it pushes is pushed for changes that are not accepted yet too, and nobody else starts it."""
    if not pipeline.events & TESTS_ONLY or pipeline.events - TESTS_ONLY != {"workflow_dispatch"}:
        return False
    pushes = [push for push in deliveries(repository).pushes if push.pipeline is pipeline]
    return all(push.step.events & TESTS_ONLY and push.step.input("push") in {"", "true"} for push in pushes)


@dataclass(frozen=True, slots=True)
class _WeeklyRun:
    """A run that comes every week: what starts it, where that stands, and whether it pushes."""

    place: Place
    how: str
    outcome: RunOutcome


def _by_schedule(repository: RepositoryTexts, pipeline: Pipeline, cron: Scalar) -> _WeeklyRun:
    outcome = _when_scheduled(repository, pipeline, cron.value)
    return _WeeklyRun(repository.place(cron), f"it runs at {cron.value}", outcome)


def _when_scheduled(repository: RepositoryTexts, pipeline: Pipeline, cron: str, path: str = "") -> RunOutcome:
    branches = default_branches(repository)
    starts = [scheduled(repository, pipeline.root, branch, cron) for branch in branches]
    return outcome_of(repository, pipeline, starts, path)


def _callers(repository: RepositoryTexts, pipeline: Pipeline) -> Iterator[Pipeline]:
    """The other workflows that run steps of this one."""
    for other in pipelines(repository):
        if other.path != pipeline.path and any(step.path == pipeline.path for step in other.steps):
            yield other


def _by_callers(repository: RepositoryTexts, pipeline: Pipeline, place: Place) -> Iterator[_WeeklyRun]:
    """Runs of other workflows with a weekly schedule that call this one."""
    for caller in _callers(repository, pipeline):
        for cron in caller.crons:
            if is_weekly(cron.value):
                outcome = _when_scheduled(repository, caller, cron.value, pipeline.path)
                yield _WeeklyRun(place, f"{caller.path} calls it every week", outcome)


def _by_others(repository: RepositoryTexts, pipeline: Pipeline, place: Place) -> Iterator[_WeeklyRun]:
    """Runs of other workflows with a weekly schedule that push all that this one pushes, by the same tags."""
    names = _pushed_names(repository, pipeline)
    if not names or any(is_unknown(_SAME_IN_EACH_RUN.sub("", name)) for name in names):
        return
    for other in building(repository):
        if other.path != pipeline.path and names <= _pushed_names(repository, other):
            for cron in other.crons:
                if is_weekly(cron.value):
                    outcome = _when_scheduled(repository, other, cron.value)
                    yield _WeeklyRun(place, f"{other.path} pushes the same tags every week", outcome)


def _pushed_names(repository: RepositoryTexts, pipeline: Pipeline) -> frozenset[str]:
    """What a workflow pushes, with tags; nothing where the name of one push is not told."""
    pushes = [push for push in deliveries(repository).pushes if push.pipeline is pipeline]
    is_told = all(push.names for push in pushes)
    return frozenset(name for push in pushes for name in push.names) if is_told else frozenset()


def _fix(repository: RepositoryTexts, pipeline: Pipeline) -> Fix:
    """A schedule at a minute of its own, so that not every repository builds at once.

    None is put in where it would publish what no commit does: that takes a run that surely pushes, of a branch
    whose commits push too. What builds releases is built anew at their tag, or not at all.
    """
    cron = weekly_cron(f"{repository.name}/{pipeline.path}")
    if why_no_schedule(pipeline) == OF_MOVED_TAG:
        why = "a scheduled run would publish the default branch, not what the tag stands at"
        return Fix("build what the tag stands at anew every week, and no branch", left_alone=why)
    if why_no_schedule(pipeline):
        return rebuild_release(repository, pipeline, cron)
    advice = f"add a schedule: {cron}"
    if reads_merge(pipeline):
        return Fix(advice, left_alone=READS_MERGE)
    if pipeline.events - TESTS_ONLY <= COMMENTS:
        why = "a scheduled run has no comment, nor what it says"
        return Fix("build what the comment asks for anew every week", left_alone=why)
    if follows_another(pipeline):
        why = "a scheduled run would publish without waiting for the workflow that it follows"
        return Fix("start the workflow that it follows every week", left_alone=why)
    if is_started_by_hand_alone(pipeline):
        return _fix_of_hand_started(repository, pipeline, advice)
    outcome = _when_scheduled(repository, pipeline, cron)
    if outcome.pushes is Pushes.NEVER:
        return Fix(
            "build what it publishes anew every week, in a run that its conditions let push",
            left_alone="a scheduled run would push nothing, by the conditions that are written",
        )
    starts = [scheduled(repository, pipeline.root, branch, cron) for branch in default_branches(repository)]
    if what := what_else_is_published(repository, pipeline, starts):
        why = f"a run may do more than push images ({what}), which would be done every week"
        return Fix("build its images anew every week, in a run that does no more than that", left_alone=why)
    if tags := _tags_of_schedule(repository, pipeline):
        return Fix(
            "start it every week with workflow_dispatch, from a workflow with a schedule",
            left_alone=f"{tags} gives what a scheduled run pushes the tag and version nightly",
        )
    if _moves_commits_tags(pipeline, _pushed_names(repository, pipeline)):
        return Fix(
            "push each run's image under a tag of its own, as github.run_number gives it, and add a schedule",
            left_alone="all of its tags are the commit's, which a scheduled run would move",
        )
    if outcome.pushes is Pushes.PERHAPS:
        return Fix(advice, left_alone=f"whether a scheduled run would push hangs on {outcome.hangs_on}")
    if not publishes_default_branch(repository, pipeline):
        if _may_publish_default_branch(repository, pipeline):
            why = "whether commits publish what a scheduled run would hangs on the name of the default branch"
            return Fix(advice, left_alone=why)
        return Fix(
            "build the branch that is published anew every week, and no other",
            left_alone="a scheduled run would publish the default branch, which no commit to it does",
        )
    return with_trigger(repository, pipeline, "schedule", ["", f"  - cron: '{cron}'"], advice)


def _fix_of_hand_started(repository: RepositoryTexts, pipeline: Pipeline, advice: str) -> Fix:
    """Advice alone: what people publish when they say so, no schedule of ours publishes."""
    if what := what_else_it_does(repository, pipeline):
        why = f"only people start it, and a run may do more than push images ({what})"
        return Fix("build its images anew every week, in a run that does no more than that", left_alone=why)
    if takes_inputs(pipeline):
        why = "a scheduled run has none of the inputs that whoever starts it hands over"
        return Fix("start it every week with its inputs, from a workflow with a schedule", left_alone=why)
    return Fix(advice, left_alone="only people start it, and say when the default branch is published")


def _fix_of_called(repository: RepositoryTexts, pipeline: Pipeline) -> Fix:
    """Advice to call it every week; to build no newer commit where all that calls it here publishes for people or
    releases alone."""
    callers = [each for each in _callers(repository, pipeline) if not each.events <= _PUBLISHES_NOTHING_ITSELF]
    by_hand = [each for each in callers if is_started_by_hand_alone(each)]
    if not callers or not all(each in by_hand or why_no_schedule(each) for each in callers):
        return Fix(_CALL)
    who = first_few(each.path.rpartition("/")[2] for each in callers)
    are_started = "only people start" if len(by_hand) == len(callers) else "only people and releases start"
    why = f"{are_started} what calls it ({who}), and say what is published"
    return Fix("build what it published last anew every week, and no newer commit", left_alone=why)


def _moves_commits_tags(pipeline: Pipeline, names: frozenset[str]) -> bool:
    """Whether all that is pushed has the commit as its tag, written out or as a step of the workflow tells it."""
    return bool(names) and all(_OF_COMMIT.search(name) or _is_told_commit(pipeline, name) for name in names)


def _is_told_commit(pipeline: Pipeline, name: str) -> bool:
    told = _OF_STEP.search(name)
    scripts = (
        step.mapping.scalar("run") for step in pipeline.steps if told is not None and step.id == told["step"]
    )
    return any(
        _NAMES_COMMIT.search(run.value) is not None and _DIFFERS.search(run.value) is None
        for run in scripts
        if run is not None
    )


def _tags_of_schedule(repository: RepositoryTexts, pipeline: Pipeline) -> str:
    """The step that gives what a scheduled run pushes a tag that others do not get; empty where no schedule does so
    already, or there is no such step whose tags are taken."""
    if pipeline.crons:
        return ""
    metadata = (step for step in pipeline.steps if step.action == "docker/metadata-action")
    return next(
        (
            step.subject
            for step in metadata
            if (not (tags := step.input("tags")) or _OF_SCHEDULE.search(tags))
            and _TAKES_TAGS.search(repository.text(step.path))
        ),
        "",
    )


def publishes_default_branch(repository: RepositoryTexts, pipeline: Pipeline) -> bool:
    """Whether a commit to the default branch may push too, or no commit starts the workflow at all."""
    branches = default_branches(repository)
    events = pipeline.root.mapping("on")
    merging = [each.removesuffix(CLOSED) for each in pipeline.events if each.endswith(CLOSED)]
    if "push" not in pipeline.events:
        return not merging or any(all(may_start(events, branch, each) for branch in branches) for each in merging)
    starts = [pushed(repository, branch) for branch in branches]
    return (
        all(may_start(events, branch) for branch in branches)
        and outcome_of(repository, pipeline, starts).pushes is not Pushes.NEVER
    )


def _may_publish_default_branch(repository: RepositoryTexts, pipeline: Pipeline) -> bool:
    """Whether commits to one of the branches push that may be the default one."""
    events = pipeline.root.mapping("on")
    return any(
        may_start(events, branch)
        and outcome_of(repository, pipeline, [pushed(repository, branch)]).pushes is not Pushes.NEVER
        for branch in default_branches(repository)
        if "push" in pipeline.events
    )


def weekly_cron(name: str) -> str:
    """An early morning from Monday to Friday, told by the name."""
    number = int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:4], "big")
    return f"{number % 60} {2 + number // 60 % 4} * * {1 + number // 240 % 5}"


def _place(repository: RepositoryTexts, pipeline: Pipeline) -> Place:
    trigger = pipeline.root.own.get("on")
    return repository.place(trigger[0] if trigger else pipeline.root, pipeline.path)


def is_weekly(cron: str) -> bool:
    """Whether a schedule comes at least once in every week."""
    fields = cron.split()
    if len(fields) != 5:
        return False
    _, _, day, month, weekday = fields
    if not _ANY.match(month):
        return False
    if _ANY.match(day):
        return True
    step = re.fullmatch(r"\*/(\d+)", day)
    days = {int(each) for each in re.findall(r"\d+", day)} if not step else set()
    if _ANY.match(weekday):
        return (step is not None and int(step[1]) <= 7) or len(days) >= 4
    return True


def _dispatchers(repository: RepositoryTexts) -> list[str]:
    """Workflows with a schedule that may start others."""
    return [
        path
        for path in repository.paths
        if is_workflow(path)
        and "cron" in (text := repository.text(path))
        and re.search(r"workflow run|dispatch", text)
    ]


def _by_dispatchers(repository: RepositoryTexts, pipeline: Pipeline, place: Place) -> Iterator[_WeeklyRun]:
    """Runs of this workflow that others with a weekly schedule start by its name."""
    if "workflow_dispatch" not in pipeline.events:
        return
    name = pipeline.path.removeprefix(WORKFLOWS)
    for path in repository.kept(_dispatchers):
        text = repository.text(path)
        if path != pipeline.path and name in text:
            crons = [cron.value for each in pipelines(repository) if each.path == path for cron in each.crons]
            crons = crons or re.findall(r"cron:\s*['\"]([^'\"]+)['\"]", text)
            if any(is_weekly(cron) for cron in crons):
                outcome = _when_dispatched(repository, pipeline, text)
                yield _WeeklyRun(place, f"{path} starts it every week", outcome)


def _when_dispatched(repository: RepositoryTexts, pipeline: Pipeline, by: str) -> RunOutcome:
    """What a run does that the text of another workflow starts; inputs that it may hand over are not known."""
    given = frozenset(name.lower() for name in pipeline.dispatch_inputs if re.search(rf"\b{re.escape(name)}\b", by))
    name = re.escape(pipeline.path.removeprefix(WORKFLOWS))
    is_at_tag = why_no_schedule(pipeline) and re.search(rf"(?<![\w-]){name}[^\n]*--ref", by)
    starts = [
        dispatched(repository, pipeline.root, branch, tag, given)
        for branch in default_branches(repository)
        for tag in (example_tags(pipeline) if is_at_tag else ("",))
    ]
    return outcome_of(repository, pipeline, starts)


RULE = Rule(
    "weekly-rebuild",
    "What pushes runs every week",
    "Fixes in the base reach an image only with a build.",
    FindingSeverity.MEDIUM,
    judge,
)
