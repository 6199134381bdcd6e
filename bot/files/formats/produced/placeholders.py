"""What only a run of a pipeline knows, and stands in the name of the image all the same.

Such a part is put into the text as a word in private characters, which no format takes for syntax, before the file
is read; in what was read it becomes `{sha}`, `{owner}/{name}` and the like.
"""

import re

from bot.domain.images.claims import name_and_tag
from bot.files.formats.shell.commands import SCRIPT_FOLDER, UNKNOWN

_OPEN, _CLOSE = "\ue000", "\ue001"
_KNOWN = {
    "github.repository": "{owner}/{name}",
    "github.repository_owner": "{owner}",
    "github.event.repository.name": "{name}",
    "github.sha": "{sha}",
    "github.run_number": "{run_number}",
    "github.ref_name": "{branch}",
    "github.workflow_sha": "{sha}",
}
_EXPRESSION = re.compile(r"\$\{\{\s*(?P<name>github\.[a-z_.]+)\s*\}\}")
_VARIABLES = {
    "GITHUB_REPOSITORY": "{owner}/{name}",
    "GITHUB_REPOSITORY_OWNER": "{owner}",
    "GITHUB_SHA": "{sha}",
    "GITHUB_RUN_NUMBER": "{run_number}",
    "GITHUB_REF_NAME": "{branch}",
}
_VARIABLE = re.compile(
    r"\$(?:\{(?P<braced>GITHUB_[A-Z_]+)(?P<lower>,,)?(?P<short>:0?:(?:7|8))?\}|(?P<bare>GITHUB_[A-Z_]+)"
    r"|(?:\(\$|\{)(?i:env):(?P<inside>GITHUB_[A-Z_]+)[)}]|(?i:env):(?P<powershell>GITHUB_[A-Z_]+))"
)
_LOWERED = re.compile(
    rf"\$\(\s*echo\s+(?:-n\s+)?[\"']?(?P<word>{_OPEN}[^{_OPEN}{_CLOSE}]*{_CLOSE})[\"']?\s*\|\s*"
    r"(?:tr\s+['\"]?(?:\[:upper:\]|\[?A-Z\]?)['\"]?\s+['\"]?(?:\[:lower:\]|\[?a-z\]?)['\"]?"
    r"|(?P<cut>(?:cut\s+-(?:c\s*1-7|b\s*1-7)|head\s+-c\s*7)))\s*\)"
)
"""A known word in lower case, as registries take it, or the first digits of a commit."""
_OF_GIT = re.compile(r"\$\(\s*git\s+rev-parse\s+(?P<short>--short(?:=7)?\s+)?HEAD\s*\)")
_AZURE = re.compile(r"\$\((?P<name>Build\.(?:SourceVersion|SourceBranchName))\)", re.IGNORECASE)
_AZURE_KNOWN = {"build.sourceversion": "{sha}", "build.sourcebranchname": "{branch}"}
_WORD = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")
_LONGEST = 4_096
_LEFT = re.compile(rf"\$\{{\{{.*?\}}\}}|\$\{{[^}}]*\}}|\$\([^)]*\)|\$\w+|[{UNKNOWN}{SCRIPT_FOLDER}]+")


def hidden(text: str) -> str:
    """Replaces variables that have a placeholder by it, between private characters; lines stay in place."""
    text = _EXPRESSION.sub(lambda match: _word(_KNOWN.get(match["name"]), match[0]), text)
    text = _VARIABLE.sub(_variable, text)
    if "$(" in text:
        text = _LOWERED.sub(_replace_lowered, text)
        text = _OF_GIT.sub(lambda match: _word("{short_sha}" if match["short"] else "{sha}", match[0]), text)
    return _AZURE.sub(lambda match: _word(_AZURE_KNOWN[match["name"].lower()], match[0]), text)


def shown(text: str) -> str:
    """Shows a text with our placeholders; `*` is what only a build knows, or a text that is too long."""
    if len(text) > _LONGEST:
        return "*"
    return _LEFT.sub("*", _WORD.sub(r"\1", text))


def split(text: str) -> tuple[str, str] | None:
    """Name and tag of an image as shown; None where the name is not known or names no registry's path."""
    name, tag = name_and_tag(text.strip().strip("\"'").partition("@")[0])
    return None if "*" in name or "/" not in name else (name, tag)


def _word(placeholder: str | None, source: str) -> str:
    return f"{_OPEN}{placeholder}{_CLOSE}" if placeholder is not None else source


def _replace_lowered(match: re.Match[str]) -> str:
    if not match["cut"]:
        return match["word"]
    return _word("{short_sha}" if "{sha}" in match["word"] else None, match[0])


def _variable(match: re.Match[str]) -> str:
    placeholder = _VARIABLES.get(match["braced"] or match["bare"] or match["inside"] or match["powershell"])
    if placeholder == "{sha}" and match["short"]:
        placeholder = "{short_sha}" if match["short"].endswith("7") else None
    return _word(placeholder, match[0])
