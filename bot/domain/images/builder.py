"""Who built an image, as far as signed provenance tells it."""

from dataclasses import dataclass

from bot.domain.evidence import Strength


@dataclass(frozen=True, slots=True)
class Builder:
    """Who built, the highest SLSA build level that this supports, and why not a higher one.

    `repository` is the source as `repository_at_address` tells it, empty where it is not told.
    """

    identity: str
    level: int
    strength: Strength
    reason: str
    repository: str = ""

    def supports(self, level: int) -> bool:
        """Whether this much is proved. A claim supports no level that anything may rest upon."""
        return self.strength is Strength.PROVED and self.level >= level

    @property
    def told(self) -> str:
        """Words it: `built by WORKFLOW of contoso/app, SLSA build level 2: the reason`."""
        of = f" of {self.repository}" if self.repository else ""
        reason = f": {self.reason}" if self.reason else ""
        return f"built by {self.identity}{of}, SLSA build level {self.level}{reason}"


GITHUB = "github.com"


def repository_at_address(address: str, forge: str = GITHUB) -> str:
    """`owner/name` of a repository in the address of its source; empty where it is no such address. `forge` is the
    host whose repositories are meant: one of another keeps its host in front, and is none of theirs.

    `git+https://github.com/contoso/app@refs/heads/main` and `https://github.com/contoso/app.git#main` name one.
    """
    scheme, separator, rest = address.partition("://")
    if not separator or scheme not in ("https", "git+https"):
        return ""
    path = rest.partition("#")[0].partition("?")[0].partition("@")[0].rstrip("/").removesuffix(".git")
    host, *parts = path.split("/")
    if not host or len(parts) != 2 or not all(parts):
        return ""
    is_ours = host.lower() in (forge.lower(), f"www.{forge.lower()}")
    return "/".join(parts) if is_ours else "/".join((host.lower(), *parts))
