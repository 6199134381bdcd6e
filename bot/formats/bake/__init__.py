"""Docker Bake files in HCL and JSON."""

from bot.domain.usage import Findings, Kind

KIND = Kind("bake")


def find(path: str, text: str) -> Findings:
    """Finds all images of a Bake file; HCL's parser takes a while to load, so it is loaded with the first one."""
    from bot.formats.bake import finder

    return finder.find(path, text)
