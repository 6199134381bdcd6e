"""What only a person can move, grouped by reason: the answer with which every surface begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.domain.wording.words import counted, duration


class NeedReason(StrEnum):
    """Why something waits for a person, what stops most first."""

    PAUSED = "paused"
    FAILED = "failed"
    REFUSED = "refused"
    APPROVAL = "approval"
    UNMERGED = "unmerged"
    NOT_READY = "not-ready"
    UNREADABLE = "unreadable"
    CONTRADICTED = "contradicted"
    NOT_BUILT = "not-built"
    UNPROVEN = "unproven"
    NOT_REBUILT = "not-rebuilt"
    OUT_OF_SUPPORT = "out-of-support"
    ENDS_SOON = "ends-soon"

    @property
    def can_wait(self) -> bool:
        """Whether it is work for weeks, which stops no rebuild."""
        return self in (NeedReason.OUT_OF_SUPPORT, NeedReason.ENDS_SOON)


@dataclass(frozen=True, slots=True)
class GroupWords:
    """How a group of what is alike is worded: of one, of several, and what a person does about it."""

    one: str
    several: str
    way_out: str


_WORDS: Mapping[NeedReason, GroupWords] = {
    NeedReason.PAUSED: GroupWords(
        "pause holds rollouts",
        "pauses hold rollouts",
        "`freshness-bot resume` lets the bot go on",
    ),
    NeedReason.FAILED: GroupWords(
        "build is red", "builds are red", "mend the build; `freshness-bot retry REPOSITORY` has it tried again"
    ),
    NeedReason.REFUSED: GroupWords(
        "repository refuses the bot",
        "repositories refuse the bot",
        "grant the right, or change the rule that each one names",
    ),
    NeedReason.APPROVAL: GroupWords(
        "step waits for approval", "steps wait for approval", "approve or reject its run"
    ),
    NeedReason.UNMERGED: GroupWords(
        "pull request is green and unmerged", "pull requests are green and unmerged", "merge or close them"
    ),
    NeedReason.NOT_READY: GroupWords(
        "pull request cannot be merged yet",
        "pull requests cannot be merged yet",
        "mend the red check, give the missing review, or settle the conflict",
    ),
    NeedReason.UNREADABLE: GroupWords(
        "repository cannot be read", "repositories cannot be read", "mend what its reason says"
    ),
    NeedReason.CONTRADICTED: GroupWords(
        "repository has an image that contradicts itself",
        "repositories have images that contradict themselves",
        "find out how it was built, and build it anew",
    ),
    NeedReason.NOT_BUILT: GroupWords(
        "rebuild is merged and was not seen to build",
        "rebuilds are merged and were not seen to build",
        "have a workflow build what is pushed; `freshness-bot explain REPOSITORY` says more",
    ),
    NeedReason.UNPROVEN: GroupWords(
        "rebuild is not proven: no image of it is known",
        "rebuilds are not proven: no images of them are known",
        "name the images' registry under `registries`, or `produces` in the repository's file",
    ),
    NeedReason.NOT_REBUILT: GroupWords(
        "workflow that nothing rebuilds in time",
        "workflows that nothing rebuilds in time",
        "`freshness-bot status --all` says why of each",
    ),
    NeedReason.OUT_OF_SUPPORT: GroupWords(
        "repository stands on a base out of support",
        "repositories stand on bases out of support",
        "no more fixes will come: move to the next version",
    ),
    NeedReason.ENDS_SOON: GroupWords(
        "repository stands on a base whose support ends soon",
        "repositories stand on bases whose support ends soon",
        "plan the move to the next version",
    ),
}


@dataclass(frozen=True, slots=True)
class AwaitsPerson:
    """One thing that waits for a person: which repository, rollout or base, since when, why, and where to look;
    `rebuild` is the id of the rebuild that waits, where one does."""

    subject: str
    since: datetime | None
    why: str = ""
    url: str | None = None
    rebuild: int | None = None


@dataclass(frozen=True, slots=True)
class NeedGroup:
    """All that waits for one reason: `number` in all, and the first of them, the oldest first. `alike` of them have
    the same `why`, which is the commonest."""

    reason: NeedReason
    number: int
    first: tuple[AwaitsPerson, ...]
    alike: int = 0

    @property
    def since(self) -> datetime | None:
        """Since when the oldest of them waits."""
        return min((need.since for need in self.first if need.since is not None), default=None)

    @property
    def counted(self) -> str:
        """Words how many wait for it: `3 builds are red`."""
        words = _WORDS[self.reason]
        return f"{self.number:,} {words.one if self.number == 1 else words.several}"

    @property
    def way_out(self) -> str:
        return _WORDS[self.reason].way_out

    def sentence(self, now: datetime) -> str:
        """Words it: `3 builds are red, the oldest for 4 days; 2 of them for the same reason`."""
        sentence = self.counted
        if self.since is not None and self.since <= now:
            oldest = "" if self.number == 1 else ", the oldest"
            sentence += f"{oldest} for {duration(now - self.since)}"
        if self.since is not None and self.since > now:
            first = "" if self.number == 1 else ", the first"
            sentence += f"{first} in {duration(self.since - now)}"
        same = f"; {self.alike:,} of them for the same reason" if 1 < self.alike < self.number else ""
        return f"{sentence}{same}"

    @property
    def dated(self) -> str:
        """The same with a day, for what is written once and read for days: `3 builds are red, since 2026-11-20`."""
        return self.counted if self.since is None else f"{self.counted}, since {self.since:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class NeedsYou:
    """What waits for a person, in groups; where there is none, `calm_since` says since when, as far as known."""

    groups: tuple[NeedGroup, ...] = ()
    calm_since: datetime | None = None

    @property
    def number(self) -> int:
        return sum(group.number for group in self.groups)

    def headline(self, now: datetime) -> str:
        """Words it as the first sentence of every surface: `5 things need you now; 66 in the weeks ahead`."""
        if self.groups:
            return self._counted_things
        if self.calm_since is None:
            return "Nothing needs you"
        return f"Nothing needs you, for {duration(now - self.calm_since)} now"

    @property
    def dated(self) -> str:
        """The same with a day."""
        if self.groups:
            return self._counted_things
        return "Nothing needs you" + (f", since {self.calm_since:%Y-%m-%d}" if self.calm_since else "")

    @property
    def _counted_things(self) -> str:
        later = sum(group.number for group in self.groups if group.reason.can_wait)
        pressing = self.number - later
        if not later:
            return counted(pressing, "thing needs you", "things need you")
        if not pressing:
            return f"Nothing needs you now; {counted(later, 'thing does', 'things do')} in the weeks ahead"
        return (
            f"{counted(pressing, 'thing needs you now', 'things need you now')}; {later:,} more in the weeks ahead"
        )


NOTHING_NEEDED = NeedsYou()


def as_json(needs: NeedsYou) -> dict[str, Any]:
    """Gives what needs a person as plain JSON values."""
    return {
        "number": needs.number,
        "since": needs.calm_since,
        "groups": [
            {
                "reason": group.reason.value,
                "number": group.number,
                "since": group.since,
                "alike": group.alike,
                "way_out": group.way_out,
                "first": [
                    {"subject": need.subject, "since": need.since, "why": need.why, "url": need.url}
                    for need in group.first
                ],
            }
            for group in needs.groups
        ],
    }
