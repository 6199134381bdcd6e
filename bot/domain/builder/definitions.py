"""Pipelines of Azure DevOps as settings, rules and rebuilds call them."""

import re
from dataclasses import dataclass

AZURE_PIPELINES = "azure-pipelines"
"""The builder's name: what comes before `: ` in what a pipeline is called."""
PROJECT = r"[^\s/\\:~&%;@'\"?<>|#$*}{,+=\[\]._][^/\\:~&%;@'\"?<>|#$*}{,+=\[\]\x00-\x1f]{0,63}"
"""What a project may be called."""
NAME = (
    rf"{AZURE_PIPELINES}: (?P<organization>[A-Za-z0-9][A-Za-z0-9-]{{0,49}})"
    rf"/(?P<project>{PROJECT})"
    r"/(?P<number>[1-9][0-9]{0,8})"
)
"""`azure-pipelines: ORGANISATION/PROJECT/NUMBER`, the number being `definitionId` in the pipeline's address."""
_NAME = re.compile(NAME, re.ASCII)


@dataclass(frozen=True, slots=True)
class Definition:
    """A pipeline's number in its project of an organisation."""

    organization: str
    project: str
    number: int

    @property
    def workflow(self) -> str:
        """What rebuilds and rules call it."""
        return f"{AZURE_PIPELINES}: {self.organization}/{self.project}/{self.number}"


def definition_of(workflow: str | None) -> Definition | None:
    """The pipeline that a workflow is; None for any other."""
    match = _NAME.fullmatch(workflow or "")
    return match and Definition(match["organization"], match["project"], int(match["number"]))
