"""All formats: which files are of a kind, who reads them, and what a rewrite must know of them.

A new kind of file is a folder here and one line in `FORMATS`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.repositories.usage import Findings, Kind
from bot.files.formats import azd, bake, other_builds
from bot.files.formats.aspire import finder as aspire
from bot.files.formats.azure_pipelines import finder as azure_pipelines
from bot.files.formats.azure_pipelines.recognizing import is_azure_pipeline, named_templates
from bot.files.formats.builds import Builds, NamedTemplate
from bot.files.formats.circleci import KIND as CIRCLECI
from bot.files.formats.circleci import finder as circleci
from bot.files.formats.compose import builds as compose_builds
from bot.files.formats.compose import finder as compose
from bot.files.formats.compose.recognizing import is_compose_file
from bot.files.formats.devcontainer import finder as devcontainer
from bot.files.formats.dockerfile import finder as dockerfile
from bot.files.formats.dotenv import KIND as ENV
from bot.files.formats.dotenv import variables as dotenv
from bot.files.formats.dotnet import global_json, project, solution_files
from bot.files.formats.gitlab_ci import KIND as GITLAB_CI
from bot.files.formats.gitlab_ci import finder as gitlab_ci
from bot.files.formats.gitlab_ci.recognizing import is_gitlab_pipeline
from bot.files.formats.kubernetes import helm
from bot.files.formats.kubernetes import manifests as kubernetes
from bot.files.formats.make import KIND as MAKE
from bot.files.formats.make import finder as make
from bot.files.formats.shell import KIND as SHELL
from bot.files.formats.shell import finder as shell
from bot.files.formats.workflows import builds as workflow_builds
from bot.files.formats.workflows import finder as workflows

Comment = tuple[str, str]
"""What begins and what ends a comment line."""

HASH: Comment = ("#", "")
SLASHES: Comment = ("//", "")
XML: Comment = ("<!--", " -->")


@dataclass(frozen=True, slots=True)
class FileFormat:
    """One kind of file.

    `names` fits the whole path with `/`; the first format whose names fit has the file. `read` gives the usages and
    problems of a file's path and text, and never raises. Of a repository with too many files, those of a low
    `rank` are read. `quotes_tags` says that a tag under a key of its own must stay a text where it looks like a
    number, `tells_without_names` that a problem counts even where the file names no image that is watched.
    `tells_untold` says that a .NET image which the file names and no reader takes for one that is used is told.
    `builds` gives what a file asks of builds elsewhere, and never raises either. `recognizes` tells by the text of
    a YAML file whether it is one, where its name says no more. `templates` names what it has put in before it
    runs, and never raises. `instead_of_digest` says what to write where a tag that stands alone takes no digest.
    """

    kind: Kind
    names: re.Pattern[str]
    read: Callable[[str, str], Findings]
    rank: int
    comment: Comment = HASH
    quotes_tags: bool = False
    tells_without_names: bool = False
    tells_untold: bool = False
    builds: Callable[[str, str], Builds] | None = None
    recognizes: Callable[[str], bool] | None = None
    templates: Callable[[str, str], Sequence[NamedTemplate]] | None = None
    instead_of_digest: str = ""

    def comment_in(self, path: str) -> Comment | None:
        """The signs of a comment line in a file of this kind; JSON takes none, but for JSON with `//` comments."""
        return None if self.comment == HASH and path.endswith(".json") else self.comment


def _names(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:.*/)?(?:{pattern})")


_OF_PROGRAM = r"(?![^/]*\.(?:cs|fs|vb|py|go|rs|rb|java|kt|php|sh|ps1|[jt]sx?|json|ya?ml|xml|toml|html)$)"
_DOCKERFILE = _names(
    r"(?:Docker|Container)file\.[^/]+|(?!(?:GNU)?[Mm]akefile\.)[^/]+\.docker"
    rf"|{_OF_PROGRAM}(?:[A-Za-z0-9_-]*[a-z0-9_-])?(?:Docker|Container)file(?:[A-Z0-9][\w-]*)?(?:\.[\w-]+)?"
    rf"|{_OF_PROGRAM}(?:[^/]*[._-])?(?i:(?:docker|container)file)(?:[._-][^/]*|[0-9]*)"
)
"""Any suffix may stand behind the usual name; behind others, that of a program tells of one about Dockerfiles.
Where a word is run together with it (`Arm64Dockerfile`, `DockerfileArm64`), its capital begins another word."""
_MAY_BE_OTHER = re.compile(
    r".*\.(?:cs|fs|vb|py|go|rs|rb|java|kt|php|sh|ps1|[jt]sx?|docker)|(?:.*/)?[\w-]+(?:Docker|Container)file\.[^/]+"
)
_STAGE = re.compile(r"^[ \t]*FROM[ \t]+\S", re.IGNORECASE | re.MULTILINE)
"""What tells a `Dockerfile.go` for a program in Go from a program about Dockerfiles, and an `api.docker` or
`ApiDockerfile.Alpine` that is one."""
_WORKFLOW = _names(r"\.github/workflows/[^/]+\.ya?ml|action\.ya?ml")
_COMPOSE = _names(r"(?:(?:[^/]*[._-])?(?i:compose)[^/]*|docker-stack)\.ya?ml")
_BAKE = _names(r"[^/]*bake[^/]*\.hcl|(?:docker-bake[^/]*|(?:[^/]*[._-])?bake)\.json")
_DEVCONTAINER = _names(r"\.?devcontainer(?:\.[\w-]+)?\.json")
_PROJECT = _names(r"[^/]+\.(?:(?:cs|fs|vb)proj|props|targets|pubxml)")
_CSHARP = _names(r"[^/]+\.cs")
"""Only what belongs to an AppHost names images, which its project tells."""
_OF_AN_APP_HOST = _names(r"[^/]*(?i:(?:app|aspire)[._-]?host(?!ing))[^/]*(?:/.+)?\.cs")
"""C# that most likely does, by its name or its folder's."""
_VALUES = _names(r"(?:(?:[^/]*[._-])?values[^/]*|values/[^/]+)\.ya?ml")
_AZURE_PIPELINES = _names(
    r"[^/]*azure[-_.]?pipelines?[^/]*\.ya?ml|\.vsts[^/]*\.ya?ml"
    r"|(?:\.?azure[-_]?(?:pipelines?|devops)|\.?(?:azdo|ado|vsts))/(?:.*/)?[^/]+\.ya?ml"
    r"|eng/(?:.*/)?(?:pipelines|templates|common)/(?:.*/)?[^/]+\.ya?ml"
)
"""The last is where the repositories of .NET itself keep theirs."""
_GITLAB_CI = _names(r"[^/]*\.?gitlab-ci[^/]*\.ya?ml|\.gitlab(?:-ci)?/(?!agents/)(?:.*/)?[^/]+\.ya?ml")
_CIRCLECI = _names(r"\.circleci/(?:.*/)?[^/]+\.ya?ml")
_ENVIRONMENT = _names(r"[^/]*\.env(?:\.(?!example$|sample$|template$|dist$)[\w-]+)?")
_SCRIPT = _names(r"[^/]+\.(?:sh|bash|ps1)")
_MAKEFILE = _names(r"(?:GNU)?[Mm]akefile(?:\.[\w-]+)?|[^/]+\.(?:mk|mak|just)|(?i:\.?justfile)")
_ANY_YAML = _names(r"[^/]*\.ya?ml")
_NO_MANIFEST = re.compile(
    r"""
    (?:.*/)?\.github/(?!workflows/|actions/).*        # issue forms, dependabot, labeler, release notes, funding
    | (?:.*/)?(?:
        \.?(?:codecov|readthedocs|golangci|goreleaser|yamllint|prettierrc|eslintrc|markdownlint|pre-commit-config
            |clang-format|clang-tidy|rubocop|stylelintrc|spectral|editorconfig|hadolint|trivy|dependabot|releaserc)
        | _config | mkdocs | pubspec | pnpm-lock | pnpm-workspace | antora | buf | buf\.gen | GitVersion
        | Chart | crowdin | swagger | openapi | appveyor
    )\.ya?ml
    """,
    re.VERBOSE,
)
"""YAML whose format its place or name fixes, and which is not a Kubernetes object: a manifest needs `kind` and
`apiVersion`, and no cluster reads these. (Chart.yaml has an apiVersion, but names no image that is run.)"""
_NO_SOURCE = re.compile(
    r"""
    .*\.(?:approved|verified|received)(?:\.[^/]*)?             # what snapshot tests expect and got
    | .*\.(?:txt|bak|orig|rej|old|save|tmp|log|patch|diff)     # backups, outputs, notes
    | .*(?:~|\.sw[a-p]) | (?:.*/)?\.?\#[^/]*                    # left by editors
    | .*\.(?:dockerignore|md)
    | .*\.nuget\.g\.(?:props|targets)                          # written by a restore
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Files that nobody builds from, whatever their names begin with."""

FORMATS: tuple[FileFormat, ...] = (
    FileFormat(dockerfile.KIND, _DOCKERFILE, dockerfile.find, 1),
    FileFormat(workflows.KIND, _WORKFLOW, workflows.find, 2, tells_untold=True, builds=workflow_builds.builds),
    FileFormat(
        azure_pipelines.KIND,
        _AZURE_PIPELINES,
        azure_pipelines.find,
        3,
        tells_untold=True,
        builds=azure_pipelines.builds,
        recognizes=is_azure_pipeline,
        templates=named_templates,
    ),
    FileFormat(
        GITLAB_CI,
        _GITLAB_CI,
        gitlab_ci.find,
        5,
        tells_untold=True,
        builds=gitlab_ci.builds,
        recognizes=is_gitlab_pipeline,
    ),
    FileFormat(CIRCLECI, _CIRCLECI, circleci.find, 5, tells_untold=True, builds=circleci.builds),
    FileFormat(MAKE, _MAKEFILE, make.find, 8, tells_untold=True, builds=make.builds),
    FileFormat(other_builds.KIND, other_builds.NAMES, other_builds.find, 5, tells_without_names=True),
    FileFormat(compose.KIND, _COMPOSE, compose.find, 5, builds=compose_builds.builds, recognizes=is_compose_file),
    FileFormat(ENV, _ENVIRONMENT, dotenv.find, 6),
    FileFormat(bake.KIND, _BAKE, bake.find, 6, builds=bake.builds),
    FileFormat(devcontainer.KIND, _DEVCONTAINER, devcontainer.find, 6, SLASHES, builds=devcontainer.builds),
    FileFormat(project.KIND, _PROJECT, project.find, 3, XML, tells_without_names=True),
    FileFormat(global_json.KIND, _names(r"global\.json"), global_json.find, 4, SLASHES),
    FileFormat(solution_files.KIND, _names(r"[^/]+\.sln[xf]?"), solution_files.find, 4),
    FileFormat(
        aspire.KIND,
        _CSHARP,
        aspire.find,
        6,
        SLASHES,
        tells_without_names=True,
        instead_of_digest=aspire.INSTEAD_OF_DIGEST,
    ),
    FileFormat(azd.KIND, _names(r"azure\.ya?ml"), azd.find, 4, tells_without_names=True),
    FileFormat(helm.KIND, _VALUES, helm.find, 6, quotes_tags=True),
    FileFormat(SHELL, _SCRIPT, shell.find, 8, tells_untold=True, builds=shell.builds),
    FileFormat(kubernetes.KIND, _ANY_YAML, kubernetes.find, 7, quotes_tags=True, tells_untold=True),
)
UNREAD_BUILD = other_builds.KIND
"""The kind of files of which is told only that they are there, and what they name."""
_BY_KIND: Mapping[Kind, FileFormat] = {each.kind: each for each in FORMATS}


def format_of(kind: Kind) -> FileFormat:
    """Raises `KeyError` for a kind that no format has."""
    return _BY_KIND[kind]


LINE_BREAK_IN_PATH = (
    "its path holds a line break, so the file is not read; give the folder or file a name without one"
)
_LINE_BREAK = re.compile(r"[\r\n]")


def holds_line_break(path: str) -> bool:
    """Whether a path that would be read holds a line break: no list of paths and no message can show such a one."""
    return _LINE_BREAK.search(path) is not None and is_worth_reading(_LINE_BREAK.sub("-", path))


def kind_of(path: str) -> Kind | None:
    """What a file's path (with `/`) says about its kind; any other YAML file may hold Kubernetes manifests."""
    if _NO_SOURCE.fullmatch(path) or _LINE_BREAK.search(path):
        return None
    return next((each.kind for each in FORMATS if each.names.fullmatch(path)), None)


def kind_of_file(path: str, read: Callable[[], str]) -> Kind | None:
    """What kind a file is by its path, or by the text that `read` gives where the path says no more than that it is
    YAML, or may be a program's."""
    kind = kind_of(path)
    if kind == dockerfile.KIND and _MAY_BE_OTHER.fullmatch(path) and not _STAGE.search(read()):
        return next((each.kind for each in FORMATS if each.kind != kind and each.names.fullmatch(path)), None)
    if kind != kubernetes.KIND:
        return kind
    text = read()
    return next((each.kind for each in FORMATS if each.recognizes is not None and each.recognizes(text)), kind)


def is_worth_reading(path: str) -> bool:
    """Whether a file of that path may name images: it has a kind, is no YAML known to be for other ends, and no C#
    that only a project can tell to belong to an AppHost."""
    kind = kind_of(path)
    if kind == aspire.KIND:
        return _OF_AN_APP_HOST.fullmatch(path) is not None
    return kind is not None and not (kind == kubernetes.KIND and _NO_MANIFEST.fullmatch(path))
