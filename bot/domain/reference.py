"""An image name as written, and the registry place that it resolves to.

The grammar is Docker's own (distribution/reference, `reference.go`): `[host[:port]/]path[:tag][@algorithm:hex]`.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

DEFAULT_REGISTRY = "docker.io"
_OLD_NAME_OF_HUB = "index.docker.io"
"""Docker still takes it for `docker.io`."""
LONGEST_REFERENCE = 1024
_LONGEST_REPOSITORY = 255
_IDENTIFIER = re.compile(r"[0-9a-f]{64}")
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_WORDS = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = rf"{_WORDS}(?:/{_WORDS})*"
_TAG = r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}"
_ALGORITHM = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*"
_REGISTRY = re.compile(_HOST)
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_HOST}/)?{_PATH})(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_ALGORITHM}:[0-9a-fA-F]{{32,}}))?"
)
_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}
"""The algorithms that Docker knows, with how many hexadecimal digits they give (opencontainers/go-digest)."""
_LOWER_HEX = re.compile(r"[0-9a-f]+")


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
        """Reads a reference as Docker does; raises `InvalidReference` where Docker would refuse it."""
        return _parse(text)

    @property
    def registry(self) -> str:
        """The host that serves it, `docker.io` where none is written."""
        host, _, rest = self.name.partition("/")
        return host if rest and _is_host(host) and host != _OLD_NAME_OF_HUB else DEFAULT_REGISTRY

    @property
    def repository(self) -> str:
        """The path on that host; `library/` is Docker Hub's own prefix for single names."""
        host, _, rest = self.name.partition("/")
        if rest and _is_host(host):
            is_of_hub = host in {DEFAULT_REGISTRY, _OLD_NAME_OF_HUB}
            return f"library/{rest}" if is_of_hub and "/" not in rest else rest
        return self.name if rest else f"library/{self.name}"

    @property
    def base(self) -> "Base":
        """The registry tag that it follows; `latest` where neither tag nor digest is written."""
        return Base(self.registry, self.repository, self.tag or "latest")

    def with_tag(self, tag: str | None, digest: str | None) -> "Reference":
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

    def is_called(self, name: str) -> bool:
        """Whether people may mean it: by its whole name, or by the last parts of that, such as `aspnet:10.0`; a
        digest may follow."""
        wanted = name.partition("@")[0]
        return f"/{self}".endswith(f"/{wanted}") and ":" in wanted.rpartition("/")[2]

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
    match = _REFERENCE.fullmatch(text)
    if match is None:
        is_upper = _REFERENCE.fullmatch(text.lower()) is not None
        raise _refused(text, "repository name must be lowercase" if is_upper else "invalid reference format")
    reference = Reference(*match.group("name", "tag", "digest"))
    fault = _fault_of_name(reference) or _fault_of_digest(reference.digest)
    if fault is not None:
        raise _refused(text, fault)
    return reference


def _refused(text: str, fault: str) -> InvalidReference:
    return InvalidReference(f"{text!r} is no image reference: {fault}")


def _fault_of_name(reference: Reference) -> str | None:
    host, _, rest = reference.name.partition("/")
    if rest and _is_host(host) and _REGISTRY.fullmatch(host) is None:
        return "invalid reference format"
    if len(reference.repository) > _LONGEST_REPOSITORY:
        return f"repository name must not be more than {_LONGEST_REPOSITORY} characters"
    return None


def _fault_of_digest(digest: str | None) -> str | None:
    if digest is None:
        return None
    algorithm, _, encoded = digest.partition(":")
    if algorithm not in _DIGITS:
        return "unsupported digest algorithm"
    if len(encoded) != _DIGITS[algorithm]:
        return "invalid checksum digest length"
    return None if _LOWER_HEX.fullmatch(encoded) else "invalid digest"
