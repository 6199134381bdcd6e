"""Builds that are not read, by what their files are called or say: each is told, with the .NET images in it.

A line in `OTHER_BUILDS` is all that a build service or program needs to be told of.
"""

import re
from dataclasses import dataclass

from bot.domain.repositories.usage import Findings, Kind, SourceProblem
from bot.files.formats.source.text import Lines

KIND = Kind("other-build")
_DOTNET_IMAGE = re.compile(r"mcr\.microsoft\.com/dotnet/[\w./-]{1,100}(?::[\w.-]{1,128})?(?:@sha256:[0-9a-f]{64})?")
_MOST_NAMED = 3
_IN_ANY_FOLDER = "(?:.*/)?"
_PUSHES = re.compile(
    r"(?:docker|podman|buildah|crane|oras)[ \t]+push|--push\b|PublishContainer"
    r"|\bDocker(?:Push|Build)\w{0,40}[ \t]*\("
)


@dataclass(frozen=True, slots=True)
class OtherBuild:
    """`names` fits the whole path with `/`. `text` is what a file of another kind has to say to be one.

    `only_where` is what one by its name has to say to be told, where most such files bring no image anywhere.
    """

    service: str
    names: re.Pattern[str]
    text: re.Pattern[str] | None = None
    only_where: re.Pattern[str] | None = None


def _named(service: str, pattern: str, only_where: re.Pattern[str] | None = None) -> OtherBuild:
    return OtherBuild(service, re.compile(f"{_IN_ANY_FOLDER}(?:{pattern})"), only_where=only_where)


def _saying(service: str, pattern: str, text: str) -> OtherBuild:
    return OtherBuild(service, re.compile(f"{_IN_ANY_FOLDER}(?:{pattern})"), re.compile(text, re.MULTILINE))


OTHER_BUILDS = (
    _named("GitLab CI", r"\.gitlab-ci\.ya?ml"),
    _named("CircleCI", r"\.circleci/config\.ya?ml"),
    _named("Jenkins", r"(?:[^/]*[._-])?Jenkinsfile(?:[._-][^/]*)?"),
    _named("Woodpecker", r"\.woodpecker\.ya?ml|\.woodpecker/[^/]+\.ya?ml"),
    _named("Drone", r"\.drone\.(?:ya?ml|jsonnet|star)"),
    _named("Bitbucket Pipelines", r"bitbucket-pipelines\.ya?ml"),
    _named("Gitea Actions", r"\.(?:gitea|forgejo)/workflows/[^/]+\.ya?ml"),
    _named("Travis CI", r"\.travis\.ya?ml"),
    _named("Buildkite", r"\.buildkite/[^/]+\.ya?ml"),
    _named("Earthly", r"Earthfile"),
    _named("Cloud Build", r"cloudbuild(?:[._-][^/]*)?\.(?:ya?ml|json)"),
    _named("CodeBuild", r"buildspec(?:[._-][^/]*)?\.ya?ml"),
    _named("Skaffold", r"skaffold(?:[._-][^/]*)?\.ya?ml"),
    _named("ko", r"\.ko\.ya?ml"),
    _named("Nuke", r"\.nuke/parameters\.json"),
    _named("Cake", r"[^/]+\.cake", _PUSHES),
    _named("make", r"[^/]+\.mk", _PUSHES),
    _saying("azd", r"azure\.ya?ml", r"\bhost:[ \t]*[\"']?(?:containerapp|aks)\b"),
    _saying("Tekton", r"[^/]+\.ya?ml", r"^[\"']?apiVersion[\"']?:[ \t]*[\"']?tekton\.dev/"),
    _saying("kaniko", r"[^/]+\.ya?ml", r"\A(?=[\s\S]*^apiVersion:)[\s\S]*kaniko-project/executor"),
    _saying("Cake", r"[^/]+\.csproj", r"Include=\"Cake\.Frosting\""),
    _saying("Nuke", r"[^/]+\.csproj", r"Include=\"Nuke\.Common\""),
)
NAMES = re.compile(
    f"{_IN_ANY_FOLDER}(?:%s)"
    % "|".join(each.names.pattern.removeprefix(_IN_ANY_FOLDER) for each in OTHER_BUILDS if each.text is None)
)
"""Files that are of this kind by their path; others are read by formats of their own."""


def build_in(path: str, text: str) -> OtherBuild | None:
    """The build that a file is of, and that is not read; None for other files. Never raises."""
    fitting = (each for each in OTHER_BUILDS if each.names.fullmatch(path))
    return next((each for each in fitting if _is_told(each.text, text) and _is_told(each.only_where, text)), None)


def _is_told(pattern: re.Pattern[str] | None, text: str) -> bool:
    return pattern is None or pattern.search(text) is not None


@dataclass(frozen=True, slots=True)
class NamedDotnetImages:
    """The .NET images that a text names, in words, and the line of the first; empty and 1 where it names none."""

    words: str = ""
    line: int = 1


def dotnet_images_in(text: str) -> NamedDotnetImages:
    """Finds images of Microsoft's registry by their names alone, whatever the text is written in."""
    places: dict[str, int] = {}
    for match in _DOTNET_IMAGE.finditer(text):
        places.setdefault(match.group().rstrip("./-"), match.start())
    if not places:
        return NamedDotnetImages()
    first, *_ = places.values()
    words = ", ".join([*places][:_MOST_NAMED])
    more = len(places) - _MOST_NAMED
    return NamedDotnetImages(f"{words} and {more} more" if more > 0 else words, Lines(text).at(first))


def find(path: str, text: str) -> Findings:
    """One problem: what the build names or hands on is not known here."""
    build = build_in(path, text)
    if build is None:
        return Findings()
    images = dotnet_images_in(text)
    among = f", {images.words} among them," if images.words else ""
    why = (
        f"a build is there, not read: images that {build.service} names{among} are not watched, and values that it "
        "gives to Dockerfiles and projects do not count; keep these in files that are read"
    )
    return Findings(problems=(SourceProblem(path, images.line, why),))
