"""The images that shell scripts and Makefiles of a repository build, by the names that they give them."""

import posixpath
import re
from itertools import pairwise

from bot.files.audit.delivery.pushing import repository_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.formats.builds import DOCKERFILE
from bot.files.formats.make import KIND as MAKE
from bot.files.formats.make.recipes import recipes
from bot.files.formats.shell import KIND as SHELL
from bot.files.formats.shell.commands import UNKNOWN, Command, commands
from bot.files.formats.shell.docker import dockerfiles_of
from bot.files.formats.shell.folders import Folders
from bot.files.formats.shell.script import may_ask
from bot.files.formats.source.spanned import Spanned

_TAGS = ("-t", "--tag")


def built_by_script(repository: RepositoryTexts, name: str) -> str | None:
    """The Dockerfile that scripts build the images of a name from; None where none does, or several do."""
    paths = repository.kept(_built_by_scripts).get(name, frozenset())
    return next(iter(paths)) if len(paths) == 1 else None


def may_be_built_by_make(repository: RepositoryTexts, name: str) -> str | None:
    """The Dockerfile that a Makefile may build the images of a name from: it names what it builds by variables, and
    speaks of a folder beside it that is called as the image is. None where no Makefile does."""
    word = name.rpartition("/")[2]
    for path in repository.paths if word else ():
        if repository.kind(path) != MAKE:
            continue
        dockerfile = posixpath.join(posixpath.dirname(path), word, DOCKERFILE)
        text = repository.text(path) if dockerfile in repository else ""
        is_building = _BUILDS.search(text) and _TAG_BY_VARIABLE.search(text)
        if is_building and re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text):
            return dockerfile
    return None


_BUILDS = re.compile(r"\b(?:docker|podman|nerdctl|buildah)[ \t]+(?:(?:buildx|image)[ \t]+)?(?:build|bud)\b")
_TAG_BY_VARIABLE = re.compile(r"\s(?:-t|--tag)[= ][ \t]*[^\s$]*\$[({]")


def _built_by_scripts(repository: RepositoryTexts) -> dict[str, frozenset[str]]:
    files: dict[str, set[str]] = {}
    for path in repository.paths:
        text = repository.text(path) if repository.kind(path) in {SHELL, MAKE} else ""
        if not may_ask(text):
            continue
        script = recipes(path, text) if repository.kind(path) == MAKE else Spanned.from_elsewhere(text)
        folders = Folders("", posixpath.dirname(path), may_be_own=True)
        for command in commands(script):
            if (changed := folders.after(command)) is not None:
                folders = changed
                continue
            dockerfile = next((each for each in dockerfiles_of(command, folders) if each in repository), None)
            for name in _names_given(command) if dockerfile is not None else ():
                files.setdefault(name, set()).add(dockerfile or "")
    return {name: frozenset(paths) for name, paths in files.items()}


def _names_given(command: Command) -> list[str]:
    """The names without tags that a build gives; none where only a run tells them."""
    texts = [word.text for word in command.words]
    tags = [following for word, following in pairwise(texts) if word in _TAGS]
    tags += [text.partition("=")[2] for text in texts if text.startswith("--tag=")]
    names = (repository_of(_without_unknown_tag(tag)) for tag in tags)
    return [name for name in names if name and UNKNOWN not in name]


def _without_unknown_tag(name: str) -> str:
    folder, slash, last = name.rpartition("/")
    image, _, tag = last.partition(":")
    return f"{folder}{slash}{image}" if UNKNOWN in tag else name
