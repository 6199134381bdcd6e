"""`/hooks/…` of GitHub, Azure DevOps and registries: who sends is checked before a body is read, or right after.

Sources: distribution.github.io "Notifications"; learn.microsoft.com "Azure Container Registry webhook reference";
docs.docker.com "Webhooks". Which host sent it counts nothing: the tag is looked up wherever it is watched.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.domain.reach import Reach
from bot.store.events import EventsStore
from bot.web.access.guard import note_wrong_token
from bot.web.hooks import github
from bot.web.hooks.azure_devops import event_id_of, reach_of_service_hook
from bot.web.hooks.github import pushed, reach_of
from bot.web.site import site_of

_MOST_EVENTS = 500
_ADDS = ("push", "chart_push")


def reach_of_push(payload: Mapping[str, Any]) -> Reach:
    """Reads the tags that an event tells of; none where its shape is none of these."""
    events = payload.get("events")
    if isinstance(events, list):
        reaches = [_target(event) for event in events[:_MOST_EVENTS] if isinstance(event, dict)]
        return Reach(pushed=tuple(dict.fromkeys(tag for each in reaches for tag in each.pushed)))
    if isinstance(payload.get("target"), dict):
        return _target(payload)
    data, repository = payload.get("push_data"), payload.get("repository")
    if isinstance(data, dict) and isinstance(repository, dict):
        return pushed(str(repository.get("repo_name", "")), data.get("tag"))
    return reach_of("registry_package", payload)


def _target(event: Mapping[str, Any]) -> Reach:
    """Reads one event of Distribution, which is also what Azure sends."""
    target = event.get("target")
    if event.get("action") not in _ADDS or not isinstance(target, dict):
        return Reach()
    return pushed(str(target.get("repository", "")), target.get("tag"))


_DELIVERY = re.compile(r"[A-Za-z0-9-]{8,64}")
_SCHEME = "bearer "


async def from_github(request: Request) -> Response:
    """Takes in an event of the App or of a webhook; one that came before counts no more."""
    secret = site_of(request).senders.github
    if secret is None:
        return PlainTextResponse("no secret is set for GitHub's events\n", 404)
    signatures = request.headers.getlist("x-hub-signature-256")
    if not github.may_be_signed(signatures):
        return _answered(request, "github", "forged", 403)
    signing = github.signing(secret)
    body = await _read(request, signing.update)
    if not github.is_signed(signing, signatures[0]):
        return _answered(request, "github", "forged", 403)
    event, delivery = request.headers.get("x-github-event", ""), request.headers.get("x-github-delivery", "")
    payload = _payload(body)
    if payload is None or not _DELIVERY.fullmatch(delivery):
        return _answered(request, "github", "malformed", 400)
    return await _taken(request, "github", delivery, github.reach_of(event, payload))


async def from_registry(request: Request) -> Response:
    """A push, by the secret in the `Authorization` header, or in the path where the sender can set no header."""
    senders = site_of(request).senders
    path = request.path_params.get("path")
    secret = senders.registry if path is None else senders.registry_path
    if secret is None:
        return PlainTextResponse("no secret is set for registries' events\n", 404)
    if not hmac.compare_digest(secret.encode(), _read_secret(request, path)):
        note_wrong_token(request, site_of(request))
        return _answered(request, "registry", "forged", 403)
    digest = hashlib.sha256()
    payload = _payload(await _read(request, digest.update))
    if payload is None:
        return _answered(request, "registry", "malformed", 400)
    return await _taken(request, "registry", digest.hexdigest(), reach_of_push(payload))


async def from_azure_devops(request: Request) -> Response:
    """An event of a service hook, by the secret in the `Authorization` header that it was given: none is signed."""
    secret = site_of(request).senders.azure_devops
    if secret is None:
        return PlainTextResponse("no secret is set for Azure DevOps' events\n", 404)
    if not hmac.compare_digest(secret.encode(), _read_secret(request, None)):
        note_wrong_token(request, site_of(request))
        return _answered(request, "azure-devops", "forged", 403)
    payload = _payload(await _read(request))
    event_id = None if payload is None else event_id_of(payload)
    if payload is None or event_id is None:
        return _answered(request, "azure-devops", "malformed", 400)
    return await _taken(request, "azure-devops", event_id, reach_of_service_hook(payload))


async def _read(request: Request, hashed: Callable[[bytes], object] = lambda _: None) -> bytearray:
    """The body, each part of which is `hashed` as it comes in; `Bounds` says how much of it there may be."""
    body = bytearray()
    async for part in request.stream():
        hashed(part)
        body += part
    return body


def _read_secret(request: Request, path: str | None) -> bytes:
    headers = request.headers.getlist("authorization")
    header = (
        headers[0][len(_SCHEME) :].strip() if len(headers) == 1 and headers[0].lower().startswith(_SCHEME) else ""
    )
    return (header if path is None else path).encode("utf-8", "surrogateescape")


async def _taken(request: Request, source: str, delivery: str, reach: Reach) -> Response:
    """Nothing is said of what is known here: the sender learns only that the event came in."""
    site = site_of(request)
    is_new = await site.stores[EventsStore].take(source, delivery, reach)
    outcome = "repeated" if not is_new else "empty" if reach.is_empty else "taken"
    return _answered(request, source, outcome, 202)


def _answered(request: Request, source: str, outcome: str, status: int) -> Response:
    site_of(request).meter.delivered(source, outcome)
    return PlainTextResponse(f"{outcome if status >= 400 else 'ok'}\n", status)


def _payload(body: bytearray) -> Mapping[str, Any] | None:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


routes = [
    Route("/hooks/github", from_github, methods=["POST"], name="hooks-github"),
    Route("/hooks/azure-devops", from_azure_devops, methods=["POST"], name="hooks-azure-devops"),
    Route("/hooks/registry", from_registry, methods=["POST"], name="hooks-registry"),
    Route("/hooks/registry/{path}", from_registry, methods=["POST"], name="hooks-registry-path"),
]
