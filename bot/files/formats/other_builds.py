"""Builds that are not read, by what their files are called or say: each is told, with the .NET images in it.

A line in `OTHER_BUILDS` is all that a build service or program needs to be told of.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from bot.domain.repositories.usage import Findings, Kind, SourceProblem
from bot.files.formats.source.text import Lines

KIND = Kind("other-build")
_REGISTRY = "mcr.microsoft.com/dotnet/"
_DOTNET_IMAGE = re.compile(r"mcr\.microsoft\.com/dotnet/[\w./-]{1,100}(?::[\w.-]{1,128})?(?:@sha256:[0-9a-f]{64})?")
_MOST_NAMED = 3
_IN_ANY_FOLDER = "(?:.*/)?"
_PUSHES = re.compile(
    r"(?:docker|podman|buildah|crane|oras)[ \t]+(?:image[ \t]+)?push|--push\b|PublishContainer"
    r"|\bDocker(?:Push|Build)\w{0,40}[ \t]*\("
)
_PUSHES_IN_PROGRAM = re.compile(
    r"^(?![ \t]*(?:#|//|\*))[^\n]*?(?:\b(?:docker|podman|buildah|nerdctl|crane|oras)(?:[\"']?,[ \t]*[\"']|[ \t]+)"
    r"(?:(?:image|manifest)(?:[\"']?,[ \t]*[\"']|[ \t]+))?push\b|\bimages\.push\(|\bbuildx\b[^\n]{0,300}--push\b)",
    re.MULTILINE,
)
"""The same in a program that starts others, by one text or a list of words, or uses Docker's own library."""
_PUSHES_OR_NAMES = re.compile(f"{_PUSHES.pattern}|{_DOTNET_IMAGE.pattern}")
MENTIONS_CONTAINERS = re.compile(
    r"docker|podman|buildah|nerdctl|kaniko|skopeo|\bcrane\b|\bko\b|\bjib\b|container|image|helm|kubectl|artifact",
    re.IGNORECASE,
)
"""Words of builds that have to do with images, or hand on what somebody packs into one."""
TILTFILE = re.compile(r"Tiltfile(?:[._-][^/]*)?|[^/]+\.tiltfile")
_IMAGE_OF_NOMAD = re.compile(rf"^[ \t]*image[ \t]*=|{_DOTNET_IMAGE.pattern}", re.MULTILINE)
"""Whose configuration of a task names the image that it runs, whatever that stands on."""
_COMMENT = re.compile(r"[ \t]*(?:#|//|--|;|<!--|(?i:rem\b))")


@dataclass(frozen=True, slots=True)
class OtherBuild:
    """`names` fits the whole path with `/`. `text` is what a file of another kind has to say to be one.

    `only_where` is what one by its name has to say to be told, where most such files bring no image anywhere.
    """

    service: str
    names: re.Pattern[str]
    text: re.Pattern[str] | None = None
    only_where: re.Pattern[str] | None = None
    is_build: bool = True
    """Whether it makes something, and does not only run what is made."""

    @property
    def is_there(self) -> str:
        """What is said of it before the rest."""
        return "a build is there" if self.is_build else "a manifest is there"


def _named(service: str, pattern: str, only_where: re.Pattern[str] | None = None) -> OtherBuild:
    return OtherBuild(service, re.compile(f"{_IN_ANY_FOLDER}(?:{pattern})"), only_where=only_where)


def _at_root(service: str, pattern: str) -> OtherBuild:
    """Of a service that reads its file at the root alone: elsewhere it is somebody else's."""
    return OtherBuild(service, re.compile(pattern))


def _manifest(service: str, pattern: str, only_where: re.Pattern[str] = _DOTNET_IMAGE) -> OtherBuild:
    return OtherBuild(service, re.compile(f"{_IN_ANY_FOLDER}(?:{pattern})"), only_where=only_where, is_build=False)


def _saying(service: str, pattern: str, text: str) -> OtherBuild:
    return OtherBuild(service, re.compile(f"{_IN_ANY_FOLDER}(?:{pattern})"), re.compile(text, re.MULTILINE))


_BUILD_PROGRAM = r"(?:[^/]*[._-])?(?:build|release|publish|push|deploy|docker|images?)(?:[._-][^/]*)?"
"""What programs that build and ship are called, by a whole word of their names."""
_OF_SCRIPTS = r"(?:scripts?|tools?|\.?ci|build|eng|hack|release|deploy)/"
"""Folders of such programs in a language that applications are written in too."""
OTHER_BUILDS = (
    _named("GitLab CI", r"[^/]*\.?gitlab-ci[^/]*\.ya?ml|\.gitlab(?:-ci)?/(?!agents/)(?:.*/)?[^/]+\.ya?ml"),
    _named("CircleCI", r"\.circleci/(?:.*/)?[^/]+\.ya?ml"),
    _named("Jenkins", r"(?:[^/]*[._-])?(?i:Jenkinsfile)(?:[._-][^/]*)?"),
    _named("Jenkins", r"(?:vars|\.?ci|\.?jenkins|pipelines?)/(?:.*/)?[^/]+\.groovy", _PUSHES_OR_NAMES),
    _at_root("Woodpecker", r"\.woodpecker\.ya?ml|\.woodpecker/[^/]+\.ya?ml"),
    _at_root("Drone", r"\.drone\.(?:ya?ml|jsonnet|star)"),
    _at_root("Bitbucket Pipelines", r"bitbucket-pipelines\.ya?ml"),
    _named("Gitea Actions", r"\.(?:gitea|forgejo)/workflows/[^/]+\.ya?ml"),
    _at_root("Travis CI", r"\.travis\.ya?ml"),
    _named("Buildkite", r"\.buildkite/[^/]+\.ya?ml"),
    _named("AppVeyor", r"\.?appveyor\.ya?ml", _PUSHES_OR_NAMES),
    _named("TeamCity", r"\.teamcity/(?:.*/)?[^/]+\.(?:kts?|xml)", _PUSHES_OR_NAMES),
    _named("Semaphore", r"\.semaphore/[^/]+\.ya?ml"),
    _named("Codefresh", r"codefresh(?:[._-][^/]*)?\.ya?ml|\.?codefresh/(?:.*/)?[^/]+\.ya?ml"),
    _at_root("Cirrus CI", r"\.cirrus\.ya?ml"),
    _named("Harness", r"\.harness/(?:.*/)?[^/]+\.ya?ml"),
    _named("Earthly", r"Earthfile|[^/]+\.earth"),
    _named("Cloud Build", r"(?:[^/]*[._-])?cloudbuild(?:[._-][^/]*)?\.(?:ya?ml|json)"),
    _named("CodeBuild", r"(?:[^/]*[._-])?buildspec(?:[._-][^/]*)?\.ya?ml"),
    _named("Skaffold", r"skaffold(?:[._-][^/]*)?\.ya?ml"),
    _named("Tilt", TILTFILE.pattern),
    _named("ko", r"\.ko\.ya?ml"),
    _named("Nuke", r"\.nuke/parameters\.json"),
    _named("Cake", r"[^/]+\.cake", _PUSHES_OR_NAMES),
    _named("FAKE", r"build\.fsx|(?:_?build|fake)/(?:[^/]+/)*[^/]+\.fsx?", _PUSHES_OR_NAMES),
    _named(
        "a build program in C#",
        r"(?:_?build|builder|\.?nuke|cake)/(?:[^/]+/)*(?![^/]*(?i:host))[^/]+\.cs|Build(?:\.\w+)*\.cs",
        _PUSHES_OR_NAMES,
    ),
    _named("a build program in Python", rf"{_BUILD_PROGRAM}\.py|(?:tasks|fabfile|dodo)\.py", _PUSHES_IN_PROGRAM),
    _named("a build program in JavaScript", rf"{_OF_SCRIPTS}{_BUILD_PROGRAM}\.[cm]?[jt]s", _PUSHES_IN_PROGRAM),
    _named("a build program in Ruby", rf"{_BUILD_PROGRAM}\.rb|Rakefile|[^/]+\.rake", _PUSHES_IN_PROGRAM),
    _named("make", r"[^/]+\.mk", _PUSHES),
    _named("Tye", r"tye\.ya?ml"),
    _named("Task", r"(?i:taskfile)(?:\.dist)?\.ya?ml", _PUSHES_OR_NAMES),
    _named("a batch file", r"[^/]+\.(?:cmd|bat)", _PUSHES_OR_NAMES),
    _manifest("Gitpod", r"\.gitpod\.ya?ml"),
    _manifest("Fly.io", r"fly(?:\.[\w-]+)?\.toml"),
    _manifest("Nomad", r"[^/]+\.nomad(?:\.hcl)?", _IMAGE_OF_NOMAD),
    _manifest(
        "JSON",
        r"(?:deploy(?:ments?)?|k8s|kubernetes|manifests?|ecs)/(?:[^/]+/)*(?![^/]*(?:bake|devcontainer))[^/]+\.json"
        r"|(?:[^/]*[._-])?(?:task-?def(?:inition)?s?|deployment|pod)(?:[._-][^/]*)?\.json|Dockerrun\.aws\.json",
    ),
    _saying("Concourse", r"[^/]+\.ya?ml", r"^\s+image_resource:"),
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


def dotnet_images_in(text: str, but: Collection[str] = ()) -> NamedDotnetImages:
    """Finds images of Microsoft's registry by their names alone, whatever the text is written in; without `but`."""
    places: dict[str, int] = {}
    for match in _DOTNET_IMAGE.finditer(text):
        name = match.group().rstrip("./-")
        if name not in but:
            places.setdefault(name, match.start())
    if not places:
        return NamedDotnetImages()
    first, *_ = places.values()
    words = ", ".join([*places][:_MOST_NAMED])
    more = len(places) - _MOST_NAMED
    return NamedDotnetImages(f"{words} and {more} more" if more > 0 else words, Lines(text).at(first))


def find(path: str, text: str) -> Findings:
    """One problem: what the build names or hands on is not known here."""
    build = build_in(path, text)
    images = dotnet_images_in(text)
    if build is None or not (images.words or MENTIONS_CONTAINERS.search(text)):
        return Findings()
    among = f", {images.words} among them," if images.words else ""
    why = f"{build.is_there}, not read: images that {build.service} names{among} are not watched"
    besides = ", and values that it gives to Dockerfiles and projects do not count" if build.is_build else ""
    why = f"{why}{besides}; keep these in files that are read"
    return Findings(problems=(SourceProblem(path, images.line, why),))


def with_untold(path: str, text: str, findings: Findings) -> Findings:
    """The findings of a file, with one problem where it names .NET images of which nothing is told yet.

    Those in comments do not count, nor does a file of which something is told as not read.
    """
    if findings.problems or findings.open_references or _REGISTRY not in text:
        return findings
    told_lines = {usage.line for usage in findings.usages}
    usage_names = {name for usage in findings.usages for name in (str(usage.reference), usage.reference.name)}
    lines = text.split("\n")
    rest = "\n".join(
        "" if number in told_lines or _COMMENT.match(line) else line for number, line in enumerate(lines, start=1)
    )
    images = dotnet_images_in(rest, usage_names)
    if not images.words:
        return findings
    why = f"{images.words} is named, and nothing that is read here runs it or builds on it, so it is not watched"
    return replace(findings, problems=(SourceProblem(path, images.line, f"{why}; name it where an image is read"),))
