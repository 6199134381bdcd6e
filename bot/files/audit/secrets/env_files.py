"""The variables that a service of Compose takes from the files that its `env_file` names.

Source: Compose's specification of `env_file`.
"""

from posixpath import dirname

from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads.compose import Service
from bot.files.audit.workloads.objects import word
from bot.files.formats.builds import below
from bot.files.formats.dotenv.variables import variables
from bot.files.formats.source.nodes import Mapping


def variables_of_files(repository: RepositoryTexts, service: Service) -> tuple[list[tuple[str, str, str]], bool]:
    """Each variable with its value and its file, and whether all of the files are here."""
    given: list[tuple[str, str, str]] = []
    are_here = True
    for node in service.nodes("env_file"):
        name = word(node.get("path") if isinstance(node, Mapping) else node) or ""
        path = below(dirname(service.path), name) if name and "$" not in name else None
        if path is None or path not in repository:
            are_here = False
        else:
            given += ((key, value.text, path) for key, value in variables(repository.text(path)).items())
    return given, are_here
