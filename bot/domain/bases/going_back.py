"""Whether something goes back to an older version: the one comparison for all that is told, planned and written."""

from bot.domain.bases.dotnet_version import DotnetVersion
from bot.domain.tags.choice import is_newer


def goes_back(from_version: str | None, to_version: str | None) -> bool:
    """Whether `to_version` is older than `from_version`; never where one of the two is not known.

    Both are versions as images declare them, or tags of one line of releases.
    """
    if from_version is None or to_version is None:
        return False
    before, after = DotnetVersion.parse(from_version), DotnetVersion.parse(to_version)
    if before is not None and after is not None:
        return after < before
    return is_newer(to_version, from_version)
