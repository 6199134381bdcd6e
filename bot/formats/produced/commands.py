"""Images that command lines push: `docker build -t … --push`, `docker push`, `az acr build`, `dotnet publish`."""

from collections.abc import Iterator, Mapping

from bot.formats.shell.commands import commands
from bot.formats.source.spanned import Spanned

_BUILDERS = frozenset({"docker", "podman", "nerdctl", "buildah", "depot"})
_TAGS = ("-t", "--tag", "--image")


def pushed(text: Spanned, known: Mapping[str, Spanned] | None = None) -> Iterator[tuple[str, int]]:
    """Each image that the commands push, as written, with the place of its command. Never raises."""
    for command in commands(text, known):
        words = [word.text for word in command.words]
        place = command.words[0].place(0)
        for name in _pushed_by(command.name, words):
            yield name, place


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
    return _values(words, _TAGS) if is_pushing and {"build", "b", "bud"} & set(rest[:4]) else []


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
