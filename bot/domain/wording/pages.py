"""Where the page shows what, as paths of it."""

from urllib.parse import quote

from bot.domain.reference import Base


def repository_path(name: str) -> str:
    return f"/repositories/{quote(name)}"


def rollout_path(number: int) -> str:
    return f"/rollouts/{number}"


def base_path(base: Base | str) -> str:
    return f"/bases/{quote(str(base))}"


def image_path(name: str) -> str:
    """Returns the path of an image's page; `name` is `registry/repository`, without a tag."""
    return f"/images/{quote(name)}"


def advisory_path(cve: str) -> str:
    return f"/advisories/{quote(cve, safe='')}"


def cve_path(cve: str) -> str:
    """Where a CVE is shown with the images that wait for its fix."""
    return f"/cves/{quote(cve, safe='')}"


FLEET = "/"
UPSTREAM = "/upstream"
OPERATIONS = "/operations"


def page_address(page: str | None, path: str) -> str | None:
    """The whole address; None where nobody has said where people reach the page."""
    return None if page is None else page.rstrip("/") + path
