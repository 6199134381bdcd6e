"""A container's own files cannot be written, and what needs to be written has its place.

What: `readOnlyRootFilesystem: true` with a volume at `/tmp`; in Compose `read_only: true` with `tmpfs: /tmp` or a
volume there.

Example that fails::

    securityContext: {readOnlyRootFilesystem: true}   # and no volume at /tmp

Fix: `readOnlyRootFilesystem: true`, and an `emptyDir` volume mounted at `/tmp`, to which .NET writes diagnostics
and large uploads.

Exceptions: `TMPDIR` may name another mounted folder.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.files.audit.delivery.image_traits import (
    INSTALLED_FIRST,
    ImageTraits,
    builds_first,
    installs_first,
)
from bot.files.audit.delivery.started_images import traits_as_started
from bot.files.audit.images.by_name import is_dotnet
from bot.files.audit.images.stock import stock_image
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.splicing.keys import with_keys
from bot.files.audit.suggestions.trying import Sign, tried_unless_known
from bot.files.audit.suggestions.writable_folders import has_tmp, read_only_with_tmp
from bot.files.audit.verdict import Verdict, fails, holds
from bot.files.audit.workloads.compose import Service
from bot.files.audit.workloads.judging import absent, hidden, judge_workloads, place_of
from bot.files.audit.workloads.kubernetes import Container, is_hidden
from bot.files.audit.workloads.objects import word
from bot.files.formats.source.nodes import Mapping

_FIX = "set securityContext.readOnlyRootFilesystem: true, and mount an emptyDir at /tmp"
_OTHERS, _OTHERS_OF_SERVICE = " and at other folders that it writes", ", with other folders that it writes"
_BUILT_FIRST = "run what `dotnet publish` makes, since what is built at the start writes among its sources; then"
_IN_MEMORY = "a volume of type: tmpfs"
"""What Swarm reads in place of `tmpfs`, which it ignores."""
_NO_TMP = "the root is read-only, but nothing writable is mounted at /tmp"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    def of_container(container: Container) -> Iterator[Verdict]:
        setting = container.context.get("readOnlyRootFilesystem")
        place = place_of(repository, setting, container.place)
        if is_hidden(setting):
            yield hidden(container, "readOnlyRootFilesystem")
        elif word(setting) is None:
            yield absent(container, "readOnlyRootFilesystem is not set", _fix(repository, container))
        elif word(setting) != "true":
            yield fails(place, container.subject, "readOnlyRootFilesystem is not true", _fix(repository, container))
        elif has_tmp(container):
            yield holds(place, container.subject, "the root is read-only and /tmp can be written")
        else:
            yield absent(container, _NO_TMP, read_only_with_tmp(repository, container, "mount an emptyDir at /tmp"))

    yield from judge_workloads(repository, of_container, partial(_service, repository))


def _fix(repository: RepositoryTexts, container: Container) -> Fix:
    image = _unless_it_writes(traits_as_started(repository, container))
    return tried_unless_known(image, _fix_of_container(repository, container, image), Sign.OF_ROOT)


def _unless_it_writes(image: ImageTraits) -> ImageTraits:
    """Where a program writes beside `/tmp` is known of none that shows that it does."""
    return replace(image, is_known=image.is_known and not image.writes)


def _fix_of_container(repository: RepositoryTexts, container: Container, image: ImageTraits) -> Fix:
    """Suggests a writable /tmp beside the read-only root, all that .NET needs; others may write elsewhere too."""
    stock = stock_image(container.image)
    if image.builds_as_it_starts or builds_first(container.command):
        return Fix(f"{_BUILT_FIRST} {_FIX}")
    if installs_first(container.command):
        return Fix(f"{INSTALLED_FIRST} {_FIX}")
    if stock is None:
        advice = _FIX if is_dotnet(container.image) and image.is_dotnet else f"{_FIX}{_OTHERS}"
        return read_only_with_tmp(repository, container, advice)
    if stock.writes is None:
        return Fix(f"{_FIX} and at the other folders that the image's documentation names")
    folders = " and ".join(("/tmp", *stock.writes))  # noqa: S108
    return Fix(f"set securityContext.readOnlyRootFilesystem: true, and mount an emptyDir at {folders}")


def _service(repository: RepositoryTexts, service: Service) -> Iterator[Verdict]:
    if not service.is_on("read_only"):
        written = service.get("read_only")
        why = "read_only is not set" if written is None else "read_only is not true"
        place = place_of(repository, written, service.place)
        image = _unless_it_writes(traits_as_started(repository, service))
        fix_of_service = tried_unless_known(image, _fix_of_service(repository, service, image), Sign.OF_ROOT)
        yield fails(place, service.subject, why, fix_of_service)
        return
    targets = [] if service.is_for_swarm else [each.split(":")[0] for each in service.words("tmpfs")]
    for volume in service.nodes("volumes"):
        text = word(volume)
        if text is not None and not text.endswith(":ro"):
            targets.append(text.split(":")[1] if ":" in text else text)
        elif isinstance(volume, Mapping):
            targets.append(word(volume.get("target")) or "")
    if any(target.rstrip("/") == "/tmp" for target in targets):  # noqa: S108
        yield holds(service.place, service.subject, "the root is read-only and /tmp can be written")
    else:
        fix = f"mount {_IN_MEMORY} at /tmp" if service.is_for_swarm else "add tmpfs: [/tmp]"
        yield fails(service.place, service.subject, _NO_TMP, fix)


def _fix_of_service(repository: RepositoryTexts, service: Service, image: ImageTraits) -> Fix:
    stock = stock_image(service.image) if not service.is_built else None
    writes = (stock.writes or ()) if stock is not None else ()
    folders = f"[{', '.join(('/tmp', *writes))}]"  # noqa: S108
    if service.is_for_swarm:
        advice = f"set read_only: true, and mount {_IN_MEMORY} at {', '.join(('/tmp', *writes))}"  # noqa: S108
    else:
        advice = f"set read_only: true and tmpfs: {folders}"
    if image.builds_as_it_starts or builds_first(service.command):
        return Fix(f"{_BUILT_FIRST} {advice}")
    if installs_first(service.command):
        return Fix(f"{INSTALLED_FIRST} {advice}")
    if stock is None and not (is_dotnet(service.image) and image.is_dotnet):
        advice += _OTHERS_OF_SERVICE
    if stock is not None and stock.writes is None:
        return Fix(f"{advice}, with the other folders that the image's documentation names")
    if service.is_for_swarm:
        return Fix(advice)
    keys = {"read_only": "true"} | ({} if service.get("tmpfs") is not None else {"tmpfs": folders})
    return with_keys(repository, service.levels[0], keys, advice).as_suggestion


RULE = Rule(
    "read-only-root",
    "The root file system is read-only, with a writable /tmp",
    "Who gets into the process cannot plant programs.",
    FindingSeverity.MEDIUM,
    judge,
)
