"""What a maintainer reads of onboarding: title, body and commit messages."""

from collections.abc import Callable, Sequence
from functools import partial

from bot.domain.repositories.addresses import file_url
from bot.domain.repositories.finding import Place
from bot.domain.repositories.onboarding import LeftToPeople, Proposal, ProposedCommit
from bot.domain.wording.escaping import code, markdown
from bot.domain.wording.words import counted, first_few
from bot.fleet.act.pull_request.text.section import shortened
from bot.fleet.act.pull_request.text.wording import LONGEST_BODY

FileUrl = Callable[..., str]
"""Where a file is shown by its path, and a line of it."""
_TRAILER = "Freshness-Onboarding: "
_MOST_LEFT = 40
_MOST_PATCH = 4_000
_MOST_PATCHES = 25_000
"""Characters of all patches together: what is left is told in any case."""
_FENCE = "`" * 5


def title(proposal: Proposal) -> str:
    """`Bring 4 practices along: base-pinned, weekly-rebuild and 2 more`."""
    checks = [commit.check for commit in proposal.commits]
    return f"Bring {counted(len(checks), 'practice')} along: {first_few(checks, 2)}"


def commit_message(commit: ProposedCommit) -> str:
    """Words a commit's message, whose first line says what holds from then on."""
    places = "\n".join(f"- {each.place.path}: {each.subject}" for each in commit.mended)
    return f"{commit.title} ({commit.check})\n\n{commit.reason}\n\n{places}\n\n{_TRAILER}{commit.check}\n"


def is_ours(message: str) -> bool:
    """Tells whether onboarding has written a commit with this message."""
    return any(line.startswith(_TRAILER) for line in message.splitlines())


def body(proposal: Proposal, repository: str, web: str, trunk: str, branch: str, most: int = LONGEST_BODY) -> str:
    """What changes, what does not and why, and how to decline, in at most so many bytes. `trunk` is the commit that
    it stands on."""
    in_trunk, in_branch = (partial(file_url, web, repository, ref) for ref in (trunk, branch))
    parts = [
        "Each commit makes one check hold, by an edit that keeps every other byte; the repository was judged again "
        "after each, and nothing else fails anew. Take them as they are, or only some of them.",
        _table(proposal, in_trunk, in_branch),
        _more(proposal.more),
        _how_to_decline(),
    ]
    told = [part for part in parts if part]
    room = most - _size_of("\n\n".join(told)) - 2
    rest = _rest_in_words(proposal.left_to_people, in_trunk, room)
    return _cut([*told, rest] if rest else told, most)


def _table(proposal: Proposal, in_trunk: FileUrl, in_branch: FileUrl) -> str:
    rows = ["| check | where | before | after |", "|---|---|---|---|"]
    for commit in proposal.commits:
        first_path = next(iter(commit.files))
        for finding in commit.mended:
            path = finding.place.path if finding.place.path in commit.files else first_path
            rows.append(
                f"| {code(commit.check)} | {markdown(finding.subject)} | [{markdown(finding.before)}]"
                f"({_line(in_trunk, finding.place)}) | [{markdown(finding.after)}]({in_branch(path)}) |"
            )
    return "\n".join(rows)


def _line(in_trunk: FileUrl, place: Place) -> str:
    return in_trunk(place.path, place.start)


def _more(more: int) -> str:
    return f"{counted(more, 'more place')} can be mended like this: that comes once this is merged." if more else ""


def _how_to_decline() -> str:
    return (
        "**To decline**, close this pull request: the bot then never asks again here. To decline one check, waive "
        "it in `.github/freshness.yaml` (`ignore: [{check: NAME, reason: …}]`). The label `freshness:hold` keeps "
        "this as it is, and so does a commit of yours on the branch."
    )


def _rest_in_words(findings: Sequence[LeftToPeople], in_trunk: FileUrl, room: int) -> str:
    """As many of them as there is room for, and how many more there are; patches take what room is left then."""
    if not findings:
        return ""
    summary = counted(len(findings), "finding is left to you", "findings are left to you")
    begins, ends = f"<details><summary>{summary}</summary>\n\n", "\n\n</details>"
    room -= _size_of(begins + ends + _and_more(len(findings)))
    lines = list[str]()
    for finding in findings[:_MOST_LEFT]:
        line = _advice(finding, in_trunk)
        if (room := room - _size_of(line) - 1) < 0:
            break
        lines.append(line)
    room = min(room, _MOST_PATCHES)
    for number, finding in enumerate(findings[: len(lines)]):
        patch = _fence_patch(finding.patch)
        if _size_of(patch) <= room:
            lines[number] += patch
            room -= _size_of(patch)
    if len(findings) > len(lines):
        lines.append(_and_more(len(findings) - len(lines)))
    return begins + "\n".join(lines) + ends


def _and_more(number: int) -> str:
    return f"- and {number} more: `freshness-bot audit` names them"


def _advice(finding: LeftToPeople, in_trunk: FileUrl) -> str:
    place_text = f"[{markdown(f'{finding.place.path}:{finding.place.start}')}]({_line(in_trunk, finding.place)})"
    advice = f" Advice: {markdown(finding.advice)}." if finding.advice else ""
    line = f"- {code(finding.check)} {place_text}: {markdown(finding.subject)}: {markdown(finding.message)}"
    return f"{line}. Not done: {markdown(finding.reason)}.{advice}"


def _fence_patch(patch: str) -> str:
    if not patch or len(patch) > _MOST_PATCH or _FENCE in patch:
        return ""
    lines = "\n".join(f"  {line}" for line in patch.rstrip("\n").split("\n"))
    return f"\n\n  {_FENCE}diff\n{lines}\n  {_FENCE}\n"


def _cut(parts: list[str], most: int) -> str:
    """Leaves out what comes last where all is too long; the table is cut at a line's end."""
    while len(parts) > 2 and _size_of("\n\n".join(parts)) > most:
        parts = [*parts[:-1]]
    return shortened("\n\n".join(parts), most)


def _size_of(text: str) -> int:
    return len(text.encode(errors="replace"))
