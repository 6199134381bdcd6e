"""What Azure tells of Container Apps, App Service and Container Instances, to what runs in them.

None of them tells the digest that it pulled. A template that names an image by digest says what runs; one that
names a tag does not, since each new replica takes whatever the tag shows then. Of a template only names, images and
times are kept, nothing of its environment.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.running.snapshot import AZURE_KINDS, RunningContainer, RunningPlace

CONTAINER_APP, WEB_APP, CONTAINER_GROUP = AZURE_KINDS
_ID = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/([^/]+)/providers/[^/]+/[^/]+/([^/]+)(?:/[^/]+/([^/]+))?", re.IGNORECASE
)
_DIGEST = re.compile(r"[^\s@]+@(sha256:[0-9a-f]{64})")
_IDLE_APPS = ("Stopped", "Suspended")
_ENDED_GROUPS = ("Stopped", "Succeeded", "Failed")
_LONGEST_NAME, _LONGEST_IMAGE = 255, 1_000
_CUSTOM = "DOCKER|"
_COMPOSED = "COMPOSE|"


class NoService(ValueError):
    """Raised for what is not as the interface describes it."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource by its id, which begins with a slash, with the rest of what a list tells of it.

    Names are in small letters: Azure takes them in any case, and its services answer them in different ones.
    """

    id: str
    group: str
    name: str
    """With the name of its slot where it is one: `shop/staging`."""
    properties: Mapping[str, Any]


def resource_of(item: Any) -> Resource:
    """Reads one entry of a list. Raises `NoService`."""
    match item:
        case {"id": str() as id_, "properties": dict() as properties}:
            parts = _ID.fullmatch(id_)
            if parts is not None and id_.isprintable():
                name = "/".join(part for part in parts.groups()[1:] if part)
                return Resource(id_, _name(parts[1].lower()), _name(name.lower()), properties)
    raise NoService


def is_served_by_its_template(app: Resource) -> bool:
    """Whether a container app runs its latest template alone: one revision at a time, and that one ready."""
    properties = app.properties
    latest = properties.get("latestRevisionName")
    mode = _optional(properties, "configuration").get("activeRevisionsMode", "Single")
    return mode == "Single" and latest is not None and latest == properties.get("latestReadyRevisionName")


def runs_nothing(app: Resource) -> bool:
    """Whether a container app or a web app was stopped by somebody."""
    properties = app.properties
    return properties.get("runningStatus") in _IDLE_APPS or properties.get("state") == "Stopped"


def may_run_containers(site: Resource) -> bool:
    """Whether a web app is one of Linux, or of Windows in containers: others run code alone."""
    return any(site.properties.get(key) is True for key in ("reserved", "isXenon", "hyperV"))


def of_template(app: Resource) -> Iterator[RunningContainer]:
    """The containers of a container app's latest template. Raises `NoService`."""
    yield from _of_containers(app, _mapping(app.properties, "template"), None)


def of_revisions(app: Resource, revisions: Sequence[Any]) -> Iterator[RunningContainer]:
    """The containers of those revisions that are active, with replicas or without. Raises `NoService`."""
    for revision in revisions:
        properties = _mapping(revision, "properties")
        if properties.get("active") is True:
            template = _mapping(properties, "template")
            yield from _of_containers(app, template, _moment(properties.get("createdTime")))


def _of_containers(
    app: Resource, template: Mapping[str, Any], started_at: datetime | None
) -> Iterator[RunningContainer]:
    """Those that run beside each other: what prepares them ends before."""
    containers = template.get("containers")
    if not isinstance(containers, list) or not containers:
        raise NoService
    for each in containers:
        yield _container(app, CONTAINER_APP, _text(each, "name"), _text(each, "image"), started_at)


@dataclass(frozen=True, slots=True)
class WebImage:
    """What the stack of a web app says: an image, a Compose file, or nothing of a container."""

    image: str | None = None
    is_composed: bool = False


def web_image(config: Any) -> WebImage:
    """Reads `linuxFxVersion` or `windowsFxVersion` of a web app's configuration. Raises `NoService`."""
    if not isinstance(config, dict):
        raise NoService
    stack = config.get("linuxFxVersion") or config.get("windowsFxVersion") or ""
    if not isinstance(stack, str):
        raise NoService
    head = stack.upper()
    if head.startswith(_CUSTOM):
        return WebImage(image=_text({"image": stack[len(_CUSTOM) :]}, "image"))
    return WebImage(is_composed=head.startswith(_COMPOSED))


def of_web_app(app: Resource, image: WebImage, sidecars: Sequence[Any]) -> Iterator[RunningContainer]:
    """What a web app runs; of a Compose file no image is told. Raises `NoService`."""
    if image.image is not None:
        yield _container(app, WEB_APP, "main", image.image, None)
    if image.is_composed:
        yield _container(app, WEB_APP, "compose", "a Compose file", None)
    for each in sidecars:
        name = _text(each, "name").rpartition("/")[2]
        yield _container(app, WEB_APP, name, _text(_mapping(each, "properties"), "image"), None)


def of_group(group: Resource) -> Iterator[RunningContainer]:
    """What a container group runs, by the state of each container. Raises `NoService`."""
    if _optional(group.properties, "instanceView").get("state") in _ENDED_GROUPS:
        return
    containers = group.properties.get("containers")
    if not isinstance(containers, list):
        raise NoService
    for each in containers:
        properties = _mapping(each, "properties")
        view = _optional(properties, "instanceView")
        state = _optional(view, "currentState")
        if state.get("state") == "Terminated" and group.properties.get("restartPolicy") == "Never":
            continue
        restarts = view.get("restartCount")
        started_at = _moment(state.get("startTime"))
        image = _text(properties, "image")
        restarts = restarts if isinstance(restarts, int) and restarts > 0 else 0
        yield _container(group, CONTAINER_GROUP, _text(each, "name"), image, started_at, restarts)


def _container(
    of: Resource, kind: str, name: str, image: str, started_at: datetime | None, restarts: int = 0
) -> RunningContainer:
    place = RunningPlace(of.group, kind, of.name, _name(name))
    by_digest = _DIGEST.fullmatch(image)
    digest = by_digest[1] if by_digest else None
    return RunningContainer(place, image[:_LONGEST_IMAGE], digest, started_at, restarts, pods=1)


def _mapping(of: Any, key: str) -> Mapping[str, Any]:
    value = of.get(key) if isinstance(of, dict) else None
    if not isinstance(value, dict):
        raise NoService
    return value


def _optional(of: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The mapping there; an empty one where there is nothing."""
    return _mapping(of, key) if of.get(key) is not None else {}


def _text(of: Any, key: str) -> str:
    value = of.get(key) if isinstance(of, dict) else None
    if not isinstance(value, str) or not value or not value.isprintable():
        raise NoService
    return value


def _name(value: str) -> str:
    if not 0 < len(value) <= _LONGEST_NAME or not value.isprintable():
        raise NoService
    return value


def _moment(value: object) -> datetime | None:
    """A time as Azure writes it, with up to seven digits behind the second; None of what is none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
