"""Which YAML texts are Azure Pipelines, whatever their files are called, and which templates they put in.

Sources: the YAML schema of Azure Pipelines (a root of stages, jobs, steps or extends, in templates too), and the
formats of GitHub's workflows, Drone, Woodpecker, GitLab, Cloud Build and Kubernetes, whose files have `steps` or
`stages` as well and are told apart from it.
"""

import posixpath
import re
from collections.abc import Iterator

from bot.files.formats.builds import NamedTemplate
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import mappings_under
from bot.files.formats.source.text import Lines
from bot.files.formats.source.yaml import read

_HINTS = ("task:", "vmImage", "trigger:", "- script:", "- bash:", "- pwsh:", "- powershell:", "template:")
_ROOT = re.compile(r"^(?:stages|jobs|steps|extends):", re.MULTILINE)
_OTHER = re.compile(r"^(?:\"on\"|'on'|on|kind|apiVersion|runs|pipelines|when|workflow|include):", re.MULTILINE)
_TASK = re.compile(r"^[ ]*(?:-[ ]+)?task:[ ]*['\"]?[A-Za-z][\w.-]*@\d", re.MULTILINE)
_AGENT = re.compile(r"^(?:trigger|pr|pool|schedules):|^[ ]*(?:-[ ]+)?vmImage:", re.MULTILINE)
_STEP = re.compile(r"^[ ]*-[ ]+(?:script|bash|pwsh|powershell|checkout):|^[ ]*(?:-[ ]+)?template:", re.MULTILINE)


def is_azure_pipeline(text: str) -> bool:
    """Whether a text is a pipeline or a template of one, as far as its own keys tell: it has a root of Azure
    Pipelines, and tasks, or steps for an agent. Takes time in proportion to the text."""
    if not any(hint in text for hint in _HINTS):
        return False
    if _ROOT.search(text) is None or _OTHER.search(text) is not None:
        return False
    return _TASK.search(text) is not None or (_AGENT.search(text) is not None and _STEP.search(text) is not None)


def templates_of(path: str, text: str) -> Iterator[str]:
    """The files of the same repository that a pipeline puts in."""
    return (template.place for template in named_templates(path, text) if template.place is not None)


def named_templates(path: str, text: str) -> tuple[NamedTemplate, ...]:
    """All templates that a pipeline puts in, in the order of the text; none of a text that cannot be read."""
    if "template" not in text:
        return ()
    try:
        documents = read(text)
    except Unreadable:
        return ()
    lines = Lines(text)
    scalars = (mapping.scalar("template") for each in documents for _, mapping in mappings_under(each))
    return tuple(
        NamedTemplate(path, lines.at(scalar.start), name := scalar.value.strip(), _place_of(path, name))
        for scalar in scalars
        if scalar is not None
    )


def _place_of(path: str, name: str) -> str | None:
    """Where in the same repository a template is, below the folder of who names it or below the root; None for one
    of another repository, or whose name an expression makes."""
    place, _, repository = name.partition("@")
    if "${{" in name or "$(" in name or repository not in ("", "self"):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), place)).lstrip("/")
