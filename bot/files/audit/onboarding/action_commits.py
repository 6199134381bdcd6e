"""Actions named by tag → the same actions by commit, with the version as a comment behind it."""

import re
from collections.abc import Iterable, Mapping

from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.repositories.finding import Finding, Fix, Outcome
from bot.domain.repositories.usage import Edit, Span
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.splicing.keys import NotSpliceable, check_spliceable

CHECK = "actions-pinned"
_USES = re.compile(
    r"(?P<head>^[ ]*(?:- +)?uses:[ ]+)(?P<quote>[\"']?)(?P<action>[\w.-]+/[\w.-]+(?:/[\w./-]+)?)@(?P<tag>[\w./-]+)"
    r"(?P=quote)(?P<rest>[ ]*(?:#.*)?)\r?$"
)
"""A step on a line of its own. What else may name an action is left to people."""
_COMMENT_OF_VERSION = re.compile(r"\s*#\s*v?\d[\w.-]*\s*")


def tagged_actions(repository: RepositoryTexts, findings: Iterable[Finding]) -> tuple[ActionTag, ...]:
    """The actions whose commits are asked for, each once and in order."""
    failing = (each for each in findings if each.check == CHECK and each.outcome is Outcome.FAILS)
    lines = (_line_of(repository, each) for each in failing)
    tags = {_tag(match) for _, match in lines if match is not None}
    return tuple(sorted(tags))


def pin_to_commit(
    repository: RepositoryTexts, finding: Finding, commits: Mapping[ActionTag, ActionCommit]
) -> Fix | None:
    """The fix of one finding; None where its place names no action by tag. Advice only where no commit is known."""
    start, match = _line_of(repository, finding)
    if match is None:
        return None
    tag = _tag(match)
    commit = commits.get(tag)
    if commit is None:
        advice = finding.fix.advice if finding.fix is not None else ""
        return Fix(advice, left_alone=f"the commit of {tag} could not be asked of the forge")
    advice = f"write {match['action']}@{commit.sha} # {commit.version}"
    try:
        check_spliceable(repository.text(finding.place.path))
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))
    return Fix(advice, (_edit(finding.place.path, start, match, commit),))


def _edit(path: str, line: int, match: re.Match[str], commit: ActionCommit) -> Edit:
    """The version stands behind the commit, for nobody could tell it later; another comment stays behind it."""
    line_end = match["rest"]
    comment = (
        f" # {commit.version}"
        if not line_end.strip() or _COMMENT_OF_VERSION.fullmatch(line_end)
        else f" # {commit.version}{line_end}"
    )
    span = Span(line + match.start("tag"), line + match.end("rest"))
    return Edit(path, span, f"{commit.sha}{match['quote']}{comment}")


def _line_of(repository: RepositoryTexts, finding: Finding) -> tuple[int, re.Match[str] | None]:
    path, number = finding.place.path, finding.place.start
    if path not in repository or not 1 <= number <= len(repository.lines(path)):
        return 0, None
    lines = repository.lines(path)
    return lines.start(number), _USES.fullmatch(lines.of(number).removesuffix("\n"))


def _tag(match: re.Match[str]) -> ActionTag:
    owner, name, *_ = match["action"].split("/")
    return ActionTag(f"{owner}/{name}", match["tag"])
