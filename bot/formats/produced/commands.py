"""Images that command lines push: `docker build -t … --push`, `docker push`, `az acr build`, `dotnet publish`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.formats.shell.commands import commands
from bot.formats.shell.docker import dockerfiles_of
from bot.formats.shell.folders import Folders
from bot.formats.source.spanned import Spanned

_BUILDERS = frozenset({"docker", "podman", "nerdctl", "buildah", "depot"})
_TAGS = ("-t", "--tag", "--image")


@dataclass(frozen=True, slots=True)
class Written:
    """An image as written, with the place of what builds it; `pulls` and `built_from` as in `NamedImage`, `target`
    and `defaults` as in `BuiltName`."""

    name: str
    place: int
    pulls: bool | None = None
    built_from: tuple[str, ...] = ()
    target: str = ""
    defaults: tuple[str, ...] = ()


def pushed(
    text: Spanned, known: Mapping[str, Spanned] | None = None, folders: Folders | None = None
) -> Iterator[Written]:
    """Each image that the commands push, which run in `folders`, the repository's root where None. Never raises."""
    built: dict[str, Written] = {}
    folders = folders or Folders()
    for command in commands(text, known):
        folders = folders.after(command) or folders
        words = [word.text for word in command.words]
        place = command.words[0].place(0)
        names = _pushed_by(command.name, words)
        if _builds(command.name, words):
            pulls = any(word in ("--pull", "--pull=true", "--pull=always") for word in words)
            files = dockerfiles_of(command, folders)
            built |= {name: Written(name, place, pulls, files) for name in _values(words, _TAGS)}
        if names and _pushes_all_tags(words):
            names = [name for name in built if name.rpartition(":")[0] == names[0]] or [f"{names[0]}:*"]
        for name in names:
            yield built.get(name, Written(name, place))


def _pushed_by(program: str, words: list[str]) -> list[str]:
    if program == "dotnet":
        return _published(words)
    if program == "az" and words[1:3] == ["acr", "build"]:
        registry = next(iter(_values(words, ("-r", "--registry"))), "")
        host = registry if "." in registry else f"{registry}.azurecr.io"
        return [f"{host}/{name}" for name in _values(words, _TAGS)] if registry and "--no-push" not in words else []
    if program not in _BUILDERS:
        return []
    rest = words[1:]
    if rest[:1] == ["push"] or rest[:2] in (["image", "push"], ["manifest", "push"]):
        operands = [word for word in rest[1:] if not word.startswith("-") and word != "push"]
        return operands[-1:]
    is_pushing = "--push" in rest or any("type=registry" in word or "push=true" in word for word in rest)
    return _values(words, _TAGS) if is_pushing and _builds(program, words) else []


def _pushes_all_tags(words: list[str]) -> bool:
    return "push" in words[1:3] and not {"-a", "--all-tags"}.isdisjoint(words)


def _builds(program: str, words: list[str]) -> bool:
    return program in _BUILDERS and bool({"build", "b", "bud"} & set(words[1:5]))


def _published(words: list[str]) -> list[str]:
    """.NET's own containers: the properties of the command line name registry, repository and tag."""
    given: dict[str, str] = {}
    for word in words[1:]:
        option, _, value = word.partition(":") if ":" in word.partition("=")[0] else word.partition("=")
        if option in ("-p", "/p", "--property", "-property", "/property"):
            name, _, text = value.partition("=")
            given[name.lower()] = text.strip("\"'")
    return container_names(given)


def container_names(given: Mapping[str, str]) -> list[str]:
    """The images that these properties of .NET's containers name, by their lower-case names; none without both
    registry and repository."""
    registry = given.get("containerregistry", "")
    repository = given.get("containerrepository", "") or given.get("containerimagename", "")
    if not registry or not repository:
        return []
    listed = given.get("containerimagetags", "") or given.get("containerimagetag", "") or "latest"
    return [f"{registry}/{repository}:{tag.strip()}" for tag in listed.split(";") if tag.strip()]


def _values(words: list[str], options: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for number, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in options:
            found += [value] if equals else words[number + 1 : number + 2]
        elif word.startswith("-t") and len(word) > 2 and not word.startswith("--") and "-t" in options:
            found.append(word[2:])
    return found
