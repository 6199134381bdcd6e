"""What Microsoft publishes in the sandbox."""

from tests.e2e.conftest import Stage


async def publish(stage: Stage, version: str = "10.0.1") -> None:
    await stage.fleet.publish_runtime(version)
    await stage.fleet.publish_sdk(version)
    stage.fleet.announce(version, security=True, cves=("CVE-2026-21218",))
