"""The documents of the public feeds, piece by piece, in the shapes that their publishers give them."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from xml.sax.saxutils import escape

from sandbox.images import Pushed

Json = Any

_ATOM = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-US">
  <id>tag:github.com,2008:/dotnet/dotnet-docker/discussions/categories/announcements</id>
  <title>Recent discussions in dotnet/dotnet-docker, category: announcements</title>{entries}
</feed>
"""
_ATOM_ENTRY = """
  <entry>
    <id>tag:github.com,2008:{number}</id>
    <link type="text/html" rel="alternate" href="https://github.com/dotnet/dotnet-docker/discussions/{number}"/>
    <title>{title}</title>
    <published>{now}</published>
    <updated>{now}</updated>
    <author><name>octocat</name></author>
    <content type="html">&lt;p&gt;{title}&lt;/p&gt;</content>
  </entry>"""


def discussions(*entries: str) -> bytes:
    """The Atom feed of a category of GitHub's discussions."""
    return _ATOM.format(entries="".join(entries)).encode()


def discussion(number: int, title: str, at: datetime) -> str:
    return _ATOM_ENTRY.format(number=number, title=escape(title), now=moment(at))


def channel(name: str, day: date, releases: list[Json], end_of_life: str) -> Json:
    """`releases.json` of one channel; the newest release comes first."""
    newest = releases[0]
    return {
        "channel-version": name,
        "latest-release": newest["release-version"],
        "latest-release-date": day.isoformat(),
        "latest-runtime": newest["runtime"]["version"],
        "latest-sdk": newest["sdk"]["version"],
        "support-phase": "active",
        "release-type": _kind(name),
        "eol-date": end_of_life,
        "lifecycle-policy": "https://aka.ms/dotnetcoresupport",
        "releases": releases,
    }


def release(
    runtime: str, aspnetcore: str | None, sdks: Sequence[str], security: bool, cves: Sequence[str], day: date
) -> Json:
    """One row of a channel's `releases`."""

    def part(version: str) -> Json:
        return {"version": version, "version-display": version, "files": []}

    mitre = "https://cve.mitre.org/cgi-bin/cvename.cgi?name="
    listed_sdks = [{**part(sdk), "runtime-version": runtime} for sdk in sdks]
    return {
        "release-date": day.isoformat(),
        "release-version": runtime,
        "security": security,
        "cve-list": [{"cve-id": cve, "cve-url": mitre + cve} for cve in cves],
        "release-notes": f"https://github.com/dotnet/core/blob/main/release-notes/{runtime}/{runtime}.md",
        "runtime": part(runtime),
        "sdk": listed_sdks[0],
        "sdks": listed_sdks,
        "aspnetcore-runtime": part(aspnetcore or runtime),
        "windowsdesktop": part(runtime),
    }


def index_row(name: str, day: date, newest: Json, end_of_life: str, address: str) -> Json:
    """One row of `releases-index.json`; the channel's documents are below `address`."""
    return {
        "channel-version": name,
        "latest-release": newest["release-version"],
        "latest-release-date": day.isoformat(),
        "security": newest["security"],
        "latest-runtime": newest["runtime"]["version"],
        "latest-sdk": newest["sdk"]["version"],
        "product": ".NET",
        "support-phase": "active",
        "eol-date": end_of_life,
        "release-type": _kind(name),
        "releases.json": f"{address}/releases.json",
        "supported-os.json": f"{address}/supported-os.json",
    }


def update(identity: str, released: datetime, address: str) -> Json:
    """One row of MSRC's list of monthly documents."""
    return {
        "ID": identity,
        "Alias": identity,
        "DocumentTitle": f"{identity} Security Updates",
        "Severity": None,
        "InitialReleaseDate": moment(released),
        "CurrentReleaseDate": moment(released),
        "CvrfUrl": address,
    }


def advisory(
    cve: str, severity: str, package: str, affected: str, patched: str, title: str, at: datetime, address: str
) -> Json:
    """A reviewed advisory of GitHub's REST API, which lists them at `address`."""
    identity = "GHSA-" + "-".join(hashlib.sha256(cve.encode()).hexdigest()[i : i + 4] for i in (0, 4, 8))
    return {
        "ghsa_id": identity,
        "cve_id": cve,
        "url": f"{address}/{identity}",
        "html_url": f"https://github.com/advisories/{identity}",
        "summary": title or f"{cve} in {package}",
        "description": f"{cve} in {package}",
        "type": "reviewed",
        "severity": severity,
        "published_at": moment(at),
        "updated_at": moment(at),
        "withdrawn_at": None,
        "identifiers": [{"type": "GHSA", "value": identity}, {"type": "CVE", "value": cve}],
        "references": [],
        "vulnerabilities": [
            {
                "package": {"ecosystem": "nuget", "name": package},
                "vulnerable_version_range": affected,
                "first_patched_version": patched,
            }
        ],
        "cvss": {"vector_string": None, "score": None},
        "cwes": [],
    }


def ubuntu_cve(cve: str, package: str, severity: str, fixed: str | None, title: str) -> Json:
    """What Ubuntu says of a CVE of a source package of 24.04, in the format of OSV."""
    events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
    affected = {
        "package": {"ecosystem": "Ubuntu:24.04:LTS", "name": package},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    return {
        "id": f"UBUNTU-{cve}",
        "summary": title,
        "severity": [{"type": "Ubuntu", "score": severity}],
        "affected": [affected],
    }


def image(
    repository: str, tags: Sequence[str], pushed: Pushed, version: str, os_version: str, at: datetime
) -> Json:
    """One image of a repository in the published inventory."""
    name = f"mcr.microsoft.com/{repository}"
    platforms = [
        {
            "dockerfile": f"src/{repository.rpartition('/')[2]}/{os_version}/Dockerfile",
            "simpleTags": [f"{tag}-{platform.rpartition('/')[2]}" for tag in tags],
            "digest": f"{name}@{digest}",
            "osType": "Linux",
            "osVersion": os_version,
            "architecture": platform.split("/")[1],
            "created": moment(at),
        }
        for platform, digest in pushed.platforms.items()
    ]
    manifest = {"digest": f"{name}@{pushed.digest}", "created": moment(at), "sharedTags": list(tags)}
    return {"productVersion": version, "manifest": manifest, "platforms": platforms}


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _kind(channel: str) -> str:
    """Even channels are supported for long."""
    return "lts" if int(channel.partition(".")[0]) % 2 == 0 else "sts"


def known_exploited(listed_on: Mapping[str, date], at: datetime) -> Json:
    """CISA's catalogue, as far as it is read."""
    entries = [
        {"cveID": cve, "vulnerabilityName": f"{cve} in a product", "dateAdded": day.isoformat(), "cwes": []}
        for cve, day in listed_on.items()
    ]
    released = at.strftime("%Y-%m-%dT%H:%M:%S.0000Z")
    head = {
        "title": "Known Exploited Vulnerabilities",
        "catalogVersion": f"{at:%Y.%m.%d}",
        "dateReleased": released,
    }
    return {**head, "count": len(entries), "vulnerabilities": entries}


def epss(scores: Mapping[str, float], at: datetime) -> bytes:
    """The table of EPSS, before it is compressed."""
    rows = "".join(f"{cve},{score:.5f},0.50000\n" for cve, score in scores.items())
    return f"#model_version:v2025.03.14,score_date:{at:%Y-%m-%dT00:00:00Z}\ncve,epss,percentile\n{rows}".encode()
