"""Images that GitHub's workflows push: docker/build-push-action, docker/metadata-action, command lines."""

import re
from collections.abc import Iterator
from collections.abc import Mapping as MappingOf

from bot.formats.builds import places
from bot.formats.produced.commands import Written, pushed
from bot.formats.shell.folders import Folders
from bot.formats.source.nodes import Mapping, Node, Scalar, Sequence
from bot.formats.workflows.builds import dockerfile_of
from bot.formats.workflows.steps import WorkflowStep, steps_of

_BUILD = re.compile(
    r"(?:docker/(?:build-push-action|bake-action)|redhat-actions/(?:buildah-build|push-to-registry))@.*"
)
_BEFORE_MERGE = ("pull_request", "pull_request_target", "merge_group")
_METADATA = re.compile(r"docker/metadata-action@.*")
_OUTPUT = re.compile(r"\$\{\{\s*steps\.(?P<id>[\w-]+)\.outputs\.(?:tags|json|bake-file[\w-]*)\s*\}\}")
_DATE = re.compile(r"\{\{\s*date\s+'(?P<format>[^']*)'[^}]*\}\}")
_EXPRESSION = re.compile(r"\{\{\s*(?P<name>[^{}]*?)\s*\}\}")
_NAMED = {"branch": "{branch}", "sha": "{short_sha}"}
_MOMENT = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_MOMENTS = re.compile("|".join(_MOMENT))


def names(document: Node) -> Iterator[Written]:
    """Each image that the steps push; none where only pull requests start them, before they are merged."""
    if is_for_pull_requests(document):
        return
    metadata: dict[str, list[str]] = {}
    for step in steps_of(document):
        uses = step.mapping.scalar("uses")
        action = uses.value.strip() if uses is not None else ""
        given = step.mapping.mapping("with")
        if _METADATA.fullmatch(action):
            identity = step.mapping.scalar("id")
            metadata[identity.value if identity is not None else ""] = _of_metadata(step, given)
        elif _BUILD.fullmatch(action):
            pulls = _input(step, given, "pull").strip().lower() not in ("", "false")
            files = () if "docker/build-push" not in action else places(dockerfile_of(step, given))
            for name in _of_build(step, given, metadata):
                yield Written(name, step.mapping.start, None if "bake" in action else pulls, files)
        commands = step.script
        if commands is not None:
            yield from pushed(commands, step.environment, Folders(step.folder))


def is_for_pull_requests(document: Node) -> bool:
    """Whether only pull requests start a workflow, before they are merged."""
    trigger = document.get("on") if isinstance(document, Mapping) else None
    match trigger:
        case Scalar():
            return trigger.value in _BEFORE_MERGE
        case Sequence():
            items = trigger.items
            return bool(items) and all(isinstance(each, Scalar) and each.value in _BEFORE_MERGE for each in items)
        case Mapping():
            entries = list(trigger.entries())
            return bool(entries) and all(
                key.value in _BEFORE_MERGE and not _is_of_merges(about) for key, about in entries
            )
    return False


def _is_of_merges(about: Node) -> bool:
    """Whether a pull request that is closed starts it, as it is when it is merged."""
    types = about.get("types") if isinstance(about, Mapping) else None
    named = types.items if isinstance(types, Sequence) else [types]
    return any(isinstance(each, Scalar) and each.value == "closed" for each in named)


def _of_build(step: WorkflowStep, given: Mapping, metadata: dict[str, list[str]]) -> list[str]:
    push = _input(step, given, "push")
    outputs = _input(step, given, "outputs")
    if push.strip().lower() in ("", "false") and "type=registry" not in outputs and "push=true" not in outputs:
        return []
    written = _raw(given, "tags") + _raw(given, "files")
    found = [name for output in _OUTPUT.finditer(written) for name in metadata.get(output["id"], [])]
    found += [line for line in re.split(r"[\n,]", _input(step, given, "tags")) if line.strip()]
    return found


def _of_metadata(step: WorkflowStep, given: Mapping) -> list[str]:
    """Each image with each tag that the action makes for the default branch."""
    images = [_images_in(line) for line in _input(step, given, "images").splitlines() if line.strip()]
    flavor = dict(part.strip().partition("=")[::2] for part in re.split(r"[\n,]", _input(step, given, "flavor")))
    rules = [line.strip() for line in _input(step, given, "tags").splitlines() if line.strip()]
    tags = [tag for rule in rules or ["type=ref,event=branch"] if (tag := _tag(rule, flavor)) is not None]
    return [f"{image}:{tag}" for some in images for image in some for tag in tags]


def _images_in(line: str) -> list[str]:
    """The images of one line: names with commas between them, or one with `name=` and what else is said of it."""
    parts = [part.strip() for part in line.split(",") if part.strip()]
    named = [part.removeprefix("name=") for part in parts if part.startswith("name=")]
    return named or parts


def _tag(rule: str, flavor: MappingOf[str, str]) -> str | None:
    """The tag of one rule; None for those that make one only for pull requests or pushed tags. What stands around
    it is its own, else the flavor's."""
    given = dict(part.partition("=")[::2] for part in rule.split(",") if "=" in part)
    around = {name: given.get(name, flavor.get(name, "")) for name in ("prefix", "suffix")}
    tag = _bare_tag(rule, given)
    if given.get("type") == "sha":
        around["prefix"] = given.get("prefix", "sha-")
    return f"{around['prefix']}{tag}{around['suffix']}" if tag is not None else None


def _bare_tag(rule: str, given: MappingOf[str, str]) -> str | None:
    match given.get("type", "raw" if "=" not in rule else ""):
        case "sha":
            return "{sha}" if given.get("format") == "long" else "{short_sha}"
        case "ref" if given.get("event") == "branch":
            return "{branch}"
        case "raw":
            return _dated(given.get("value", rule))
        case "schedule":
            return _dated(given.get("pattern", "nightly"))
    return None


def _dated(text: str) -> str:
    """The text with our names for the action's own expressions, and `*` for those that have none."""

    def told(found: re.Match[str]) -> str:
        form = _MOMENTS.sub(lambda part: _MOMENT[part[0]], found["format"])
        is_known = not re.search(r"[A-Za-z]", _MOMENTS.sub("", found["format"]))
        return "{date:" + form + "}" if is_known else "*"

    dated = _DATE.sub(told, text)
    return _EXPRESSION.sub(lambda found: _NAMED.get(found["name"], "*"), dated)


def _input(step: WorkflowStep, given: Mapping, name: str) -> str:
    written = given.scalar(name)
    return step.evaluated(written.spanned).text if written is not None else ""


def _raw(given: Mapping, name: str) -> str:
    written = given.scalar(name)
    return written.value if written is not None else ""
