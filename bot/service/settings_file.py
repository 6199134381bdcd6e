"""The settings file of a running service: what changed in it or in its secrets is taken up once it is valid."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from bot.settings import BadSettings, Settings, check_secrets, load
from bot.settings.secrets import secret_files

_LARGEST = 4 * 1024 * 1024


@dataclass(slots=True)
class SettingsFile:
    """`settings` are those in force. `problems` says, a line each, why what the files hold now was not taken up."""

    path: Path
    settings: Settings
    problems: tuple[str, ...] = ()
    _in_force: bytes = field(init=False)
    _seen: bytes = field(init=False)
    _before: Settings | None = None
    _cannot_open: bool = False

    def __post_init__(self) -> None:
        self._in_force = self._seen = self._fingerprint()

    @classmethod
    def read(cls, path: Path) -> "SettingsFile":
        """Raises `BadSettings` where they, or a secret that they name, are not valid."""
        settings = load(path)
        check_secrets(settings, path)
        return cls(path, settings)

    def take_up(self) -> bool:
        """Puts what the files hold now in force where it changed and is valid; whether anything is new.

        What is not valid is read again each time: a secret may still come that only the new settings name.
        """
        fingerprint = self._fingerprint()
        if fingerprint == self._in_force:
            self._seen, self.problems = fingerprint, ()
            return False
        if fingerprint == self._seen and (self._cannot_open or not self.problems):
            return False
        self._seen, self._cannot_open = fingerprint, False
        try:
            settings = load(self.path)
            check_secrets(settings, self.path)
        except BadSettings as error:
            self.problems = tuple(error.lines)
            return False
        self._before, self.settings, self.problems = self.settings, settings, ()
        self._in_force = self._seen = self._fingerprint()
        return True

    def take_back(self, problem: str) -> bool:
        """Puts those before in force again, as nothing could be opened with the new; False where there are none."""
        if self._before is None:
            return False
        self.settings, self._before = self._before, None
        self._in_force, self._cannot_open = b"", True
        self.problems = (problem,)
        return True

    def opened(self) -> None:
        """A bot was opened with those in force: from now on nothing leads back."""
        self._before = None

    def _fingerprint(self) -> bytes:
        """Hashes the contents of the file and of the secrets that the settings in force name."""
        digest = hashlib.sha256()
        for path in (self.path, *(path for path, _ in secret_files(self.settings))):
            try:
                with path.open("rb") as file:
                    content = file.read(_LARGEST)
            except OSError as error:
                content = str(error.errno).encode()
            digest.update(len(content).to_bytes(8, "big") + content)
        return digest.digest()
