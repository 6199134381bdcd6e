"""The one container of `deploy/compose.yaml` runs as the image and the settings of `init` need it, and hardened."""

from datetime import UTC, datetime
from pathlib import Path

import yaml

from bot.domain.repositories.finding import Outcome
from bot.files.audit.auditing import judge_repository
from bot.files.audit.repository import RepositoryTexts
from bot.settings.starting import Answers

ROOT = Path(__file__).parents[3]
FILE = ROOT / "deploy" / "compose.yaml"
[SERVICE] = yaml.safe_load(FILE.read_text())["services"].values()


def test_the_audit_has_nothing_against_it() -> None:
    findings = judge_repository(RepositoryTexts({"compose.yaml": FILE.read_bytes()}), datetime.now(UTC)).findings
    assert [finding for finding in findings if finding.outcome is Outcome.FAILS] == []
    assert {"read-only-root", "drop-all-capabilities", "run-as-non-root"} <= {
        finding.check for finding in findings if finding.outcome is Outcome.HOLDS
    }


def test_it_is_the_user_of_the_image() -> None:
    assert f"USER {SERVICE['user']}\n" in (ROOT / "Dockerfile").read_text()


def test_what_init_names_is_mounted() -> None:
    mounted = {volume.split(":")[1] for volume in SERVICE["volumes"]}
    answers = Answers()
    assert answers.folder is not None
    assert {str(answers.secrets), f"/{answers.folder}", "/etc/freshness/freshness.yaml"} == mounted


def test_a_stop_waits_as_long_as_that_of_a_pod() -> None:
    deployment = yaml.safe_load((ROOT / "deploy/base/deployment.yaml").read_text())
    grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert SERVICE["stop_grace_period"] == f"{grace}s"
