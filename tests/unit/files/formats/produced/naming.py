"""The images that the builds of one file push, by what that file says alone."""

from bot.domain.images.claims import NamedImage
from bot.files.formats.produced.reading import names_in


def named_in(path: str, data: bytes) -> list[NamedImage]:
    return [named.image for named in names_in(path, data)]
