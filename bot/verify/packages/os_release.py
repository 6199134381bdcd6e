"""`os-release`: which distribution an image is (os-release(5))."""

import re

from bot.domain.packages.package import Distribution
from bot.verify.packages.reading import lines

_LINE = re.compile(
    r"[ \t]*(?P<name>ID|VERSION_ID)=(?P<quote>[\"']?)(?P<value>[A-Za-z0-9._+:~-]{0,64})(?P=quote)\s*"
)


def read_os_release(data: bytes) -> Distribution | None:
    """Reads a distribution; None where none is named.

    Lines of another form are passed over, as its readers must.
    """
    values = {found["name"]: found["value"] for line in lines(data) if (found := _LINE.fullmatch(line))}
    return Distribution(values["ID"], values.get("VERSION_ID", "")) if values.get("ID") else None
