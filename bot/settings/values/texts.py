"""Names, texts and shares as operators write them, within what GitHub, git and Slack take."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from bot.domain.builder.definitions import AZURE_PIPELINES, PROJECT, definition_of
from bot.domain.rollouts.journal import says_something

_BRANCH_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:[/.][A-Za-z0-9_-]+)*[/-]")
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}(?:/[A-Za-z0-9_](?:[A-Za-z0-9 _-]{0,98}[A-Za-z0-9_-])?)?")
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,188}")
"""As people are called in Azure Repos, where names of teams have blanks."""
_CREDENTIALS = re.compile(r"[^\s/@:]+:(?!//)[^\s/@]*@(?!sha\d)")
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9_.-]{1,100}")
_AZURE_REPOSITORY = re.compile(rf"[A-Za-z0-9][A-Za-z0-9-]{{0,49}}/{PROJECT}/[^/\x00-\x1f]{{1,64}}", re.ASCII)


def _branch_prefix(text: str) -> str:
    """Within what git takes as the beginning of a branch's name (git-check-ref-format)."""
    if not _BRANCH_PREFIX.fullmatch(text) or ".lock" in text:
        raise ValueError("no beginning of a branch's name; write for example freshness/")
    if text.startswith(("refs/", "heads/")):
        raise ValueError("git puts refs/heads/ before a branch's name itself; write for example freshness/")
    return text


def _commit_message(text: str) -> str:
    if not text.isprintable() or re.search(r"[{}]", text.replace("{bases}", "")):
        raise ValueError("write one line, in which {bases} stands for what moved")
    return text


def _label(text: str) -> str:
    if not text.isprintable() or "," in text or not text.strip():
        raise ValueError("no label; write it without commas, on one line")
    if says_something(text):
        raise ValueError(f"{text} tells the bot itself to leave a pull request alone; write another label")
    return text


def said(text: str) -> str:
    """Returns the text; raises `ValueError` where it is blank."""
    if not text.strip():
        raise ValueError("expected a name, found an empty one")
    return text


def has_credentials(text: str) -> bool:
    """Whether `USER:PASSWORD@` stands before a name."""
    return _CREDENTIALS.match(text) is not None


def without_credentials(text: str) -> str:
    """Returns the text; raises `ValueError`, which does not repeat it, where it has credentials."""
    if has_credentials(text):
        raise ValueError("has credentials in it; take them out, and name their file under registries")
    return text


def _person(text: str) -> str:
    bare = text.removeprefix("@")
    if not _PERSON.fullmatch(bare) and not _ADDRESS.fullmatch(bare):
        raise ValueError("write a login such as octocat, or a team such as contoso/platform")
    return bare


def _repository(text: str) -> str:
    if not _REPOSITORY.fullmatch(text) and not _AZURE_REPOSITORY.fullmatch(text):
        raise ValueError("write owner/name, or organisation/project/name of Azure Repos")
    return text


_WORKFLOW_FILE = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\.ya?ml$"


def _rebuild_workflow(text: str) -> str:
    if re.fullmatch(_WORKFLOW_FILE, text) is None and definition_of(text) is None:
        raise ValueError(
            f"write the name of a file in .github/workflows, or {AZURE_PIPELINES}: organisation/project/number, "
            "where the number is definitionId in the pipeline's address"
        )
    return text


Name = Annotated[
    str, Field(min_length=1, max_length=1000), AfterValidator(said), AfterValidator(without_credentials)
]
"""A name or glob; an empty one would match nothing, or everything."""
ShortName = Annotated[str, Field(min_length=1, max_length=64)]
"""A name that is stored beside each rebuild, such as a wave's or a step's."""
Sentence = Annotated[str, Field(min_length=1, max_length=200)]
WorkflowFile = Annotated[str, Field(pattern=_WORKFLOW_FILE, examples=["weekly-rebuild.yml"])]
RebuildWorkflow = Annotated[
    str,
    AfterValidator(_rebuild_workflow),
    WithJsonSchema({"type": "string", "examples": ["weekly-rebuild.yml", "azure-pipelines: contoso/shop/12"]}),
]
"""What rebuilds a repository: a workflow of its own, or a pipeline of Azure DevOps."""
BranchPrefix = Annotated[str, Field(max_length=64), AfterValidator(_branch_prefix)]
CommitMessage = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_commit_message)]
Label = Annotated[str, Field(max_length=50), AfterValidator(_label)]
"""GitHub takes no longer one."""
Mention = Annotated[
    str, Field(pattern=r"^(here|channel|[UWS][A-Z0-9]{2,30})$", examples=["here", "channel", "S0123456789"])
]
"""Whom Slack calls: the id of a user (U…, W…) or of a user group (S…), or `here` or `channel`."""
Person = Annotated[str, AfterValidator(_person)]
"""A person's login, or a team with its organisation."""
RepositoryName = Annotated[str, AfterValidator(_repository)]
PathGlob = Annotated[str, Field(min_length=1, max_length=256)]


def _percent(value: Any) -> float:
    if isinstance(value, float):
        raise ValueError("write a percentage, for example 20%")
    share = re.fullmatch(r"\s*([0-9]{1,3})\s*%\s*", str(value))
    if share is None or int(share[1]) > 100:
        raise ValueError("write a percentage, for example 20%")
    return int(share[1]) / 100


Percent = Annotated[
    float,
    BeforeValidator(_percent),
    PlainSerializer(lambda value: f"{round(value * 100)}%", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\s*[0-9]{1,3}\s*%\s*$", "examples": ["20%"]}),
]
