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
    r"(?:Microsoft\.(?:App/(?:containerApps|jobs)|Web/(?:containerApps|sites/(?:slots/)?sitecontainers))|Microsoft\.ContainerInstance/\w{1,80})"
    r"(?=[\"@])"
    r"(?![^'\n]{0,200}'[ \t]+existing\b)"
    r"|resource[ \t]+\"?(?P<kind>azurerm_container_app(?:_job)?"
    r"|azurerm_container_group|aws_ecs_task_definition|aws_apprunner_service|google_cloud_run(?:_v2)?_(?:service|job)"
    r"|kubernetes_(?:deployment|stateful_set|daemonset|daemon_set|cron_job|job|pod|replication_controller)(?:_v1)?"
    r"|docker_(?:container|service)|nomad_job|helm_release)(?=\"|\s)"
    r"|Microsoft\.Web/sites(?=[\"@](?:[^\n]*\n){1,200}?[^\n]*DOCKER\|)"
    r"|'(?:apps|core|batch)/(?:Deployment|StatefulSet|DaemonSet|Pod|Job|CronJob)@v1"
    r"|'br[:/][^'\n]{0,200}/app/(?:container-app|job):"
)
"""A type ends in its quotes or with the version of its interface; in single quotes an expression names one."""
_WEB_APP = re.compile(
    r"^resource[ \t]+\"(?P<kind>azurerm_(?:linux_web_app|linux_function_app|app_service)(?:_slot)?)\"(?=[^\n]*\{)",
    re.MULTILINE,
)
_IN_WEB_APP = re.compile(r"^[^\n#]*\bdocker_image\w*\s*=|\"DOCKER\|", re.MULTILINE)
"""What has a web app run a container, in place of the runtime of a language."""
_MANIFEST = re.compile(r"^resource[ \t]+\"(?P<kind>(?:kubernetes|kubectl)_manifest)\"(?=[^\n]*\{)", re.MULTILINE)
_IN_MANIFEST = re.compile(
    r"\bkind\"?\s*[:=]\s*\"?(?:Deployment|StatefulSet|DaemonSet|ReplicaSet|Job|CronJob|Pod)\b"
)
_TERRAFORM_MODULE = re.compile(r"^module[ \t]+\"[^\"\n]+\"(?=[ \t]*\{)", re.MULTILINE)
_SOURCE = re.compile(r"^\s*source\s*=\s*\"(?P<source>[^\"\n]+)\"", re.MULTILINE)
_RUNS_CONTAINERS = re.compile(
    r"container[-_]?apps?(?:[-_](?:jobs?|hosting|services?|web|api|stack))?(?:\.git)?(?=$|[/?])", re.IGNORECASE
)
"""How a module is called that runs containers, and does not make what they run in (`container-app-environment`)."""
_TAKES_IMAGE = re.compile(r"^\s*(?:docker_image|container_image|container_definitions?)\w*\s*=", re.MULTILINE)
TEMPLATE_ACTIONS = {"azure/arm-deploy": "template", "azure/bicep-deploy": "template-file"}
"""Actions that deploy a template, and the input that names it."""
_MODULE = re.compile(r"^module[ \t]+\w+[ \t]+'([^'\n]+\.bicep)'", re.MULTILINE)
_ONLY_TRIED = re.compile(r"validate|what-?if", re.IGNORECASE)
_SCOPES = frozenset({"group", "sub", "mg", "tenant"})
MOST_MODULES = 500


def containers_in(repository: RepositoryTexts, path: str) -> re.Match[str] | None:
    """Where a template runs containers: by a resource, or by a module of elsewhere that is called so or is given an
    image. A module of the repository is told in its own files."""
    text = repository.text(path)
    if (match := CONTAINERS.search(text)) is not None or not path.endswith(".tf"):
        return match
    for resource, what_runs in ((_WEB_APP, _IN_WEB_APP), (_MANIFEST, _IN_MANIFEST)):
        for block in resource.finditer(text):
            if what_runs.search(_body(text, block)):
                return block
    for module in _TERRAFORM_MODULE.finditer(text):
        body = _body(text, module)
        source = _SOURCE.search(body)
        if source is None or _is_here(repository, path, source["source"]):
            continue
        if _RUNS_CONTAINERS.search(source["source"]) or _TAKES_IMAGE.search(body):
            return module
    return None


def _body(text: str, block: re.Match[str]) -> str:
    """What stands in a block of Terraform, up to the brace that begins a line."""
    return text[block.end() : text.find("\n}", block.end()) + 1 or None]


def _is_here(repository: RepositoryTexts, path: str, source: str) -> bool:
    folder = below(posixpath.dirname(path), source) if source.startswith((".", "/")) else None
    return bool(folder) and next(repository.below(folder or ""), None) is not None


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
