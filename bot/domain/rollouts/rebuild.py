"""What one repository must do about a rollout, and the states it may pass through."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.evidence import ImageVerdict
from bot.domain.reference import Base
from bot.domain.repositories.repository import GITHUB, Identity
from bot.domain.repositories.usage import Replacement
from bot.domain.rollouts.terms import PathWorkflow


class Action(StrEnum):
    """What a rebuild does in its repository."""

    PULL_REQUEST = "pull_request"
    DISPATCH = "dispatch"
    NOTIFY = "notify"


class RebuildState(StrEnum):
    """`merged` ends what was merged and whose build was not seen: it has not failed, and nothing shows that it was
    built. `built` ends what was built and of which nothing shows what its image stands on; `succeeded` is proven.
    """

    PLANNED = "planned"
    WAITING = "waiting"
    OPEN = "open"
    DISPATCHED = "dispatched"
    RUNNING = "running"
    BUILDING = "building"
    PROVING = "proving"
    STEPPING = "stepping"
    SUCCEEDED = "succeeded"
    BUILT = "built"
    MERGED = "merged"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def has_ended(self) -> bool:
        return not TRANSITIONS[self]

    @property
    def awaits_action(self) -> bool:
        return self in (RebuildState.PLANNED, RebuildState.WAITING)

    @property
    def is_followed(self) -> bool:
        return self in (RebuildState.OPEN, RebuildState.DISPATCHED, RebuildState.RUNNING, RebuildState.BUILDING)

    @property
    def is_replaceable(self) -> bool:
        """Whether a later change of its bases takes over what it was to bring: not once that is merged or built."""
        return not self.has_ended and self not in (
            RebuildState.BUILDING,
            RebuildState.PROVING,
            RebuildState.STEPPING,
        )


RebuildState.__name__ = RebuildState.__qualname__ = "State"
"""What the API's description calls it, and clients that are made from that."""

WITHOUT_EFFECT = frozenset(
    {RebuildState.SUPERSEDED, RebuildState.SKIPPED, RebuildState.CANCELLED, RebuildState.FAILED}
)
_ENDS = frozenset({RebuildState.SUCCEEDED, RebuildState.FAILED, RebuildState.SUPERSEDED, RebuildState.CANCELLED})

TRANSITIONS: dict[RebuildState, frozenset[RebuildState]] = {
    RebuildState.PLANNED: WITHOUT_EFFECT
    | {
        RebuildState.WAITING,
        RebuildState.OPEN,
        RebuildState.DISPATCHED,
        RebuildState.BUILDING,
        RebuildState.SUCCEEDED,
    },
    RebuildState.WAITING: WITHOUT_EFFECT
    | {RebuildState.OPEN, RebuildState.DISPATCHED, RebuildState.BUILDING, RebuildState.SUCCEEDED},
    RebuildState.OPEN: _ENDS | {RebuildState.BUILDING, RebuildState.SKIPPED},
    RebuildState.DISPATCHED: _ENDS | {RebuildState.RUNNING, RebuildState.PROVING},
    RebuildState.RUNNING: _ENDS | {RebuildState.PROVING},
    RebuildState.BUILDING: _ENDS | {RebuildState.MERGED, RebuildState.PROVING, RebuildState.SKIPPED},
    RebuildState.PROVING: _ENDS | {RebuildState.BUILT, RebuildState.STEPPING},
    RebuildState.STEPPING: _ENDS | {RebuildState.BUILT},
    RebuildState.SUCCEEDED: frozenset(),
    RebuildState.BUILT: frozenset(),
    RebuildState.MERGED: frozenset(),
    RebuildState.FAILED: frozenset(),
    RebuildState.SUPERSEDED: frozenset(),
    RebuildState.SKIPPED: frozenset(),
    RebuildState.CANCELLED: frozenset(),
}


AWAITING = tuple(state for state in RebuildState if state.awaits_action)
FOLLOWED = tuple(state for state in RebuildState if state.is_followed)
REPLACEABLE = tuple(state for state in RebuildState if state.is_replaceable)
ENDED = tuple(state for state in RebuildState if state.has_ended)
NEED_A_PERSON = (RebuildState.FAILED, RebuildState.OPEN)
"""The states in which a rebuild waits for somebody to look, the worst first."""


class IllegalTransition(RuntimeError):
    """A rebuild was asked to move where the table has no way: a defect of ours, never of the input."""


@dataclass(frozen=True, slots=True)
class Target:
    """One base that the rebuild brings up to date, and the digests between which it moved.

    `changes` are the ids of all changes on that way: a pull request that waited while its base moved twice fixes
    what both fixed.
    """

    base: Base
    from_digest: str | None
    to_digest: str
    changes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """What a merged pull request has brought to the default branch: by which commit, and when.

    `node_id` is by what the commit can be asked for together with others.
    """

    commit: str
    node_id: str
    at: datetime


class Merging(StrEnum):
    """Whether its pull request merges by itself: wanted but not possible yet, set for what it brings, not before a
    freeze is over, or not while all of it is left to people."""

    WANTED = "wanted"
    SET = "set"
    FROZEN = "frozen"
    LEFT = "left"


class Joined(StrEnum):
    """What becomes of a run that somebody else has started and that is followed in place of a dispatch.

    `gone` is one that ended before it had built anything; one that failed, or built something else, was `in vain`.
    """

    FOLLOWED = "followed"
    GONE = "gone"
    IN_VAIN = "in vain"


@dataclass(frozen=True, slots=True)
class Rebuild:
    """One repository's part in a rollout.

    `branch`, `pull_request`, `correlation` and `run` are filled as the work goes on; `attempted_at` is the moment
    when the effect was first intended, stored before it is tried. `workflow` is what is dispatched, or what builds
    a merged pull request where it runs on that.
    """

    id: int
    rollout: int
    repository: str
    action: Action
    state: RebuildState
    reason: str
    targets: tuple[Target, ...]
    replacements: tuple[Replacement, ...]
    wave: str
    due_at: datetime
    planned_at: datetime
    branch: str | None = None
    pull_request: int | None = None
    workflow: str | None = None
    correlation: str | None = None
    attempted_at: datetime | None = None
    run: int | None = None
    url: str | None = None
    attempts: int = 0
    ended_at: datetime | None = None
    facts_version: int = 0
    """How many times there was more to bring to its pull request: feeds said more, or what people and rules want of
    it was another. It only rises, whoever works on the rebuild meanwhile."""
    text_version: int = 0
    """Up to which of these times the pull request was brought."""
    node_id: str | None = None
    """By which its pull request or run can be asked for together with others."""
    dispatches: int = 0
    """How often a run was asked for without a clear answer."""
    merge: Merge | None = None
    built_at: datetime | None = None
    """When its build was seen to be green."""
    built_commit: str | None = None
    """What its run has built, which may be later than what was merged, and with `run_number` what may name the
    image's tag."""
    run_number: int | None = None
    """Of the workflow's run that built it; None where several workflows did."""
    built_by: tuple[int, ...] = ()
    """The runs that were followed to their end, as far as the forge tells their ids; while the build of a merge is
    tried again, those that were red before: none of them tells how it ends now."""
    proof: ImageVerdict | None = None
    """What its image was seen to show."""
    steps: int = 0
    """How many steps follow its build."""
    parts: tuple[PathWorkflow, ...] = ()
    """Of a monorepo, those whose builds it needs; empty where the repository is built as a whole."""
    repository_node: str | None = None
    merging: Merging | None = None
    pointed_at: str | None = None
    """The branch that people have pointed its open pull request at; None while that goes to the default branch."""
    joined: Joined | None = None
    """Of one that follows a run that others have started; `attempted_at` is when that was."""
    waits_since: datetime | None = None
    """When it was planned, or the first of those from which it took changes over; None where it is not stored."""
    looks_in_vain: int = 0
    """How many looks in a row found nothing of what is followed."""
    refusals: int = 0
    """How many attempts were refused, or showed it gone, since one has gone through; no faults of the world."""
    ready_since: datetime | None = None
    """Since when nothing that the forge requires stands in the way of merging its open pull request."""
    hindered_by: str | None = None
    """What kept the last attempt from going through, None where it has: an open one has its reason all the same."""
    forge: str = GITHUB
    """Where its repository lives."""

    @property
    def identity(self) -> Identity:
        """The identity of its repository."""
        return Identity(self.repository, self.repository_node, self.forge)

    @property
    def build_home(self) -> Identity:
        """Its repository as what builds it is asked about it."""
        return self.identity.for_builds(self.workflow)

    @property
    def follows_others(self) -> bool:
        """Whether its run is one that somebody else has started; what is dispatched after that is its own."""
        return self.joined is Joined.FOLLOWED

    @property
    def workflows(self) -> frozenset[str]:
        """The files of the workflows whose builds it answers for."""
        own = (self.workflow, *(part.workflow for part in self.parts))
        return frozenset(workflow for workflow in own if workflow is not None)

    def age(self, now: datetime) -> timedelta:
        """How long ago its effect was first intended: it may have settled for days before."""
        return now - (self.attempted_at or self.planned_at)

    def moved(self, state: RebuildState, reason: str, *, at: datetime) -> "Rebuild":
        """Returns the rebuild in its next state; raises `IllegalTransition` outside the table."""
        if state is self.state:
            return replace(self, reason=reason)
        check_transition(self.state, state)
        return replace(self, state=state, reason=reason, ended_at=at if state.has_ended else None)


def check_transition(before: RebuildState, after: RebuildState) -> None:
    if after not in TRANSITIONS[before]:
        raise IllegalTransition(f"a rebuild never goes from {before} to {after}")
