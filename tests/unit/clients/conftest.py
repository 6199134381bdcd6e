"""Retries without their waits."""

import asyncio

import pytest


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between attempts, which take no time."""
    taken: list[float] = []
    sleep = asyncio.sleep

    async def at_once(delay: float) -> None:
        taken.append(delay)
        await sleep(0)

    monkeypatch.setattr("stamina._core._smart_sleep", at_once)
    return taken
