"""Compose files that Swarm runs: `docker stack deploy` reads less of them than Compose does.

Source: `UnsupportedProperties` of Docker's command line, and its manual of `docker stack deploy`.
"""

import re

from bot.domain.repositories.repository import is_workflow
from bot.files.audit.repository import RepositoryTexts
from bot.files.formats.source.nodes import Mapping

IGNORED = frozenset({"security_opt", "privileged", "network_mode", "pid", "ipc", "userns_mode"})
"""Keys of services that rules ask about, and that Swarm passes over."""
IS_IGNORED = "which `docker stack deploy` ignores, as the file seems to be for Swarm"
IS_SETTLED = "whether Compose runs the file too; else the line has no effect, and may go"
_OF_SWARM = re.compile(
    r"(?:^|^docker[._-]|compose[._-])stack(?:[._-]|$)|(?:^|[._-])swarm(?:[._-]|$)", re.IGNORECASE
)
_DEPLOYED = re.compile(r"\bdocker\s+stack\s+(?:deploy|up)\b(?P<arguments>(?:[^\n;&|\\]|\\\r?\n)*)")
_FILE = re.compile(r"(?:^|\s)(?:-c|--compose-file)[\s=]+[\"']?(?:\./)?(?P<path>[\w./-]+)")
_SCRIPTS = (".sh", ".ps1", ".cmd", ".bat", "Makefile", "justfile")


def is_for_swarm(repository: RepositoryTexts, path: str, root: Mapping) -> bool:
    """Whether a file is for Swarm: by its name, by what a script or workflow deploys, or since it says on which
    nodes its services are placed, which Compose does not read."""
    name = path.rpartition("/")[2]
    is_named = _OF_SWARM.search(name) is not None or any(
        path == each or path.endswith(f"/{each.rpartition('/')[2]}") for each in repository.kept(_deployed)
    )
    nodes = (each for _, each in root.mapping("services").entries() if isinstance(each, Mapping))
    return is_named or any(each.mapping("deploy").get("placement") is not None for each in nodes)


def _deployed(repository: RepositoryTexts) -> frozenset[str]:
    """The files that commands of scripts and workflows deploy as stacks, as they name them."""
    paths = (path for path in repository.paths if is_workflow(path) or path.endswith(_SCRIPTS))
    commands = (match["arguments"] for path in paths for match in _DEPLOYED.finditer(repository.text(path)))
    return frozenset(match["path"] for command in commands for match in _FILE.finditer(command))
