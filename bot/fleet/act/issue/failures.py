"""What a repository's issue says of rebuilds that failed and that nothing has mended since."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.repositories.issue import IssueSection
from bot.domain.wording.escaping import code, markdown

NAME = "failures"
_MOST = 10


@dataclass(frozen=True, slots=True)
class IssueFailure:
    """A rebuild that failed; `url` is its pull request or run, where there is one."""

    bases: tuple[str, ...]
    reason: str
    url: str | None


def failures(failed: Sequence[IssueFailure]) -> IssueSection:
    """Returns the section about rebuilds that failed, the latest first; at least one has."""
    lines = [_line(each) for each in failed[:_MOST]]
    if len(failed) > _MOST:
        lines.append(f"- and {len(failed) - _MOST} more")
    lines.append("\nThis goes away by itself once the images are rebuilt.")
    summary = "; ".join(f"{', '.join(each.bases)}: {each.reason}" for each in failed[:_MOST])
    return IssueSection(NAME, "Rebuilds that failed", "\n".join(lines), summary)


def _line(failure: IssueFailure) -> str:
    names = ", ".join(code(name) for name in failure.bases)
    link = (
        f" ([look]({failure.url}))"
        if failure.url and failure.url.startswith("https://") and ")" not in failure.url
        else ""
    )
    return f"- {names}: {markdown(failure.reason)}{link}"
