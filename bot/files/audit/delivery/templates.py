"""Templates of clouds: which of them run containers, and which of them a step deploys.

Sources: the manuals of Bicep's modules, `az deployment` and `az stack`, and the `action.yml` of azure/arm-deploy
and azure/bicep-deploy. A template that is not here, or is named by what only a run knows, tells nothing.
"""

import posixpath
import re

from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import ShellCommand
from bot.files.audit.workflows.model import PipelineStep
from bot.files.formats.builds import below

CONTAINERS = re.compile(
    r"(?:Microsoft\.App/(?:containerApps|jobs)|Microsoft\.ContainerInstance)(?![^'\n]{0,200}'[ \t]+existing\b)"
    r"|resource[ \t]+\"?(?P<kind>azurerm_container_app(?:_job)?|azurerm_linux_web_app(?:_slot)?"
    r"|aws_ecs_task_definition|google_cloud_run(?:_v2)?_(?:service|job)|kubernetes_deployment(?:_v1)?)\b"
    r"|source\s*=\s*\"[^\"\n]{0,200}container-?apps?(?![^\"\n]{0,200}\benv)"
)
TEMPLATE_ACTIONS = {"azure/arm-deploy": "template", "azure/bicep-deploy": "template-file"}
"""Actions that deploy a template, and the input that names it."""
_MODULE = re.compile(r"^module[ \t]+\w+[ \t]+'([^'\n]+\.bicep)'", re.MULTILINE)
_ONLY_TRIED = re.compile(r"validate|what-?if", re.IGNORECASE)
_SCOPES = frozenset({"group", "sub", "mg", "tenant"})
MOST_MODULES = 500


def deploys_template(command: ShellCommand) -> bool:
    """Whether a command deploys a template (`az deployment group create`), and does not only try it."""
    words = command.words
    is_deployment = words[1:2] in {("deployment",), ("stack",)}
    return is_deployment and words[2:3] != () and words[2] in _SCOPES and words[3:4] == ("create",)


def runs_containers(repository: RepositoryTexts, step: PipelineStep, command: ShellCommand | None) -> bool:
    """Whether the template that a step deploys runs containers, by itself or by its modules here."""
    if command is not None:
        name = command.option("--template-file", "-f") or ""
    else:
        name = step.input(TEMPLATE_ACTIONS[step.action])
        if _ONLY_TRIED.search(step.input("operation") or step.input("deploymentMode")):
            return False
    path = below("", name) if name else None
    return path is not None and _holds_containers(repository, path)


def _holds_containers(repository: RepositoryTexts, path: str) -> bool:
    seen, waiting = {path}, [path]
    while waiting and len(seen) <= MOST_MODULES:
        each = waiting.pop()
        text = repository.text(each)
        if CONTAINERS.search(text):
            return True
        for module in _MODULE.findall(text):
            inner = below(posixpath.dirname(each), module)
            if inner is not None and inner not in seen:
                seen.add(inner)
                waiting.append(inner)
    return False
