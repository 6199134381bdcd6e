"""One sentence for people about a change: what moved, in figures."""

from collections.abc import Sequence

from bot.domain.bases.change import TOLD_BY_FEEDS, Cause, Change
from bot.domain.bases.observation import Difference, OsMove
from bot.domain.feeds.advisory import Severity
from bot.domain.wording.words import counted, first_few
from bot.upstream.dotnet.releases import FEED, Fixes, family_name


def describe(change: Change) -> str:
    """For a history: the base's short name and what moved, `aspnet:8.0: .NET 8.0.10 → 8.0.11 fixes 3 CVEs`."""
    return f"{change.base.short}: {change.detail or _without_detail(change)}"


def sentence(cause: Cause, move: Difference, family: str, fixes: Fixes, severity: Severity | None = None) -> str:
    """Words a change for `Change.detail`, without the name of the base and without a full stop."""
    text = _move_in_words(cause, move, family, fixes, severity)
    is_said = cause is Cause.INDEX_ONLY or not move.dropped
    return text if is_said else f"{text}; dropped {', '.join(move.dropped)}"


def _move_in_words(cause: Cause, move: Difference, family: str, fixes: Fixes, severity: Severity | None) -> str:
    if cause is Cause.WITHDRAWN:
        return "withdrawn from the published inventory; the tag still resolves but moves no more"
    if cause is Cause.RETURNED:
        return "back in the published inventory, with the digest that it had before"
    if cause is Cause.CHANNEL_MOVE:
        return f"moved to another channel: {versions(family, move.from_version, move.to_version)}"
    if cause in TOLD_BY_FEEDS:
        text = dotnet_sentence(cause, family, (move.from_version, move.to_version), fixes, severity)
        return f"{text}; now on {_new_systems_in_words(move.os_moves)}" if move.os_moves else text
    if cause is Cause.OS_MOVE:
        return f"the distribution changed: {_os_moves(move.os_moves)} ({_platforms(move.changed)})"
    if cause is Cause.OS_UPDATE:
        if move.layers_unrecorded:
            return f"the image was rebuilt, perhaps with its OS layer ({_platforms(move.os_layers)})"
        return f"the OS layer changed ({_platforms(move.os_layers)})"
    if cause is Cause.LAYERS_ONLY:
        return _layers_only(move)
    return _index_only(move)


def dotnet_sentence(
    cause: Cause,
    family: str,
    moved: tuple[str | None, str | None],
    fixes: Fixes,
    severity: Severity | None,
    taken_back: Sequence[str] = (),
) -> str:
    """Words the part that changes when a feed catches up, or takes back versions and CVEs that it named."""
    text = versions(family, *moved) + _fixes_in_words(cause, fixes, severity)
    if not taken_back:
        return text
    return f"{text}, after {first_few(taken_back)} {'was' if len(taken_back) == 1 else 'were'} taken back"


def _fixes_in_words(cause: Cause, fixes: Fixes, severity: Severity | None) -> str:
    if cause is Cause.DOTNET_UNKNOWN:
        silent = fixes.listed and fixes.unsaid
        return f", of which {FEED} does not say what it fixes" if silent else ", which no feed lists yet"
    if cause is Cause.DOTNET_RELEASE:
        return ", a release without CVEs"
    if cause is Cause.ROLLBACK:
        lost = (
            f" and opens {counted(len(fixes.cves), 'CVE')} again{_severity_in_words(severity)}"
            if fixes.cves
            else ""
        )
        return f" goes back to an older version{lost}"
    if not fixes.cves:
        return ", a security release whose CVEs are not listed yet"
    remark = f", {fixes.remark}" if fixes.remark else ""
    return f" fixes {counted(len(fixes.cves), 'CVE')}{_severity_in_words(severity)}{remark}"


def _severity_in_words(severity: Severity | None) -> str:
    return f" (worst: {severity.told})" if severity else ""


def versions(family: str, before: str | None, after: str | None) -> str:
    product = ".NET SDK" if family == "sdk" else ".NET"
    return f"{product} {before or 'unknown'} → {after or 'unknown'}"


def _layers_only(move: Difference) -> str:
    if not move.changed:
        return "the digest changed; which platforms it holds is not recorded"
    platforms = _platforms(move.changed)
    if move.layers_unrecorded:
        return f"the image was rebuilt ({platforms}); which layers changed is not recorded"
    return f"only layers above the OS changed ({platforms})"


def _index_only(move: Difference) -> str:
    if move.added or move.dropped:
        parts = [f"added {_platforms(move.added)}"] if move.added else []
        parts += [f"dropped {_platforms(move.dropped)}"] if move.dropped else []
        return f"the index {' and '.join(parts)}; nothing else changed"
    return "only the index changed, no platform observed here"


def _os_moves(moves: tuple[OsMove, ...]) -> str:
    return ", ".join(dict.fromkeys(f"{move.before} → {move.after}" for move in moves))


def _new_systems_in_words(moves: tuple[OsMove, ...]) -> str:
    return ", ".join(dict.fromkeys(f"{move.after} instead of {move.before}" for move in moves))


def _platforms(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} platforms"


def _without_detail(change: Change) -> str:
    """Words a change that was stored without a sentence, from the figures that it keeps itself."""
    move = Difference(change.from_version, change.to_version, changed=change.platforms, os_layers=change.platforms)
    if change.cause is Cause.OS_MOVE:
        return f"the distribution changed ({_platforms(change.platforms)})"
    fixes = Fixes(listed=True, cves=change.reopens or change.cves)
    return sentence(change.cause, move, family_name(change.base), fixes, change.severity)
