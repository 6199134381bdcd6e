"""Whose data of vulnerabilities was read for the images of the fleet, and whose was not and why."""

from collections.abc import Collection

from bot.domain.packages.cves.publication import CvePublication
from bot.domain.packages.cves.vulnerability import Ecosystem
from bot.domain.wording.escaping import code
from bot.upstream.osv.addresses import PUBLICATIONS
from bot.upstream.osv.record import WantedPackages


def cve_sources(asked_for: Collection[CvePublication], wanted: WantedPackages) -> tuple[str, ...]:
    """Says it in a line for each answer, as Markdown; `asked_for` are the sources that the settings name."""
    if not wanted.names:
        return ("no package of an image is known, so that nothing is read of any",)
    needed = {publication.ecosystem for publication in CvePublication if wanted.are_told_by(publication)}
    asked = {publication.ecosystem for publication in asked_for}
    lines = []
    if read := _named(needed & asked):
        lines.append(f"read: {', '.join(read)}")
    if lacking := _named(needed - asked):
        setting = ", ".join(f"{_key(Ecosystem(name))}: true" for name in lacking)
        how = code(f"vulnerabilities: {{{setting}}}")
        lines.append(f"**not read, though images have packages of it**: {', '.join(lacking)}; {how} has it read")
    if others := _named(set(Ecosystem) - needed):
        lines.append(f"not read, since no image has packages of it: {', '.join(others)}")
    return tuple(lines)


def _named(ecosystems: Collection[Ecosystem]) -> list[str]:
    return [each.value for each in Ecosystem if each in ecosystems]


def _key(ecosystem: Ecosystem) -> str:
    """The setting that has all of its sources read."""
    return next(key for key, publication in PUBLICATIONS.items() if publication.value == ecosystem.value)
