"""Dockerfiles that stand in no file of their own: a run writes them, or a Compose file holds them.

Sources: the manuals of bash (redirections, here-documents) and of tee; the Compose specification.
"""

import re
from collections.abc import Iterator

from bot.domain.repositories.finding import Place
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import without_comments
from bot.files.audit.workflows.flattening import pipelines
from bot.files.audit.workflows.model import TESTS_ONLY
from bot.files.formats.compose.finder import KIND as COMPOSE
from bot.files.formats.other_builds import dotnet_images_in
from bot.files.formats.source.nodes import Mapping

_WRITES = re.compile(
    r"(?:>>?|\btee(?:[ \t]+-a)?|\b(?:Out-File|Set-Content|Add-Content)(?:[ \t]+-(?:File)?Path)?)[ \t]*[\"']?"
    r"(?P<path>(?:[\w./${}-]{0,200}[/.-])?(?:Dockerfile|Containerfile)(?:\.(?!json|sarif|txt|log|xml|md)[\w-]+)?)"
    r"(?=[\"'\s;&|<)]|$)"
)
_INSTRUCTION = re.compile(r"(?:^|[\"'])[ \t]*(?:FROM|RUN|COPY|ADD|USER|ENV|ENTRYPOINT|CMD)[ \t]", re.MULTILINE)


def written_dockerfiles(repository: RepositoryTexts) -> Iterator[tuple[Place, str, str]]:
    """The place and the subject of each Dockerfile that is no file of the repository, and what is seen of it."""
    for pipeline in pipelines(repository):
        for step in pipeline.steps:
            run = step.mapping.scalar("run")
            text = without_comments(run.value) if run is not None and step.events - TESTS_ONLY else ""
            match = _WRITES.search(text)
            if match is not None and _INSTRUCTION.search(text):
                why = f"it writes {match['path']} as it runs, which is not judged"
                yield repository.where(step), step.subject, f"{why}{_naming(text)}"
    for path in repository.paths:
        if repository.kind(path) == COMPOSE and repository.scope.is_judged(path):
            yield from _in_compose(repository, path)


def _in_compose(repository: RepositoryTexts, path: str) -> Iterator[tuple[Place, str, str]]:
    root = repository.root(path) if "dockerfile_inline" in repository.text(path) else None
    for name, service in root.mapping("services").entries() if root is not None else ():
        inline = service.mapping("build").scalar("dockerfile_inline") if isinstance(service, Mapping) else None
        if inline is not None:
            why = f"its Dockerfile stands in dockerfile_inline, which is not judged{_naming(inline.value)}"
            yield repository.place(inline, path), f"service {name.value}", why


def _naming(text: str) -> str:
    images = dotnet_images_in(text).words
    return f"; it names {images}" if images else ""
