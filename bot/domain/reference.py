"""An image name as written, and the registry place that it resolves to.

The grammar is Docker's own (distribution/reference), through docker-image-py.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

DEFAULT_REGISTRY = "docker.io"
LONGEST_REFERENCE = 1024
_LONGEST_REPOSITORY = 255
_IDENTIFIER = re.compile(r"[0-9a-f]{64}")


class InvalidReference(ValueError):
    """The text is no image reference; the message names the text and what is wrong with it."""


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """`name[:tag][@digest]`; `name` keeps what was written, so `ubuntu` stays `ubuntu`."""

    name: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Raises `InvalidReference` where Docker would refuse the name."""
        return _parse(text)

    @property
    def registry(self) -> str:
        """The host that serves it, `docker.io` where none is written."""
        host, _, rest = self.name.partition("/")
        return host if rest and _is_host(host) else DEFAULT_REGISTRY

    @property
    def repository(self) -> str:
        """The path on that host; `library/` is Docker Hub's own prefix for single names."""
        host, _, rest = self.name.partition("/")
        if rest and _is_host(host):
            return f"library/{rest}" if host == DEFAULT_REGISTRY and "/" not in rest else rest
        return self.name if rest else f"library/{self.name}"

    @property
    def base(self) -> "Base":
        """The registry tag that it follows; `latest` where neither tag nor digest is written."""
        return Base(self.registry, self.repository, self.tag or "latest")

    def at(self, tag: str | None, digest: str | None) -> "Reference":
        return replace(self, tag=tag, digest=digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag is not None else ""
        digest = f"@{self.digest}" if self.digest is not None else ""
        return f"{self.name}{tag}{digest}"


@dataclass(frozen=True, slots=True, order=True)
class Base:
    """A watched registry tag."""

    registry: str
    repository: str
    tag: str

    @property
    def name(self) -> str:
        return f"{self.registry}/{self.repository}"

    @property
    def is_sdk(self) -> bool:
        """Whether it holds a .NET SDK, whose versions count in bands of their own."""
        return self.repository.endswith("/sdk")

    @property
    def short(self) -> str:
        """The name that people use: `aspnet:10.0`, the last part of the repository and the tag."""
        return f"{self.repository.rpartition('/')[2]}:{self.tag}"

    def __str__(self) -> str:
        return f"{self.name}:{self.tag}"


def _is_host(part: str) -> bool:
    return "." in part or ":" in part or part == "localhost" or part != part.lower()


@lru_cache(maxsize=4096)
def _parse(text: str) -> Reference:
    if not text or len(text) > LONGEST_REFERENCE:
        raise InvalidReference(f"{text[:80]!r} is no image reference: empty or too long")
    if _IDENTIFIER.fullmatch(text):
        raise InvalidReference(
            f"{text!r} is no image reference: 64 hexadecimal digits are an image id; name the image"
        )
    from docker_image import digest as docker_digest
    from docker_image import reference as docker

    try:
        parsed = docker.Reference.parse(text)
    except (docker.InvalidReference, docker_digest.InvalidDigest) as error:
        raise InvalidReference(f"{text!r} is no image reference: {error}") from error
    reference = Reference(parsed["name"], parsed["tag"] or None, parsed["digest"] or None)
    if len(reference.repository) > _LONGEST_REPOSITORY:
        raise InvalidReference(f"{text[:80]!r} is no image reference: with library/ its name is too long")
    return reference
