"""Charts → the objects that their templates come to with the chart's own values, as far as the usual idioms go.

What is understood: `.Values.a.b` in a line, `toYaml … | nindent N`, `with`, `if` on values, and `range` once. What
helpers give (`include`) is not: such places are marked, so that a setting that is absent there is unknown, not
missing. Source: Helm's chart template guide.
"""

import posixpath
import re
from dataclasses import dataclass, field

from bot.files.audit.repository import RepositoryTexts, first_scalar, last_scalar
from bot.files.audit.workloads.helm_rendering import DEEPEST, HIDDEN, Gap, OriginalPlaces, RenderedLines
from bot.files.audit.workloads.objects import word
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping, Node, Scalar, mappings_under
from bot.files.formats.source.yaml import read

MOST_TEMPLATES = 200
MOST_LINES = 5_000
MOST_BRANCHES = 8
_IS_TEST = re.compile(r"helm\.sh/hook[\"']?:[^\n]*\btest")
_CONTAINERS = "containers:"
_MAKES_OBJECTS = ("kind:", "include ", "template ")


def may_hold(node: Mapping, *keys: str) -> bool:
    """Whether a template that is not read may put one of these keys into a mapping; any where none is named.

    A helper that may put in any key puts in none that the template has already.
    """
    marks = [key.removeprefix(HIDDEN).partition("-") for key in node.own if key.startswith(HIDDEN)]
    missing = not keys or any(key not in node.own for key in keys)
    return any(name in keys or not keys if name else missing for _, _, name in marks)


def may_name(node: Mapping, key: str) -> bool:
    """Whether a template puts that very key into a mapping where a rendering decides it so."""
    return any(each.removeprefix(HIDDEN).partition("-")[2] == key for each in node.own if each.startswith(HIDDEN))


@dataclass(slots=True)
class HelmChart:
    """Objects come with the path of their template. `hidden` says why a whole template is not understood."""

    folder: str
    name: str
    objects: list[tuple[str, Mapping]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    without_kind: list[tuple[str, Scalar]] = field(default_factory=list)
    """Where a helper that is not read makes all of an object, with the path of the template."""
    branches: list[tuple[str, Mapping]] = field(default_factory=list)
    """The objects of templates with containers, as they are where conditions take other branches than by the
    chart's own values."""
    unread_branches: list[str] = field(default_factory=list)
    """Templates with containers that cannot be rendered with other branches."""
    tests: list[str] = field(default_factory=list)
    """Templates of hooks that `helm test` runs, and nothing else."""
    hidden: str = ""
    gaps: list[tuple[str, list[Gap]]] = field(default_factory=list)
    """By the text that a template was rendered to."""


def charts(repository: RepositoryTexts) -> list[HelmChart]:
    """Renders all charts with templates, in the order of their folders. Never raises."""
    return repository.kept(_charts)


def _charts(repository: RepositoryTexts) -> list[HelmChart]:
    all_charts = []
    for path in repository.paths:
        if path.rpartition("/")[2] != "Chart.yaml" or not repository.scope.is_judged(path):
            continue
        folder = posixpath.dirname(path)
        values_path = repository.first(folder, "values.yaml", "values.yml")
        own = repository.root(values_path) if values_path is not None else None
        values = _merge_values(repository, folder, own or Mapping(0))
        chart = HelmChart(folder, posixpath.basename(folder) or "of the repository")
        if values_path is not None and repository.unreadable(values_path) is not None:
            chart.hidden = f"{values_path} cannot be read"
        templates = [
            template_path
            for template_path in repository.below(posixpath.join(folder, "templates"))
            if _is_rendered(template_path.rpartition("/")[2])
        ]
        chart.tests = [each for each in templates if "/tests/" in each and _IS_TEST.search(repository.text(each))]
        templates = [each for each in templates if each not in chart.tests]
        for template in templates[:MOST_TEMPLATES]:
            _read(repository, template, values, repository.root(path), chart)
        chart.unread += templates[MOST_TEMPLATES:]
        all_charts.append(chart)
    return all_charts


def _is_rendered(name: str) -> bool:
    """Helm renders all files of the folder, whatever they end in, but those for its helpers and its notes."""
    return not name.startswith("_") and name != "NOTES.txt"


def _merge_values(repository: RepositoryTexts, folder: str, own: Mapping) -> Mapping:
    """A chart's values with what the one that holds it sets for it, and for all of its charts."""
    above, inner, name = folder.rpartition("/charts/")
    path = repository.first(above, "values.yaml", "values.yml") if inner and "/" not in name else None
    values = repository.root(path) if path is not None else None
    if values is None:
        return own
    shared = values.own.get("global")
    merged_values = _over(own, values.mapping(_called_above(repository, folder, above)), 0)
    if shared is None or not isinstance(shared[1], Mapping):
        return merged_values
    both = _over(merged_values.mapping("global"), shared[1], 0)
    return Mapping(
        merged_values.start,
        {**{key.value: (key, each) for key, each in merged_values.entries()}, "global": (shared[0], both)},
    )


def _called_above(repository: RepositoryTexts, folder: str, above: str) -> str:
    """The key below which the chart that holds another has that one's values: its alias there, or its own name."""
    own, holder = (repository.root(posixpath.join(each, "Chart.yaml")) or Mapping(0) for each in (folder, above))
    name = word(own.get("name")) or posixpath.basename(folder)
    dependencies = [each for each in holder.sequence("dependencies") if isinstance(each, Mapping)]
    aliases = (word(each.get("alias")) for each in dependencies if word(each.get("name")) == name)
    return next(filter(None, aliases), None) or name


def _over(base: Mapping, above: Mapping, depth: int) -> Mapping:
    entries = {key.value: (key, each) for key, each in base.entries()}
    for key, value in above.entries():
        entry = entries.get(key.value)
        if entry is not None and isinstance(entry[1], Mapping) and isinstance(value, Mapping) and depth < DEEPEST:
            value = _over(entry[1], value, depth + 1)
        entries[key.value] = (key, value)
    return Mapping(base.start, entries)


def _read(
    repository: RepositoryTexts, path: str, values: Mapping, of_chart: Mapping | None, chart: HelmChart
) -> None:
    text = repository.text(path)
    if not any(mark in text for mark in _MAKES_OBJECTS):
        return
    if text.count("\n") > MOST_LINES:
        chart.unread.append(path)
        return
    rendered = RenderedLines(values, of_chart)
    rendered.take(text)
    made = _made(repository, path, rendered)
    chart.gaps.append((made, rendered.gaps))
    try:
        documents = _objects(rendered, made)
    except Unreadable:
        chart.unread.append(path)
        return
    for whole in documents:
        if whole.get("kind") is not None:
            chart.objects.append((path, whole))
        else:
            marks = (key for key, _ in whole.own.values() if key.value.startswith(HIDDEN))
            chart.without_kind += [(path, mark) for mark in marks if mark.value.count("-") == HIDDEN.count("-")]
    if _CONTAINERS in text:
        for branch in range(min(max(rendered.branches, default=0), MOST_BRANCHES)):
            taken = [min(branch, count - 1) for count in rendered.branches]
            _read_branches(repository, path, RenderedLines(values, of_chart, taken), chart)


def _read_branches(repository: RepositoryTexts, path: str, rendered: RenderedLines, chart: HelmChart) -> None:
    rendered.take(repository.text(path))
    try:
        wholes = _objects(rendered, _made(repository, path, rendered))
    except Unreadable:
        chart.unread_branches.append(path)
        return
    chart.branches += [(path, whole) for whole in wholes if whole.get("kind") is not None]


def _made(repository: RepositoryTexts, path: str, rendered: RenderedLines) -> str:
    """The text of a template that was rendered, whose places are known from now on."""
    made = "\n".join(rendered.lines) + "\n"
    repository.adopt(made, path, OriginalPlaces(made, rendered.origins))
    return made


def _objects(rendered: RenderedLines, made: str) -> list[Mapping]:
    wholes = (rendered.filled(document, 0) for document in read(made))
    return [whole for whole in wholes if isinstance(whole, Mapping)]


def empty_context(repository: RepositoryTexts, container: Mapping) -> tuple[Scalar, Node] | None:
    """The key of a chart's values, and what stands there, of which a container's security context would be made.

    None where no value is empty, or none would be made into one.
    """
    gap = _gap_of(repository, container)
    if gap is None or gap[1].value is None:
        return None
    return _find_entry(repository, gap[0], gap[1].value)


def is_context_left_out(repository: RepositoryTexts, container: Mapping) -> bool:
    """Whether a condition on the values leaves out the security context that a template has for a container."""
    gap = _gap_of(repository, container)
    return gap is not None and gap[1].value is None


def _gap_of(repository: RepositoryTexts, container: Mapping) -> tuple[HelmChart, Gap] | None:
    """The chart, and the place in its template, where a container's security context would stand."""
    first, last = first_scalar(container), last_scalar(container)
    if first is None or last is None:
        return None
    for chart in charts(repository):
        for made, gaps in chart.gaps:
            if first.source is made:
                begin = made.count("\n", 0, first.start) + 1
                column = first.start - made.rfind("\n", 0, first.start) - 1
                end = made.count("\n", 0, last.end) + 1 if last.source is made else begin
                fitting = (each for each in gaps if each.column == column and begin <= each.line <= end)
                gap = next(fitting, None)
                return (chart, gap) if gap is not None else None
    return None


def _find_entry(repository: RepositoryTexts, chart: HelmChart, value: Node) -> tuple[Scalar, Node] | None:
    path = repository.first(chart.folder, "values.yaml", "values.yml")
    for _, mapping in mappings_under(repository.root(path) if path is not None else None):
        for name, node in mapping.own.values():
            if node is value:
                return name, node
    return None
