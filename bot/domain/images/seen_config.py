"""What the configuration of an image that the fleet has built says, as evidence beside the files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_BUILD_ARGUMENTS = "|"
"""How BuildKit and Docker begin a history entry with the arguments that a RUN has seen: `|1 TOKEN=… /bin/sh …`."""
MOST_NAMES = 500


@dataclass(frozen=True, slots=True)
class SeenConfig:
    """`user` is empty where the image names none. Of `variables` and `arguments` the names are kept, never values:
    of the environment, and of the build arguments that are in the history. `tag` is the one that it was seen under.
    """

    image: str
    digest: str
    user: str = ""
    variables: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    tag: str = ""

    @property
    def short_name(self) -> str:
        return f"{self.image}@{self.digest[:19]}"


def seen_config(image: str, digest: str, document: Mapping[str, Any], tag: str = "") -> SeenConfig:
    """Reads an image's configuration as the OCI image specification has it; what has another shape is left out."""
    config = document.get("config")
    config = config if isinstance(config, dict) else {}
    user, variables = config.get("User"), config.get("Env")
    steps = [step.get("created_by") for step in _list(document.get("history")) if isinstance(step, dict)]
    arguments = [name for step in steps if isinstance(step, str) for name in _arguments(step)]
    return SeenConfig(
        image,
        digest,
        user if isinstance(user, str) else "",
        _names(_list(variables)),
        tuple(dict.fromkeys(arguments))[:MOST_NAMES],
        tag,
    )


def _arguments(step: str) -> list[str]:
    text = step.removeprefix("RUN ")
    if not text.startswith(_BUILD_ARGUMENTS):
        return []
    count, _, rest = text[1:].partition(" ")
    if not count.isascii() or not count.isdecimal():
        return []
    names = [word.partition("=")[0] for word in rest.split(" ") if "=" in word]
    return names[: min(int(count[:4]), MOST_NAMES)]


def _names(pairs: list[Any]) -> tuple[str, ...]:
    names = (pair.partition("=")[0] for pair in pairs if isinstance(pair, str))
    return tuple(dict.fromkeys(names))[:MOST_NAMES]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
