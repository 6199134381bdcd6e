"""What cannot be told from a version, and need not be: what was accepted, is excused, or is not new."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.packages.cves.detected import DetectedVulnerability, VulnerabilityKey
from bot.domain.packages.gate import Counts, Excused, GateRule
from bot.domain.platform import platform_of
from bot.fleet.verify.gating.ports import GateOptions, ToldImage
from bot.images.scanners.report import Report
from bot.images.told_platforms import ToldPlatform
from bot.images.vex.excusing import excuse
from bot.images.vex.statements import VexStatement


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The platforms of an image with what is left to be told, and what somebody's word takes away of that."""

    left: tuple[ToldPlatform, ...]
    excused: tuple[Excused, ...] = ()


def settle_uncertain(name: str, told: ToldImage, rule: GateRule, options: GateOptions, now: datetime) -> Uncertain:
    """Takes away what would not block if it were there, so that it holds nothing back.

    What could be told no better of the image before is not new, unless that was let through by a word alone.
    """
    before = told.before or () if rule.counts is Counts.NEW else ()
    had = {one.identity for each in before for one in each.found}
    no_better = {(one.identity, one.installed) for each in before for one in each.uncertain}
    excused: dict[VulnerabilityKey, Excused] = {}

    def still(each: ToldPlatform) -> Iterator[DetectedVulnerability]:
        _, taken = excuse(each.uncertain, options.statements, about(name, told, each))
        said = {(one.found.identity, one.found.installed): words(one.statement) for one in taken}
        for one in filter(rule.policy.blocks, each.uncertain):
            is_known = one.identity in had or (one.identity, one.installed) in no_better
            if is_known and one.identity not in told.owed:
                continue
            accepting = next((entry for entry in options.exceptions if entry.accepts(one, name, now)), None)
            word = accepting.told if accepting is not None else said.get((one.identity, one.installed))
            if word is None:
                yield one
            else:
                excused[one.identity] = Excused(one, word)

    left = tuple(replace(each, uncertain=tuple(still(each))) if each.uncertain else each for each in told.now)
    return Uncertain(left, tuple(excused.values()))


def about(name: str, told: ToldImage, platform: ToldPlatform) -> Report:
    """One platform of the image as statements may name it; what is said of another one is none of its."""
    digests = platform.digests | {told.digest} if platform.digests else told.digests
    return Report((), image_name=name, image_digests=digests, platform=platform_of(platform.platform))


def words(statement: VexStatement) -> str:
    """What a statement says, and whose it is."""
    return f"{statement.status.replace('_', ' ')}, says {statement.author or 'an unnamed author'}"
