"""Which .NET versions changes lead to, in words."""

from collections.abc import Iterable

from bot.domain.bases.change import Change
from bot.domain.tags.choice import is_newer
from bot.domain.tags.tag import Tag


def versions_reached(changes: Iterable[Change]) -> str:
    """`.NET 10.0.10`, or `.NET 8.0.21, 10.0.10`: the newest of each channel; SDK versions only where there are no
    others. Empty where no version moved.
    """
    moved = [change for change in changes if change.to_version and change.from_version != change.to_version]
    runtimes = [change for change in moved if not change.base.is_sdk]
    newest: dict[tuple[int, ...], str] = {}
    for change in runtimes or moved:
        version = change.to_version or ""
        channel = Tag.parse(version).parts[:2]
        if channel not in newest or is_newer(newest[channel], version):
            newest[channel] = version
    product = ".NET" if runtimes else ".NET SDK"
    return f"{product} {', '.join(newest[channel] for channel in sorted(newest))}" if newest else ""
