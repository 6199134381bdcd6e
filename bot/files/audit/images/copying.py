"""What the stages of a Dockerfile take in: files of the build's context, and .NET from other images.

Source: Docker's reference of COPY, ADD and `RUN --mount=type=bind`, whose source is all of the context where none
is named.
"""

import posixpath
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from bot.files.audit.images.dockerfile import COPYING, Dockerfile
from bot.files.audit.repository import RepositoryTexts
from bot.files.formats.dockerfile.lines import Instruction
from bot.files.formats.dockerfile.stages import BuildStage

_FLAG = re.compile(r"--[\w-]+(?:=\S+)?")
_BOUND = re.compile(r"--mount=(?=\S*\btype=bind)(?!\S*\bfrom=)(?:\S*?\b(?:source|src)=(?P<source>[^\s,]+))?")
_WHOLE = frozenset({".", "*"})
_PATTERN = re.compile(r"[*?\[$]")
_OTHER_DOTNET = re.compile(r"--from=\S+.*?(?:/dotnet|\.dotnet)\b", re.DOTALL)
_INSTALLS_DOTNET = re.compile(r"dotnet-install|\b(?:aspnetcore|dotnet)-(?:runtime|sdk)-?\d")
_OWN_RUNTIME = re.compile(
    r"--self-contained(?!\s*[= ]\s*false)|(?:SelfContained|PublishAot)=true|--sc\b", re.IGNORECASE
)


def sources(file: Dockerfile, stage: BuildStage) -> list[str]:
    """What a stage takes of the build's context, as it is written, without `./`."""
    return [posixpath.normpath(each.lstrip("/") or ".") for one in file.of(stage) for each in _sources(one)]


def _sources(instruction: Instruction) -> Iterator[str]:
    text = instruction.arguments.text
    if instruction.keyword == "run":
        yield from (match["source"] or "." for match in _BOUND.finditer(text))
    elif instruction.keyword in COPYING and "--from=" not in text:
        words = [word.strip("\"',[]") for word in _FLAG.sub(" ", text).split()]
        yield from (word for word in words[:-1] if word and not word.startswith("<<") and "://" not in word)


def takes(repository: RepositoryTexts, file: Dockerfile, stage: BuildStage, path: str) -> bool | None:
    """Whether a file of the repository gets into a stage; None where the files do not tell.

    The context is a folder above the Dockerfile or its own one: that in which the files stand that are named. None
    is above the repository's root, so that nothing is there but what is named.
    """
    taken = sources(file, stage)
    if not taken:
        return False
    folder, own = posixpath.dirname(path), posixpath.dirname(file.path)
    is_taken = any(_is_of(each, posixpath.basename(path)) for each in taken)
    if folder == own:
        is_open = bool(own) or any("$" in each for each in taken)
        return True if is_taken else None if is_open else False
    paths = [each for each in taken if each not in _WHOLE and not _PATTERN.search(each)]
    if any(_is_there(repository, posixpath.join(folder, each)) for each in paths):
        return True if is_taken else None
    return False if any(_is_there(repository, posixpath.join(own, each)) for each in paths) else None


def _is_of(source: str, name: str) -> bool:
    return source in _WHOLE or fnmatchcase(name, source)


def _is_there(repository: RepositoryTexts, path: str) -> bool:
    return path in repository or any(True for _ in repository.below(path))


def has_another_dotnet(file: Dockerfile, stages: list[BuildStage]) -> bool:
    """Whether a stage gets .NET beside that of its base: copied from another image, or installed."""
    return any(
        (each.keyword in COPYING and _OTHER_DOTNET.search(each.arguments.text))
        or (each.keyword == "run" and _INSTALLS_DOTNET.search(each.arguments.text))
        for stage in stages
        for each in file.of(stage)
    )


def brings_own_runtime(file: Dockerfile) -> bool:
    """Whether what is published needs no .NET of its image."""
    runs = (each for stage in file.stages for each in file.of(stage) if each.keyword == "run")
    return any("publish" in each.arguments.text and _OWN_RUNTIME.search(each.arguments.text) for each in runs)
