"""Files of build services that are not read, GitLab CI and CircleCI: that a build is there is told."""

from bot.domain.repositories.usage import Findings, Kind, SourceProblem

KIND = Kind("other-build")


def find(path: str, text: str) -> Findings:
    """One problem: what the build names or hands on is not known here."""
    service = "CircleCI" if ".circleci" in path else "GitLab CI"
    why = (
        f"a build is there, not read: images that {service} names are not watched, and values that it gives to "
        "Dockerfiles and projects do not count; keep these in files that are read"
    )
    return Findings(problems=(SourceProblem(path, 1, why),))
