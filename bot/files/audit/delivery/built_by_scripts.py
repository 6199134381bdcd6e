"""The images that shell scripts of a repository build, by the names that they give them."""

import posixpath
from itertools import pairwise

from bot.files.audit.delivery.pushing import repository_of
from bot.files.audit.repository import RepositoryTexts
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


def _built_by_scripts(repository: RepositoryTexts) -> dict[str, frozenset[str]]:
    files: dict[str, set[str]] = {}
    for path in repository.paths:
        text = repository.text(path) if repository.kind(path) == SHELL else ""
        if not may_ask(text):
            continue
        folders = Folders("", posixpath.dirname(path), may_be_own=True)
        for command in commands(Spanned.from_elsewhere(text)):
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
