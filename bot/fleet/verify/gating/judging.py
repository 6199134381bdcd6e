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
    MatchedRule,
    judge_by_rule,
    worst_gated,
)
from bot.domain.platform import platform_of
from bot.fleet.verify.gating.ports import GateOptions, GateStore, ToldImage, VexPort
from bot.fleet.verify.gating.uncertain import about, settle_uncertain, words
from bot.images.scan_reports import KeptReport
from bot.images.vex.excusing import excuse
from bot.images.vex.statements import heeded
from bot.images.vulnerabilities import (
    KeptData,
    ToldPlatform,
    Yardstick,
    vulnerabilities_of,
    with_damaged,
    with_reports,
)

_BEFORE_IS_UNREAD = "what the image before holds is not read yet, so it cannot be told what is new"

_ARTIFACTS_ARE_UNREAD = "the artifacts of the run that has built it are not looked through for reports yet"


@dataclass(frozen=True, slots=True)
class ImageAtGate:
    """What was told of an image, and what the gate says to that; both None where nothing is asked of it."""

    facts: ToldImage | None = None
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
    at_gate: dict[int, ImageAtGate] = {each.id: ImageAtGate() for each in images}
    if not rules:
        return at_gate
    facts_by_id = await store.told_images(rules)
    judging = _Judging(rules, options, await store.kept_data(), now)
    for image in images:
        facts = facts_by_id.get(image.id)
        if facts is None or image.id not in rules:
            continue
        if adopts and facts.is_first:
            facts = replace(facts, before=facts.now, reports_before=facts.reports)
        at_gate[image.id] = ImageAtGate(facts, judging.gated(image, facts))
    return at_gate if vex is None else at_gate | await _judge_with_signed(vex, images, at_gate, judging)


async def _judge_with_signed(
    vex: VexPort, images: Sequence[ProducedImage], at_gate: Mapping[int, ImageAtGate], judging: "_Judging"
) -> dict[int, ImageAtGate]:
    """Those that a statement may excuse, once what is signed beside them was read."""
    excusable = {
        image.id: (image, facts, gated)
        for image in images
        if (facts := at_gate[image.id].facts) is not None
        and (gated := at_gate[image.id].gated) is not None
        and judging.may_be_excused(image, facts, gated)
    }
    if not excusable:
        return {}
    judged_images: dict[int, ImageAtGate] = {}
    statements_by_id = await vex.signed_statements(
        [(image, facts.digests) for image, facts, _ in excusable.values()]
    )
    for number, statements in statements_by_id.items():
        image, facts, gated = excusable[number]
        if isinstance(statements, Failure):
            judged_images[number] = ImageAtGate(
                facts, _hold_untold(gated, statements), statements, may_be_excused=True
            )
            continue
        if heeded_statements := heeded(statements, judging.now):
            options = replace(judging.options, statements=(*judging.options.statements, *heeded_statements))
            gated = replace(judging, options=options).gated(image, facts)
        may_be_excused = gated.outcome is not GateOutcome.PASSED
        until = min((each.judged_until for each in statements if each.judged_until is not None), default=None)
        judged_images[number] = ImageAtGate(facts, gated, may_be_excused=may_be_excused, until=until)
    return judged_images


@dataclass(frozen=True, slots=True)
class _Judging:
    """By what all images that are judged together are judged."""

    rules: Mapping[int, MatchedRule]
    options: GateOptions
    data: KeptData
    now: datetime

    def may_be_excused(self, image: ProducedImage, facts: ToldImage, gated: Gated) -> bool:
        """Whether a statement may take away what holds an image back: a vulnerability, one that cannot be told from
        a version, or one that nobody rated. While more is about to be known of the image, that is waited for."""
        if gated.outcome is GateOutcome.BLOCKED:
            return True
        if gated.outcome is not GateOutcome.UNKNOWN or gated.is_pending:
            return False
        if gated.undecided:
            return True
        rule = self.rules[image.id].rule
        uncertain = settle_uncertain(image.claim.name, facts, rule, self.options, self.now)
        return any(each.uncertain for each in uncertain.platforms)

    def gated(self, image: ProducedImage, facts: ToldImage) -> Gated:
        matched, name, options = self.rules[image.id], image.claim.name, self.options
        before = facts.before or () if matched.rule.counts is Counts.NEW and self.data.unread else ()
        had = frozenset((package.name, package.version) for each in before for package in each.packages or ())
        by = Yardstick(options.platforms, matched.rule.policy, options.max_age, self.now, had)

        def contents(platforms: Sequence[ToldPlatform], reports: Sequence[KeptReport]) -> ImageVulnerabilities:
            vulnerabilities = vulnerabilities_of(platforms, self.data, by)
            return with_reports(vulnerabilities, reports, matched.report, by)

        uncertain = settle_uncertain(name, facts, matched.rule, options, self.now)
        holds = with_damaged(contents(uncertain.platforms, facts.reports), facts.damaged)
        if options.reads_artifacts and facts.has_unread_artifacts:
            holds = replace(holds, gaps=(*holds.gaps, _ARTIFACTS_ARE_UNREAD), is_pending=True)
        compared = None if facts.before is None else contents(facts.before, facts.reports_before)
        excuses = _excused_vulnerabilities(name, facts, holds, options)
        unchanged = compared and with_unchanged(compared, facts)
        gated_image = GatedImage(name, holds, unchanged, facts.owed, unseen_before(facts))
        gated = judge_by_rule(gated_image, matched.rule, options.exceptions, self.now, excuses)
        suppressed = suppressed_in(facts, matched.rule, gated_image)
        gated = replace(gated, excused=(*gated.excused, *uncertain.excused, *suppressed))
        is_unread = compared is not None and compared.is_pending and matched.rule.counts is Counts.NEW
        if gated.outcome is GateOutcome.BLOCKED and is_unread and facts.before != facts.now:
            gaps = (_BEFORE_IS_UNREAD, *gated.gaps)
            return replace(gated, outcome=GateOutcome.UNKNOWN, gaps=gaps, is_pending=True)
        return gated


def _hold_untold(gated: Gated, failure: Failure) -> Gated:
    """What cannot be told to be excused is held back, and soon judged again."""
    gap = f"whether a VEX document beside it excuses that cannot be told: {failure.told}"
    return replace(gated, gaps=(*gated.gaps, gap), is_pending=True)


def _excused_vulnerabilities(
    name: str, facts: ToldImage, holds: ImageVulnerabilities, options: GateOptions
) -> Mapping[VulnerabilityKey, str]:
    """The vulnerabilities that statements take away of every version that is held, on each platform that holds it,
    and in whose words."""
    if not options.statements:
        return {}
    judged_platforms = [each for each in facts.now if platform_of(each.platform) in options.platforms]
    platforms = judged_platforms or list(facts.now) or [ToldPlatform("")]
    holders = _holders(facts, platforms)
    words_by_key: dict[VulnerabilityKey, str] = {}
    unexcused: set[VulnerabilityKey] = set()
    for platform in platforms:
        vulnerabilities = [
            vulnerability
            for vulnerability in holds.vulnerabilities
            if platform.platform in holders[vulnerability.identity, vulnerability.installed]
        ]
        standing, excuses = excuse(vulnerabilities, options.statements, about(name, facts, platform))
        versions = {(each.found.identity, each.found.installed) for each in excuses}
        unexcused |= {each.identity for each in standing if (each.identity, each.installed) not in versions}
        words_by_key |= {each.found.identity: words(each.statement) for each in excuses}
    return {identity: word for identity, word in words_by_key.items() if identity not in unexcused}


def _holders(
    facts: ToldImage, platforms: Sequence[ToldPlatform]
) -> Mapping[tuple[VulnerabilityKey, str], Collection[str]]:
    """On which of these platforms each vulnerability of each version is: where the kept data found it, and where a
    scanner did, which may not say of which platform its report is."""
    platforms_by_version: dict[tuple[VulnerabilityKey, str], set[str]] = defaultdict(set)
    for platform in platforms:
        for vulnerability in platform.found:
            platforms_by_version[vulnerability.identity, vulnerability.installed].add(platform.platform)
    everywhere = {each.platform for each in platforms}
    for kept_report in facts.reports:
        report = kept_report.scan.report
        platform_names = {each.platform for each in platforms if each.digests & report.names} or everywhere
        for vulnerability in report.vulnerabilities:
            platforms_by_version[vulnerability.identity, vulnerability.installed] |= platform_names
    return platforms_by_version


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
        judged_images = await judge_images(self.store, images, self.options, now, adopts=False, vex=self.vex)
        for each in judged_images.values():
            if each.unasked is not None and each.unasked.trouble.is_passing:
                raise each.unasked
        for image, at_gate in judged_images.items():
            if at_gate.facts is not None:
                await self.store.keep_gated(image, at_gate.facts, at_gate.gated)
        return worst_gated([each.gated for each in judged_images.values() if each.gated is not None])

    def unseen(self, images: Sequence[ProducedImage], reason: str) -> Gated | None:
        """What it says where their new images were not seen, or none is known."""
        names = [image.claim.name for image in images] or [""]
        rules = [rule for name in names if (rule := self.options.rule_for(name)) is not None]
        return worst_gated([Gated(each.rule.mode, GateOutcome.UNKNOWN, gaps=(reason,)) for each in rules])


class NoGate:
    """Lets every image through, where no rule asks for anything."""

    wait = timedelta()

    async def gated(self, images: Sequence[ProducedImage]) -> Gated | None:
        """Returns None without looking."""
        return None

    def unseen(self, images: Sequence[ProducedImage], reason: str) -> Gated | None:
        """Returns None as well."""
        return None


def unseen_before(facts: ToldImage) -> frozenset[VulnerabilityKey]:
    """What scanners alone found that have not reported of the image before.

    The kept data is compared with the packages of both images, so what it tells of one it would tell of the other.
    """
    by_data = {vulnerability.identity for each in facts.now for vulnerability in each.found}
    had_looked = _scanners_that_looked(facts.reports_before)
    comparable = _identities(each for each in facts.reports if each.scan.report.scanner in had_looked)
    return _identities(facts.reports) - comparable - by_data


def with_unchanged(before: ImageVulnerabilities, facts: ToldImage) -> ImageVulnerabilities:
    """What the image before had, with what scanners find now in packages that it held in the same version.

    A vulnerability that became known since is no new one.
    """
    if not facts.reports:
        return before
    versions = {(package.name, package.version) for each in facts.before or () for package in each.packages or ()}
    vulnerabilities = (
        vulnerability for each in facts.reports for vulnerability in each.scan.report.vulnerabilities
    )
    unchanged = tuple(each for each in vulnerabilities if (each.package, each.installed) in versions)
    return replace(before, vulnerabilities=(*before.vulnerabilities, *unchanged))


def suppressed_in(facts: ToldImage, rule: GateRule, image: GatedImage) -> tuple[Excused, ...]:
    """What scanners were told to leave out that would block, and that nobody else has found."""
    words = {each.found: each.why for kept_report in facts.reports for each in kept_report.scan.report.suppressed}
    had = image.before.vulnerabilities if image.before is not None and rule.counts is Counts.NEW else ()
    vulnerabilities_before = [each for each in had if each.identity not in image.owed]
    new = blocking(words, rule.policy, (*vulnerabilities_before, *image.now.vulnerabilities))
    return tuple(Excused(each, words[each]) for each in new)


def _scanners_that_looked(reports: Sequence[KeptReport]) -> Collection[str]:
    return {each.scan.report.scanner for each in reports if each.scan.report.has_looked}


def _identities(reports: Iterable[KeptReport]) -> frozenset[VulnerabilityKey]:
    return frozenset(
        vulnerability.identity for report in reports for vulnerability in report.scan.report.vulnerabilities
    )
