"""What has become of the build of a merged pull request."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.repositories.forge import BuildRun
from bot.domain.rollouts.after_build import after_green_build
from bot.domain.rollouts.rebuild import Rebuild, State
from bot.domain.wording.words import duration

_CHECKS = frozenset({"pull_request", "pull_request_target", "merge_group"})
"""Events whose runs judge what is to be merged; a merge queue's have the very commit that it merges."""
_GREEN = frozenset({"success", "neutral", "skipped"})


def builds_among(runs: Iterable[BuildRun], workflow: str | None) -> tuple[BuildRun, ...]:
    """Those of the rebuild workflow, whatever started them; where it has none, all that the push started."""
    built = [run for run in runs if run.event not in _CHECKS]
    named = tuple(run for run in built if run.file == workflow)
    return named or tuple(run for run in built if run.event == "push")


def is_to_be_sought_later(rebuild: Rebuild, groups: Sequence[Sequence[BuildRun]]) -> bool:
    """Whether the merge commit has no build of its own that counts: one of a later commit may have brought it."""
    return _chosen(rebuild, groups[:1]) is None


def after_builds(
    rebuild: Rebuild, groups: Sequence[Sequence[BuildRun]], now: datetime, build_within: timedelta
) -> Rebuild:
    """The rebuild as its builds show it; `groups` are the runs on its merge commit, then on each later one."""
    assert rebuild.merge is not None
    is_late = now - rebuild.merge.at > build_within
    runs = _chosen(rebuild, groups)
    if runs is None:
        if not is_late:
            return rebuild
        if any(builds_among(group, rebuild.workflow) for group in groups):
            return rebuild.moved(State.CANCELLED, "merged, but the build was cancelled", at=now)
        short, within = rebuild.merge.commit[:7], duration(build_within)
        return rebuild.moved(State.MERGED, f"merged, build not seen: no run on {short} within {within}", at=now)
    failed = [run for run in runs if run.status == "completed" and run.conclusion not in _GREEN]
    if failed:
        told = f"merged, but its build failed: {_named(failed)} concluded with {failed[0].conclusion}"
        return replace(rebuild, url=failed[0].url).moved(State.FAILED, told, at=now)
    known = replace(rebuild, url=runs[0].url)
    going = [run for run in runs if run.status != "completed"]
    if going:
        how = "waits for approval" if going[0].status == "waiting" else "is under way"
        return replace(known, url=going[0].url).moved(State.BUILDING, f"merged; {_named(going)} {how}", at=now)
    told = f"merged, and built: {_named(runs)} concluded with {runs[0].conclusion}"
    return after_green_build(known, told, at=now)


def _chosen(rebuild: Rebuild, groups: Sequence[Sequence[BuildRun]]) -> tuple[BuildRun, ...] | None:
    """The builds on the first commit that has some; cancelled ones gave way to those of a later push."""
    for group in groups:
        runs = builds_among(group, rebuild.workflow)
        if runs and not any(run.conclusion == "cancelled" for run in runs):
            return runs
    return None


def _named(runs: Sequence[BuildRun]) -> str:
    return " and ".join(dict.fromkeys(run.file for run in runs))
