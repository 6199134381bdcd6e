"""Makefiles and justfiles: the images that the commands of recipes name, and what these ask to be built."""

import posixpath
import re

from bot.domain.repositories.usage import Findings
from bot.files.formats.builds import Builds
from bot.files.formats.make import KIND
from bot.files.formats.make.recipes import recipes
from bot.files.formats.shell import script
from bot.files.formats.source.collector import Collector

_PROGRAMS = re.compile(r"docker|podman|nerdctl|buildah|dotnet|msbuild")


def find(path: str, text: str) -> Findings:
    """The images that command lines name. Never raises."""
    file = Collector(path, text, KIND)
    if _PROGRAMS.search(text) is not None:
        script.name_images(recipes(path, text), file)
    return file.findings()


def builds(path: str, text: str) -> Builds:
    """What recipes ask for, which run in the folder of the file or, where another includes it, in the root."""
    if not script.may_ask(text):
        return Builds()
    folder = posixpath.dirname(path)
    return Builds.of(script.asked(recipes(path, text), Collector(path, text, KIND), own=folder))
