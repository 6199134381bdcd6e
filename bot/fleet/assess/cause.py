"""The one word for what differs between two observations of a base."""

from bot.domain.bases.change import Cause
from bot.domain.bases.difference import Difference
from bot.upstream.dotnet.releases import Fixes


def cause_of(move: Difference, fixes: Fixes) -> Cause:
    """The one word for it, by the design's order: a version wins over the OS, the OS over other layers.

    Where layers are recorded on one side only, the OS layer counts as changed: a rebuild too many is cheaper than
    one too few. Where one side records no platforms at all, the image counts as changed for the same reason.
    """
    if move.withdrawn:
        return Cause.WITHDRAWN
    if move.returned:
        return Cause.RETURNED
    if move.rolled_back:
        return Cause.ROLLBACK
    if move.channel_moved:
        return Cause.CHANNEL_MOVE
    if move.version_moved:
        return dotnet_cause(fixes)
    if move.os_moves:
        return Cause.OS_MOVE
    if move.os_layers:
        return Cause.OS_UPDATE
    if move.changed or (not move.common and not (move.added and move.dropped)):
        return Cause.LAYERS_ONLY
    return Cause.INDEX_ONLY


def dotnet_cause(fixes: Fixes) -> Cause:
    """A known CVE between the two versions makes it a security fix, even while the newest version is not listed.

    It is known as soon as any source tells of it. Where the feed does not say whether a release fixes something,
    nobody takes that for "nothing".
    """
    if fixes.cves or fixes.flagged:
        return Cause.DOTNET_SECURITY
    return Cause.DOTNET_RELEASE if fixes.listed and not fixes.unsaid else Cause.DOTNET_UNKNOWN
