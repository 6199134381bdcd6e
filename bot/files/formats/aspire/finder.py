"""Images that the C# of a .NET Aspire AppHost names: `AddContainer`, `WithImage`, `WithImageTag` and their like.

The calls are those of Aspire.Hosting (ContainerResourceBuilderExtensions in dotnet/aspire). What a resource starts
from where the text does not say it comes with its package; for those of dotnet/aspire that is known.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from bot.domain.reference import DEFAULT_REGISTRY
from bot.domain.repositories.usage import Findings, Kind, Role
from bot.files.formats.aspire.csharp import MISSING, Call, Chain, UnknownValue, chains
from bot.files.formats.aspire.integrations import ADDED, BESIDE, RUN_HERE, RUNNING_HERE, Named
from bot.files.formats.dotnet.projects import PROJECT_ENDINGS
from bot.files.formats.source.collector import Collector
from bot.files.formats.source.spanned import Spanned, joined

KIND = Kind("aspire")
INSTEAD_OF_DIGEST = "a tag of its own takes no digest; pin it with WithImageSHA256, which takes the tag's place"
MOST_IMAGES = 500
MOST_TOLD = 5

_ADDING = {"AddProject": "projectPath", "AddCSharpApp": "path"}
"""By the method, what its second parameter is called."""
_NAMING = frozenset({"AddContainer", "WithImage", "WithImageTag", "WithImageRegistry", "WithImageSHA256"})
_TAG = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DIRECTIVE = re.compile(r"^#:(?P<name>\w+)[ \t]+(?P<value>[^\r\n]+?)[ \t]*\r?$", re.M)
_DIRECTIVES_END = re.compile(r"^[ \t]*[^#/\s\ufeff]", re.M)


def find(path: str, text: str) -> Findings:
    """The images of all chains of calls in one file. Never raises."""
    file = Collector(path, text, KIND)
    if not any(name in text for name in _NAMING):
        return file.findings()
    images = _images(chains(text))
    open_questions: list[tuple[int, str]] = []
    for image in images:
        why = image.undecided or _put_together(file, image)
        if why:
            open_questions.append((image.place, f"line {file.lines.at(image.place)}: {why}"))
    if open_questions:
        reasons = "; ".join(dict.fromkeys(why for _, why in open_questions[:MOST_TOLD]))
        more = f"; and {len(open_questions) - MOST_TOLD} more" if len(open_questions) > MOST_TOLD else ""
        count = f"{len(open_questions)} {'image' if len(open_questions) == 1 else 'images'}"
        file.problem(
            open_questions[0][0], f"{count} not known from the text ({reasons}{more}); write them as literals"
        )
    return file.findings()


def is_file_based_app_host(text: str) -> bool:
    """Whether a C# file is an AppHost by itself, with `#:sdk Aspire.AppHost.Sdk@…` at its top."""
    return any(name == "sdk" and value.startswith("Aspire.AppHost.Sdk") for name, value in _directives(text))


def referenced_projects(text: str) -> tuple[str, ...]:
    """The `#:project` paths of a file-based application, as written."""
    return tuple(value for name, value in _directives(text) if name == "project")


def added_projects(text: str) -> tuple[tuple[str, int], ...]:
    """The projects that an AppHost adds by their paths, as written, each with its line.

    Calls: `AddProject("name", "PATH")`, and `AddCSharpApp("name", "PATH")`, which takes folders too.
    """
    if 'proj"' not in text and "AddCSharpApp" not in text:
        return ()
    calls = (call for chain in chains(text) for call in chain.calls if call.method in _ADDING)
    paths = ((call, call.argument(1, _ADDING[call.method])) for call in calls)
    return tuple(
        (path.text, call.line)
        for call, path in paths
        if isinstance(path, Spanned) and _may_be_project(call.method, path.text)
    )


def _may_be_project(method: str, path: str) -> bool:
    """With a type of project, AddProject's second text is a launch profile; a C# file is no project."""
    is_project = path.lower().endswith(PROJECT_ENDINGS)
    return is_project or (method == "AddCSharpApp" and not path.lower().endswith(".cs"))


def _directives(text: str) -> list[tuple[str, str]]:
    end = _DIRECTIVES_END.search(text)
    head = text[: end.start()] if end else text
    return [(match["name"], match["value"]) for match in _DIRECTIVE.finditer(head.replace("\ufeff", ""))]


@dataclass(slots=True)
class _Image:
    """What a resource runs; None where nothing says it, which for a registry means Docker Hub."""

    place: int
    name: Spanned | None
    default: Named | None
    """The registry and the image that come with the resource's package, where they are known."""
    source: str = ""
    registry: Spanned | None = None
    tag: Spanned | None = None
    sha256: Spanned | None = None
    undecided: str = ""
    is_named: bool = False
    depth: int = field(default=0, compare=False)


def _images(chains_in_file: Iterable[Chain]) -> list[_Image]:
    """One for each resource whose image the text names; where a condition decides, one for each possibility."""
    images: list[_Image] = []
    variables: dict[str, _Image] = {}
    for chain in chains_in_file:
        image, calls = _start(chain, variables)
        if image is None or len(images) >= MOST_IMAGES:
            continue
        if any(call.method.startswith("WithDockerfile") for call in calls):
            images = [each for each in images if each is not image]
            continue
        naming = [call for call in calls if call.method in _NAMING]
        is_known = any(each is image for each in images)
        if naming and is_known and chain.depth > image.depth:
            image = replace(image, place=naming[0].place)
            is_known = False
        for call in naming:
            _apply(image, call)
        if image.is_named and not is_known:
            images.append(image)
        if chain.assigned is not None:
            image.depth = chain.depth if chain.receiver not in variables else image.depth
            variables[chain.assigned] = image
    return images


def _start(chain: Chain, variables: dict[str, _Image]) -> tuple[_Image | None, list[Call]]:
    """The resource that a chain begins with or goes on with, and the calls that are still to be heeded."""
    changing = [call for call in chain.calls if call.method != "AddContainer"]
    if chain.receiver in variables:
        return variables[chain.receiver], changing
    first = next((call for call in chain.calls if call.method.startswith("Add")), None)
    if first is not None and first.method == "AddContainer":
        return (
            (None, [])
            if _is_of_a_database(first)
            else (_Image(first.place, None, None, first.method), [first, *changing])
        )
    if first is not None:
        return _Image(first.place, None, ADDED.get(first.method), first.method), changing
    naming = [call for call in changing if call.method in _NAMING]
    if not naming:
        return None, []
    place = naming[0].place
    if chain.lender is not None and (lent := _lent(chain.lender, variables)) is not None:
        return _Image(place, None, lent, chain.lender.calls[-1].method), changing
    return _Image(place, None, None, f"what {chain.receiver or 'the call'} stands for"), changing


def _lent(lender: Chain, variables: dict[str, _Image]) -> Named | None:
    """What the last call of a chain hands to its function: a tool, or what stands in for a service of Azure."""
    method = lender.calls[-1].method
    if method not in RUNNING_HERE:
        return BESIDE.get(method)
    added = next((call.method for call in lender.calls if call.method in RUN_HERE), None)
    if added is None and lender.receiver in variables:
        added = variables[lender.receiver].source
    return RUN_HERE.get(added or "")


def _is_of_a_database(call: Call) -> bool:
    """Azure Cosmos DB has an AddContainer of its own, which takes paths of partition keys."""
    second = call.argument(1, "image")
    text = (
        second.text if isinstance(second, Spanned) else second.written if isinstance(second, UnknownValue) else ""
    )
    return text.startswith(("/", "["))


def _apply(image: _Image, call: Call) -> None:
    """Each call as Aspire carries it out: a tag and a digest take each other's place."""
    image.is_named = True
    image.place = call.place
    if call.method == "AddContainer":
        _name(image, call, call.argument(1, "image"), call.argument(2, "tag"))
        return
    if call.method == "WithImage":
        _name(image, call, call.argument(0, "image"), call.argument(1, "tag"))
        return
    names = {"WithImageTag": "tag", "WithImageRegistry": "registry", "WithImageSHA256": "sha256"}
    part = names[call.method]
    value = call.argument(0, part)
    if isinstance(value, Spanned):
        setattr(image, part, value)
        if part != "registry":
            setattr(image, "sha256" if part == "tag" else "tag", None)
    elif value is not None:
        image.undecided = f"{call.method} is given {_describe_value(value)}"


def _name(image: _Image, call: Call, name: object, tag: object) -> None:
    if not isinstance(name, Spanned):
        image.undecided = f"{call.method} is given {_describe_value(name)}"
        return
    if tag is not MISSING and tag is not None and not isinstance(tag, Spanned):
        image.undecided = f"{call.method} is given the tag {_describe_value(tag)}"
        return
    image.name, image.undecided = name, ""
    image.tag, image.sha256 = tag if isinstance(tag, Spanned) else None, None


def _describe_value(value: object) -> str:
    return value.written if isinstance(value, UnknownValue) else "no image"


def _put_together(file: Collector, image: _Image) -> str:
    """Adds the usage; what keeps it from that is the answer."""
    if image.tag is not None and not _TAG.fullmatch(image.tag.text):
        return _refused_tag(image.tag.text)
    if image.sha256 is not None and not _SHA256.fullmatch(image.sha256.text):
        why = f"{image.sha256.text[:80]!r} is no SHA-256"
        has_prefix = _SHA256.fullmatch(image.sha256.text.rpartition("sha256:")[2]) is not None
        return f"{why}: write its 64 digits without sha256: in front" if has_prefix else why
    parts = _qualify_name(image)
    if isinstance(parts, str):
        return parts
    is_whole = len(parts) == 1 and image.tag is None and image.sha256 is None
    if image.tag is not None:
        parts += [_make_text(":", image.place), image.tag]
    if image.sha256 is not None:
        parts += [_make_text("@sha256:", image.place), image.sha256]
    usage = file.usage(joined(parts), Role.IMAGE, assembled=not is_whole)
    if usage is None:
        return f"{''.join(part.text for part in parts)[:80]!r} is no image reference"
    if usage.assembled:
        # An empty span would say that a digest may be added there, which WithImageTag does not take.
        usage = replace(usage, pieces=tuple(each for each in usage.pieces if each.span.start < each.span.end))
    file.add(usage)
    return ""


def _refused_tag(tag: str) -> str:
    """Why a text is no tag, and what to write where it is a digest."""
    why = f"{tag[:80]!r} is no tag"
    return f"{why}: pin the digest with WithImageSHA256, its 64 digits alone" if "sha256:" in tag else why


def _qualify_name(image: _Image) -> list[Spanned] | str:
    """The registry and the name; what keeps them from being known where they are not."""
    registry, name = image.default or ("", "")
    if image.name is None and not name:
        return f"{image.source} takes its image from elsewhere"
    name_text = image.name or _make_text(name, image.place)
    if image.registry is not None:
        return [image.registry, _make_text("/", image.place), name_text]
    host, _, path = name_text.text.partition("/")
    if (path and ("." in host or ":" in host)) or image.source == "AddContainer":
        return [name_text]
    if not registry:
        return f"the registry of {name_text.text[:80]!r} comes with {image.source}"
    is_said = image.name is None or registry != DEFAULT_REGISTRY
    return [_make_text(f"{registry}/", image.place), name_text] if is_said else [name_text]


def _make_text(text: str, place: int) -> Spanned:
    """Characters that the file does not have."""
    return Spanned(text, (~place,) * len(text))
