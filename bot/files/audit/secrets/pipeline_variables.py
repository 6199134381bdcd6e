"""Secrets among the variables that builds hand on: those of GitLab CI that are written out, and those that a step
exports on another machine.

Sources: GitLab's reference of `.gitlab-ci.yml`, and the manual of bash.
"""

import re
from collections.abc import Iterator

from bot.files.audit.delivery.over_ssh import started_over_ssh, texts_over_ssh
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.secrets.environment import secret_brought
from bot.files.audit.secrets.names import holds_secret
from bot.files.audit.shell import without_comments
from bot.files.audit.workflows.model import PipelineStep
from bot.files.formats.source.expressions import EXPRESSION
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence

_OF_GITLAB = (".gitlab-ci.yml", ".gitlab-ci.yaml")
_DEEPEST = 12
_PUT_IN = "$VALUE"
_EXPORTED = re.compile(
    r"(?<![\w-])export[ \t]+(?P<name>[A-Za-z_]\w{0,200})=(?P<value>\"[^\"\n]*\"|'[^'\n]*'|[^\s;&|\"']*)"
)


def written_out(repository: RepositoryTexts) -> Iterator[tuple[str, str, Scalar]]:
    """The path, the name and the value of each variable of a build that holds a secret by its name and shape."""
    gitlab = [path for path in repository.paths if path.endswith(_OF_GITLAB) and repository.scope.is_judged(path)]
    for path in gitlab:
        root = repository.root(path)
        for name, value in _variables(root, 0) if root is not None else ():
            if "$" not in value.value and holds_secret(name, value.value):
                yield path, name, value


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


def _given(variables: Node) -> Iterator[tuple[str, Scalar]]:
    """What a mapping of them gives, whose values may be mappings themselves."""
    for key, value in variables.entries() if isinstance(variables, Mapping) else ():
        written = value.scalar("value") if isinstance(value, Mapping) else value
        if isinstance(written, Scalar):
            yield key.value, written


def exported_over_ssh(step: PipelineStep) -> Iterator[tuple[str, str]]:
    """The variables that bring secrets into a shell of another machine, with what is started there then."""
    started = started_over_ssh(step, has_images=True)
    texts = texts_over_ssh(step) if started else ()
    for text in texts:
        for match in _EXPORTED.finditer(without_comments(EXPRESSION.sub(_PUT_IN, text))):
            if secret_brought(match["name"], match["value"].strip("\"'")):
                yield match["name"], started
