"""What is known of an image as a workload starts it: its own start, or another one in its place."""

import re
from dataclasses import replace

from bot.files.audit.delivery.image_traits import ImageTraits, image_traits, starts_script
from bot.files.audit.images.by_dockerfile import changes_owners
from bot.files.audit.images.stock import StockImage, stock_image
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads.compose import Service
from bot.files.audit.workloads.judging import runs_as_another
from bot.files.audit.workloads.kubernetes import Container
from bot.files.audit.workloads.mounts import target_of
from bot.files.audit.workloads.objects import word
from bot.files.formats.source.nodes import Mapping, texts_under

_OWN_START = re.compile(r"\bdocker-entrypoint(?:\.sh)?\b")
_FIRST_FREE_PORT = 1024
"""From here on any user may listen, whatever the node."""


def traits_as_started(repository: RepositoryTexts, of: Container | Service) -> ImageTraits:
    """What is known of the image of a container or service.

    A script or another program that is started in it may need what is not written down here, and so may what its
    own start makes of the files that it is given.
    """
    if isinstance(of, Service):
        image = image_traits(repository, of.image, of.dockerfile())
        stock = None if of.is_built else stock_image(of.image)
    else:
        image, stock = image_traits(repository, of.image), stock_image(of.image)
    if stock is None:
        is_other = starts_script(of.command)
    else:
        is_other = not is_started_as_made(stock, of) or starts_script(_OWN_START.sub("", of.command))
    return replace(image, is_known=False) if is_other else image


def changes_owners_as_root(of: Container | Service, image: ImageTraits) -> bool:
    """Whether a command changes owners or modes as root, as far as workload and image tell."""
    user = of.get("user") if isinstance(of, Service) else of.setting("runAsUser")
    is_root = word(user) is not None or not image.starts_as_user
    return changes_owners(of.command) and is_root and not runs_as_another(user)


def is_started_as_made(stock: StockImage, of: Container | Service) -> bool:
    """Whether a stock image starts its own program by its own entrypoint and settings."""
    if isinstance(of, Service):
        nodes = [of.get("entrypoint"), of.get("command")]
    else:
        nodes = [of.own.get("command"), of.own.get("args")]
    entrypoint, command = (list(texts_under(node)) for node in nodes)
    is_own = not entrypoint or any("entrypoint" in each for each in entrypoint)
    is_given = stock.settings and any(re.match(stock.settings, each) for each in _targets(of))
    return is_own and not is_given and not stock.stays_root(entrypoint, command)


def listens_low(container: Container, image: ImageTraits) -> bool:
    """Whether a program of .NET may listen on a port for which root needs the right on some nodes."""
    entries = (each for each in container.own.sequence("ports") if isinstance(each, Mapping))
    ports = (word(each.get("containerPort")) for each in entries)
    is_written = any(port is not None and port.isdecimal() and int(port[:5]) < _FIRST_FREE_PORT for port in ports)
    return image.is_known and image.is_dotnet and (is_written or image.is_early)


def _targets(of: Container | Service) -> list[str]:
    """The folders of the container that something is mounted at."""
    if isinstance(of, Service):
        return [target_of(each) for each in of.nodes("volumes")]
    mounts = (each for each in of.own.sequence("volumeMounts") if isinstance(each, Mapping))
    return [word(each.get("mountPath")) or "" for each in mounts]
