"""What an OCI registry shows: tags, manifests and image configs (OCI distribution specification 1.1).

Only configured hosts are contacted. Content comes back as the bytes that its digest names, checked.
"""

import re
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from bot.clients.http.answers import Answer, Streamed
from bot.clients.http.client import ANY_HOST, Http
from bot.clients.registry.entry import RegistryAccess, RegistryEntry
from bot.domain.bases.image import (
    INDEXES,
    MANIFESTS,
    Head,
    check_digest,
    digest_of,
    fallback_tag,
    is_digest,
    read_document,
)
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.images.stated import Stated, stated_by_media_type
from bot.domain.reference import Base

LARGEST_MANIFEST = 4 * 1024 * 1024
LARGEST_CONFIG = 8 * 1024 * 1024
LARGEST_LAYER = 8 * 1024**3

_ACCEPTED = ", ".join(sorted(INDEXES | MANIFESTS))
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_PART}(?:/{_PART})*")
_NEXT = re.compile(r'<([^<>]{1,2048})>\s*;\s*rel="?next"?(?:\s*[,;]|\s*$)')
_MOST_PAGES = 10
"""Of referrers."""
_MOST_TAG_PAGES = 200
_SIGNATURES = ("application/vnd.cncf.notary.", "application/vnd.dev.sigstore.", "application/vnd.dev.cosign.")
_STATEMENTS = (
    *("application/vnd.in-toto", "application/vnd.dsse"),
    "application/vnd.microsoft.artifact.",
)
_TAGS_A_PAGE = 1_000
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)


class Registry:
    """The registries that an operator configured. `http` must know their `host_rules`."""

    def __init__(self, http: Http, accesses: Iterable[RegistryAccess], clock: Clock) -> None:
        self._http = http
        self._accesses = {access.host: access for access in accesses}
        self._entry = RegistryEntry(http, clock)

    async def head(self, base: Base) -> Head:
        """What the tag points to now, in one HEAD request.

        A registry that tells no digest there is asked with GET, and the digest is computed.

        Raises `Failure`: DENIED (401, 403), MISSING (404), THROTTLED, UNREACHABLE, MALFORMED.
        """
        if not _TAG.fullmatch(base.tag):
            raise Failure(Trouble.MALFORMED, f"{base.tag[:80]!r} is no tag", where=base.name)
        answer = await self._ask("HEAD", base.registry, base.repository, f"manifests/{base.tag}", LARGEST_MANIFEST)
        digest = answer.headers.get("docker-content-digest")
        if answer.status == 405 or (answer.status == 200 and digest is None):
            return await self._head_by_reading(base)
        _expect_content(answer, str(base))
        return Head(_check_digest_of_head(digest, str(base)), _media_type(answer, str(base)))

    async def manifest(self, registry: str, repository: str, digest: str) -> bytes:
        """An index or a manifest by its digest, checked. Raises `Failure` like `head`."""
        return await self._content(registry, repository, f"manifests/{digest}", digest, LARGEST_MANIFEST)

    async def config(self, registry: str, repository: str, digest: str) -> bytes:
        """An image config by its digest, checked. Raises `Failure` like `head`."""
        return await self._content(registry, repository, f"blobs/{digest}", digest, LARGEST_CONFIG)

    async def blob(self, registry: str, repository: str, digest: str) -> AsyncGenerator[bytes, None]:
        """A layer by its digest, in chunks as they come; whoever takes them checks the digest.

        Raises `Failure` like `head`, also with any chunk.
        """
        place = _place_of(registry, repository, digest)
        access = self._access(registry, repository)
        url = f"{access.address}/v2/{repository}/blobs/{digest}"
        credentials = await self._entry.authorization(access, repository)
        for is_last in (False, True):
            headers = _headers(url, credentials)
            async with self._http.stream(
                url, max_bytes=LARGEST_LAYER, headers=headers, allow_redirects_to=ANY_HOST
            ) as answer:
                renewed = None if is_last else await self._renew(access, repository, answer, credentials)
                if renewed is None:
                    _expect_content(answer, place)
                    async for chunk in answer.chunks:
                        yield chunk
                    return
            credentials = renewed

    async def referring(self, registry: str, repository: str, digest: str) -> tuple[str, ...]:
        """The digests of all artifacts that are listed as referring to `digest`, each once.

        Those that are listed as signatures come first, and then those that are listed as statements about an image:
        a hint for whoever reads only so many, believed by nobody.

        The union of the referrers API and the fallback tag: a registry that has the API by now may still keep what
        was attached before it had, so that an empty answer is not "none". Raises `Failure` like `head`, and
        MALFORMED for more than `_MOST_PAGES`.
        Source: OCI distribution specification 1.1, "Listing Referrers" and "Unavailable Referrers API".
        """
        place = _place_of(registry, repository, digest)
        ranks: dict[str, int] = {}
        path = f"referrers/{digest}"
        for _ in range(_MOST_PAGES):
            answer = await self._ask("GET", registry, repository, path, LARGEST_MANIFEST)
            if answer.status == 404:
                break
            _expect_content(answer, place)
            ranks |= _ranked(_descriptors(answer, place))
            query = _next_page(answer, place)
            if query is None:
                break
            path = f"referrers/{digest}?{query}"
        else:
            raise Failure(Trouble.MALFORMED, "lists referrers on pages that have no end", where=place)
        tag = f"manifests/{fallback_tag(digest)}"
        answer = await self._ask("GET", registry, repository, tag, LARGEST_MANIFEST)
        if answer.status != 404:
            _expect_content(answer, place)
            ranks |= _ranked(_descriptors(answer, place))
        return tuple(each for each in sorted(ranks, key=ranks.__getitem__) if is_digest(each))

    async def tagged(self, registry: str, repository: str, tag: str) -> bytes | None:
        """The manifest under a tag; None where there is none. Raises `Failure` like `head`."""
        answer = await self._ask("GET", registry, repository, f"manifests/{tag}", LARGEST_MANIFEST)
        if answer.status == 404:
            return None
        _expect_content(answer, f"{registry}/{repository}:{tag}")
        return answer.body

    async def tags(self, registry: str, repository: str) -> list[str]:
        """All tags of a repository in the order in which the registry lists them.

        Raises `Failure` like `head`, and MALFORMED for more than `_MOST_TAG_PAGES`: of a list that is not read to
        its end nobody can say what it lacks, nor which tag is the newest.
        """
        place = f"{registry}/{repository}"
        tag_names: list[str] = []
        query: str | None = f"n={_TAGS_A_PAGE}"
        for _ in range(_MOST_TAG_PAGES):
            answer = await self._ask("GET", registry, repository, f"tags/list?{query}", LARGEST_MANIFEST)
            _expect_content(answer, place)
            tag_names += [tag for tag in _tags_in(answer, place) if isinstance(tag, str) and _TAG.fullmatch(tag)]
            query = _next_page(answer, place)
            if query is None:
                return tag_names
        fault = f"lists tags on more than {_MOST_TAG_PAGES} pages, which are not read to their end"
        advice = "name a fixed tag, or delete old ones"
        raise Failure(Trouble.MALFORMED, fault, where=place, advice=advice)

    async def _head_by_reading(self, base: Base) -> Head:
        place = str(base)
        path = f"manifests/{base.tag}"
        answer = await self._ask("GET", base.registry, base.repository, path, LARGEST_MANIFEST)
        _expect_content(answer, place)
        read_document(answer.body, place)
        digest = answer.headers.get("docker-content-digest")
        if digest is None:
            return Head(digest_of(answer.body), _media_type(answer, place))
        check_digest(answer.body, digest, place)
        return Head(digest, _media_type(answer, place))

    async def _content(self, registry: str, repository: str, path: str, digest: str, largest: int) -> bytes:
        place = _place_of(registry, repository, digest)
        answer = await self._ask("GET", registry, repository, path, largest)
        _expect_content(answer, place)
        check_digest(answer.body, digest, place)
        return answer.body

    async def _ask(self, method: str, registry: str, repository: str, path: str, largest: int) -> Answer:
        """Sends a request with what the host accepted before; answers at most one challenge."""
        access = self._access(registry, repository)
        url = f"{access.address}/v2/{repository}/{path}"
        credentials = await self._entry.authorization(access, repository)
        answer = await self._send(method, url, credentials, largest)
        renewed = await self._renew(access, repository, answer, credentials)
        return answer if renewed is None else await self._send(method, url, renewed, largest)

    def _access(self, registry: str, repository: str) -> RegistryAccess:
        access = self._accesses.get(registry)
        place = f"{registry}/{repository}"
        if access is None:
            advice = "add it to `registries` if it may be contacted"
            raise Failure(Trouble.DENIED, "is no configured registry", where=place[:200], advice=advice)
        if not _NAME.fullmatch(repository) or len(repository) > 255:
            raise Failure(Trouble.MALFORMED, "is no repository name", where=place[:200])
        return access

    async def _renew(
        self, access: RegistryAccess, repository: str, answer: Answer | Streamed, credentials: str | None
    ) -> str | None:
        """Another authorization, where the answer challenges what was shown; None where there is no use in it."""
        if answer.status != 401 or answer.redirected:
            return None
        if not self._entry.is_challenged(access, repository, answer, credentials):
            return None
        renewed = await self._entry.authorization(access, repository)
        return None if renewed == credentials else renewed

    async def _send(self, method: str, url: str, credentials: str | None, largest: int) -> Answer:
        headers = _headers(url, credentials)
        return await self._http.request(
            method, url, headers=headers, max_bytes=largest, allow_redirects_to=ANY_HOST
        )


def _place_of(registry: str, repository: str, digest: str) -> str:
    """How a digest of a repository is called in messages. Raises `Failure` (malformed) where it is none."""
    place = f"{registry}/{repository}@{digest[:19]}…"
    if not is_digest(digest):
        raise Failure(Trouble.MALFORMED, f"{digest[:80]!r} is no sha256 or sha512 digest", where=place)
    return place


def _headers(url: str, credentials: str | None) -> dict[str, str]:
    headers = {"Accept": _ACCEPTED if "/manifests/" in url else "*/*", "Accept-Encoding": "identity"}
    return headers if credentials is None else {**headers, "Authorization": credentials}


def _expect_content(answer: Answer | Streamed, place: str) -> None:
    """Turns every status but 200 into the `Failure` that it means."""
    status = answer.status
    if status == 200:
        return
    if status in (401, 403):
        trouble, fault, advice = Trouble.DENIED, "is not shown to us", "check username and password"
    elif status == 404:
        trouble, fault, advice = Trouble.MISSING, "is not there", "check the name"
    else:
        trouble, fault, advice = Trouble.MALFORMED, "cannot be read", "check that this is a registry"
    raise Failure(trouble, f"{fault} ({status})", where=place, advice=advice, status=status)


def _tags_in(answer: Answer, place: str) -> list[Any]:
    """What a page lists as tags; of a repository without any, registries list null."""
    document = answer.json()
    tag_list = document.get("tags", "none") if isinstance(document, dict) else "none"
    if tag_list is not None and not isinstance(tag_list, list):
        raise Failure(Trouble.MALFORMED, "answered with no list of tags", where=place)
    return tag_list or []


def _descriptors(answer: Answer, place: str) -> list[Mapping[str, Any]]:
    document = answer.json()
    entries = document.get("manifests") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise Failure(Trouble.MALFORMED, "answered with no list of referrers", where=place)
    return [entry for entry in entries if isinstance(entry, dict)]


def _ranked(entries: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The digests of descriptors, each with how soon it is read by what it is listed as: the least comes first."""
    ranks: dict[str, int] = {}
    for each in entries:
        kind = str(each.get("artifactType"))
        is_second = kind.startswith(_STATEMENTS) or stated_by_media_type(kind) is Stated.VEX
        ranks[str(each.get("digest"))] = 0 if kind.startswith(_SIGNATURES) else 1 if is_second else 2
    return ranks


def _next_page(answer: Answer, place: str) -> str | None:
    """The query of the next page, which is under the same address; None on the last."""
    link = _NEXT.search(answer.headers.get("link", ""))
    if link is None:
        return None
    try:
        here, leads_to = urlsplit(answer.url), urlsplit(urljoin(answer.url, str(link[1])))
    except ValueError:
        raise Failure(Trouble.MALFORMED, "has a next page that leads elsewhere", where=place) from None
    if leads_to[:3] != here[:3]:
        raise Failure(Trouble.MALFORMED, "has a next page that leads elsewhere", where=place)
    return leads_to.query


def _check_digest_of_head(digest: str | None, place: str) -> str:
    if digest is None or not is_digest(digest):
        raise Failure(
            Trouble.MALFORMED, f"names {str(digest)[:80]!r}, which is no sha256 or sha512 digest", where=place
        )
    return digest


def _media_type(answer: Answer, place: str) -> str:
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type and media_type not in INDEXES | MANIFESTS:
        raise Failure(
            Trouble.MALFORMED,
            f"answered with {media_type[:80]!r} instead of a manifest",
            where=place,
            advice="check that this is a registry with images of Docker schema 2 or OCI",
        )
    return media_type
