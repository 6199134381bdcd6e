"""Compose files → their services as they run, with what they extend. Source: the Compose specification."""

import posixpath
import re
from collections.abc import Iterator
from collections.abc import Mapping as Names
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

from bot.domain.repositories.finding import Place
from bot.files.audit.images.by_dockerfile import only_carries_files
from bot.files.audit.images.by_name import is_for_windows
from bot.files.audit.images.dockerfile import dockerfile_at
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads.compose_sets import BY_ITSELF, file_sets, is_put_over, names_of, overrides, put_over
from bot.files.audit.workloads.objects import word
from bot.files.audit.workloads.swarm import is_for_swarm
from bot.files.formats.builds import DOCKERFILE, below
from bot.files.formats.compose.builds import ENVIRONMENT
from bot.files.formats.compose.finder import KIND as COMPOSE
from bot.files.formats.compose.names import FOUND_BESIDE
from bot.files.formats.compose.variables import interpolated
from bot.files.formats.dotenv.variables import variables
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence, texts_under
from bot.files.formats.source.spanned import Spanned

DEEPEST_EXTENDS = 10
_PUT_OVER = frozenset(
    {"privileged", "pid", "ipc", "network_mode", "userns_mode", "cap_add", "cap_drop", "security_opt"}
    | {"user", "read_only", "tmpfs", "volumes", "command", "entrypoint"}
)
"""The keys that are asked of a service with what override files put over it."""
_MAKES_WHOLE = frozenset({"image", "build", "extends"})
_WINDOWS = re.compile(
    r"nanoserver|windowsservercore|mcr\.microsoft\.com/(?:windows|dotnet/framework)|[/:_-]windows(?:[/:_-]|$)"
)
_ONLY_BUILDS = re.compile(r"(?:^|[._-])build\.ya?ml$", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_OF_RUNNING = (
    {"ports", "expose", "volumes", "environment", "env_file", "command", "entrypoint", "privileged", "cap_add"}
    | {"devices", "network_mode", "networks", "restart", "user", "security_opt", "secrets", "configs", "deploy"}
    | {"healthcheck", "pid", "ipc", "tmpfs", "read_only"}
)
"""Keys of a service that say how it runs."""
_AT_DRIVE = re.compile(r":[A-Za-z]:[\\/]")
"""What stands behind the first colon is a folder of the container; one in front of it is the host's."""


def named_values(node: Node | None) -> Iterator[tuple[str, str, Node]]:
    """Yields names, values and where these stand, of a mapping or of a list of `NAME=VALUE`."""
    if isinstance(node, Mapping):
        for key, value in node.entries():
            yield key.value, word(value) or "", value
    elif isinstance(node, Sequence):
        for item in node.items:
            name, _, text = (word(item) or "").partition("=")
            yield name, text, item


def passed_values(node: Node | None) -> Iterator[tuple[str, str, Node]]:
    """The same where Compose runs: a variable without a value is given the one of its environment, `${NAME}`."""
    for name, value, place in named_values(node):
        is_bare = isinstance(place, Scalar) and (place.is_null or place.value.strip() == name)
        yield name, f"${{{name}}}" if is_bare and not value else value, place


@dataclass(frozen=True, eq=False)
class Service:
    """`levels` are the service and those that it extends, nearest first. What many rules ask is told once."""

    path: str
    name: str
    levels: tuple[Mapping, ...]
    place: Place
    is_beside_windows: bool = False
    """The engine that runs the file is one of Windows, by what another service of it says."""
    is_built_for_windows: bool | None = None
    """What its Dockerfile says; None where there is none here."""
    over: tuple[Mapping, ...] = ()
    """The same service in files that are read over its own, the last one first: the override file that Compose
    reads by itself, or what each command names behind it."""
    other_sets: tuple[tuple[str, tuple[Mapping, ...]], ...] = ()
    """The same for each other set of files that commands name, with the names of these files."""
    is_put_over: bool = False
    """Whether its file is only ever read over another one that has the service too."""
    named_over: tuple[tuple[str, Mapping], ...] = ()
    """The same service in files that are read with it where somebody names them."""
    variables: Names[str, Spanned] = field(default_factory=dict)
    """What the file of variables beside its own sets."""
    folders: tuple[str, ...] = ()
    """The folders of the files that the levels stand in; empty where all stand in its own."""
    has_image_of_files: bool = False
    """Whether its image stands on nothing and starts nothing by itself, as those that are only copied from."""
    is_for_swarm: bool = False
    """Whether `docker stack deploy` reads its file, which ignores some of what Compose does."""

    @property
    def subject(self) -> str:
        return f"service {self.name}"

    @property
    def as_part(self) -> "Service":
        """What it has that is not asked of the service that its file is read over."""
        own = {name: entry for name, entry in self.levels[0].own.items() if name not in _PUT_OVER | _MAKES_WHOLE}
        folders = (posixpath.dirname(self.path),)
        return replace(self, levels=(Mapping(self.levels[0].start, own),), over=(), folders=folders)

    @cached_property
    def is_only_built(self) -> bool:
        """Whether its file is there to build images (`compose.build.yaml`), and says nothing of how it runs."""
        is_named_so = _ONLY_BUILDS.search(self.path.rpartition("/")[2]) is not None
        return is_named_so and self.is_built and not any(map(self.get, _OF_RUNNING))

    def _levels_of(self, key: str) -> tuple[Mapping, ...]:
        return (*self.over, *self.levels) if key in _PUT_OVER else self.levels

    def get(self, key: str) -> Node | None:
        for level in self._levels_of(key):
            if (node := level.get(key)) is not None:
                return node
        return None

    def word(self, key: str) -> str | None:
        """A scalar with its variables put in; None where there is none."""
        node = self.get(key)
        return filled_in(node, self.variables).strip() if isinstance(node, Scalar) and not node.is_null else None

    def words(self, key: str) -> list[str]:
        """A list of scalars, of all levels; a single one counts as a list of one."""
        nodes = (node for node in self.nodes(key) if isinstance(node, Scalar))
        return [filled_in(node, self.variables).strip() for node in nodes]

    def nodes(self, key: str) -> list[Node]:
        nodes: list[Node] = []
        for level in self._levels_of(key):
            node = level.get(key)
            nodes += node.items if isinstance(node, Sequence) else [node] if isinstance(node, Scalar) else []
        return nodes

    def is_on(self, key: str) -> bool:
        return (self.word(key) or "").lower() in {"true", "yes", "on"}

    @cached_property
    def image(self) -> str:
        return self.word("image") or ""

    @property
    def command(self) -> str:
        """What it starts, and with which arguments, as far as it is written here."""
        return " ".join(each for key in ("entrypoint", "command") for each in texts_under(self.get(key)))

    @property
    def carries_files(self) -> bool:
        """Whether nothing is started in it, neither by its image nor by what is written here."""
        return self.has_image_of_files and not self.command

    @property
    def is_built(self) -> bool:
        return self.get("build") is not None

    @cached_property
    def is_windows(self) -> bool:
        if self.is_built_for_windows is not None:
            return self.is_built_for_windows
        return self.tells_of_windows or self.is_beside_windows or _WINDOWS.search(self.image) is not None

    @property
    def tells_of_windows(self) -> bool:
        """Whether only an engine of Windows can run it."""
        is_said = (self.word("platform") or "").startswith("windows") or self.get("isolation") is not None
        return is_said or any(map(_is_of_windows, self.nodes("volumes")))

    def dockerfile(self) -> tuple[str | None, str | None]:
        """The Dockerfile that it is built from, and the stage; None where there is none, or it is not told."""
        _, path, target = self._build()
        return path, target

    @property
    def context(self) -> str | None:
        """The folder that it is built from; None where there is none, or it is not told."""
        return self._build()[0]

    def _build(self) -> tuple[str | None, str | None, str | None]:
        """The context, the Dockerfile and the stage that it is built from."""
        folder, context = posixpath.dirname(self.path), None
        dockerfile = target = None
        is_built = False
        for beside, level in zip(self.folders or [folder] * len(self.levels), self.levels, strict=True):
            build = level.get("build")
            is_built |= isinstance(build, Scalar | Mapping)
            given = _context_of(build)
            if context is None and given is not None:
                folder, context = beside, given
            if isinstance(build, Mapping):
                is_built &= build.get("dockerfile_inline") is None
                dockerfile, target = dockerfile or build.scalar("dockerfile"), target or build.scalar("target")
        if not is_built:
            return None, None, None
        context_path = filled_in(context) if context is not None else "."
        name = filled_in(dockerfile) if dockerfile is not None else DOCKERFILE
        stage = target.value if target is not None else None
        return below(folder, context_path), below(folder, context_path, name), stage


def _context_of(build: Node | None) -> Scalar | None:
    return build.scalar("context") if isinstance(build, Mapping) else build if isinstance(build, Scalar) else None


def _is_of_windows(volume: Node) -> bool:
    """Whether a volume is mounted where only Windows has a folder, or is one of its pipes."""
    if isinstance(volume, Mapping):
        target = word(volume.get("target")) or ""
        return word(volume.get("type")) == "npipe" or _DRIVE.match(target) is not None
    return _AT_DRIVE.search(word(volume) or "") is not None


def filled_in(node: Scalar, variables: Names[str, Spanned] = MappingProxyType({})) -> str:
    """The text as it is where no other variables are set: defaults are put in, what is not set stays as written."""
    return interpolated(node.spanned, variables)[0].text


def _variables_beside(repository: RepositoryTexts, path: str) -> Names[str, Spanned]:
    """What the `.env` beside a Compose file sets, which Compose reads by itself; without what is made of others."""
    beside = posixpath.join(posixpath.dirname(path), ENVIRONMENT)
    values = variables(repository.text(beside)) if beside in repository else {}
    return {name: value for name, value in values.items() if "$" not in value.text}


def services(repository: RepositoryTexts) -> list[Service]:
    """Reads the services of all Compose files but those that developers and tests run, in order. Never raises."""
    return repository.kept(_services)


def _services(repository: RepositoryTexts) -> list[Service]:
    all_services = []
    for path in repository.paths:
        if repository.kind(path) != COMPOSE or _is_left_out(repository, path):
            continue
        root = repository.root(path)
        if root is None:
            continue
        own = []
        beside = _variables_beside(repository, path)
        for key, node in root.mapping("services").entries():
            if isinstance(node, Mapping) and (
                node.get("image")
                or _says_what_to_build(node)
                or (node.get("build") is not None and _is_built_beside(repository, path, key.value))
                or node.get("extends")
            ):
                paths, levels = zip(*_levels(repository, path, root.mapping("services"), node), strict=True)
                folders = tuple(map(posixpath.dirname, paths))
                place = repository.place(node if node.own else key, path)
                own.append(Service(path, key.value, levels, place, variables=beside, folders=folders))
        is_windows = any(each.tells_of_windows for each in own)
        of_swarm = bool(own) and is_for_swarm(repository, path, root)
        all_services += [
            replace(
                _with_overrides(repository, service),
                is_beside_windows=is_windows,
                is_built_for_windows=_is_built_for_windows(repository, service),
                has_image_of_files=_has_image_of_files(repository, service),
                is_for_swarm=of_swarm,
                is_put_over=is_put_over(repository, path, service.name),
            )
            for service in own
        ]
    return all_services


def _with_overrides(repository: RepositoryTexts, service: Service) -> Service:
    """The service with what override files put over it, or may."""
    sets = file_sets(repository, service.path)
    if together := [each for each in sets if len(each) > 1]:
        others = [(names_of(each), put_over(repository, service.name, each)) for each in together]
        if (service.path,) in sets:
            own = _over_by_itself(repository, service)
            return replace(service, over=own, other_sets=tuple(others))
        return replace(service, over=others[0][1], other_sets=tuple(others[1:]))
    over, named_over = list[Mapping](), list[tuple[str, Mapping]]()
    for path, how in overrides(repository, service.path):
        root = repository.root(path)
        node = root.mapping("services").get(service.name) if root is not None else None
        if isinstance(node, Mapping) and how == BY_ITSELF:
            over.append(node)
        elif isinstance(node, Mapping):
            named_over.append((path.rpartition("/")[2], node))
    return replace(service, over=tuple(over), named_over=tuple(named_over))


def _over_by_itself(repository: RepositoryTexts, service: Service) -> tuple[Mapping, ...]:
    paths = [path for path, how in overrides(repository, service.path) if how == BY_ITSELF]
    return put_over(repository, service.name, (service.path, *paths))


def fragments(repository: RepositoryTexts) -> list[Service]:
    """Reads the parts of services that say neither an image nor what to build, or are only read over others."""
    return repository.kept(_fragments)


def _fragments(repository: RepositoryTexts) -> list[Service]:
    parts = [
        Service(path, key.value, (node,), repository.place(node, path), is_for_swarm=of_swarm)
        for path in repository.paths
        if repository.kind(path) == COMPOSE and path.rpartition("/")[2] not in FOUND_BESIDE
        if not _is_left_out(repository, path) and (root := repository.root(path)) is not None
        for of_swarm in [is_for_swarm(repository, path, root)]
        for key, node in root.mapping("services").entries()
        if isinstance(node, Mapping) and node.own and not any(map(node.get, _MAKES_WHOLE))
    ]
    parts = [each.as_part if is_put_over(repository, each.path, each.name) else each for each in parts]
    return [*parts, *(each.as_part for each in services(repository) if each.is_put_over and not each.is_only_built)]


def _is_left_out(repository: RepositoryTexts, path: str) -> bool:
    return not repository.scope.is_judged(path) or repository.scope.is_for_developers(path)


def _says_what_to_build(node: Mapping) -> bool:
    """Arguments alone may be for a service of another file, which this one is read together with."""
    build = node.get("build")
    return isinstance(build, Scalar) or (
        isinstance(build, Mapping) and bool({"context", "dockerfile", "dockerfile_inline"} & set(build.own))
    )


def _is_built_beside(repository: RepositoryTexts, path: str, name: str) -> bool:
    """Whether a Dockerfile stands where Compose looks unless it is told, and no file beside has the service too."""
    folder = posixpath.dirname(path)
    return posixpath.join(folder, DOCKERFILE) in repository and not any(
        name in root.mapping("services").own
        for other in repository.paths
        if other != path and posixpath.dirname(other) == folder and repository.kind(other) == COMPOSE
        if (root := repository.root(other)) is not None
    )


def _is_built_for_windows(repository: RepositoryTexts, service: Service) -> bool | None:
    path, target = service.dockerfile()
    file = dockerfile_at(repository, path)
    stage = (file.stage(target) if target else file.final) if file is not None else None
    return is_for_windows(file.chain(stage)[-1]) if file is not None and stage is not None else None


def _has_image_of_files(repository: RepositoryTexts, service: Service) -> bool:
    path, target = service.dockerfile()
    file = dockerfile_at(repository, path)
    stage = (file.stage(target) if target else file.final) if file is not None else None
    return file is not None and stage is not None and only_carries_files(file, stage, "")


def is_extended_elsewhere(repository: RepositoryTexts, service: Service) -> bool:
    """Whether a service of another file extends this one, and so has its keys without the rest of its file."""
    return any(
        path != service.path and any(level is service.levels[0] for level in below_it)
        for path, below_it in repository.kept(_extending)
    )


def _extending(repository: RepositoryTexts) -> list[tuple[str, list[Mapping]]]:
    """What the services extend, those of developers' files too, each with the path of its own file."""
    return [
        (path, [level for _, level in _levels(repository, path, root.mapping("services"), node)][1:])
        for path in repository.paths
        if repository.kind(path) == COMPOSE and (root := repository.root(path)) is not None
        for _, node in root.mapping("services").entries()
        if isinstance(node, Mapping) and node.get("extends") is not None
    ]


def _levels(
    repository: RepositoryTexts, path: str, services_: Mapping, node: Mapping
) -> Iterator[tuple[str, Mapping]]:
    """A service and those that it extends, nearest first, each with the path of its file."""
    for _ in range(DEEPEST_EXTENDS):
        yield path, node
        extends = node.get("extends")
        if isinstance(extends, Scalar):
            name: Scalar | None = extends
        elif isinstance(extends, Mapping):
            name, file = extends.scalar("service"), extends.scalar("file")
            if file is not None:
                other = below(posixpath.dirname(path), file.value)
                root = repository.root(other) if other is not None and other in repository else None
                if other is None or root is None:
                    return
                path, services_ = other, root.mapping("services")
        else:
            return
        inner = services_.get(name.value) if name is not None else None
        if not isinstance(inner, Mapping):
            return
        node = inner
