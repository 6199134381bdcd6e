"""Which files tell how a repository builds, ships and runs what it makes: those that the audit reads."""

from bot.files.formats import repository_config
from bot.files.formats.dotnet import global_json
from bot.files.formats.table import holds_line_break, is_worth_reading, kind_of

SUPERVISED = "supervisord.conf"
"""The settings of what starts several programs in one container, each as a user of its own."""
_NAMES = frozenset({"chart.yaml", "kustomization", "jenkinsfile", "nuget.config", ".npmrc", SUPERVISED})
_ENDINGS = (".bicep", ".tf")
_BEGINNINGS = (".goreleaser.", "goreleaser.")
_DEPLOYMENT_TEMPLATES = frozenset({"azuredeploy.json", "maintemplate.json", "template.json"})


def tells_of_practices(path: str) -> bool:
    """Whether the rules of the audit look at a file of that path."""
    name = path.rpartition("/")[2]
    return (
        path == repository_config.PATH
        or name.lower() in _NAMES
        or name.endswith(_ENDINGS)
        or name.startswith(_BEGINNINGS)
        or is_deployment_template(name)
        or is_worth_reading(path)
        or kind_of(path) == global_json.KIND
        or holds_line_break(path)
        or _is_template_of_chart(path)
    )


def _is_template_of_chart(path: str) -> bool:
    """Whether Helm may render a file of that path, whose name need not end as YAML does."""
    folder, _, name = path.rpartition("/")
    is_of_yaml = ".yaml" in name or ".yml" in name or name.endswith((".tpl", ".gotmpl"))
    return is_of_yaml and "templates" in folder.split("/") and not name.startswith("_")


def is_deployment_template(name: str) -> bool:
    """Whether a file of that name is a template of Azure Resource Manager, as Azure's tools call them."""
    return name.lower() in _DEPLOYMENT_TEMPLATES
