"""What runs now: places with their builds, since when, and who builds these."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from bot.domain.running.exposure import CoveredSource
from bot.domain.wording.words import counted
from bot.views.paging import Page
from bot.views.running.unread import unread_at


@dataclass(frozen=True, slots=True)
class RunningRow:
    """One build in one place, for longer than `since` perhaps where that is `at_least`; `built_by` is empty where
    nobody is known to build it."""

    source: str
    environment: str
    namespace: str
    kind: str
    workload: str
    container: str
    image: str
    digest: str
    since: datetime
    at_least: bool
    seen_at: datetime
    pods: int
    built_by: str


@dataclass(frozen=True, slots=True)
class RunningList:
    """What runs, with how many places there are in all, and a line for each source that does not tell it now."""

    verdict: str
    places: int
    nobodys: int
    unread: tuple[str, ...]
    running: Page[RunningRow]
    is_told: bool = True
    """Whether settings name a source at all."""


def running_now(
    sources: Sequence[CoveredSource], places: int, nobodys: int, running: Page[RunningRow], now: datetime
) -> RunningList:
    """Words what the listed sources tell; `nobodys` of the `places` run builds of nobody that is known."""
    unread = tuple(line for each in sources for line in islice(unread_at(each, now), 1))
    if not sources:
        verdict = "No source tells what runs (`running.sources` in the settings)"
    else:
        verdict = f"{counted(places, 'running place')} in {counted(len(sources), 'source')}"
        if nobodys:
            verdict += f"; {nobodys:,} of them run builds of nobody we know"
    return RunningList(verdict, places, nobodys, unread, running, bool(sources))
