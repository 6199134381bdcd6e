"""A running service takes up changed settings, and says where it cannot."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.commands.look.status import read_status
from bot.domain.clock import SystemClock
from bot.service import running
from bot.service.settings_file import SettingsFile
from sandbox.programs.processes import ANY_PORT
from tests.migrated import new_sqlite

PATIENCE = 120
"""Seconds, for a busy machine."""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SettingsFile:
    monkeypatch.setattr(running, "STAGES", ())
    (tmp_path / "token").write_text("ghp_x")
    path = tmp_path / "freshness.yaml"
    new_sqlite(tmp_path / "freshness.db")
    path.write_text(with_poll(tmp_path, "15m"))
    return SettingsFile.read(path)


def with_poll(folder: Path, poll: str, database: str = "freshness.db") -> str:
    return (
        f"github: {{token_file: {folder}/token, repositories: {{include: [contoso/*]}}}}\nstore: {{url: 'sqlite:///{folder}/{database}'}}\n"
        f"schedule: {{poll: {poll}}}\nweb: {{listen: '{ANY_PORT}'}}\n"
    )


@asynccontextmanager
async def served(file: SettingsFile) -> AsyncIterator[None]:
    stop = asyncio.Event()
    service = asyncio.create_task(running.run(file, SystemClock(), stop))
    try:
        yield
    finally:
        stop.set()
        await service


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)


def ask_again(file: SettingsFile) -> None:
    os.kill(os.getpid(), signal.SIGHUP)


async def listening() -> None:
    """Until SIGHUP is ours: before that it would end the process."""
    await until(lambda: signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL)


async def test_a_hangup_takes_up_what_changed(file: SettingsFile) -> None:
    async with served(file):
        await listening()
        file.path.write_text(with_poll(file.path.parent, "5m"))
        ask_again(file)
        await until(lambda: file.settings.schedule.poll == timedelta(minutes=5))


async def test_what_changed_is_taken_up_without_a_signal(
    file: SettingsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_SETTINGS_EVERY", timedelta(milliseconds=20))
    async with served(file):
        file.path.write_text(with_poll(file.path.parent, "5m"))
        await until(lambda: file.settings.schedule.poll == timedelta(minutes=5))


async def test_settings_that_are_not_valid_are_an_incident_until_they_are_mended(file: SettingsFile) -> None:
    async def incidents() -> list[str]:
        status = await read_status(file.settings, SystemClock())
        return [incident.detail for incident in status.incidents]

    async with served(file):
        await listening()
        file.path.write_text(with_poll(file.path.parent, "soon"))
        ask_again(file)
        async with asyncio.timeout(PATIENCE):
            while not (found := await incidents()):
                await asyncio.sleep(0.01)
        assert found[0].startswith(f"{file.path}:3: schedule.poll: ")
        assert found[0].endswith("those before are kept")
        file.path.write_text(with_poll(file.path.parent, "15m"))
        ask_again(file)
        async with asyncio.timeout(PATIENCE):
            while await incidents():
                await asyncio.sleep(0.01)


async def test_settings_with_which_no_store_can_be_opened_keep_those_before(file: SettingsFile) -> None:
    async with served(file):
        await listening()
        file.path.write_text(with_poll(file.path.parent, "5m", "absent/freshness.db"))
        (file.path.parent / "absent").write_text("this is no folder")
        ask_again(file)
        await until(lambda: bool(file.problems))
    assert file.settings.schedule.poll == timedelta(minutes=15)
