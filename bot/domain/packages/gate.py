"""The gate: what an operator asks of which images, and whether what is known to be wrong with one holds it back.

What one image shows is `ImageVulnerabilities`; a rule says what of it blocks, exceptions and VEX statements take
away. To have found nothing says nothing where not all that is inside was compared with data that is young enough:
the gate cannot tell.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from bot.domain.packages.cves.detected import (
    DetectedVulnerability,
    GatePolicy,
    VulnerabilityKey,
    blocking,
    gaps_of_unrated,
    is_cve,
    undecided,
)
from bot.domain.wording.words import counted

_MOST_NAMED = 3
_MOST_GAPS = 2


class GateMode(StrEnum):
    """What follows from a vulnerability that must not be there: nothing, a word, or a stop."""

    OFF = "off"
    TELL = "tell"
    BLOCK = "block"


class Counts(StrEnum):
    """What is held against an image: what the image before did not have, or everything."""

    NEW = "new"
    ALL = "all"


class GateOutcome(StrEnum):
    """What the gate says of an image."""

    PASSED = "passed"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class GateRule:
    """What is asked of images."""

    mode: GateMode = GateMode.BLOCK
    counts: Counts = Counts.NEW
    policy: GatePolicy = GatePolicy()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class GateException:
    """A vulnerability that is accepted in images whose `registry/name` one of `match` fits, until it ends.

    It is accepted in every package where none is named, and by whichever of its names is known to be one; a CVE
    accepts no advisory that is about another one too.
    """

    id: str
    match: tuple[str, ...]
    reason: str
    until: datetime
    package: str | None = None

    def accepts(self, vulnerability: DetectedVulnerability, image: str, moment: datetime) -> bool:
        is_meant = self._names(vulnerability) and self.package in (None, vulnerability.package)
        return is_meant and moment < self.until and any(fnmatchcase(image, glob) for glob in self.match)

    def _names(self, vulnerability: DetectedVulnerability) -> bool:
        own_name, others = self.id.upper(), {name.upper() for name in vulnerability.aliases}
        if vulnerability.id.upper() == own_name:
            return True
        is_alone = not is_cve(own_name) or not any(map(is_cve, others - {own_name}))
        return own_name in others and is_alone

    @property
    def told(self) -> str:
        return f"accepted until {self.until:%Y-%m-%d}: {self.reason}"


def idle(exception: GateException, images: Iterable[str], moment: datetime) -> str | None:
    """Why an exception accepts nothing of these images, by `registry/name`; None where it may."""
    if moment >= exception.until:
        return f"ended on {exception.until:%Y-%m-%d}"
    if not any(fnmatchcase(image, glob) for image in images for glob in exception.match):
        return "matches no image"
    return None


@dataclass(frozen=True, slots=True)
class Excused:
    """A vulnerability that does not block, and who says why."""

    found: DetectedVulnerability
    why: str


@dataclass(frozen=True, slots=True)
class ImageVulnerabilities:
    """What is known to be wrong with an image. `gaps` say, a line each, why that may not be all.

    It `is_pending` while a gap is about to be closed by work that is under way. `unrated` are those found that are
    a gap too where they would block if they were severe: nobody says whether they are.
    """

    vulnerabilities: tuple[DetectedVulnerability, ...] = ()
    gaps: tuple[str, ...] = ()
    is_pending: bool = False
    unrated: tuple[DetectedVulnerability, ...] = ()
    notes: tuple[str, ...] = ()
    """What is told beside the answer and changes nothing of it."""


@dataclass(frozen=True, slots=True)
class Gated:
    """What the gate says of one image, by which mode. `unfixed` are ignored as long as nobody can fix them.

    `excused` are those that would block without somebody's word; they count as new again once that ends.
    """

    mode: GateMode
    outcome: GateOutcome
    blocking: tuple[DetectedVulnerability, ...] = ()
    unfixed: tuple[DetectedVulnerability, ...] = ()
    excused: tuple[Excused, ...] = ()
    gaps: tuple[str, ...] = ()
    is_pending: bool = False
    is_compared: bool = True
    """Whether there was an image before to compare with, where only what is new counts."""
    unsure: tuple[DetectedVulnerability, ...] = ()
    """What a scanner found that has not reported of the image before: whether it is new cannot be told."""
    undecided: tuple[DetectedVulnerability, ...] = ()
    """What nobody rated, of which `gaps` tell: it would block if it were severe."""
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the rebuild that made the image must not go on."""
        return self.mode is GateMode.BLOCK and self.outcome is not GateOutcome.PASSED

    @property
    def told(self) -> str:
        """What blocks, or why that cannot be told; a handful by name, the rest by number."""
        if self.outcome is GateOutcome.BLOCKED:
            ordered = sorted(self.blocking, key=_worst_first)
            parts = [each.told for each in ordered[:_MOST_NAMED]]
            if (more := len(ordered) - _MOST_NAMED) > 0:
                parts.append(f"and {more} more")
            alone = "" if self.is_compared else " (no image before is known, so all count as new)"
            return "; ".join(parts) + alone + self._told_unsure
        if self.outcome is GateOutcome.UNKNOWN:
            more = len(self.gaps) - _MOST_GAPS
            return "; ".join(self.gaps[:_MOST_GAPS]) + (f"; and {more} more" if more > 0 else "")
        parts = [counted(len(self.unfixed), "vulnerability")] if self.unfixed else []
        text = f"nothing that blocks{', ' + parts[0] + ' without a fix' if parts else ''}"
        text += f", {len(self.excused)} accepted" if self.excused else ""
        return "; ".join((text + self._told_unsure, *self.notes))

    @property
    def _told_unsure(self) -> str:
        if not self.unsure:
            return ""
        worst = min(self.unsure, key=_worst_first)
        more = len(self.unsure) - 1
        subject = f"{worst.told} and {more} more are" if more else f"{worst.told} is"
        return f"; whether {subject} new cannot be told: no such report is about the image before"


def _worst_first(each: DetectedVulnerability) -> tuple[int, str, str]:
    return -each.severity.rank, each.id, each.package


@dataclass(frozen=True, slots=True)
class GatedImage:
    """An image at the gate: `before` is None where no image before it is known.

    `owed` are vulnerabilities that the image before had by somebody's word alone: they are no more known for that.
    `unseen_before` are those that nobody who told of this image has looked for in the one before.
    """

    image: str
    now: ImageVulnerabilities
    before: ImageVulnerabilities | None
    owed: Collection[VulnerabilityKey] = field(default_factory=frozenset)
    unseen_before: Collection[VulnerabilityKey] = field(default_factory=frozenset)


def judge_by_rule(
    gated_image: GatedImage,
    rule: GateRule,
    exceptions: Sequence[GateException],
    moment: datetime,
    excused: Mapping[VulnerabilityKey, str] | None = None,
) -> Gated:
    """Judges an image; `excused` are the vulnerabilities that a VEX statement takes away, and in whose words.

    What blocks is told whatever else is unknown: a gap can only add to it. Where only what is new counts, what both
    looks could not see is told and holds nothing back; it is known when the next image is judged.
    """
    before = (
        gated_image.before.vulnerabilities if gated_image.before is not None and rule.counts is Counts.NEW else None
    )
    had_before = [each for each in before or () if each.identity not in gated_image.owed]
    vulnerabilities = _each_once(gated_image.now.vulnerabilities, rule.policy)
    words = {
        each.identity: _excuse_of(each, gated_image.image, exceptions, moment, excused or {})
        for each in vulnerabilities
    }
    new = blocking(vulnerabilities, rule.policy, had_before)
    blockers = [each for each in new if words[each.identity] is None]
    unseen = (
        frozenset(gated_image.unseen_before) - frozenset(gated_image.owed) if before is not None else frozenset()
    )
    sure_blockers = tuple(each for each in blockers if each.identity not in unseen)
    unsure = tuple(each for each in blockers if each.identity in unseen)
    unrated = undecided(_each_once(gated_image.now.unrated, rule.policy), vulnerabilities, rule.policy, had_before)
    forgiven = tuple(Excused(each, word) for each in (*new, *unrated) if (word := words[each.identity]) is not None)
    unfixed = tuple(
        each
        for each in vulnerabilities
        if rule.policy.ignore_unfixed
        and not each.has_fix
        and each.severity in rule.policy.severities
        and words[each.identity] is None
    )
    unsettled = tuple(each for each in unrated if words[each.identity] is None and each.identity not in unseen)
    gaps = (*gated_image.now.gaps, *gaps_of_unrated(unsettled))
    outcome = GateOutcome.BLOCKED if sure_blockers else GateOutcome.UNKNOWN if gaps else GateOutcome.PASSED
    is_compared = rule.counts is Counts.ALL or gated_image.before is not None
    return Gated(
        rule.mode,
        outcome,
        sure_blockers,
        unfixed,
        forgiven,
        gaps,
        gated_image.now.is_pending,
        is_compared,
        unsure,
        unsettled,
        gated_image.now.notes,
    )


def _excuse_of(
    vulnerability: DetectedVulnerability,
    image: str,
    exceptions: Sequence[GateException],
    moment: datetime,
    excused: Mapping[VulnerabilityKey, str],
) -> str | None:
    accepting = next((each for each in exceptions if each.accepts(vulnerability, image, moment)), None)
    return accepting.told if accepting is not None else excused.get(vulnerability.identity)


def _each_once(
    vulnerabilities: Iterable[DetectedVulnerability], policy: GatePolicy
) -> tuple[DetectedVulnerability, ...]:
    """What platforms and sources tell of one vulnerability, as one: the worst rating that counts, and any fix."""
    by_identity: dict[VulnerabilityKey, DetectedVulnerability] = {}
    for each in vulnerabilities:
        first = by_identity.get(each.identity)
        by_identity[each.identity] = each if first is None else _join_ratings(first, each, policy)
    return tuple(by_identity.values())


def _join_ratings(
    first: DetectedVulnerability, second: DetectedVulnerability, policy: GatePolicy
) -> DetectedVulnerability:
    fixing = first if first.has_fix or not second.has_fix else second
    ratings = (first.severity, second.severity)
    severity = max(ratings, key=lambda each: (each in policy.severities, each.rank))
    aliases = tuple(dict.fromkeys((*first.aliases, *second.aliases)))
    url = first.package_url or second.package_url
    return replace(fixing, severity=severity, package_url=url, aliases=aliases)


def is_awaited(gated: Gated) -> bool:
    """Whether it may be told otherwise soon: by work under way, or, before it holds something back, by anybody."""
    return gated.outcome is GateOutcome.UNKNOWN and (gated.is_pending or gated.holds)


def worst_gated(answers: Sequence[Gated]) -> Gated | None:
    """What several images of one rebuild come to: the worst counts; None of none."""
    return max(answers, key=_weight, default=None)


def _weight(gated: Gated) -> tuple[bool, int]:
    order = (GateOutcome.PASSED, GateOutcome.UNKNOWN, GateOutcome.BLOCKED)
    return gated.holds, order.index(gated.outcome)


MAX_AGE = timedelta(days=2)
"""How old CVE data and reports may be, unless the operator says otherwise."""


class ReportUse(StrEnum):
    """What a scanner's report about an image is worth: it adds to the kept data, answers where that cannot tell, or
    must be there."""

    ADD = "add"
    ENOUGH = "enough"
    REQUIRE = "require"


@dataclass(frozen=True, slots=True)
class MatchedRule:
    """What is asked of images whose `registry/name` one of the globs fits."""

    match: tuple[str, ...]
    rule: GateRule
    report: ReportUse = ReportUse.ADD
