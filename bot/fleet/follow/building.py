"""What has become of the build of a merged pull request."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.builder.runs import CHECKS, BuildRun
from bot.domain.rollouts.after_build import after_green_build
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.domain.rollouts.terms import PathWorkflow
from bot.domain.wording.words import duration

_GREEN = frozenset({"success", "neutral"})
_SKIPPED = "skipped"
"""How a run concludes of which nothing was done, as a condition in its workflow said: it has built nothing."""


def builds_among(runs: Iterable[BuildRun], workflow: str | None) -> tuple[BuildRun, ...]:
    """Those of the rebuild workflow, whatever started them; where it has none, all that the push started."""
    counting_runs = _runs_that_count(runs)
    workflow_runs = tuple(run for run in counting_runs if run.file == workflow)
    return workflow_runs or tuple(run for run in counting_runs if run.event == "push")


def _runs_that_count(runs: Iterable[BuildRun]) -> list[BuildRun]:
    return [run for run in runs if run.event not in CHECKS]


@dataclass(frozen=True, slots=True)
class _Build:
    """What is known of one build: the workflow that it is of (None: whatever the push starts), and its runs.

    `runs` are empty where none was seen; `was_cancelled` where those that were seen gave way to a later push's,
    `was_skipped` where they did nothing, and `was_red` is one that had failed before the build was tried again.
    """

    workflow: str | None
    runs: tuple[BuildRun, ...] = ()
    was_cancelled: bool = False
    was_skipped: bool = False
    was_red: BuildRun | None = None

    @property
    def red(self) -> BuildRun | None:
        return next((run for run in self.runs if _is_red(run)), None)

    @property
    def going(self) -> BuildRun | None:
        return next((run for run in self.runs if run.status != "completed"), None)

    @property
    def progress(self) -> str:
        """Words how far the build has come: `shop.yml is under way`."""
        name = " and ".join(dict.fromkeys(run.file for run in self.runs)) or self.workflow or "its build"
        if self.red is not None:
            return f"{self.red.file} concluded with {self.red.conclusion}"
        if self.going is not None:
            is_waiting = self.going.status == "waiting"
            progress = f"waits for {self.going.waits_for}" if is_waiting else "is under way"
            return f"{self.going.file} {progress}"
        if self.was_red is not None:
            return f"{self.was_red.file} is to be run again"
        return f"{name} concluded with {self.runs[0].conclusion}" if self.runs else f"{name} is looked for"


def is_to_be_sought_later(rebuild: Rebuild, groups: Sequence[Sequence[BuildRun]]) -> bool:
    """Whether the merge commit lacks a build that counts: one of a later commit may have brought it."""
    return any(not build.runs for build in _builds(rebuild, groups[:1]))


def _known_red(rebuild: Rebuild, groups: Sequence[Sequence[BuildRun]]) -> tuple[int, ...]:
    """The runs that failed before the build was tried again, and were not run again since."""
    ids = {run.id for group in groups for run in group if run.id is not None and _is_red(run)}
    return tuple(sorted(ids & set(rebuild.built_by)))


def _is_red(run: BuildRun) -> bool:
    return run.status == "completed" and run.conclusion not in _GREEN


def after_builds(
    rebuild: Rebuild, groups: Sequence[Sequence[BuildRun]], now: datetime, build_within: timedelta
) -> Rebuild:
    """The rebuild as its builds show it; `groups` are the runs on its merge commit, then on each later one.

    A monorepo's is done when each of its parts is, and each is told of alone.
    """
    builds = _builds(rebuild, groups)
    visible_builds = [build for build in builds if build.runs]
    progress = ", ".join(build.progress for build in builds)
    ended_runs = {
        run.id for build in visible_builds for run in build.runs if run.id is not None and run.status == "completed"
    }
    assert rebuild.merge is not None
    red = [build.red for build in visible_builds if build.red is not None]
    going = next((build.going for build in visible_builds if build.going is not None), None)
    shown_run = going or (visible_builds[0].runs[0] if visible_builds else None)
    linked = rebuild if shown_run is None else replace(rebuild, url=shown_run.url)
    with_builds = replace(linked, built_by=tuple(sorted(ended_runs)))
    missing_builds = [build for build in builds if not build.runs]
    is_late = now - rebuild.merge.at > build_within
    if red and not (rebuild.parts and _are_awaited(going, missing_builds, is_late=is_late)):
        return _fail_rebuild(with_builds, red, progress, now, is_all=going is None and not missing_builds)
    if going is None and not missing_builds:
        return after_green_build(_with_run(with_builds, visible_builds), f"merged, and built: {progress}", now=now)
    if going is None and is_late:
        return _not_seen(with_builds, missing_builds, now, build_within)
    linked = replace(linked, built_by=_known_red(rebuild, groups))
    return linked.moved(RebuildState.BUILDING, f"merged; {progress}", at=now) if visible_builds else linked


def _are_awaited(going: BuildRun | None, missing_builds: Sequence[_Build], *, is_late: bool) -> bool:
    """Whether other parts of a monorepo are built yet: only then is it known which of them are to be repeated."""
    return not is_late and (going is not None or bool(missing_builds))


def _fail_rebuild(
    rebuild: Rebuild, red: Sequence[BuildRun], progress: str, now: datetime, *, is_all: bool
) -> Rebuild:
    """The rebuild with its red build. Where that is one part of a monorepo, and `is_all` that is not built, its
    workflow is the one to be run again."""
    files = {run.file for run in red}
    workflow = files.pop() if rebuild.parts and is_all and len(files) == 1 else rebuild.workflow
    failed_rebuild = replace(rebuild, url=red[0].url, workflow=workflow)
    return failed_rebuild.moved(RebuildState.FAILED, f"merged, but its build failed: {progress}", at=now)


def _with_run(rebuild: Rebuild, builds: Sequence[_Build]) -> Rebuild:
    """The rebuild with what names the tag of its image: the newest commit that was built, and which run of its
    workflow that was. Each workflow counts its runs by itself."""
    runs = [run for build in builds for run in build.runs]
    commits = {run.commit for run in runs}
    numbers = [run.number for run in runs if run.number is not None]
    is_one = len({run.path for run in runs}) == 1
    return replace(
        rebuild,
        built_commit=commits.pop() if len(commits) == 1 else None,
        run_number=max(numbers, default=None) if is_one else None,
    )


def _not_seen(
    rebuild: Rebuild, missing_builds: Sequence[_Build], now: datetime, build_within: timedelta
) -> Rebuild:
    assert rebuild.merge is not None
    if (red := next((build.was_red for build in missing_builds if build.was_red is not None), None)) is not None:
        reason = (
            f"not built again: nobody has run {red.file} again within {duration(build_within)}, or pushed since"
        )
        return replace(rebuild, url=red.url).moved(RebuildState.SKIPPED, reason, at=now)
    if any(build.was_cancelled for build in missing_builds):
        return rebuild.moved(RebuildState.CANCELLED, "merged, but the build was cancelled", at=now)
    names = " and ".join(build.workflow for build in missing_builds if build.workflow) if rebuild.parts else ""
    missing_run = f"run of {names}" if names else "run"
    reason = (
        f"merged, build not seen: no {missing_run} on {rebuild.merge.commit[:7]} within {duration(build_within)}"
    )
    if any(build.was_skipped for build in missing_builds):
        reason += " that was not skipped"
    return rebuild.moved(RebuildState.MERGED, reason, at=now)


def _builds(rebuild: Rebuild, groups: Sequence[Sequence[BuildRun]]) -> list[_Build]:
    """One for each part of a monorepo; else all that builds the repository."""
    red_runs = _known_red(rebuild, groups)
    if not rebuild.parts:
        return [_first_build(None, [builds_among(group, rebuild.workflow) for group in groups], red_runs)]
    by_workflow = {part.workflow: part for part in rebuild.parts}
    return [
        _first_build(workflow, [_builds_of_part(group, part) for group in groups], red_runs)
        for workflow, part in by_workflow.items()
    ]


def _builds_of_part(runs: Iterable[BuildRun], part: PathWorkflow) -> tuple[BuildRun, ...]:
    """Those of the part's workflow; what no part takes may be built by whatever a push starts besides theirs."""
    if part.paths:
        return tuple(run for run in _runs_that_count(runs) if run.file == part.workflow)
    others = {other.workflow for other in part.others}
    return builds_among((run for run in runs if run.file not in others), part.workflow)


def _without_replaced(runs: Sequence[BuildRun], red_runs: Collection[int]) -> tuple[BuildRun, ...]:
    """The runs without those that a later one of their workflow on the same commit came for: cancelled ones, and
    red ones that are `red_runs` from before."""
    replaceable = [run for run in runs if run.conclusion == "cancelled" or run.id in red_runs]
    latest = {run.path: run.number or 0 for run in runs}
    return tuple(run for run in runs if run not in replaceable or latest[run.path] <= (run.number or 0))


def _first_build(workflow: str | None, groups: Sequence[tuple[BuildRun, ...]], red_runs: Collection[int]) -> _Build:
    """The runs on the first commit that has some.

    Cancelled ones gave way to those of a later push, skipped ones have built nothing, and those that are among
    `red_runs` from before are to be repeated.
    """
    was_cancelled = was_skipped = False
    was_red: BuildRun | None = None
    for group in groups:
        runs = _without_replaced(group, red_runs)
        if red := [run for run in runs if run.id in red_runs]:
            was_red = red[0]
        elif any(run.conclusion == "cancelled" for run in runs):
            was_cancelled = True
        elif built_runs := tuple(run for run in runs if run.conclusion != _SKIPPED):
            return _Build(workflow, built_runs)
        else:
            was_skipped = was_skipped or bool(runs)
    return _Build(workflow, (), was_cancelled, was_skipped, was_red)
