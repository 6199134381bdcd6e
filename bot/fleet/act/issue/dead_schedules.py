"""What a repository's issue says of workflows that do not rebuild its images as often as is guaranteed."""

from collections.abc import Sequence

from bot.domain.repositories.issue import IssueSection
from bot.domain.wording.escaping import code, markdown

NAME = "age"
_MOST = 20


def dead_schedules(faults: Sequence[tuple[str, str]]) -> IssueSection:
    """The section: each workflow with what is wrong with it and the way out; at least one."""
    lines = [f"- {code(workflow)}: {markdown(fault)}" for workflow, fault in faults[:_MOST]]
    lines.append("\nThis goes away by itself once that is mended.")
    summary = "; ".join(f"{workflow}: {fault}" for workflow, fault in faults[:_MOST])
    return IssueSection(NAME, "Images that are not rebuilt in time", "\n".join(lines), summary)
