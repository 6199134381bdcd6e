"""What cannot be told from a version, and need not be: what was accepted, is excused, or is not new."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.packages.cves.detected import DetectedVulnerability, VulnerabilityKey
from bot.domain.packages.gate import Counts, Excused, GateRule
from bot.domain.platform import platform_of
from bot.fleet.verify.gating.ports import GateOptions, ToldImage
from bot.images.scanners.report import Report
from bot.images.vex.excusing import excuse
from bot.images.vex.statements import VexStatement
from bot.images.vulnerabilities import ToldPlatform


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The platforms of an image with what is left to be told, and what somebody's word takes away of that."""

    platforms: tuple[ToldPlatform, ...]
    excused: tuple[Excused, ...] = ()


def settle_uncertain(name: str, facts: ToldImage, rule: GateRule, options: GateOptions, now: datetime) -> Uncertain:
    """Takes away what would not block if it were there, so that it holds nothing back.

    What could be told no better of the image before is not new, unless that was let through by a word alone.
    """
    before = facts.before or () if rule.counts is Counts.NEW else ()
    had = {vulnerability.identity for each in before for vulnerability in each.found}
    no_better = {
        (vulnerability.identity, vulnerability.installed)
        for platform in before
        for vulnerability in platform.uncertain
    }
    excused_by_key: dict[VulnerabilityKey, Excused] = {}

    def unsettled(platform: ToldPlatform) -> Iterator[DetectedVulnerability]:
        _, excuses = excuse(platform.uncertain, options.statements, about(name, facts, platform))
        words_by_version = {
            (vulnerability.found.identity, vulnerability.found.installed): words(vulnerability.statement)
            for vulnerability in excuses
        }
        for vulnerability in filter(rule.policy.blocks, platform.uncertain):
            is_known = (
                vulnerability.identity in had or (vulnerability.identity, vulnerability.installed) in no_better
            )
            if is_known and vulnerability.identity not in facts.owed:
                continue
            accepting = next(
                (entry for entry in options.exceptions if entry.accepts(vulnerability, name, now)), None
            )
            word = (
                accepting.told
                if accepting is not None
                else words_by_version.get((vulnerability.identity, vulnerability.installed))
            )
            if word is None:
                yield vulnerability
            else:
                excused_by_key[vulnerability.identity] = Excused(vulnerability, word)

    platforms = tuple(
        replace(each, uncertain=tuple(unsettled(each))) if each.uncertain else each for each in facts.now
    )
    return Uncertain(platforms, tuple(excused_by_key.values()))


def about(name: str, facts: ToldImage, platform: ToldPlatform) -> Report:
    """One platform of the image as statements may name it; what is said of another one is none of its."""
    digests = platform.digests | {facts.digest} if platform.digests else facts.digests
    return Report((), image_name=name, image_digests=digests, platform=platform_of(platform.platform))


def words(statement: VexStatement) -> str:
    """Words what a statement says, and whose it is."""
    return f"{statement.status.replace('_', ' ')}, says {statement.author or 'an unnamed author'}"
