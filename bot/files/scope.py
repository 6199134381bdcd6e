"""Which files of a repository are judged, which are left out and why, and which may be fixtures.

A file is left out only where it lies in the folder of a test project, or in one whose whole name is a word such as
`tests` or `samples`, and nothing that the repository delivers with names a place there. What may be a fixture is
judged, and never edited by a proposal.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from posixpath import dirname, join, normpath
from typing import Protocol

from bot.domain.repositories.usage import Kind
from bot.files.formats import azd, other_builds
from bot.files.formats.azure_pipelines import KIND as AZURE_PIPELINES
from bot.files.formats.bake import KIND as BAKE
from bot.files.formats.circleci import KIND as CIRCLECI
from bot.files.formats.compose.finder import KIND as COMPOSE
from bot.files.formats.dockerfile import KIND as DOCKERFILE
from bot.files.formats.gitlab_ci import KIND as GITLAB_CI
from bot.files.formats.kubernetes.manifests import KIND as MANIFEST
from bot.files.formats.make import KIND as MAKE
from bot.files.formats.shell import KIND as SHELL
from bot.files.formats.workflows import KIND as WORKFLOW
from bot.files.origins import FileOrigin, origin_of


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LEFT_OUT_WORDS = _words(
    "test tests testdata e2e fixture fixtures fake fakes mock mocks __snapshots__ sample samples example"
    " examples tutorial tutorials quickstart quickstarts demo demos doc docs benchmark benchmarks"
    " devcontainer devcontainers .devcontainer .devcontainers .vscode .gitpod node_modules vendor"
    " third_party"
)
"""Whole names of folders that hold tests, samples, texts, development containers or somebody else's sources."""
FIXTURE_WORDS = _words("testing test-assets test-suite golden snippets playground dev development")
"""Whole names of folders that may hold such, or a stage, a product, images that others stand on."""
_STAGES = _words(
    "overlay overlays environment environments env envs stage stages cluster clusters deploy deployment"
    " deployments k8s kubernetes manifest manifests gitops app apps infra iac argocd flux helm charts"
)
"""Folders below which `test` most likely names a stage."""
DEVELOPMENT_WORDS = _words(
    "dev devel develop development test tests testing debug ci local watch builder buildenv playground"
    " override vs e2e"
)
"""What the name of a Dockerfile or Compose file says where it is run by developers or tests."""
_USUAL_NAME = re.compile(r"docker-compose|docker-stack|compose|dockerfile|containerfile", re.IGNORECASE)
_DEVELOPMENT_FILES = frozenset({".devcontainer.json", ".gitpod.yml", ".gitpod.yaml", ".gitpod.dockerfile"})
_TEST_PROJECT = re.compile(
    r"<IsTestProject[^>]*>\s*true\s*<|Include\s*=\s*[\"'](?:Microsoft\.NET\.Test\.Sdk|xunit\.v3|TUnit|MSTest)[\"']"
    r"|Sdk\s*=\s*[\"']MSTest\.Sdk",
    re.IGNORECASE,
)
_PROJECT_ENDINGS = (".csproj", ".fsproj", ".vbproj")
_TEMPLATE_CONFIG = ".template.config/template.json"
DELIVERING_KINDS = frozenset(
    {WORKFLOW, AZURE_PIPELINES, other_builds.KIND, COMPOSE, BAKE, SHELL, MAKE, GITLAB_CI, CIRCLECI, azd.KIND}
)
_CHECKED_KINDS = frozenset({DOCKERFILE, COMPOSE, AZURE_PIPELINES, other_builds.KIND, GITLAB_CI, CIRCLECI})
_DELIVERING_NAMES = frozenset(
    {
        "chart.yaml",
        "kustomization.yaml",
        "kustomization.yml",
        "kustomization",
        "jenkinsfile",
    }
)
_NAMED_OUTRIGHT = frozenset({"chart.yaml", "kustomization.yaml", "kustomization.yml", "kustomization"})
"""Files in which each place that is named is deployed."""
_NAMES_RESOURCE = re.compile(r"^\s*-\s+[\"']?[\w./]|\bpath:")
_DELIVERING_LINE = re.compile(
    r"\b(?:docker|podman|buildah|nerdctl|buildx|bake|push|publish|kaniko|executor|kubectl|oc|helm|kustomize|skaffold"
    r"|azd|context|dockerfile|file|chart|charts|manifest|manifests|deploy|apply|image|build)\b",
    re.IGNORECASE,
)
_TESTING_LINE = re.compile(
    r"^\s*(?:-\s+)?(?:#|name:)|\b(?:dotnet\s+(?:test|restore|format|build)|artifact|results?-|coverage|\.trx)",
    re.IGNORECASE,
)
_PUSHES = re.compile(
    r"push:\s*[\"']?(?:true|\$)|--push\b|\b(?:docker|podman|buildah|compose)\s+push\b|\bkubectl\b[^\n]*\bapply\b"
    r"|\bhelm\s+(?:upgrade|install)\b|command:\s*buildAndPush|PublishContainer|deploy@",
    re.IGNORECASE,
)
_BUILDING_KINDS = frozenset({WORKFLOW, AZURE_PIPELINES})
_BUILT = re.compile(
    r"^[ \t]*(?:-[ \t]+)?(?:file|dockerfile):[ \t]*[\"']?(?:\$\{\{ *github\.workspace *\}\}/)?(?P<path>[\w./@-]+)",
    re.IGNORECASE | re.MULTILINE,
)
"""The Dockerfile that an action or a task is told to build."""
_PATH = re.compile(r"(?:\./|\.\./)*[\w.@-]+(?:/[\w.@-]+)*/?")
_ONLY_VALUE = re.compile(
    r"(?:\b(?:context|path|dir|directory|folder|charts?|manifests?|location)\s*[:=]|\s-[fk]|\bbuild:|^\s*-)"
    r"\s+[\"']?[\w.@-]+/?[\"']?\s*$",
    re.IGNORECASE,
)
"""Lines on which a word without a slash is a place."""
MOST_PLACES = 100_000
"""That are named by files which deliver."""


class ScopeTexts(Protocol):
    """What is asked of a repository's texts."""

    @property
    def paths(self) -> list[str]: ...

    def text(self, path: str) -> str: ...

    def glimpse(self, path: str) -> str: ...

    def kind(self, path: str) -> Kind | None: ...


class FileStanding(Enum):
    """How a file stands to the audit."""

    JUDGED = "judged"
    MAY_BE_FIXTURE = "may be a fixture"
    """It is judged, shown collapsed, and left alone by proposals."""
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Files of one folder that are not judged, and by which evidence."""

    folder: str
    why: str
    paths: tuple[str, ...]


class Scope:
    """Decides for each path of one repository; `leaves_out` False judges all."""

    def __init__(self, texts: ScopeTexts, *, leaves_out: bool = True) -> None:
        self._texts = texts
        self._leaves_out = leaves_out
        self._named: Mapping[str, FileStanding] | None = None
        self._standings: dict[str, tuple[FileStanding, str, str]] = {}
        self._origins: dict[str, FileOrigin | None] = {}

    @cached_property
    def _tests(self) -> frozenset[str]:
        return _test_folders(self._texts)

    @cached_property
    def _templates(self) -> frozenset[str]:
        return frozenset(
            path.removesuffix(_TEMPLATE_CONFIG).rstrip("/")
            for path in self._texts.paths
            if path.endswith(f"/{_TEMPLATE_CONFIG}")
        )

    @cached_property
    def _paths(self) -> frozenset[str]:
        return frozenset(self._texts.paths)

    @cached_property
    def _charts(self) -> tuple[str, ...]:
        return tuple(dirname(path) for path in self._texts.paths if path.endswith("/Chart.yaml"))

    def is_judged(self, path: str) -> bool:
        return self._standing(path)[0] is not FileStanding.LEFT_OUT

    def is_for_developers(self, path: str) -> bool:
        """Whether a file is left out, since developers or tests run it by its name, and no build names it that
        pushes."""
        return self._leaves_out and is_for_development(path) and path not in self._built_to_push

    @cached_property
    def _built_to_push(self) -> frozenset[str]:
        """The Dockerfiles that workflows and pipelines which push name as what is built."""
        texts = (self._texts.text(path) for path in self._texts.paths if self._texts.kind(path) in _BUILDING_KINDS)
        named = (match["path"] for text in texts if _PUSHES.search(text) for match in _BUILT.finditer(text))
        return frozenset(normpath(each.lstrip("/")) for each in named)

    def may_be_fixture(self, path: str) -> bool:
        return self._standing(path)[0] is FileStanding.MAY_BE_FIXTURE

    def folder(self, path: str) -> str:
        """The folder that says what a path may be; empty where none says anything."""
        return self._standing(path)[1]

    def evidence(self, path: str) -> tuple[str, str] | None:
        """The folder by which a path is left out, and why; None for one that is not."""
        standing, folder, why = self._standing(path)
        return (folder, why) if standing is FileStanding.LEFT_OUT else None

    def why_no_source(self, path: str) -> str:
        """Says what a manifest is that nobody edits, since it was made of others; empty for a source."""
        origin = self._origin(path)
        return origin.message if origin is not None else ""

    def left_out(self) -> tuple[LeftOut, ...]:
        """All that checks would look at and do not, by folder, in order."""
        by_folder: dict[tuple[str, str], list[str]] = {}
        for path in self._texts.paths:
            if not is_for_checks(path, self._texts):
                continue
            standing, folder, why = self._standing(path)
            if standing is FileStanding.LEFT_OUT:
                by_folder.setdefault((folder, why), []).append(path)
            elif self.is_for_developers(path) and self._texts.kind(path) in {DOCKERFILE, COMPOSE}:
                by_folder.setdefault((dirname(path), "developers or tests run it by its name"), []).append(path)
        return tuple(LeftOut(folder, why, tuple(paths)) for (folder, why), paths in sorted(by_folder.items()))

    def _standing(self, path: str) -> tuple[FileStanding, str, str]:
        if path not in self._standings:
            self._standings[path] = self._decide(path)
        return self._standings[path]

    def _origin(self, path: str) -> FileOrigin | None:
        if path not in self._origins:
            is_yaml = path.endswith((".yaml", ".yml"))
            self._origins[path] = origin_of(self._texts.text(path), self._charts, self._paths) if is_yaml else None
        return self._origins[path]

    def _decide(self, path: str) -> tuple[FileStanding, str, str]:
        standing, folder, why = self._by_place(path)
        if standing is FileStanding.JUDGED:
            return self._by_origin(path)
        standing_by_name = self._named_there(path, folder)
        if standing_by_name is FileStanding.JUDGED:
            return FileStanding.JUDGED, "", ""
        if standing is FileStanding.LEFT_OUT and (standing_by_name is not None or not self._leaves_out):
            return FileStanding.MAY_BE_FIXTURE, folder, why
        return standing, folder, why

    def _by_origin(self, path: str) -> tuple[FileStanding, str, str]:
        """What was rendered of a chart that is judged itself is not judged a second time, unless it is deployed."""
        origin = self._origin(path)
        if origin is None or not origin.source or not self._leaves_out:
            return FileStanding.JUDGED, "", ""
        if not self.is_judged(f"{origin.source}/Chart.yaml") or self._named_there(path, "") is not None:
            return FileStanding.JUDGED, "", ""
        return FileStanding.LEFT_OUT, dirname(path), f"rendered of the chart {origin.source}, which is judged"

    def _by_place(self, path: str) -> tuple[FileStanding, str, str]:
        folders = path.split("/")[:-1]
        doubtful: tuple[FileStanding, str, str] | None = None
        for number, name in enumerate(folders):
            folder, word = "/".join(folders[: number + 1]), name.lower()
            is_stage = word == "test" and any(each.lower() in _STAGES for each in folders[:number])
            if folder in self._tests:
                return FileStanding.LEFT_OUT, folder, "a test project"
            if word in LEFT_OUT_WORDS and not is_stage:
                return FileStanding.LEFT_OUT, folder, "by its name, and nothing delivers from there"
            if doubtful is None and (word in FIXTURE_WORDS or is_stage or folder in self._templates):
                doubtful = FileStanding.MAY_BE_FIXTURE, folder, "by its name"
        if path.rpartition("/")[2].lower() in _DEVELOPMENT_FILES:
            return FileStanding.LEFT_OUT, dirname(path), "of a development container"
        return doubtful or (FileStanding.JUDGED, "", "")

    def _named_there(self, path: str, folder: str) -> FileStanding | None:
        """What the places are that files which deliver name, as far as they hold `path` and lie in `folder`."""
        if self._named is None:
            self._named = _places_named(self._texts, self._by_place)
        place, standings = path, set[FileStanding]()
        while len(place) >= len(folder) and place:
            if (standing := self._named.get(place)) is not None:
                standings.add(standing)
            place = dirname(place)
        beside = self._named.get(f"{dirname(path)}/*")
        standings |= {beside} if beside is not None else set()
        return next(
            (each for each in (FileStanding.JUDGED, FileStanding.MAY_BE_FIXTURE) if each in standings), None
        )


def is_for_development(path: str) -> bool:
    """Whether a file's own name says in a whole word that what it describes is run by developers or tests."""
    name = _USUAL_NAME.sub("", path.rpartition("/")[2], count=1)
    return any(part.strip("-_").lower() in DEVELOPMENT_WORDS for part in name.split("."))


def _test_folders(texts: ScopeTexts) -> frozenset[str]:
    """Folders with projects of which all are tests, without any other project below."""
    tests, others = set[str](), set[str]()
    for path in texts.paths:
        if path.endswith(_PROJECT_ENDINGS):
            (tests if _TEST_PROJECT.search(texts.text(path)) else others).add(dirname(path))
    above_others = {above for folder in others for above in _with_folders_above(folder)}
    return frozenset(tests - above_others - {""})


def _with_folders_above(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = dirname(folder)


def is_for_checks(path: str, texts: ScopeTexts) -> bool:
    """Whether a check would look at the file for what it delivers or runs."""
    kind = texts.kind(path)
    if kind == MANIFEST:
        text = texts.glimpse(path)
        return "kind:" in text and "apiVersion:" in text
    name = path.rpartition("/")[2].lower()
    is_named = name in _NAMED_OUTRIGHT or name.endswith((".bicep", ".tf"))
    return is_named or kind in _CHECKED_KINDS


def _places_named(texts: ScopeTexts, by_place: "_ByPlace") -> dict[str, FileStanding]:
    """The places that files name which build and deploy, and whether what they name is delivered for sure.

    A file is also noted as the folder that it lies in, with `/*`: what is built there takes what lies beside it.
    """
    places: dict[str, FileStanding] = {}
    for path in texts.paths:
        if not _delivers(path, texts) or by_place(path)[0] is not FileStanding.JUDGED:
            continue
        text, folder = texts.text(path), dirname(path)
        name = path.rpartition("/")[2].lower()
        is_sure = (
            name in _NAMED_OUTRIGHT or texts.kind(path) in {COMPOSE, azd.KIND} or _PUSHES.search(text) is not None
        )
        standing = FileStanding.JUDGED if is_sure else FileStanding.MAY_BE_FIXTURE
        lines = text.split("\n")
        if name in _NAMED_OUTRIGHT:
            is_chart = name == "chart.yaml"
            lines = [line for line in lines if ("file://" in line if is_chart else _NAMES_RESOURCE.search(line))]
        places_here = (
            azd.places(path, text)
            if texts.kind(path) == azd.KIND
            else _places_on(lines, is_all=name in _NAMED_OUTRIGHT)
        )
        for place in places_here:
            for known in {normpath(place.lstrip("/")), normpath(join(folder, place))}:
                for each in (known, f"{dirname(known)}/*") if "." in known.rpartition("/")[2] else (known,):
                    if places.get(each) is not FileStanding.JUDGED and len(places) < MOST_PLACES:
                        places[each] = standing
    return places


class _ByPlace(Protocol):
    def __call__(self, path: str, /) -> tuple[FileStanding, str, str]: ...


def _delivers(path: str, texts: ScopeTexts) -> bool:
    if path.rpartition("/")[2].lower() in _DELIVERING_NAMES:
        return True
    kind = texts.kind(path)
    return kind in DELIVERING_KINDS and not (kind == COMPOSE and is_for_development(path))


def _places_on(lines: Iterable[str], *, is_all: bool) -> Iterator[str]:
    """What looks like a path on the lines that tell of building and deploying."""
    for line in lines:
        if len(line) > 2_000 or _TESTING_LINE.search(line) or not (is_all or _DELIVERING_LINE.search(line)):
            continue
        is_only = is_all or _ONLY_VALUE.search(line) is not None
        for match in _PATH.finditer(line):
            if is_only or "/" in match.group().rstrip("/") or match.group().endswith("/"):
                yield match.group()
