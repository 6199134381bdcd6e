"""Where the feeds are published, and what each document is."""

from collections.abc import Mapping
from urllib.parse import urlencode

from bot.domain.feeds.document import FeedKind

DOTNET_RELEASES = "https://builds.dotnet.microsoft.com/dotnet/release-metadata/releases-index.json"

DOTNET_TIMELINE = "https://raw.githubusercontent.com/dotnet/core/release-index/release-notes/timeline/index.json"

MSRC = "https://api.msrc.microsoft.com/cvrf/v3.0/updates"

IMAGE_INFO = (
    "https://raw.githubusercontent.com/dotnet/versions/main/build-info/docker/"
    "image-info.dotnet-dotnet-docker-main.json"
)

ANNOUNCEMENTS = (
    "https://api.github.com/repos/dotnet/announcements/issues?state=all&sort=created&direction=desc&per_page=50"
)
"""The newest fifty, whatever their labels: see `announcements`."""

IMAGE_ANNOUNCEMENTS = "https://github.com/dotnet/dotnet-docker/discussions/categories/announcements.atom"

_PACKAGES = (
    *(
        f"Microsoft.{framework}.App.Runtime.{identifier}"
        for framework in ("NETCore", "AspNetCore")
        for identifier in ("linux-x64", "linux-arm64", "linux-musl-x64", "linux-musl-arm64", "win-x64")
    ),
    "Microsoft.Build",
    "Microsoft.Build.Tasks.Core",
    "NuGet.Packaging",
    "NuGet.Protocol",
)

GITHUB_ADVISORIES = "https://api.github.com/advisories?" + urlencode(
    {
        "ecosystem": "nuget",
        "type": "reviewed",
        "affects": ",".join(_PACKAGES),
        "sort": "updated",
        "direction": "desc",
        "per_page": "100",
    },
    safe=",",
)
"""The hundred last updated of those that touch what .NET images carry; without `affects`, other packages of the
ecosystem would push them out."""

KEV = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"

EPSS = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"

KINDS: Mapping[str, FeedKind] = {
    "dotnet_releases": FeedKind.DOTNET_INDEX,
    "msrc": FeedKind.MSRC_UPDATES,
    "dotnet_cve": FeedKind.DOTNET_TIMELINE,
    "image_info": FeedKind.IMAGE_INFO,
    "github_advisories": FeedKind.GITHUB_ADVISORIES,
    "announcements": FeedKind.ANNOUNCEMENTS,
    "image_announcements": FeedKind.IMAGE_ANNOUNCEMENTS,
}
"""What stands at the address of each key below `feeds` in the settings."""
MARKS: Mapping[str, FeedKind] = {"known_exploited": FeedKind.KEV, "epss": FeedKind.EPSS}
"""What stands at the address of each key below `vulnerabilities` that is no dump."""
