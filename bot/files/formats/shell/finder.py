"""Script files: bash, sh and PowerShell."""

import posixpath

from bot.domain.repositories.usage import Findings
from bot.files.formats.builds import Builds
from bot.files.formats.shell import KIND, script
from bot.files.formats.source.collector import Collector
from bot.files.formats.source.spanned import Spanned
from bot.files.formats.source.text import BOM


def find(path: str, text: str) -> Findings:
    """The images that command lines name."""
    file = Collector(path, text, KIND)
    script.name_images(_whole(text), file)
    return file.findings()


def builds(path: str, text: str) -> Builds:
    """What the script asks for when it is called from the repository's root or from its own folder."""
    folder = posixpath.dirname(path)
    return Builds.of(script.asked(_whole(text), Collector(path, text, KIND), own=folder))


def _whole(text: str) -> Spanned:
    """Without the mark that editors of Windows put before the first command."""
    begin = len(BOM) if text.startswith(BOM) else 0
    return Spanned(text[begin:], range(begin, len(text)))
