"""Images at the gate, many at a time: what is told of them, by which rule, and what that comes to."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.domain.images.image import ProducedImage
from bot.domain.packages.cves.detected import VulnerabilityKey, blocking
from bot.domain.packages.gate import (
    Counts,
    Excused,
    Gated,
    GatedImage,
    GateOutcome,
    GateRule,
    ImageVulnerabilities,
    judge_by_rule,
    worst_gated,
)
from bot.domain.packages.gate_rules import MatchedRule
from bot.domain.platform import platform_of
from bot.fleet.verify.gating.ports import GateOptions, GateStore, ToldImage, VexPort
from bot.fleet.verify.gating.uncertain import about, settle_uncertain, words
from bot.images.scan_reports import KeptReport
from bot.images.told_platforms import KeptData, ToldPlatform
from bot.images.vex.excusing import excuse
from bot.images.vex.statements import heeded
from bot.images.vulnerabilities import Yardstick, vulnerabilities_of, with_damaged, with_reports

_BEFORE_IS_UNREAD = "what the image before holds is not read yet, so it cannot be told what is new"

_ARTIFACTS_ARE_UNREAD = "the artifacts of the run that has built it are not looked through for reports yet"


@dataclass(frozen=True, slots=True)
class ImageAtGate:
    """What was told of an image, and what the gate says to that; both None where nothing is asked of it."""

    told: ToldImage | None = None
    gated: Gated | None = None
    unasked: Failure | None = None
    """Why it cannot be told whether a VEX document beside the image excuses what blocks."""
    may_be_excused: bool = False
    """Whether somebody is trusted to excuse that beside the image, and may still do so."""
    until: datetime | None = None
    """The first moment at which what was signed beside the image may count otherwise."""


async def judge_images(
    store: GateStore,
    images: Sequence[ProducedImage],
    options: GateOptions,
    now: datetime,
    *,
    adopts: bool,
    vex: VexPort | None = None,
) -> Mapping[int, ImageAtGate]:
    """What the gate says of these images as they were seen last, by their ids.

    `adopts` where an image that it sees for the first time is taken as it is: nothing of it is new.
    `vex` is asked of images that would be held back by what a statement may take away, and of no others, of all at
    once.
    """
    options = replace(options, statements=heeded(options.statements, now))
    rules = {each.id: rule for each in images if (rule := options.rule_for(each.claim.name)) is not None}
    found: dict[int, ImageAtGate] = {each.id: ImageAtGate() for each in images}
    if not rules:
        return found
    told = await store.told_images(rules)
    judging = _Judging(rules, options, await store.kept_data(), now)
    for image in images:
        known = told.get(image.id)
        if known is None or image.id not in rules:
            continue
        if adopts and known.is_first:
            known = replace(known, before=known.now, reports_before=known.reports)
        found[image.id] = ImageAtGate(known, judging.gated(image, known))
    return found if vex is None else found | await _asked_beside(vex, images, found, judging)


async def _asked_beside(
    vex: VexPort, images: Sequence[ProducedImage], found: Mapping[int, ImageAtGate], judging: "_Judging"
) -> dict[int, ImageAtGate]:
    """Those that a statement may excuse, once what is signed beside them was read."""
    held = {
        image.id: (image, known, gated)
        for image in images
        if (known := found[image.id].told) is not None
        and (gated := found[image.id].gated) is not None
        and judging.may_be_excused(image, known, gated)
    }
    if not held:
        return {}
    judged: dict[int, ImageAtGate] = {}
    said_of = await vex.signed_statements([(image, known.digests) for image, known, _ in held.values()])
    for number, said in said_of.items():
        image, known, gated = held[number]
        if isinstance(said, Failure):
            judged[number] = ImageAtGate(known, _untold(gated, said), said, may_be_excused=True)
            continue
        if counted := heeded(said, judging.now):
            options = replace(judging.options, statements=(*judging.options.statements, *counted))
            gated = replace(judging, options=options).gated(image, known)
        may_be_excused = gated.outcome is not GateOutcome.PASSED
        until = min((each.judged_until for each in said if each.judged_until is not None), default=None)
        judged[number] = ImageAtGate(known, gated, may_be_excused=may_be_excused, until=until)
    return judged


@dataclass(frozen=True, slots=True)
class _Judging:
    """By what all images that are judged together are judged."""

    rules: Mapping[int, MatchedRule]
    options: GateOptions
    data: KeptData
    now: datetime

    def may_be_excused(self, image: ProducedImage, told: ToldImage, gated: Gated) -> bool:
        """Whether a statement may take away what holds an image back: a vulnerability, one that cannot be told from
        a version, or one that nobody rated. While more is about to be known of the image, that is waited for."""
        if gated.outcome is GateOutcome.BLOCKED:
            return True
        if gated.outcome is not GateOutcome.UNKNOWN or gated.is_pending:
            return False
        if gated.undecided:
            return True
        rule = self.rules[image.id].rule
        uncertain = settle_uncertain(image.claim.name, told, rule, self.options, self.now)
        return any(each.uncertain for each in uncertain.left)

    def gated(self, image: ProducedImage, told: ToldImage) -> Gated:
        matched, name, options = self.rules[image.id], image.claim.name, self.options
        before = told.before or () if matched.rule.counts is Counts.NEW and self.data.unread else ()
        had = frozenset((one.name, one.version) for each in before for one in each.packages or ())
        by = Yardstick(options.platforms, matched.rule.policy, options.max_age, self.now, had)

        def contents(platforms: Sequence[ToldPlatform], reports: Sequence[KeptReport]) -> ImageVulnerabilities:
            kept = vulnerabilities_of(platforms, self.data, by)
            return with_reports(kept, reports, matched.report, by)

        uncertain = settle_uncertain(name, told, matched.rule, options, self.now)
        holds = with_damaged(contents(uncertain.left, told.reports), told.damaged)
        if options.reads_artifacts and told.has_unread_artifacts:
            holds = replace(holds, gaps=(*holds.gaps, _ARTIFACTS_ARE_UNREAD), is_pending=True)
        compared = None if told.before is None else contents(told.before, told.reports_before)
        excused = _excused(name, told, holds, options)
        unchanged = compared and with_unchanged(compared, told)
        asked = GatedImage(name, holds, unchanged, told.owed, unseen_before(told))
        gated = judge_by_rule(asked, matched.rule, options.exceptions, self.now, excused)
        suppressed = suppressed_in(told, matched.rule, asked)
        gated = replace(gated, excused=(*gated.excused, *uncertain.excused, *suppressed))
        is_unread = compared is not None and compared.is_pending and matched.rule.counts is Counts.NEW
        if gated.outcome is GateOutcome.BLOCKED and is_unread and told.before != told.now:
            gaps = (_BEFORE_IS_UNREAD, *gated.gaps)
            return replace(gated, outcome=GateOutcome.UNKNOWN, gaps=gaps, is_pending=True)
        return gated


def _untold(gated: Gated, failure: Failure) -> Gated:
    """What cannot be told to be excused is held back, and soon judged again."""
    gap = f"whether a VEX document beside it excuses that cannot be told: {failure.told}"
    return replace(gated, gaps=(*gated.gaps, gap), is_pending=True)


def _excused(
    name: str, told: ToldImage, holds: ImageVulnerabilities, options: GateOptions
) -> Mapping[VulnerabilityKey, str]:
    """The vulnerabilities that statements take away of every version that is held, on each platform that holds it,
    and in whose words."""
    if not options.statements:
        return {}
    read = [each for each in told.now if platform_of(each.platform) in options.platforms]
    platforms = read or list(told.now) or [ToldPlatform("")]
    holders = _holders(told, platforms)
    said: dict[VulnerabilityKey, str] = {}
    left: set[VulnerabilityKey] = set()
    for platform in platforms:
        held = [
            each for each in holds.vulnerabilities if platform.platform in holders[each.identity, each.installed]
        ]
        standing, excused = excuse(held, options.statements, about(name, told, platform))
        versions = {(each.found.identity, each.found.installed) for each in excused}
        left |= {each.identity for each in standing if (each.identity, each.installed) not in versions}
        said |= {each.found.identity: words(each.statement) for each in excused}
    return {identity: word for identity, word in said.items() if identity not in left}


def _holders(
    told: ToldImage, platforms: Sequence[ToldPlatform]
) -> Mapping[tuple[VulnerabilityKey, str], Collection[str]]:
    """On which of these platforms each vulnerability of each version is: where the kept data found it, and where a
    scanner did, which may not say of which platform its report is."""
    found: dict[tuple[VulnerabilityKey, str], set[str]] = defaultdict(set)
    for each in platforms:
        for one in each.found:
            found[one.identity, one.installed].add(each.platform)
    everywhere = {each.platform for each in platforms}
    for kept in told.reports:
        report = kept.scan.report
        named = {each.platform for each in platforms if each.digests & report.names} or everywhere
        for one in report.vulnerabilities:
            found[one.identity, one.installed] |= named
    return found


@dataclass(frozen=True, slots=True)
class Gating:
    """The gate as rebuilds meet it; what it says is kept with the images."""

    store: GateStore
    options: GateOptions
    clock: Clock
    vex: VexPort | None = None

    @property
    def wait(self) -> timedelta:
        return self.options.wait

    async def gated(self, images: Sequence[ProducedImage]) -> Gated | None:
        """What the gate says of these images as they were seen last, the worst; None where nothing is asked.

        Raises `Failure` where a registry does not say whether something beside an image excuses what holds it back.
        """
        if not self.options.is_on:
            return None
        now = self.clock.now()
        judged = await judge_images(self.store, images, self.options, now, adopts=False, vex=self.vex)
        for each in judged.values():
            if each.unasked is not None and each.unasked.trouble.is_passing:
                raise each.unasked
        for image, each in judged.items():
            if each.told is not None:
                await self.store.keep_gated(image, each.told, each.gated)
        return worst_gated([each.gated for each in judged.values() if each.gated is not None])

    def unseen(self, images: Sequence[ProducedImage], why: str) -> Gated | None:
        """What it says where their new images were not seen, or none is known."""
        names = [image.claim.name for image in images] or [""]
        rules = [rule for name in names if (rule := self.options.rule_for(name)) is not None]
        return worst_gated([Gated(each.rule.mode, GateOutcome.UNKNOWN, gaps=(why,)) for each in rules])


class NoGate:
    """Where nothing is asked of any image."""

    wait = timedelta()

    async def gated(self, images: Sequence[ProducedImage]) -> Gated | None:
        """Returns None without looking."""
        return None

    def unseen(self, images: Sequence[ProducedImage], why: str) -> Gated | None:
        """Returns None as well."""
        return None


def unseen_before(told: ToldImage) -> frozenset[VulnerabilityKey]:
    """What scanners alone found that have not reported of the image before.

    The kept data is compared with the packages of both images, so what it tells of one it would tell of the other.
    """
    by_data = {one.identity for each in told.now for one in each.found}
    had_looked = _looked(told.reports_before)
    comparable = _identities(each for each in told.reports if each.scan.report.scanner in had_looked)
    return _identities(told.reports) - comparable - by_data


def with_unchanged(before: ImageVulnerabilities, told: ToldImage) -> ImageVulnerabilities:
    """What the image before had, with what scanners find now in packages that it held in the same version.

    A vulnerability that became known since is no new one.
    """
    if not told.reports:
        return before
    held = {(one.name, one.version) for each in told.before or () for one in each.packages or ()}
    found = (one for each in told.reports for one in each.scan.report.vulnerabilities)
    unchanged = tuple(one for one in found if (one.package, one.installed) in held)
    return replace(before, vulnerabilities=(*before.vulnerabilities, *unchanged))


def suppressed_in(told: ToldImage, rule: GateRule, image: GatedImage) -> tuple[Excused, ...]:
    """What scanners were told to leave out that would block, and that nobody else has found."""
    words = {each.found: each.why for one in told.reports for each in one.scan.report.suppressed}
    had = image.before.vulnerabilities if image.before is not None and rule.counts is Counts.NEW else ()
    known = [each for each in had if each.identity not in image.owed]
    new = blocking(words, rule.policy, (*known, *image.now.vulnerabilities))
    return tuple(Excused(each, words[each]) for each in new)


def _looked(reports: Sequence[KeptReport]) -> Collection[str]:
    return {each.scan.report.scanner for each in reports if each.scan.report.has_looked}


def _identities(reports: Iterable[KeptReport]) -> frozenset[VulnerabilityKey]:
    return frozenset(one.identity for each in reports for one in each.scan.report.vulnerabilities)
