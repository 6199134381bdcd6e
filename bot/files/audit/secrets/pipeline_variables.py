"""Secrets among the variables that builds hand on: those that builds of other services and files of variables
write out, and those that a step exports on another machine.

Sources: GitLab's reference of `.gitlab-ci.yml`, the YAML schema of Azure Pipelines, Docker's page on `.env` files,
and the manual of bash.
"""

import re
from collections.abc import Iterator

from bot.domain.repositories.finding import Place
from bot.files.audit.delivery.over_ssh import started_over_ssh, texts_over_ssh
from bot.files.audit.delivery.scripts import builds
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.secrets.environment import secret_brought
from bot.files.audit.secrets.names import holds_secret
from bot.files.audit.shell import without_comments
from bot.files.audit.workflows.model import PipelineStep
from bot.files.formats.dotenv.variables import variables
from bot.files.formats.source.expressions import EXPRESSION
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence
from bot.files.scope import DEVELOPMENT_WORDS

_OF_VARIABLES = re.compile(r"(?:^|/)(?:[\w-]*\.env|\.env\.(?:prod\w*|stag\w*|live))$", re.IGNORECASE)
_OF_NO_DEPLOYMENT = DEVELOPMENT_WORDS | {"example", "examples", "sample", "template"}
"""Words in the names of files of variables that are examples, or of a developer's machine or tests."""
_DEEPEST = 12
_PUT_IN = "$VALUE"
_EXPORTED = re.compile(
    r"(?<![\w-])export[ \t]+(?P<name>[A-Za-z_]\w{0,200})=(?P<value>\"[^\"\n]*\"|'[^'\n]*'|[^\s;&|\"']*)"
)


def written_out(repository: RepositoryTexts) -> Iterator[tuple[str, Place]]:
    """The name of each variable of a build or a file of variables that holds a secret by its name and shape, and
    its place."""
    for path in builds(repository):
        root = repository.root(path)
        for name, value in _variables(root, 0) if root is not None else ():
            if "$" not in value.value and holds_secret(name, value.value):
                yield name, repository.place(value, path)
    for path in repository.paths:
        if _is_of_deployment(path) and repository.scope.is_judged(path):
            for name, text in variables(repository.text(path)).items():
                if "$" not in text.text and holds_secret(name, text.text):
                    line = repository.lines(path).at(text.places[0])
                    yield name, Place(path, line, line)


def _is_of_deployment(path: str) -> bool:
    """Whether a file of variables is one of what is deployed, by its name."""
    name_words = re.split(r"[._-]", path.rpartition("/")[2].lower())
    return _OF_VARIABLES.search(path) is not None and _OF_NO_DEPLOYMENT.isdisjoint(name_words)


def _variables(node: Node, depth: int) -> Iterator[tuple[str, Scalar]]:
    """The names and values of all `variables` in a build."""
    if depth > _DEEPEST:
        return
    if isinstance(node, Mapping):
        for key, inner in node.entries():
            yield from _given(inner) if key.value == "variables" else _variables(inner, depth + 1)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _variables(item, depth + 1)


def _given(given: Node) -> Iterator[tuple[str, Scalar]]:
    """What a mapping of them gives, whose values may be mappings themselves, or a list of names with values."""
    for key, value in given.entries() if isinstance(given, Mapping) else ():
        written = value.scalar("value") if isinstance(value, Mapping) else value
        if isinstance(written, Scalar):
            yield key.value, written
    for item in given.items if isinstance(given, Sequence) else ():
        name, written = (item.scalar("name"), item.scalar("value")) if isinstance(item, Mapping) else (None, None)
        if name is not None and written is not None:
            yield name.value, written


def exported_over_ssh(step: PipelineStep) -> Iterator[tuple[str, str]]:
    """The variables that bring secrets into a shell of another machine, with what is started there then."""
    started = started_over_ssh(step, has_images=True)
    texts = texts_over_ssh(step) if started else ()
    for text in texts:
        for match in _EXPORTED.finditer(without_comments(EXPRESSION.sub(_PUT_IN, text))):
            if secret_brought(match["name"], match["value"].strip("\"'")):
                yield match["name"], started
