"""Which files tell how a repository builds, ships and runs what it makes: those that the audit reads."""

from bot.formats import repository_config
from bot.formats.dotnet import global_json
from bot.formats.table import is_worth_reading, kind_of

_NAMES = frozenset({"chart.yaml", "kustomization", "jenkinsfile", "nuget.config", ".npmrc", "makefile", "justfile"})
_ENDINGS = (".bicep", ".tf")
_BEGINNINGS = (".goreleaser.", "goreleaser.")


def tells_of_practices(path: str) -> bool:
    """Whether the rules of the audit look at a file of that path."""
    name = path.rpartition("/")[2]
    return (
        path == repository_config.PATH
        or name.lower() in _NAMES
        or name.endswith(_ENDINGS)
        or name.startswith(_BEGINNINGS)
        or is_worth_reading(path)
        or kind_of(path) == global_json.KIND
    )
