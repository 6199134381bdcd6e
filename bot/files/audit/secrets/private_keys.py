"""Files called as private keys are, which an image takes in: copied by name, or published with a project.

Source: MSBuild's items: what `CopyToOutputDirectory` or `CopyToPublishDirectory` names is published.
"""

import posixpath
import re
from collections.abc import Iterator

from bot.files.audit.images.dockerfile import COPYING, Dockerfile
from bot.files.audit.repository import RepositoryTexts
from bot.files.formats.dockerfile.lines import Instruction

_IS_KEY = re.compile(
    r"\.(?:pfx|p12)$|(?<![^/_.-])(?:priv(?:ate)?[-_.]?key|privkey|key)\.pem$|\w\.key$|(?:^|/)id_(?:rsa|ed25519|ecdsa)$",
    re.IGNORECASE,
)
_IS_PUBLIC = re.compile(r"pub|gpg|pgp|asc|apt|repo|sign", re.IGNORECASE)
"""How keys are called that verify what others have signed."""
_ITEM = re.compile(
    r"<(?P<kind>None|Content)\s+(?:Update|Include)=\"(?P<name>[^\"*]{1,300})\"(?P<attributes>[^>]{0,500}?)"
    r"(?:/>|>(?P<inner>(?:(?!</(?:None|Content)>).){0,2000}))",
    re.DOTALL,
)
_PUBLISHED = re.compile(r"CopyTo(?:Output|Publish)Directory\s*(?:>\s*|=\s*\")(?!Never)\w")
_KEPT_BACK = re.compile(r"CopyToPublishDirectory\s*(?:>\s*|=\s*\")Never")
_PUBLISHES = (re.compile(r"\bdotnet\s+publish\b"), re.compile(r"\bdotnet\s+build\b"))
"""What fills the folder that an image takes: a build where nothing is published."""


def copied_keys(instruction: Instruction) -> Iterator[str]:
    """The files of a COPY that are called as private keys are."""
    words = [word.strip("\"',[]") for word in instruction.arguments.text.split()]
    return (word for word in words[:-1] if _is_key(word))


def published_keys(repository: RepositoryTexts, file: Dockerfile) -> Iterator[tuple[Instruction, str, str]]:
    """What publishes a project that a file called as private keys are belongs to, that file, and the project."""
    every = [each for stage in file.stages for each in file.of(stage)]
    runs = [each for each in every if each.keyword == "run"]
    publish = next((each for way in _PUBLISHES for each in runs if way.search(each.text)), None)
    if publish is None or not any(each.keyword in COPYING and "--from=" not in each.text for each in every):
        return
    folders = [each for each in every[: every.index(publish)] if each.keyword == "workdir"]
    starts = [each for each in every if each.keyword in {"entrypoint", "cmd"}]
    text = "\n".join(each.text for each in (*folders[-1:], publish, *starts))
    projects = [path for path in repository.paths if path.endswith((".csproj", ".fsproj", ".vbproj"))]
    named = [path for path in projects if _is_named(path, text)]
    beside = [path for path in projects if posixpath.dirname(path) == posixpath.dirname(file.path)]
    for path in named or beside:
        for key in _keys_of(repository.text(path)):
            yield publish, key, path


def _is_named(project: str, text: str) -> bool:
    """Whether what tells which project is published names this one, by its file or its folder."""
    folder, name = posixpath.split(project)
    words = {posixpath.splitext(name)[0], posixpath.basename(folder)} - {""}
    return any(re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-]|\.(?!dll|[cfv][sb]proj))", text) for word in words)


def _keys_of(project: str) -> Iterator[str]:
    for item in _ITEM.finditer(project):
        said = f"{item['attributes']}{item['inner'] or ''}"
        if _is_key(item["name"]) and _PUBLISHED.search(said) and not _KEPT_BACK.search(said):
            yield item["name"]


def _is_key(name: str) -> bool:
    return _IS_KEY.search(name) is not None and _IS_PUBLIC.search(name) is None
