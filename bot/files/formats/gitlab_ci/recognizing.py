"""Which YAML texts hold jobs of GitLab CI, whatever their files are called: `include: local` takes any name."""

import re

_JOB = re.compile(r"^[\"']?[.\w][^\n:#]{0,120}:[ \t]*(?:#[^\n]*)?\r?$", re.MULTILINE)
_SCRIPT = re.compile(r"^[ ]{2,8}(?:script|before_script|after_script):", re.MULTILINE)
_OF_GITLAB = re.compile(
    r"^[ ]{2,8}(?:stage|image|rules|extends|only|except|needs|tags|artifacts|services|variables|retry):",
    re.MULTILINE,
)
_OTHER = re.compile(
    r"^[\"']?(?:apiVersion|kind|on|jobs|steps|pipelines|language|pool|trigger|services):", re.MULTILINE
)


def is_gitlab_pipeline(text: str) -> bool:
    """Whether a text has jobs with a script, and with what only GitLab knows of these. Takes time in proportion."""
    return (
        "script:" in text
        and _SCRIPT.search(text) is not None
        and _OF_GITLAB.search(text) is not None
        and _JOB.search(text) is not None
        and _OTHER.search(text) is None
    )
