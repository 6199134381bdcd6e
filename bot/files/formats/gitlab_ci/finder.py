"""GitLab CI: the images that jobs and their services run in, those that scripts run, and what these build.

Source: https://docs.gitlab.com/ci/yaml/ (`image`, `services`, `default`, `variables`, `parallel:matrix`, `script`).
Variables of the project, of groups and of templates elsewhere are not known; an image that hangs on them is told.
"""

from collections.abc import Iterator, Mapping
from itertools import islice, product

from bot.domain.repositories.usage import Findings, Role
from bot.files.formats.builds import Asked, Builds
from bot.files.formats.compose.variables import interpolated
from bot.files.formats.gitlab_ci import KIND
from bot.files.formats.shell import script
from bot.files.formats.source.collector import Collector, Unreadable
from bot.files.formats.source.nodes import Mapping as YamlMapping
from bot.files.formats.source.nodes import Node, Scalar, Sequence
from bot.files.formats.source.spanned import Spanned, joined
from bot.files.formats.source.yaml import read

_SCRIPTS = ("before_script", "script", "after_script")
_NO_JOBS = frozenset({"variables", "workflow", "spec", "include", "stages", "cache"})
_LONGEST_VALUE = 1_000
_DEEPEST_LIST = 10
MOST_VARIANTS = 50
"""Of one job's matrix."""
_ONLY_A_PART = "a variable supplies only a part of it; write the whole image in the variable to have it pinned"
Variables = Mapping[str, Spanned]


def find(path: str, text: str) -> Findings:
    """The images of jobs, of their services and of their commands. Never raises."""
    if "image" not in text and "services" not in text and not script.names_images(text):
        return Findings()
    file = Collector(path, text, KIND)
    try:
        documents = read(text)
    except Unreadable as error:
        return file.unreadable(error)
    for part, variables in _parts(documents):
        for image, role in _images_of(part):
            _add(image, role, variables, file)
        for commands in _scripts_of(part):
            script.name_images(commands, file, variables)
    return file.findings()


def builds(path: str, text: str) -> Builds:
    """What the commands of jobs ask for. Never raises."""
    if not script.may_ask(text):
        return Builds()
    try:
        documents = read(text)
    except Unreadable:
        return Builds()
    return Builds.of(_asked(documents, Collector(path, text, KIND)))


def _asked(documents: list[Node], file: Collector) -> Iterator[Asked]:
    for part, variables in _parts(documents):
        for commands in _scripts_of(part):
            yield from script.asked(commands, file, "", variables)


def _parts(documents: list[Node]) -> Iterator[tuple[YamlMapping, Variables]]:
    """The file's own settings, its defaults and each job, with the variables that count there, once a variant."""
    for document in documents:
        if not isinstance(document, YamlMapping):
            continue
        shared = _with_values(document.mapping("variables"), {})
        yield document, shared
        for name, part in document.entries():
            if name.value not in _NO_JOBS and isinstance(part, YamlMapping):
                own = _with_values(part.mapping("variables"), shared)
                for variant in _variants(part):
                    yield part, {**own, **variant}


def _with_values(variables: YamlMapping, around: Variables) -> dict[str, Spanned]:
    """The variables around with those of a mapping, as far as they are written out."""
    values = dict(around)
    for name, node in variables.entries():
        scalar = node.scalar("value") if isinstance(node, YamlMapping) else node
        value, unknown = interpolated(scalar.spanned, values) if isinstance(scalar, Scalar) else (None, ())
        values.pop(name.value, None)
        if value is not None and not unknown and len(value) <= _LONGEST_VALUE:
            values[name.value] = value
    return values


def _variants(job: YamlMapping) -> Iterator[Variables]:
    """What `parallel:matrix` sets in each of its jobs; one of nothing where there is none."""
    matrices = [entry for entry in job.mapping("parallel").sequence("matrix") if isinstance(entry, YamlMapping)]
    if not matrices:
        yield {}
    for matrix in matrices[:MOST_VARIANTS]:
        names = [name.value for name, _ in matrix.entries()]
        choices = [[each.spanned for each in _scalars(node)] for _, node in matrix.entries()]
        for values in islice(product(*choices), MOST_VARIANTS):
            yield dict(zip(names, values, strict=True))


def _images_of(part: YamlMapping) -> Iterator[tuple[Scalar, Role]]:
    image = part.scalar("image") or part.mapping("image").scalar("name")
    if image is not None:
        yield image, Role.CONTAINER
    for service in part.sequence("services"):
        name = service.scalar("name") if isinstance(service, YamlMapping) else service
        if isinstance(name, Scalar) and not name.is_null:
            yield name, Role.SERVICE


def _add(image: Scalar, role: Role, variables: Variables, file: Collector) -> None:
    """Adds an image that is known; one that is not stays for whoever tells of the .NET images left over."""
    value, unknown = interpolated(image.spanned.strip(), variables)
    if not unknown and file.usage(value, role) is not None:
        file.image_or_part(value, role, why_fixed=_ONLY_A_PART)


def _scripts_of(part: YamlMapping) -> Iterator[Spanned]:
    """The commands of each script, one below the other, as one shell runs them."""
    for key in _SCRIPTS:
        node = part.get(key)
        lines = [scalar.spanned.joined("\n") for scalar in _scalars(node) if scalar.value] if node else []
        if lines:
            yield joined(lines)


def _scalars(node: Node, depth: int = 0) -> Iterator[Scalar]:
    """The texts of a scalar or a list, lists in it included."""
    match node:
        case Scalar() if not node.is_null:
            yield node
        case Sequence(items=items) if depth < _DEEPEST_LIST:
            for item in items:
                yield from _scalars(item, depth + 1)
