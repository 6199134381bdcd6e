"""One of each page over a stored fleet, by what it is."""

from sandbox.stored_fleet import names

BASE = "mcr.microsoft.com/dotnet/aspnet:10.0"
REPOSITORY = names.repository(2)
PAGES = {
    "fleet": "/",
    "fleet, the oldest first": "/?sort=since&page=2",
    "fleet, searched": "/?q=api",
    "fleet, nothing found": "/?q=nothing-is-called-so",
    "fleet, who uses a base": f"/?base={BASE}",
    "rollouts": "/rollouts",
    "rollout": "/rollouts/13",
    "rollout, what waits": "/rollouts/13?state=planned",
    "rollout, of a wave": "/rollouts/13?wave=early&part=ended",
    "images": "/images",
    "images, searched": "/images?q=api&state=behind",
    "image": f"/images/ghcr.io/{REPOSITORY}",
    "image, its CVEs": f"/images/ghcr.io/{REPOSITORY}/-/cves",
    "image, its packages": f"/images/ghcr.io/{REPOSITORY}/-/packages?q=lib",
    "bases": "/bases",
    "base": f"/bases/{BASE}",
    "repository": f"/repositories/{REPOSITORY}",
    "found": "/find?q=api",
    "package": "/packages/openssl",
    "advisories": "/advisories",
    "advisory": "/advisories/CVE-2026-10020",
    "CVEs": "/cves",
    "CVE": "/cves/CVE-2026-31790",
    "practices": "/practices",
    "practice": "/practices/image-user?outcome=fails",
    "needs": "/needs/failed",
    "upstream": "/upstream",
    "operations": "/operations",
}
