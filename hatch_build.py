"""Gives the package its description: README.md, with links that hold where it is read apart from the repository.

hatchling loads it by its name when it reads pyproject.toml.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_CODE = re.compile(
    r"(?ms)^ {0,3}(?P<fence>`{3,}|~{3,}).*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)"
    r"|(?<!`)(?P<tick>`+)(?!`)(?:(?!\n[ \t]*\n).)+?(?<!`)(?P=tick)(?!`)"
)
"""What is fenced, and what stands between ticks in one paragraph."""
_TARGET = re.compile(
    r"(?P<before>\]\([ \t]*<?|(?m:^ {0,3}\[[^\]\n]+\]:[ \t]*<?)|\b(?:src|href)=[\"'])(?P<target>[^\s<>)\"']+)"
)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_PICTURE = re.compile(r"\.(?:png|svg|gif|jpe?g|webp)\Z", re.IGNORECASE)


class Description(MetadataHookInterface):
    """The metadata's `readme`, for the version and the source that pyproject.toml names."""

    def update(self, metadata: dict[str, Any]) -> None:
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        links = Links(metadata["urls"]["Source"], f"v{metadata['version']}", "README.md")
        metadata["readme"] = {"content-type": "text/markdown", "text": links.absolute(text)}


class Links:
    """Where the links of one Markdown page of a repository at GitHub lead.

    `source` is the repository's address, `ref` a tag or commit, `page` the page's own path. A picture is named by
    its file, everything else by the page that shows it.
    """

    def __init__(self, source: str, ref: str, page: str) -> None:
        self._pages = f"{source}/blob/{ref}/"
        self._files = f"{source.replace('https://github.com/', 'https://raw.githubusercontent.com/')}/{ref}/"
        self._page = page

    def absolute(self, text: str) -> str:
        """The text with each relative target made absolute; code in it stays as it is."""
        written, end = [], 0
        for code in _CODE.finditer(text):
            written += [_TARGET.sub(self._replaced, text[end : code.start()]), code[0]]
            end = code.end()
        return "".join([*written, _TARGET.sub(self._replaced, text[end:])])

    def _replaced(self, found: re.Match[str]) -> str:
        return found["before"] + self._of(found["target"])

    def _of(self, target: str) -> str:
        if _ABSOLUTE.match(target):
            return target
        path, hash_sign, anchor = target.partition("#")
        place = posixpath.normpath(posixpath.join(posixpath.dirname(self._page), path)) if path else self._page
        return (self._files if _PICTURE.search(place) else self._pages) + place + hash_sign + anchor
