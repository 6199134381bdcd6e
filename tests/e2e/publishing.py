"""What Microsoft publishes in the sandbox."""

from tests.e2e.staging import Stage


async def publish(stage: Stage, version: str = "10.0.1") -> None:
    await stage.fleet.publish_runtime(version)
    await stage.fleet.publish_sdk(version)
    stage.fleet.announce(version, security=True, cves=("CVE-2026-21218",))


async def move(stage: Stage, version: str = "10.0.1") -> None:
    """The base of aspnet alone, in no feed yet, and the pass that sees it."""
    await stage.fleet.publish_runtime(version)
    await stage.run_pass()
