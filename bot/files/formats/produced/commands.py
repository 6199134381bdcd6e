"""Images that command lines push: `docker build -t … --push`, `docker push`, `az acr build`, `dotnet publish`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from bot.files.formats.produced.placeholders import shown
from bot.files.formats.shell.commands import commands
from bot.files.formats.shell.docker import dockerfiles_of
from bot.files.formats.shell.folders import Folders
from bot.files.formats.source.spanned import Spanned

_BUILDERS = frozenset({"docker", "podman", "nerdctl", "buildah", "depot"})
_TAGS = ("-t", "--tag", "--image")
_NAMES_OF_COPY = 2
_REGISTRY = "docker://"
_OF_ENGINES = ("containers-storage:", "docker-daemon:")
_LOCAL = (*_OF_ENGINES, "oci:", "oci-archive:", "docker-archive:", "dir:")
"""Transports of containers-image, which Buildah, Podman and Skopeo take."""

MOST_WRITTEN = 10_000
"""Names of one file, however often each is pushed: commands that push all tags name each one anew."""


@dataclass(frozen=True, slots=True)
class Written:
    """An image as written, with the place of what builds it; `pulls` and `built_from` as in `NamedImage`, `target`
    and `defaults` as in `BuiltName`, `weakness`, `branches`, `is_pushed` and `variant` as in `NamedImage`. `pulled`
    is the name under which it was fetched, where it was not built."""

    name: str
    place: int
    pulls: bool | None = None
    built_from: tuple[str, ...] = ()
    target: str = ""
    defaults: tuple[str, ...] = ()
    weakness: str = ""
    branches: tuple[str, ...] = ()
    is_pushed: bool = True
    variant: str = ""
    pulled: str = ""


def pushed(
    text: Spanned,
    variables: Mapping[str, Spanned] | None = None,
    folders: Folders | None = None,
    built: dict[str, Written] | None = None,
) -> Iterator[Written]:
    """Each image that the commands push, which run in `folders`, else in the repository's root. Never raises.

    `built` are the images that were built or pulled before by their names; what the commands build, pull and tag is
    added. What is pulled, tagged and pushed under another name says under which it was pulled: see `with_copies`.
    """
    built = {} if built is None else built
    folders = folders or Folders()
    for command in commands(text, variables):
        folders = folders.after(command) or folders
        words = [word.text for word in command.words]
        place = text.place(command.start)
        if _builds(command.name, words):
            pulls = any(word in ("--pull", "--pull=true", "--pull=always") for word in words)
            files = dockerfiles_of(command, folders)
            built |= {name: Written(name, place, pulls, files) for name in _values(words, _TAGS)}
        for name in _find_pulled_names(command.name, words):
            built.setdefault(name, Written(name, place, pulled=name))
        source, target = _find_copy(command.name, words)
        if source in built and target:
            built[target] = replace(built[source], name=target)
        names = _find_pushed_names(command.name, words, built)
        if names and _pushes_all_tags(words):
            mine = (name for name, made in built.items() if name != made.pulled)
            names = [name for name in mine if name.rpartition(":")[0] == names[0]] or [f"{names[0]}:*"]
        for name in names:
            made = built.get(name, Written(name, place))
            # One pushed under the very name that it was pulled under may have been built between.
            pulled = made.pulled if made.pulled != name else ""
            yield made if not made.pulled else replace(made, name=name, place=place, pulled=pulled)


def with_copies(names: Iterable[Written]) -> Iterator[Written]:
    """Yields what a file pushes: a copy of what it builds counts as that, another copy as weak evidence."""
    first_names = list(islice(names, MOST_WRITTEN))
    built = {name.name: name for name in first_names if not name.pulled}
    for name in first_names:
        if not name.pulled:
            yield name
        elif (source := built.get(name.pulled)) is not None:
            weakness = name.weakness or source.weakness
            yield replace(name, pulls=source.pulls, built_from=source.built_from, weakness=weakness)
        else:
            copy = f"it is a copy of {shown(name.pulled)}, which no build here makes anew"
            yield replace(name, weakness=name.weakness or copy)


def _find_pulled_names(program: str, words: list[str]) -> list[str]:
    arguments = words[1:]
    is_pull = program in _BUILDERS and (arguments[:1] == ["pull"] or arguments[:2] == ["image", "pull"])
    name = _without_transport(arguments[-1]) if is_pull and not arguments[-1].startswith("-") else None
    return [name] if name is not None else []


def _find_copy(program: str, words: list[str]) -> tuple[str, str]:
    """The image that a command gives another name, which it may push too, and that name; else nothing."""
    operands = [_without_transport(word) or "" for word in words[1:] if not word.startswith("-")]
    if program in _BUILDERS and operands[:1] == ["image"]:
        operands = operands[1:]
    is_copy = program in _BUILDERS and operands[:1] in (["tag"], ["push"])
    if (is_copy or (program == "skopeo" and operands[:1] == ["copy"])) and len(operands) > _NAMES_OF_COPY:
        return operands[-2], operands[-1]
    return "", ""


def _find_pushed_names(program: str, words: list[str], built: Mapping[str, Written]) -> list[str]:
    if program == "dotnet":
        return _find_published_names(words)
    if program == "az" and words[1:3] == ["acr", "build"]:
        registry = next(iter(_values(words, ("-r", "--registry"))), "")
        host = registry if "." in registry else f"{registry}.azurecr.io"
        is_pushed = registry and "--no-push" not in words
        return [f"{host}/{name}" for name in _values(words, _TAGS)] if is_pushed else []
    if program == "skopeo":
        return _find_names_of_skopeo(words, built)
    if program not in _BUILDERS:
        return []
    arguments = words[1:]
    if arguments[:1] == ["push"] or arguments[:2] in (["image", "push"], ["manifest", "push"]):
        operands = [word for word in arguments[1:] if not word.startswith("-") and word != "push"]
        name = _without_transport(operands[-1]) if operands else None
        return [name] if name is not None else []
    is_pushing = "--push" in arguments or any("type=registry" in word or "push=true" in word for word in arguments)
    return _values(words, _TAGS) if is_pushing and _builds(program, words) else []


def _find_names_of_skopeo(words: list[str], built: Mapping[str, Written]) -> list[str]:
    """What `skopeo copy` pushes of images that were built before; what it brings from a registry is a mirror."""
    operands = [word for word in words[1:] if not word.startswith("-")]
    if operands[:1] != ["copy"] or len(operands) <= _NAMES_OF_COPY:
        return []
    source, target = operands[-2:]
    is_mirror = source.startswith(_REGISTRY) and _without_transport(source) not in built
    return [target.removeprefix(_REGISTRY)] if target.startswith(_REGISTRY) and not is_mirror else []


def _without_transport(word: str) -> str | None:
    """The name of an image at a registry; None for one in another place, such as `oci:` or `docker-archive:`."""
    if word.startswith(_REGISTRY):
        return word.removeprefix(_REGISTRY)
    local = next((each for each in _LOCAL if word.startswith(each)), None)
    return word if local is None else word.removeprefix(local) if local in _OF_ENGINES else None


def _pushes_all_tags(words: list[str]) -> bool:
    return "push" in words[1:3] and not {"-a", "--all-tags"}.isdisjoint(words)


def _builds(program: str, words: list[str]) -> bool:
    return program in _BUILDERS and bool({"build", "b", "bud"} & set(words[1:5]))


def _find_published_names(words: list[str]) -> list[str]:
    """.NET's own containers: the properties of the command line name registry, repository and tag."""
    properties: dict[str, str] = {}
    for word in words[1:]:
        option, _, value = word.partition(":") if ":" in word.partition("=")[0] else word.partition("=")
        if option in ("-p", "/p", "--property", "-property", "/property"):
            name, _, text = value.partition("=")
            properties[name.lower()] = text.strip("\"'")
    return container_names(properties)


def container_names(properties: Mapping[str, str]) -> list[str]:
    """The images that these properties of .NET's containers name, by their lower-case names; none without both
    registry and repository."""
    registry = properties.get("containerregistry", "")
    repository = properties.get("containerrepository", "") or properties.get("containerimagename", "")
    if not registry or not repository:
        return []
    tag_list = properties.get("containerimagetags", "") or properties.get("containerimagetag", "") or "latest"
    return [f"{registry}/{repository}:{tag.strip()}" for tag in tag_list.split(";") if tag.strip()]


def _values(words: list[str], options: tuple[str, ...]) -> list[str]:
    option_values: list[str] = []
    for number, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in options:
            option_values += [value] if equals else words[number + 1 : number + 2]
        elif word.startswith("-t") and len(word) > 2 and not word.startswith("--") and "-t" in options:
            option_values.append(word[2:])
    return option_values
