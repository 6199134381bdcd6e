"""What of an image can be compared with the one before: only what was looked for in both."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from bot.domain.packages.cves.detected import VulnerabilityKey, blocking
from bot.domain.packages.gate import Counts, Excused, GatedImage, GateRule, ImageVulnerabilities
from bot.fleet.verify.gating.ports import ToldImage
from bot.images.scan_reports import KeptReport


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
    return replace(before, found=(*before.found, *unchanged))


def suppressed_in(told: ToldImage, rule: GateRule, image: GatedImage) -> tuple[Excused, ...]:
    """What scanners were told to leave out that would block, and that nobody else has found."""
    words = {each.found: each.why for one in told.reports for each in one.scan.report.suppressed}
    had = image.before.found if image.before is not None and rule.counts is Counts.NEW else ()
    known = [each for each in had if each.identity not in image.owed]
    new = blocking(words, rule.policy, (*known, *image.now.found))
    return tuple(Excused(each, words[each]) for each in new)


def _looked(reports: Sequence[KeptReport]) -> Collection[str]:
    return {each.scan.report.scanner for each in reports if each.scan.report.has_looked}


def _identities(reports: Iterable[KeptReport]) -> frozenset[VulnerabilityKey]:
    return frozenset(one.identity for each in reports for one in each.scan.report.vulnerabilities)
