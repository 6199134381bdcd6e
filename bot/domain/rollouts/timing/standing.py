"""How open rollouts stand, wave by wave, and what may pass at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.feeds.advisory import SEVERE, Severity
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.timing.freezes import Freeze, frozen_by
from bot.domain.rollouts.timing.waves import Wave, WaveTally


@dataclass(frozen=True, slots=True)
class RolloutOptions:
    """In what order a fleet is rebuilt, which share of failures stops that, and when nothing begins.

    Without waves everything begins at once.
    """

    waves: tuple[Wave, ...] = ()
    pause_when_failed: float = 0.2
    freezes: tuple[Freeze, ...] = ()


def rollout_options_of(policy: Policy) -> RolloutOptions:
    """Takes from the policy what bounds rollouts as a whole: waves, the share of failures, freezes."""
    return RolloutOptions(policy.waves, policy.pause_when_failed, policy.freezes)


@dataclass(frozen=True, slots=True)
class ReleaseRules:
    """What may pass at one moment, whatever its wave.

    `frozen` are the severities (None: no CVE) that a freeze holds back. What fixes one of the `severe` or is
    overdue passes at once.
    """

    at: datetime
    frozen: frozenset[Severity | None] = frozenset()
    severe: frozenset[Severity] = SEVERE


@dataclass(frozen=True, slots=True)
class RolloutStanding:
    """How an open rollout that is not paused stands, wave by wave; waves follow each other among the repositories
    that are at the same distance from the root (see `plan.cascade`).

    Of what waits, `ready` could begin if its wave did, and `urgent` waits for no wave at all; `longest` tells since
    when the one of a wave has waited that waits longest, of those that need not wait for what their tag shows;
    `oldest` the same of all that waits, be it ready or not.
    """

    rollout: int
    tallies: Mapping[str, WaveTally]
    ready: Mapping[str, int] = field(default_factory=dict)
    longest: Mapping[str, datetime] = field(default_factory=dict)
    urgent: int = 0
    distance: int = 0
    oldest: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standings:
    """`releases` is how often rebuilds had been released when this was read."""

    releases: int
    rollouts: tuple[RolloutStanding, ...]


def release_rules_at(now: datetime, options: RolloutOptions) -> ReleaseRules:
    """Says which severities a freeze holds back at this moment, by the options."""
    severities: tuple[Severity | None, ...] = (None, *Severity)
    frozen = frozenset(severity for severity in severities if frozen_by(options.freezes, now, severity))
    return ReleaseRules(now, frozen)
