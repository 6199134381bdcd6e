"""What a repository's issue says of rebuilds that failed and that nothing has mended since."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.repositories.issue import IssueSection
from bot.domain.wording.escaping import code, markdown

NAME = "failures"
_MOST = 10


@dataclass(frozen=True, slots=True)
class IssueFailure:
    """`url` is its pull request or run, where there is one."""

    bases: tuple[str, ...]
    reason: str
    url: str | None


def failures(failed: Sequence[IssueFailure]) -> IssueSection:
    """The section, the latest first; at least one has failed."""
    lines = [_line(each) for each in failed[:_MOST]]
    if len(failed) > _MOST:
        lines.append(f"- and {len(failed) - _MOST} more")
    lines.append("\nThis goes away by itself once the images are rebuilt.")
    told = "; ".join(f"{', '.join(each.bases)}: {each.reason}" for each in failed[:_MOST])
    return IssueSection(NAME, "Rebuilds that failed", "\n".join(lines), told)


def _line(each: IssueFailure) -> str:
    names = ", ".join(code(name) for name in each.bases)
    link = f" ([look]({each.url}))" if each.url and each.url.startswith("https://") and ")" not in each.url else ""
    return f"- {names}: {markdown(each.reason)}{link}"
