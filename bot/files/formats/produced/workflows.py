"""Images that GitHub's workflows push: Docker's and Red Hat's actions, docker/metadata-action, command lines."""

import re
from collections.abc import Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, replace
from itertools import islice, product

from bot.files.formats.builds import places
from bot.files.formats.produced import redhat
from bot.files.formats.produced.commands import MOST_WRITTEN, Written, pushed
from bot.files.formats.produced.handed_on import steps_in_order, without_inputs
from bot.files.formats.produced.moments import date_part
from bot.files.formats.shell.folders import Folders
from bot.files.formats.source.nodes import Mapping, Node
from bot.files.formats.workflows.builds import BUILDAH, dockerfile_of
from bot.files.formats.workflows.conditions import (
    StepReach,
    branches_of,
    is_only_called,
    is_only_scheduled,
    reach_of,
)
from bot.files.formats.workflows.needs import jobs_in_order, needs_of
from bot.files.formats.workflows.steps import WorkflowStep, steps_of

MOST_TAGS = 100
"""Of one step, and as many images and rules of metadata-action: what these make together would fill memory."""
LONGEST_RULE = 1_000
"""Characters of a rule of metadata-action."""
_BUILD = re.compile(r"docker/(?:build-push-action|bake-action)@.*")
_METADATA = re.compile(r"docker/metadata-action@.*")
_OUTPUT = re.compile(r"\$\{\{\s*steps\.(?P<id>[\w-]+)\.outputs\.(?:tags|json|bake-file[\w-]*)\s*\}\}")
_NEEDED = re.compile(r"\$\{\{\s*needs\.(?P<job>[\w-]+)\.outputs\.(?P<name>[\w-]+)\s*\}\}")
_DATE = re.compile(r"\{\{\s*date\s+'(?P<format>[^']*)'(?P<rest>[^}]*)\}\}")
_ZONE = re.compile(r"\btz\s*=\s*['\"](?P<name>[^'\"]*)['\"]")
_ENABLE = re.compile(r"\benable=(?P<condition>\$\{\{.*?\}\}|[^,]*)")
_EXPRESSION = re.compile(r"\{\{(?P<name>[^{}]*)\}\}")
_NAMED = {"branch": "{branch}", "sha": "{short_sha}", "tag": "", "base_ref": ""}
_IMAGE_OUTPUT = re.compile(r"type=(?:image|registry)\b")
_OUTPUT_NAMES = re.compile(r"\"name=(?P<quoted>[^\"]+)\"|\bname=(?P<bare>[^,\"\s]+)")
_JOINS = re.compile(r"imagetools\s+create\b")
_OF_METADATA = re.compile(r"DOCKER_METADATA_OUTPUT_(?:JSON|TAGS)")
_OF_INPUTS = "its name or tag is the default of an input, which whoever calls the workflow may set"
_ONLY_RELEASES = "only runs for tags or releases push it, and no rebuild is one"


def names(document: Node) -> Iterator[Written]:
    """Each image that the steps push; none that only runs for pull requests push, before they are merged, and with
    its weakness one that only runs for tags and releases do."""
    if reach_of(document) is StepReach.NEVER:
        return
    branches = branches_of(document)
    pushed_names = [
        replace(pushed_name, branches=branches) for pushed_name in islice(_names(document), MOST_WRITTEN)
    ]
    if is_only_called(document) and _has_defaults(document):
        sure = {pushed_name.name for pushed_name in islice(_names(document, has_inputs=False), MOST_WRITTEN)}
        pushed_names = [each if each.name in sure else replace(each, weakness=_OF_INPUTS) for each in pushed_names]
    yield from pushed_names


def _has_defaults(document: Node) -> bool:
    """Whether the default of an input counts in any of the steps: else nothing hangs on inputs."""
    return any(len(without_inputs(step.variant)) < len(step.variant) for step in steps_of(document))


def _names(document: Node, *, has_inputs: bool = True) -> Iterator[Written]:
    """The same, with what inputs are where nobody gives them, or without."""
    jobs = _Jobs(document)
    for step in steps_in_order(document, has_inputs=has_inputs):
        job = jobs.of(step)
        inputs = step.mapping.mapping("with")
        uses = step.mapping.scalar("uses")
        action = uses.value.strip() if uses is not None else ""
        if _METADATA.fullmatch(action):
            job.make(_identity(step), _of_metadata(document, step, inputs))
            continue
        push = _raw(inputs, "push").strip() if _BUILD.fullmatch(action) else ""
        reach = reach_of(document, step, push or "true")
        if reach is StepReach.NEVER:
            continue
        variant = _variant_of(step)
        for bare in _of_step(step, inputs, action, jobs):
            pushed_name = replace(bare, variant=variant)
            yield pushed_name if reach is StepReach.REBUILDS else replace(pushed_name, weakness=_ONLY_RELEASES)


def _variant_of(step: WorkflowStep) -> str:
    values = ((name, value.text) for name, value in step.variant.items() if name.startswith("matrix."))
    return ", ".join(f"{name}={text}" for name, text in values)[:LONGEST_RULE]


@dataclass(slots=True)
class _Job:
    """What the steps of a job have made so far: names by metadata-action, by the step's id, and images."""

    metadata: dict[str, list[str]] = field(default_factory=dict)
    built: dict[str, Written] = field(default_factory=dict)
    differing: set[str] = field(default_factory=set)
    """The steps that make other names in another variant of the job."""

    def make(self, step: str, names: list[str]) -> None:
        """Keeps the names that a step makes, until the next variant of the job makes its own."""
        if self.metadata.setdefault(step, names) != names:
            self.differing.add(step)
        self.metadata[step] = names


class _Jobs:
    """What the jobs of a workflow have made so far."""

    def __init__(self, document: Node) -> None:
        self._jobs_by_name = jobs_in_order(document) if isinstance(document, Mapping) else {}
        self._made: dict[int, _Job] = {}

    def of(self, step: WorkflowStep) -> _Job:
        return self._made.setdefault(id(step.around[0]), _Job())

    def names_in(self, text: str, step: WorkflowStep) -> list[str]:
        """The names by metadata-action that a text puts in: of a step of the same job, or of one that it needs and
        that makes the same in each of its variants."""
        mine = self.of(step).metadata
        image_names = [name for each in dict.fromkeys(_ids(text)) for name in mine.get(each, [])]
        needed = needs_of(step.around[0])
        for output in dict.fromkeys(each.groups() for each in _NEEDED.finditer(text)):
            job, name = output
            if job in needed and job in self._jobs_by_name:
                other = self._made.get(id(self._jobs_by_name[job]), _Job())
                output_text = _raw(self._jobs_by_name[job].mapping("outputs"), name)
                ids = (each for each in dict.fromkeys(_ids(output_text)) if each not in other.differing)
                image_names += [name for each in ids for name in other.metadata.get(each, [])]
        return image_names


def _of_step(step: WorkflowStep, inputs: Mapping, action: str, jobs: _Jobs) -> Iterator[Written]:
    job = jobs.of(step)
    if _BUILD.fullmatch(action):
        pulls = step.given("pull").strip().lower() not in ("", "false")
        files = () if "docker/build-push" not in action else places(dockerfile_of(step, inputs))
        made = [
            Written(name, step.mapping.start, None if "bake" in action else pulls, files)
            for name in _of_build(step, inputs, jobs)
        ]
        job.built |= {built_name.name: built_name for built_name in made}
        if _pushes(step):
            yield from (built_name for built_name in made if not _is_by_digest(step))
    elif BUILDAH.fullmatch(action):
        tags = jobs.names_in(_raw(inputs, "tags"), step)
        files = places(dockerfile_of(step, inputs))
        names = redhat.names_built(step, tags)[:MOST_TAGS]
        job.built |= {name: Written(name, step.mapping.start, built_from=files) for name in names}
        job.make(_identity(step), tags)
    elif redhat.PUSH.fullmatch(action):
        tags = jobs.names_in(_raw(inputs, "tags"), step)
        for local, name in islice(redhat.names_pushed(step, tags), MOST_TAGS):
            yield replace(job.built.get(local, Written(name, step.mapping.start)), name=name)
    commands = step.script
    if commands is not None:
        yield from pushed(commands, step.variables, Folders(step.folder), job.built)
        joins = _JOINS.search(commands.text)
        if joins is not None and _OF_METADATA.search(commands.text, joins.end()):
            for metadata_names in job.metadata.values():
                yield from (Written(name, step.mapping.start) for name in metadata_names)


def _pushes(step: WorkflowStep) -> bool:
    outputs = step.given("outputs")
    pushes = step.given("push").strip().lower() not in ("", "false")
    return pushes or "type=registry" in outputs or "push=true" in outputs


def _is_by_digest(step: WorkflowStep) -> bool:
    """Whether it pushes without a tag, which another step gives to what several builds have pushed."""
    return "push-by-digest=true" in step.given("outputs")


def _of_build(step: WorkflowStep, inputs: Mapping, jobs: _Jobs) -> list[str]:
    """What a build action names: in `tags`, also by metadata-action, and as `name` of an output of type `image`."""
    image_names = jobs.names_in(_raw(inputs, "tags") + _raw(inputs, "files"), step)
    image_names += [line for line in re.split(r"[\n,]", step.given("tags")) if line.strip()]
    for output in step.given("outputs").splitlines():
        output_name = _OUTPUT_NAMES.search(output) if _IMAGE_OUTPUT.search(output) else None
        image_names += (output_name["quoted"] or output_name["bare"]).split(",") if output_name is not None else []
    return image_names[:MOST_TAGS]


def _ids(text: str) -> Iterator[str]:
    """The steps whose tags are put in."""
    return (output["id"] for output in _OUTPUT.finditer(text))


def _of_metadata(document: Node, step: WorkflowStep, inputs: Mapping) -> list[str]:
    """Each image with each tag that the action makes for the default branch."""
    lines = [line for line in step.given("images").splitlines() if line.strip()][:MOST_TAGS]
    images = [image for line in lines for image in _images_in(line)]
    flavor = _flavor(step.given("flavor"))
    rules = [line.strip() for line in step.given("tags").splitlines() if line.strip()]
    raw_rules = [line.strip() for line in _raw(inputs, "tags").splitlines() if line.strip()]
    if len(raw_rules) == len(rules):
        pairs = zip(raw_rules, rules, strict=True)
        rules = [rule for each, rule in pairs if _is_enabled(document, each)]
    is_scheduled = is_only_scheduled(document)
    counting_rules = (
        [rule for rule in rules if len(rule) <= LONGEST_RULE] if raw_rules else ["type=ref,event=branch"]
    )
    tags = [
        tag
        for rule in counting_rules[:MOST_TAGS]
        if (tag := _tag(rule, flavor, is_scheduled=is_scheduled)) is not None
    ]
    if tags and flavor.get("latest", "").strip() == "true":
        tags.append(f"{flavor.get('prefix of latest', '')}latest{flavor.get('suffix of latest', '')}")
    return [f"{image}:{tag}" for image, tag in islice(product(images, tags), MOST_TAGS)]


def _flavor(text: str) -> dict[str, str]:
    """What stands around tags; around `latest` too where `onlatest=true` is said of it."""
    settings: dict[str, str] = {}
    of = ""
    for part in re.split(r"[\n,]", text):
        name, _, value = part.strip().partition("=")
        if name == "onlatest" and value.strip() == "true" and of in settings:
            settings[f"{of} of latest"] = _replace_dates(settings[of])
        elif name != "onlatest":
            of = name
            settings[name] = value
    return settings


def _images_in(line: str) -> list[str]:
    """The images of one line: names with commas between them, or one with `name=` and what else is said of it."""
    parts = [part.strip() for part in line.split(",") if part.strip()]
    image_names = [part.removeprefix("name=") for part in parts if part.startswith("name=")]
    return image_names or parts


def _is_enabled(document: Node, rule: str) -> bool:
    """Whether a rule, as it is written, may make a tag in a rebuild."""
    match = _ENABLE.search(rule)
    condition = match["condition"].strip() if match is not None else "true"
    if condition.startswith("{{"):
        return condition != "{{is_not_default_branch}}"
    return reach_of(document, None, condition) is StepReach.REBUILDS


def _tag(rule: str, flavor: MappingOf[str, str], *, is_scheduled: bool) -> str | None:
    """The tag of one rule; None for those that make one only for pull requests, pushed tags or a schedule. What
    stands around it is its own, else the flavor's."""
    attributes = dict(part.strip().partition("=")[::2] for part in rule.split(",") if "=" in part)
    around = {name: _replace_dates(attributes.get(name, flavor.get(name, ""))) for name in ("prefix", "suffix")}
    tag = _bare_tag(rule, attributes, is_scheduled=is_scheduled)
    if attributes.get("type") == "sha":
        around["prefix"] = _replace_dates(attributes.get("prefix", "sha-"))
    return f"{around['prefix']}{tag}{around['suffix']}" or None if tag is not None else None


def _bare_tag(rule: str, attributes: MappingOf[str, str], *, is_scheduled: bool) -> str | None:
    match attributes.get("type", "raw" if "=" not in rule or "value" in attributes else ""):
        case "sha":
            return "{sha}" if attributes.get("format") == "long" else "{short_sha}"
        case "ref" if attributes.get("event") == "branch":
            return "{branch}"
        case "edge" if "branch" not in attributes:
            return "edge"
        case "raw":
            return _replace_dates(attributes.get("value", rule))
        case "schedule" if is_scheduled:
            return _replace_dates(attributes.get("pattern", "nightly"))
    return None


def _replace_dates(text: str) -> str:
    """The text with our names for the action's own expressions, and `*` for those that have none."""
    dated = _DATE.sub(lambda match: date_part(match["format"]) if _is_utc(match["rest"]) else "*", text)
    return _EXPRESSION.sub(lambda match: _NAMED.get(match["name"].strip(), "*"), dated)


def _is_utc(arguments: str) -> bool:
    zone = _ZONE.search(arguments)
    return zone is None or zone["name"] in ("UTC", "Etc/UTC", "GMT")


def _identity(step: WorkflowStep) -> str:
    identity = step.mapping.scalar("id")
    return identity.value if identity is not None else ""


def _raw(inputs: Mapping, name: str) -> str:
    scalar = inputs.scalar(name)
    return scalar.value if scalar is not None else ""
