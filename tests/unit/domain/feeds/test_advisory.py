"""Names of advisories as people write them."""

import pytest

from bot.domain.feeds.advisory import cve_of


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("CVE-2026-10019", "CVE-2026-10019"),
        ("cve-2026-10019", "CVE-2026-10019"),
        ("2026-10019", "CVE-2026-10019"),
        (" CVE 2026-10019 ", "CVE-2026-10019"),
        ("GHSA-2m69-gcr7-jv3q", "GHSA-2m69-gcr7-jv3q"),
        ("DSA-5000-1", "DSA-5000-1"),
        ("2026-1", "2026-1"),
        ("CVE-2026-1", "CVE-2026-1"),
    ],
)
def test_a_shortened_cve_is_the_whole_one(written: str, meant: str) -> None:
    assert cve_of(written) == meant
