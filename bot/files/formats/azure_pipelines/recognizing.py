"""Which YAML texts are Azure Pipelines, whatever their files are called, and which templates they put in.

Sources: the YAML schema of Azure Pipelines (a root of stages, jobs, steps or extends, in templates too), and the
formats of GitHub's workflows, Drone, Woodpecker, GitLab, Cloud Build and Kubernetes, whose files have `steps` or
`stages` as well and are told apart from it.
"""

import posixpath
import re
from collections.abc import Iterator

_HINTS = ("task:", "vmImage", "trigger:", "- script:", "- bash:", "- pwsh:", "- powershell:", "template:")
_ROOT = re.compile(r"^(?:stages|jobs|steps|extends):", re.MULTILINE)
_OTHER = re.compile(r"^(?:\"on\"|'on'|on|kind|apiVersion|runs|pipelines|when|workflow|include):", re.MULTILINE)
_TASK = re.compile(r"^[ ]*(?:-[ ]+)?task:[ ]*['\"]?[A-Za-z][\w.-]*@\d", re.MULTILINE)
_AGENT = re.compile(r"^(?:trigger|pr|pool|schedules):|^[ ]*(?:-[ ]+)?vmImage:", re.MULTILINE)
_STEP = re.compile(r"^[ ]*-[ ]+(?:script|bash|pwsh|powershell|checkout):|^[ ]*(?:-[ ]+)?template:", re.MULTILINE)
_TEMPLATE = re.compile(
    r"^[ ]*(?:-[ ]+)?template:[ ]*['\"]?(?P<path>[^\s'\"#@]+\.ya?ml)(?P<of>@[\w.-]+)?", re.MULTILINE
)


def is_azure_pipeline(text: str) -> bool:
    """Whether a text is a pipeline or a template of one, as far as its own keys tell: it has a root of Azure
    Pipelines, and tasks, or steps for an agent. Takes time in proportion to the text."""
    if not any(hint in text for hint in _HINTS):
        return False
    if _ROOT.search(text) is None or _OTHER.search(text) is not None:
        return False
    return _TASK.search(text) is not None or (_AGENT.search(text) is not None and _STEP.search(text) is not None)


def templates_of(path: str, text: str) -> Iterator[str]:
    """The files of the same repository that a pipeline puts in: relative to its own folder, or to the root."""
    for match in _TEMPLATE.finditer(text) if "template:" in text else ():
        if match["of"] in {None, "@self"}:
            yield posixpath.normpath(posixpath.join(posixpath.dirname(path), match["path"])).lstrip("/")
