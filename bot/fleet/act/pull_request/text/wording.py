"""What a reviewer reads: title, body and commit message of a pull request."""

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.bases.change import Cause, Change, ToldWay
from bot.domain.bases.followed_base import base_among
from bot.domain.feeds.advisory import public_record, worst
from bot.domain.repositories.usage import Replacement
from bot.domain.rollouts.marker import TRAILER, trailer
from bot.domain.rollouts.rebuild import Target
from bot.domain.rollouts.terms import Pin
from bot.domain.wording.escaping import code, markdown
from bot.domain.wording.moves import versions_reached, way_in_words
from bot.domain.wording.words import counted, first_few
from bot.fleet.act.ports import Job
from bot.fleet.act.pull_request.text.packages import cves_section, packages_section
from bot.fleet.act.pull_request.text.section import in_packages_part, shortened
from bot.views.names import short_digest

LONGEST_BODY = 60_000
"""Bytes that the bot writes; GitHub refuses bodies over 65,536."""
_LONGEST_TITLE = 120
_MOST_CVES = 40
_MOST_FILES = 30
_MOST_REFUSALS = 20

_CAUSES = {
    Cause.DOTNET_SECURITY: "a .NET security release",
    Cause.DOTNET_RELEASE: "a .NET release without security fixes",
    Cause.DOTNET_UNKNOWN: "a .NET version that no release feed lists yet",
    Cause.OS_UPDATE: "an update of the operating system layer",
    Cause.OS_MOVE: "the tag moved to another distribution",
    Cause.CHANNEL_MOVE: "the tag moved to another .NET channel",
    Cause.ROLLBACK: "the tag went back to an older version",
    Cause.BASE_UPDATE: "a base image of our own was rebuilt",
    Cause.LAYERS_ONLY: "rebuilt upper layers, same .NET version and same operating system layer",
}
_MOST_LOOKED_UP = 20
_BY_ITSELF = (
    "It merges by itself once the required checks are green. Switching that off, or the label `freshness:hold`, "
    "keeps it open."
)
_BY_HAND = "**Merge this once its checks are green:** merging it starts a build."
_MARKED = "The tag already points to the new image, so the change is a comment line that records its digest."


def cause_in_words(cause: Cause) -> str:
    return _CAUSES.get(cause, str(cause))


def title(job: Job) -> str:
    """`Refresh aspnet:10.0 to .NET 10.0.5 (2 CVEs)`; never longer than a line of a listing."""
    names = [target.base.short for target in job.rebuild.targets]
    subject = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    reached = versions_reached(job.changes)
    to = f" to {reached}" if reached else ""
    cves = _cves(job.changes)
    fixes = f" ({counted(len(cves), 'CVE')})" if cves else ""
    return _in_one_line(f"Refresh {subject}{to}{fixes}")


def _in_one_line(text: str) -> str:
    return text if len(text) <= _LONGEST_TITLE else f"{text[: _LONGEST_TITLE - 1]}…"


def commit_message(job: Job, *, replaceable: bool = True) -> str:
    """`replaceable` commits stand on the default branch alone: a later attempt may put another in their place."""
    trailers = "\n".join(sorted(trailers_for(job)))
    return f"{_headline(job)}\n\n{_sentence(job)}\n" + (f"\n{trailers}\n" if replaceable else "")


def _headline(job: Job) -> str:
    """The first line of a commit: the operator's, else the title."""
    template = job.terms.commit_message
    return title(job) if template is None else _in_one_line(template.replace("{bases}", _bases(job)))


def trailers_for(job: Job) -> frozenset[str]:
    """The lines by which a commit of the bot is known as the one for these digests."""
    return frozenset(trailer(target.base, target.to_digest) for target in job.rebuild.targets)


def trailers_in(message: str) -> frozenset[str]:
    """Those of a commit; empty for one that is not the bot's, or that holds more than its own."""
    return frozenset(line for line in message.splitlines() if line.startswith(TRAILER))


def what_moved(job: Job) -> str:
    """`aspnet:10.0, sdk:10.0 moved`; of a rebuild that no change has set off, that its build grows old."""
    if not any(target.changes or target.from_digest for target in job.rebuild.targets):
        return "its last build grows too old"
    return f"{_bases(job)} moved"


def _bases(job: Job) -> str:
    return ", ".join(dict.fromkeys(target.base.short for target in job.rebuild.targets))


def body(job: Job, refusals: Sequence[str] = (), *, merges: bool = False, packages_told: str = "") -> str:
    """Words what the bot says in a pull request: of the same inputs the same, so that nothing is written anew.

    `merges` says that it does so by itself. `packages_told` is what it says of packages already, for where nothing
    is known of them now.
    """
    parts = [
        _quarantines(job),
        _sentence(job),
        _fixes(job.changes),
        _table(job),
        _what_to_do(job, merges=merges),
        in_packages_part(_packages(job) or packages_told),
        _files(job),
        _pins(job),
        _refusals(refusals),
        _looked_up(job),
    ]
    return shortened("\n\n".join(part for part in parts if part), LONGEST_BODY)


def _packages(job: Job) -> str:
    told_bases = {change.base for change in job.changes if change.cves}
    parts = packages_section(job.packages), cves_section(job.packages, told_bases)
    return "\n\n".join(part for part in parts if part)


def _quarantines(job: Job) -> str:
    lines = [
        f"> **Do not merge:** this digest of {code(base.short)} is quarantined, since {markdown(reason)}."
        for base, reason in sorted(job.quarantined.items())
    ]
    return "\n".join(["> [!CAUTION]", *lines, "> The bot says so here once that is over."]) if lines else ""


def _sentence(job: Job) -> str:
    lines = []
    for cause in dict.fromkeys(change.cause for change in job.seen_changes):
        of_cause = [change for change in job.seen_changes if change.cause is cause]
        names = ", ".join(dict.fromkeys(code(change.base.short) for change in of_cause))
        verb = "moves" if len({change.base for change in of_cause}) == 1 else "move"
        lines.append(f"{names} {verb} under the same tag: {cause_in_words(cause)}.")
    seen_bases = {change.base for change in job.seen_changes}
    lines += [_told_sentence(way, is_seen=base in seen_bases) for base, way in sorted(job.told_ways.items())]
    lines += [
        f"{code(target.base.short)} shows another image than the one that is named here, which is older than all "
        "that the bot has seen of it."
        for target in job.rebuild.targets
        if not target.changes
        and target.base not in job.told_ways
        and not any(change.base == target.base for change in job.changes)
    ]
    return " ".join(line for line in lines if line)


def _told_sentence(way: ToldWay, *, is_seen: bool) -> str:
    """Of what was left behind before the bot came: what releases tell of it since then. Where `is_seen` says that
    the base has moved again, that was told already, and the whole way is added."""
    change = way.change
    versions = (markdown(version) if version else version for version in (change.from_version, change.to_version))
    before, after = versions
    lacks = way_in_words(replace(change, from_version=before, to_version=after), way.security_releases)
    if is_seen:
        return f"What is named here is older: {lacks}." if lacks else ""
    sentence = f"{code(change.base.short)} has gone on from what is named here: {cause_in_words(change.cause)}."
    return f"{sentence} {lacks}." if lacks else sentence


def _table(job: Job) -> str:
    rows = ["| base | .NET | old digest | new digest | cause |", "|---|---|---|---|---|"]
    for target in job.rebuild.targets:
        steps = [change for change in job.changes if change.base == target.base]
        causes = ", ".join(dict.fromkeys(change.cause for change in steps))
        written_digests = _written_digests(job, target)
        is_told = target.base in job.told_ways
        is_older = not is_told and bool(written_digests) and written_digests != [target.from_digest]
        old = ", ".join(map(_digest, _left_digests(job, target))) or "none"
        rows.append(
            f"| {code(str(target.base))} | {_versions(steps, is_older=is_older)} | {old} "
            f"| {_digest(target.to_digest)} | {causes} |"
        )
    return "\n".join(rows)


def _written_digests(job: Job, target: Target) -> list[str]:
    """The digests of the base that the files name: a pin may be older than what the base has just left."""
    olds = [item.old.digest for item in _edits_of(job) if base_among(item.old, [target.base])]
    return list(dict.fromkeys(digest for digest in olds if digest is not None and digest != target.to_digest))


def _versions(steps: Sequence[Change], *, is_older: bool) -> str:
    """From the version before the first step to that after the last; the latter alone for what `is_older`."""
    before, after = (steps[0].from_version, steps[-1].to_version) if steps else (None, None)
    if is_older:
        before = None
    versions = f"{before} → {after}" if before and after and before != after else after or ""
    return markdown(versions)


def _digest(digest: str) -> str:
    """Cut to twelve digits, which tell it from others; the whole one stands below."""
    return code(short_digest(digest))


def _left_digests(job: Job, target: Target) -> list[str]:
    """What the files name, else what the base showed before."""
    return _written_digests(job, target) or ([target.from_digest] if target.from_digest else [])


def _cves(changes: Sequence[Change]) -> list[str]:
    return sorted({cve for change in changes for cve in change.cves})


def _fixes(changes: Sequence[Change]) -> str:
    cves = _cves(changes)
    if not cves:
        return ""
    highest = worst(change.severity for change in changes)
    rating = f", rated up to {highest.told}" if highest else ""
    links = [f"[{markdown(cve)}]({public_record(cve)})" for cve in cves]
    sentence = f"**Fixes {counted(len(cves), 'CVE')}{rating}:** {first_few(links, _MOST_CVES)}"
    concerning = {cve for change in changes for cve in change.cves if cve not in change.not_relevant}
    spared = [markdown(cve) for cve in cves if cve not in concerning]
    if not spared:
        return sentence
    return f"{sentence}\n\nNot relevant to these images (other parts or systems): {first_few(spared, _MOST_CVES)}"


def _files(job: Job) -> str:
    return f"Files: {first_few([code(path) for path in job.paths], _MOST_FILES)}" if job.paths else ""


def _pins(job: Job) -> str:
    """Why a pin is not written as it was."""
    styles = job.pins.values()
    lines = []
    if Pin.DIGEST in styles and any(item.old.digest is None for item in _edits_of(job)):
        lines.append("The digest is written beside the tag, as the operator's rules ask.")
    if Pin.FLOATING in styles and any(item.old != item.new for item in _edits_of(job)):
        lines.append(
            "The pin becomes the floating tag, as the operator's rules ask: each build takes what it shows."
        )
    return " ".join(lines)


def _edits_of(job: Job) -> list[Replacement]:
    return [item for item in job.rebuild.replacements if not item.marker]


def _refusals(lines: Sequence[str]) -> str:
    if not lines:
        return ""
    sentences = [*map(markdown, lines[:_MOST_REFUSALS])]
    more = [f"and {len(lines) - _MOST_REFUSALS} more"] if len(lines) > _MOST_REFUSALS else []
    return "**Not changed, please look:**\n\n" + "\n".join(f"- {line}" for line in [*sentences, *more])


def _what_to_do(job: Job, *, merges: bool) -> str:
    """What is asked of the reviewer, above what can be looked up."""
    marked = any(item.marker for item in job.rebuild.replacements)
    lines = [
        "" if job.quarantined else _BY_ITSELF if merges else _BY_HAND,
        _MARKED if marked else "",
        "Closing it tells the bot to leave these digests alone; it asks again for later ones.",
    ]
    return " ".join(line for line in lines if line)


def _looked_up(job: Job) -> str:
    """What few need, folded: whole digests, and how to rebuild without a merge."""
    targets = job.rebuild.targets
    digests = [
        f"- {code(str(target.base))}: {', '.join(map(code, _left_digests(job, target))) or 'none'} "
        f"→ {code(target.to_digest)}"
        for target in targets[:_MOST_LOOKED_UP]
    ]
    if more := targets[_MOST_LOOKED_UP:]:
        digests.append(f"- and {len(more)} more")
    pulls = dict.fromkeys(f"docker pull {target.base}" for target in targets[:_MOST_LOOKED_UP])
    return "\n".join(
        [
            "<details><summary>Whole digests, and how to rebuild without merging</summary>",
            "",
            *digests,
            "",
            "Fetch the new base, and build with `docker build --pull --no-cache`:",
            "",
            "```sh",
            *pulls,
            "```",
            "",
            "</details>",
        ]
    )
