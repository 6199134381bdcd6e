"""Docker Bake files in HCL and JSON."""

from bot.domain.repositories.usage import Findings, Kind
from bot.files.formats.builds import Builds, BuiltName, DockerBuild, FileBuild

KIND = Kind("bake")


def find(path: str, text: str) -> Findings:
    """Finds all images of a Bake file; HCL's parser takes a while to load, so it is loaded with the first one."""
    from bot.files.formats.bake import finder

    return finder.find(path, text)


def builds(path: str, text: str) -> Builds:
    """What the targets hand to the Dockerfiles that they are built from. Never raises."""
    if "args" not in text or "target" not in text:
        return Builds()
    from bot.files.formats.bake import finder

    return finder.builds(path, text)


def targets(path: str, text: str) -> list[tuple[str, DockerBuild]]:
    """The name of each target with its builds. Never raises."""
    from bot.files.formats.bake import finder

    return finder.targets(path, text)


def names(path: str, text: str, build: FileBuild | None = None) -> list[BuiltName]:
    """The names that targets give to what they build; with a `build`, as that one sets them. Never raises."""
    if "target" not in text or not ("tags" in text or (build is not None and build.tags)):
        return []
    from bot.files.formats.bake import finder

    return finder.names(path, text, build)


def values(path: str, text: str) -> dict[str, str]:
    """The variables of a file with their values. Never raises."""
    from bot.files.formats.bake import finder

    return finder.values(path, text)
