"""Which YAML texts are Compose files, whatever they are called: `docker compose -f` takes any name.

Source: the Compose specification, whose schema allows no other keys at the root than these and `x-…`. GitLab CI,
Drone and Travis have `services` as well, but a list of them.
"""

import re

from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping, Node, Scalar
from bot.files.formats.source.yaml import read

_ROOT = frozenset({"version", "name", "include", "services", "networks", "volumes", "configs", "secrets", "models"})
_SERVICES = re.compile(r"^[\"']?services[\"']?[ \t]*:", re.MULTILINE)
_BUILD = frozenset({"context", "dockerfile", "dockerfile_inline"})


def is_compose_file(text: str) -> bool:
    """Whether each document of a text is a Compose file with a service that runs an image or is built.

    Empty documents do not count. Never raises.
    """
    if not may_be_compose_file(text):
        return False
    try:
        documents = read(text)
    except Unreadable:
        return False
    filled = [document for document in documents if not _is_null(document)]
    return bool(filled) and all(isinstance(document, Mapping) and _is_one(document) for document in filled)


def may_be_compose_file(text: str) -> bool:
    """Whether a text that may not be valid YAML says what Compose files do: services with images or builds."""
    return ("image" in text or "build" in text) and _SERVICES.search(text) is not None


def is_of_version_1(document: Mapping) -> bool:
    """Whether services stand at the root, as in Compose files before version 2, which Docker takes no more."""
    if any(key in document.own for key in _ROOT - {"name", "models"}):
        return False
    services = [service for _, service in document.entries()]
    return bool(services) and all(
        isinstance(service, Mapping) and _is_run_or_built(service) for service in services
    )


def _is_one(document: Mapping) -> bool:
    if not all(key in _ROOT or key.startswith("x-") for key in document.own):
        return False
    services = [service for _, service in document.mapping("services").entries()]
    return all(isinstance(service, Mapping) or _is_null(service) for service in services) and any(
        isinstance(service, Mapping) and _is_run_or_built(service) for service in services
    )


def _is_run_or_built(service: Mapping) -> bool:
    image, build = service.get("image"), service.get("build")
    if isinstance(image, Scalar):
        return not image.is_null
    if isinstance(build, Mapping):
        return any(build.get(key) is not None for key in _BUILD)
    return isinstance(build, Scalar) and not build.is_null


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_null
