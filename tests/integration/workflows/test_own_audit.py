"""`freshness-bot audit .` on this repository: nothing fails, and what cannot be told has its reason."""

from bot.commands.files.audit import audited
from bot.domain.clock import SystemClock
from bot.domain.repositories.finding import Outcome
from tests.integration.workflows.written import ROOT


def test_nothing_fails_and_every_unknown_has_its_reason() -> None:
    findings = audited(ROOT, SystemClock(), lambda done, of: None).findings
    assert [(each.place, each.check, each.message) for each in findings if each.outcome is Outcome.FAILS] == []
    unknown = [each for each in findings if each.outcome is Outcome.UNKNOWN]
    assert {each.check for each in unknown} == {"scan-target"}
    assert all(each.message and each.settled_by for each in unknown)
    assert {"weekly-rebuild", "image-signed", "image-scanned", "sbom", "slsa-level", "run-as-non-root"} <= {
        each.check for each in findings if each.outcome is Outcome.HOLDS
    }
