"""Which place of the repository a word of a command line means."""

from dataclasses import dataclass

from bot.files.formats.builds import below
from bot.files.formats.shell.commands import SCRIPT_FOLDER, UNKNOWN, Command
from bot.files.formats.source.spanned import Spanned

_CHANGES = ("cd", "pushd", "Set-Location")


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a command runs and where its script stands, from the repository's root on; None where nobody knows.

    `may_be_own` says that the command may as well run where the script stands, which may be called from there.
    """

    working: str | None = ""
    own: str | None = None
    may_be_own: bool = False

    def after(self, command: Command) -> "Folders | None":
        """Where the next commands run, if this one goes to another folder; None where it does not."""
        if command.name not in _CHANGES:
            return None
        return Folders(self.place(command.words[1]) if len(command.words) == 2 else None, self.own)

    def place(self, word: Spanned | None = None, *parts: str) -> str | None:
        """The path that a word means, with `parts` behind it; None where it cannot be told."""
        text = "" if word is None else word.text
        if UNKNOWN in text or text.startswith("/"):
            return None
        if text.startswith(SCRIPT_FOLDER):
            return below(self.own, text.removeprefix(SCRIPT_FOLDER).lstrip("/\\"), *parts)
        return below(self.working, text, *parts)

    def beside(self, *parts: str) -> tuple[str, ...]:
        """The paths of `parts` in every folder that the command may run in, the likeliest first."""
        folders = (self.working, self.own if self.may_be_own else None)
        candidates = [below(folder, *parts) for folder in folders if folder is not None]
        return tuple(dict.fromkeys(path for path in candidates if path is not None))

    def places(self, word: Spanned, *parts: str) -> tuple[str, ...]:
        """Returns all paths that a word may mean, the likeliest first."""
        others = [Folders(self.own).place(word, *parts)] if self.may_be_own else []
        candidates = [self.place(word, *parts), *others]
        return tuple(dict.fromkeys(path for path in candidates if path is not None))
