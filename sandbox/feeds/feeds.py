"""The public feeds on loopback, in the shapes of the real documents, with ETag and Last-Modified."""

import gzip
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from sandbox.edges.edge import Edge, Surroundings
from sandbox.edges.serving import Server
from sandbox.feeds import documents as shapes
from sandbox.feeds import osv_api
from sandbox.images import Pushed

Json = Any

RELEASES = "/dotnet/release-metadata"
INDEX = f"{RELEASES}/releases-index.json"
UPDATES = "/cvrf/v3.0/updates"
BULLETIN = "/cvrf/v3.0/cvrf"
ADVISORIES = "/advisories"
ANNOUNCEMENTS = "/repos/dotnet/announcements/issues"
IMAGE_ANNOUNCEMENTS = "/dotnet/dotnet-docker/discussions/categories/announcements.atom"
TIMELINE = "/dotnet/core/timeline"
IMAGE_INFO = "/dotnet/versions/image-info.json"
KEV = "/kev/known_exploited_vulnerabilities.json"
EPSS = "/epss/epss_scores-current.csv.gz"

SUPPORTED_FOR = timedelta(days=3 * 365)


@dataclass(frozen=True, slots=True)
class Document:
    """What is served at an address, and since when it is as it is."""

    content: bytes
    media_type: str
    changed_at: datetime

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'


class FeedsEdge(Edge):
    """Answers from `documents`, by path; query parameters are ignored.

    `records` are those that OSV's API knows, `page_size` how many of them it names at once.
    """

    service = "feeds"

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__("", surroundings)
        self.documents: dict[str, Document] = {}
        self.records: dict[str, dict[str, Json]] = {}
        self.page_size = 1_000

    async def answer(self, request: Request) -> Response:
        if (request.method, request.url.path) == ("POST", "/v1/querybatch"):
            return await osv_api.query_batch(request, self.records, self.page_size)
        if request.method == "GET" and request.url.path.startswith("/v1/vulns/"):
            return osv_api.record(request.url.path.removeprefix("/v1/vulns/"), self.records)
        document = self.documents.get(request.url.path)
        if document is None or request.method not in ("GET", "HEAD"):
            return Response(status_code=404 if document is None else 405)
        modified = format_datetime(document.changed_at, usegmt=True)
        headers = {"etag": document.etag, "last-modified": modified, "content-type": document.media_type}
        if _is_unchanged(request, document.etag, modified):
            return Response(status_code=304, headers=headers)
        return Response(document.content, headers=headers)


class Feeds:
    """What is published. `publish_…` edit the documents as their publishers would; `put` sets raw bytes."""

    def __init__(self, server: Server, edge: FeedsEdge) -> None:
        self.url = server.url
        self._edge = edge
        self._put_json(INDEX, {"releases-index": []})
        self._put_json(UPDATES, {"@odata.context": f"{self.url}/cvrf/v3.0/$metadata#Updates", "value": []})
        self._put_json(ADVISORIES, [])
        self._put_json(ANNOUNCEMENTS, [])
        self.put(IMAGE_ANNOUNCEMENTS, shapes.discussions(), "application/atom+xml")
        self._put_json(f"{TIMELINE}/index.json", {"_embedded": {"years": []}})
        self._put_json(IMAGE_INFO, {"schemaVersion": "2.0", "repos": []})

    @property
    def addresses(self) -> dict[str, str]:
        """Where each feed is, under the names of the bot's settings."""
        paths = {
            "dotnet_releases": INDEX,
            "msrc": UPDATES,
            "dotnet_cve": f"{TIMELINE}/index.json",
            "image_info": IMAGE_INFO,
            "github_advisories": ADVISORIES,
            "announcements": ANNOUNCEMENTS,
            "image_announcements": IMAGE_ANNOUNCEMENTS,
        }
        return {name: self.url + path for name, path in paths.items()}

    @property
    def marks(self) -> dict[str, str]:
        """Where CISA's catalogue and EPSS are, under the names of the bot's settings; nothing is there at first."""
        return {"known_exploited": self.url + KEV, "epss": self.url + EPSS}

    def publish_known_exploited(self, listed_on: Mapping[str, date]) -> None:
        """CISA's catalogue with these CVEs alone, each listed on its day."""
        self._put_json(KEV, shapes.known_exploited(listed_on, self._now))

    def publish_epss(self, scores: Mapping[str, float]) -> None:
        """The scores of today, as they are published: compressed."""
        self.put(EPSS, gzip.compress(shapes.epss(scores, self._now), mtime=0), "application/gzip")

    @property
    def _now(self) -> datetime:
        return self._edge.surroundings.clock.now().astimezone(UTC)

    @property
    def _today(self) -> date:
        return self._now.date()

    def put(self, path: str, content: bytes, media_type: str = "application/json") -> None:
        """Publishes exactly these bytes, garbage included, from now on."""
        self._edge.documents[path] = Document(content, media_type, self._now)

    def withdraw(self, path: str) -> None:
        """From now on that path is answered with 404."""
        self._edge.documents.pop(path, None)

    def publish_release(
        self,
        channel: str,
        runtime: str,
        *,
        sdks: Sequence[str],
        aspnetcore: str | None = None,
        security: bool = False,
        cves: Sequence[str] = (),
        on: date | None = None,
        end_of_life: date | None = None,
    ) -> None:
        """Lists a .NET release; one that is listed already is replaced, as when its CVEs come later.

        A new channel without `end_of_life` is supported for years from now on.
        """
        day = on or self._today
        path = f"{RELEASES}/{channel}/releases.json"
        before = self._get_json(path, {"releases": [], "eol-date": (self._today + SUPPORTED_FOR).isoformat()})
        ends = before["eol-date"] if end_of_life is None else end_of_life.isoformat()
        release = shapes.release(runtime, aspnetcore, sdks, security or bool(cves), cves, day)
        others = [row for row in before["releases"] if row["release-version"] != runtime]
        self._put_json(path, shapes.channel(channel, day, [release, *others], ends))
        row = shapes.index_row(channel, day, release, ends, f"{self.url}{RELEASES}/{channel}")
        rows = self._get_json(INDEX, {})["releases-index"]
        self._put_json(INDEX, {"releases-index": [row, *(r for r in rows if r["channel-version"] != channel)]})

    def publish_bulletin(self, identity: str, document: bytes, *, released: datetime) -> None:
        """An MSRC security update, such as `2025-Oct`: `document` is its CVRF XML."""
        self.put(f"{BULLETIN}/{identity}", document, "application/xml")
        updates = self._get_json(UPDATES, {})
        row = shapes.update(identity, released, f"{self.url}{BULLETIN}/{identity}")
        kept = [other for other in updates["value"] if other["ID"] != identity]
        self._put_json(UPDATES, {**updates, "value": [row, *kept]})

    def publish_disclosures(self, year: int, month: int, document: bytes) -> None:
        """A month's structured disclosures (`cve.json`), and the way to it through the timeline."""
        of_month, of_year = f"{TIMELINE}/{year}/{month:02}", f"{TIMELINE}/{year}"
        self.put(f"{of_month}/cve.json", document)
        months = self._get_json(f"{of_year}/index.json", {"_embedded": {"months": []}})["_embedded"]["months"]
        links = {"self": f"{of_month}/index.json", "cve-json": f"{of_month}/cve.json"}
        row = {"month": f"{month:02}", "security": True, "_links": self._links(links)}
        months = [row, *(other for other in months if other["month"] != row["month"])]
        self._put_json(f"{of_year}/index.json", {"kind": "year", "_embedded": {"months": months}})
        years = self._get_json(f"{TIMELINE}/index.json", {})["_embedded"]["years"]
        row = {"year": str(year), "_links": self._links({"self": f"{of_year}/index.json"})}
        years = [row, *(other for other in years if other["year"] != row["year"])]
        self._put_json(f"{TIMELINE}/index.json", {"kind": "timeline", "_embedded": {"years": years}})

    def _links(self, paths: Mapping[str, str]) -> Json:
        return {name: {"href": self.url + path} for name, path in paths.items()}

    def publish_image_announcement(self, number: int, title: str) -> None:
        """A discussion of the image team, as the only one in its category's Atom feed."""
        content = shapes.discussions(shapes.discussion(number, title, self._now))
        self.put(IMAGE_ANNOUNCEMENTS, content, "application/atom+xml")

    def publish_advisory(
        self, cve: str, *, severity: str, package: str, affected: str, patched: str, title: str = ""
    ) -> None:
        """A reviewed advisory as GitHub's REST API lists it; `severity` is low, medium, high or critical."""
        row = shapes.advisory(cve, severity, package, affected, patched, title, self._now, self.url + ADVISORIES)
        rows = self._get_json(ADVISORIES, [])
        self._put_json(ADVISORIES, [row, *(other for other in rows if other["ghsa_id"] != row["ghsa_id"])])

    def dump_address(self, ecosystem: str) -> str:
        """Where the dump of an ecosystem's vulnerabilities is, such as `Azure Linux`."""
        return f"{self.url}{_dump(ecosystem)}"

    def publish_vulnerability(self, ecosystem: str, record: Json) -> None:
        """Puts a record in the format of OSV into its ecosystem's dump and the API, in the place of one with the
        same id."""
        records = self._edge.records.setdefault(ecosystem, {})
        records[record["id"]] = record
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, each in records.items():
                archive.writestr(f"{name}.json", json.dumps(each))
        self.put(_dump(ecosystem), packed.getvalue(), "application/zip")

    def publish_ubuntu_cve(
        self, cve: str, package: str, *, severity: str, fixed: str | None = None, title: str = ""
    ) -> None:
        """Has Ubuntu's dump tell of a CVE of a source package, in the place of what it told before; `fixed` is the
        version that has the fix."""
        self.publish_vulnerability("Ubuntu", shapes.ubuntu_cve(cve, package, severity, fixed, title))

    def document(self, path: str) -> bytes:
        """What is served there now."""
        return self._edge.documents[path].content

    def publish_image(
        self, repository: str, tags: Sequence[str], pushed: Pushed, *, version: str, os_version: str
    ) -> None:
        """Lists an image in the published inventory, in the place of what had these tags before."""
        image = shapes.image(repository, tags, pushed, version, os_version, self._now)
        document = self._get_json(IMAGE_INFO, {})
        images = {row["repo"]: row["images"] for row in document["repos"]}
        kept = [old for old in images.get(repository, []) if not set(old["manifest"]["sharedTags"]) & set(tags)]
        images[repository] = [*kept, image]
        repos = [{"repo": repo, "images": rows} for repo, rows in sorted(images.items())]
        self._put_json(IMAGE_INFO, {**document, "repos": repos})

    def unlist_image(self, repository: str, tag: str) -> None:
        """Takes the image with that tag out of the inventory, as Microsoft does when it is maintained no longer."""
        document = self._get_json(IMAGE_INFO, {})
        for row in document["repos"]:
            if row["repo"] == repository:
                row["images"] = [old for old in row["images"] if tag not in old["manifest"]["sharedTags"]]
        self._put_json(IMAGE_INFO, document)

    def _get_json(self, path: str, default: Json) -> Json:
        document = self._edge.documents.get(path)
        return default if document is None else json.loads(document.content)

    def _put_json(self, path: str, document: Json) -> None:
        self.put(path, json.dumps(document, indent=2).encode())


def _dump(ecosystem: str) -> str:
    return f"/osv/{quote(ecosystem)}/all.zip"


def _is_unchanged(request: Request, etag: str, modified: str) -> bool:
    if (wanted := request.headers.get("if-none-match")) is not None:
        return etag in [part.strip().removeprefix("W/") for part in wanted.split(",")]
    return request.headers.get("if-modified-since") == modified
