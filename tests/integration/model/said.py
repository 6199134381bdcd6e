"""What people have said of repositories, pull requests and all that goes on, and since when it counts."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import RowMapping

from bot.domain.clock import Clock
from bot.domain.rollouts.journal import HOLD
from tests.fakes.repository import CONFIG, FakeRepository

HOLDS_FOR = timedelta(seconds=60)
"""So old may the look be that a write rests on."""
OPT_OUT = b"enabled: false\n"
UNREADABLE = ("Enabled: off\n".encode("utf-16"), b"enabled: [no\n", b"enabled: perhaps\n")
"""What may be a no, and nobody can tell."""
BRANCHES = "freshness/"
_NO, _MAY_BE_NO = "its own word is no", "its own word may be no"
_LEFT_OUT = "the operator does not include it"
_ARCHIVED = "it is archived"
_KEEPS_STEPS = (_MAY_BE_NO, _LEFT_OUT, _ARCHIVED)
"""For as long as one of these is said, no step begins, and its time runs."""


@dataclass(frozen=True, slots=True)
class Saying:
    """`what` is said of a repository, or of one branch or pull request of it. It counts from the next write on
    where `is_an_order`; else a look that is a minute old need not know of it."""

    repository: str
    what: str
    of: str | int | None = None
    is_an_order: bool = False


@dataclass(slots=True)
class Said:
    """What is said at present, and since when: read off the world, whoever changed it."""

    clock: Clock
    since: dict[Saying, datetime] = field(default_factory=dict)
    last_no: dict[str, datetime] = field(default_factory=dict)
    """By repository, when its own word was last seen to be no, or not to be understood."""
    last_kept: dict[str, datetime] = field(default_factory=dict)
    """By repository, when something was last seen that keeps a step of it from beginning until its time is over."""
    held: frozenset[Saying] = frozenset()
    """By orders, of which the store alone tells."""

    def note(self, homes: Iterable[FakeRepository], left_out: Collection[str]) -> None:
        """Notes what is said now; `left_out` are the ids of repositories that the operator does not include."""
        now = self.clock.now()
        said = [each for home in homes for each in said_in(home, is_left_out=home.id in left_out)]
        self.since = {each: self.since.get(each, now) for each in (*said, *self.held)}
        self.last_no |= {each.repository: now for each in said if each.what in (_NO, _MAY_BE_NO)}
        self.last_kept |= {each.repository: now for each in said if each.what in _KEEPS_STEPS}

    def against(self, home: FakeRepository, of: Sequence[str | int | None]) -> list[str]:
        """What stands against writing to a repository, or to what `of` names there."""
        now = self.clock.now()
        return [
            f"{each.what} ({each.of})" if each.of is not None else each.what
            for each, since in self.since.items()
            if each.repository == home.id
            and (each.of is None or each.of in of)
            and (each.is_an_order or now - since > HOLDS_FOR)
        ]


def said_in(home: FakeRepository, *, is_left_out: bool) -> Iterator[Saying]:
    """What a repository and its pull requests say, and the operator of it."""
    config = home.commits[home.branches[home.trunk]].files.get(CONFIG)
    if config == OPT_OUT:
        yield Saying(home.id, _NO)
    elif config in UNREADABLE:
        yield Saying(home.id, _MAY_BE_NO)
    if is_left_out:
        yield Saying(home.id, _LEFT_OUT)
    if home.is_archived:
        yield Saying(home.id, _ARCHIVED)
    for request in home.requests.values():
        if HOLD in request.labels and request.is_open:
            yield Saying(home.id, "a person holds the pull request", request.number)
        if not request.is_own:
            yield Saying(home.id, "the pull request is a person's", request.number)
        if request.is_open and request.base not in (None, home.trunk):
            yield Saying(home.id, "the pull request goes elsewhere", request.number)


def held_by_orders(rows: Iterable[RowMapping], homes: Mapping[str, FakeRepository]) -> frozenset[Saying]:
    """What `hold` keeps from beginning: the branch or the workflow of each rebuild that it was said of. One with
    neither has nothing that it could write to."""
    held = (row for row in rows if row["held_because"] is not None and row["ended_at"] is None)
    return frozenset(
        Saying(row["forge_id"], "its rebuild is held", place, is_an_order=True)
        for row in held
        if row["forge_id"] in homes and (place := row["branch"] or row["workflow"]) is not None
    )
