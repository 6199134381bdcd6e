"""Words put into or taken out of the commands of a step, where only one place can be meant."""

import re

from bot.domain.repositories.usage import Edit, Span
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.splicing.keys import NotSpliceable, check_spliceable
from bot.files.audit.workflows.model import PipelineStep


def words_after(repository: RepositoryTexts, step: PipelineStep, command: str, added: str) -> Edit:
    """Puts words behind the first ones of a command, such as `cosign verify`. Raises `NotSpliceable`."""
    pattern = r"(?<![\w./-])" + r"[ \t]+".join(map(re.escape, command.split())) + r"(?=[ \t])"
    path, match = _only(repository, step, pattern, f"`{command}`")
    return Edit(path, Span(match.end(), match.end()), f" {added}")


def words_replaced(
    repository: RepositoryTexts, step: PipelineStep, pattern: str, by: str, description: str
) -> Edit:
    """Other words for those that a pattern finds; `description` names them in the reason why it cannot be done."""
    path, match = _only(repository, step, pattern, description)
    return Edit(path, Span(match.start(), match.end()), by)


def _only(
    repository: RepositoryTexts, step: PipelineStep, pattern: str, description: str
) -> tuple[str, re.Match[str]]:
    run = step.mapping.scalar("run")
    path = repository.path_of(run) if run is not None else ""
    if run is None or not path or run.source is not repository.text(path):
        raise NotSpliceable("its commands are put together from several files")
    check_spliceable(run.source)
    lines = repository.lines(path)
    places = [
        match
        for match in re.compile(pattern).finditer(run.source, run.start, run.end)
        if not lines.of(lines.at(match.start())).lstrip().startswith("#")
    ]
    if len(places) != 1:
        raise NotSpliceable(
            f"its commands have {description} {'several times' if places else 'in words that a run makes'}"
        )
    return path, places[0]
