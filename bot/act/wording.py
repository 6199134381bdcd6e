"""What a reviewer reads: title, body and commit message of a pull request."""

from collections.abc import Sequence

from bot.act.ports import Job
from bot.domain.change import Cause, Change
from bot.domain.escaping import code, markdown
from bot.domain.reference import Base

_LONGEST_BODY = 60_000
"""GitHub refuses bodies over 65,536 characters."""
_MOST_CVES = 40

_CAUSES = {
    Cause.DOTNET_SECURITY: ".NET security release",
    Cause.DOTNET_RELEASE: ".NET release without security fixes",
    Cause.DOTNET_UNKNOWN: "a .NET version that no release feed lists yet",
    Cause.OS_UPDATE: "update of the operating system layer",
    Cause.OS_MOVE: "the tag moved to another distribution",
    Cause.CHANNEL_MOVE: "the tag moved to another .NET channel",
    Cause.LAYERS_ONLY: "rebuilt upper layers, same .NET version and same operating system layer",
}
MARK = "<!-- freshness-bot rebuild"
TRAILER = "Freshness-Base"


def cause_in_words(cause: Cause) -> str:
    return _CAUSES.get(cause, str(cause))


def title(job: Job) -> str:
    """`Refresh aspnet:10.0 to .NET 10.0.5 (2 CVEs)`; never longer than a line of a listing."""
    names = [target.base.short for target in job.rebuild.targets]
    shown = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    versions = sorted({change.to_version for change in job.changes if change.to_version and _moved(change)})
    to = f" to .NET {versions[-1]}" if versions else ""
    cves = _cves(job.changes)
    fixes = f" ({len(cves)} CVE{'s' if len(cves) != 1 else ''})" if cves else ""
    return f"Refresh {shown}{to}{fixes}"


def commit_message(job: Job) -> str:
    """The trailers let a later attempt tell its own commits from people's."""
    trailers = "\n".join(f"{TRAILER}: {target.base}@{target.to_digest}" for target in job.rebuild.targets)
    return f"{title(job)}\n\n{_sentence(job.changes)}\n\n{trailers}\n"


def body(job: Job, refused: Sequence[str] = ()) -> str:
    """The same inputs always give the same text, so an unchanged pull request is left alone."""
    parts = [
        _sentence(job.changes),
        _table(job),
        _fixes(job.changes),
        _files(job),
        "\n".join(f"- {markdown(line)}" for line in refused) and _refusals(refused),
        _how_to(job),
        f"{MARK} {','.join(target.to_digest for target in job.rebuild.targets)} -->",
    ]
    return "\n\n".join(part for part in parts if part)[:_LONGEST_BODY]


def _sentence(changes: Sequence[Change]) -> str:
    lines = []
    for cause in dict.fromkeys(change.cause for change in changes):
        of_cause = [change for change in changes if change.cause is cause]
        names = ", ".join(dict.fromkeys(code(change.base.short) for change in of_cause))
        verb = "moves" if len({change.base for change in of_cause}) == 1 else "move"
        lines.append(f"{names} {verb} under the same tag: {cause_in_words(cause)}.")
    return " ".join(lines)


def _table(job: Job) -> str:
    rows = ["| base | .NET | old digest | new digest | cause |", "|---|---|---|---|---|"]
    for target in job.rebuild.targets:
        steps = [change for change in job.changes if change.base == target.base]
        causes = ", ".join(dict.fromkeys(change.cause for change in steps))
        rows.append(
            f"| {code(str(target.base))} | {_versions(steps)} | {_digest(target.from_digest)} "
            f"| {_digest(target.to_digest)} | {causes} |"
        )
    return "\n".join(rows)


def _versions(steps: Sequence[Change]) -> str:
    """From the version before the first step to that after the last."""
    before, after = (steps[0].from_version, steps[-1].to_version) if steps else (None, None)
    return f"{before} → {after}" if before and after and before != after else after or ""


def _moved(change: Change) -> bool:
    return change.from_version is not None and change.from_version != change.to_version


def _digest(digest: str | None) -> str:
    return code(digest) if digest else "none"


def _cves(changes: Sequence[Change]) -> list[str]:
    return sorted({cve for change in changes for cve in change.cves})


def _fixes(changes: Sequence[Change]) -> str:
    cves = _cves(changes)
    if not cves:
        return ""
    severities = [change.severity for change in changes if change.severity is not None]
    worst = max(severities, key=lambda severity: severity.rank, default=None)
    rating = f", rated up to {worst}" if worst else ""
    links = ", ".join(f"[{cve}](https://www.cve.org/CVERecord?id={cve})" for cve in cves[:_MOST_CVES])
    more = f" and {len(cves) - _MOST_CVES} more" if len(cves) > _MOST_CVES else ""
    return f"**Fixes {len(cves)} CVE{'s' if len(cves) != 1 else ''}{rating}:** {links}{more}"


def _files(job: Job) -> str:
    return f"Files: {', '.join(code(path) for path in job.paths)}" if job.paths else ""


def _refusals(lines: Sequence[str]) -> str:
    listed = "\n".join(f"- {markdown(line)}" for line in lines)
    return f"Not changed, please look:\n\n{listed}"


def _how_to(job: Job) -> str:
    bases = " and ".join(
        dict.fromkeys(code(f"docker pull {_pulled(target.base)}") for target in job.rebuild.targets)
    )
    marker = any(item.marker for item in job.rebuild.replacements)
    why = (
        "The tag already points to the new image, so only a comment line records the digest: merging it starts "
        "a build. "
        if marker
        else ""
    )
    return (
        f"{why}To rebuild without merging: {bases}, then build with `docker build --pull --no-cache`. "
        "Closing this pull request tells the bot to leave these digests alone."
    )


def _pulled(base: Base) -> str:
    return str(base)
