import json
from datetime import UTC, datetime

import pytest

from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Advisory
from bot.upstream.feeds import announcements
from bot.upstream.feeds.reading import Parsed
from tests.unit.upstream.feeds.published import SEEN

BODY = """\
## Affected packages
Package name | Affected version | Patched version
------------ | ---------------- | ---------------
[Microsoft.NetCore.App.Runtime.linux-musl-x64](https://www.nuget.org/packages/x) | >= 9.0.0, <= 9.0.9 | 9.0.10
| Microsoft.NETCore.App.Runtime.linux-musl-arm64 | >= 8.0.0, <= 8.0.20 | `8.0.21` |
"""


def issue(**overrides: object) -> dict[str, object]:
    return {
        "number": 371,
        "title": "Microsoft Security Advisory CVE-2025-55315: .NET Security Feature Bypass Vulnerability",
        "body": BODY,
        "html_url": "https://github.com/dotnet/announcements/issues/371",
        "created_at": "2025-10-14T17:02:11Z",
        "author_association": "MEMBER",
        "labels": [{"name": "Patch-Tuesday"}],
    } | overrides


def read(*issues: object) -> Parsed[Advisory]:
    return announcements.parse(json.dumps(issues).encode(), SEEN)


def test_a_security_announcement_is_read_with_its_tables() -> None:
    (advisory,) = read(issue()).items
    assert advisory.cve == "CVE-2025-55315"
    assert advisory.fixed_versions == ("8.0.21", "9.0.10")
    assert advisory.systems == {"musl"}
    assert advisory.families == {"runtime", "aspnet", "sdk"}
    assert advisory.severity is None
    assert advisory.published_at == datetime(2025, 10, 14, 17, 2, 11, tzinfo=UTC)
    assert advisory.links == ("https://github.com/dotnet/announcements/issues/371",)


def test_each_cve_of_a_title_is_an_advisory_once() -> None:
    found = read(issue(title="cve-2025-55315, CVE-2025-55248 and CVE-2025-55315")).items
    assert [advisory.cve for advisory in found] == ["CVE-2025-55315", "CVE-2025-55248"]


@pytest.mark.parametrize("association", ["NONE", "CONTRIBUTOR", "FIRST_TIMER", 7])
def test_an_issue_that_no_maintainer_stands_behind_is_no_announcement(association: object) -> None:
    parsed = read(issue(), issue(author_association=association, labels=[]))
    assert (len(parsed.items), parsed.entries) == (1, 2)


def test_a_label_stands_for_a_maintainer_whose_membership_is_private() -> None:
    assert len(read(issue(author_association="NONE")).items) == 1


def test_a_pull_request_is_no_announcement() -> None:
    assert read(issue(pull_request={"url": "x"})).items == ()


@pytest.mark.parametrize("labels", [[], [{"name": "Security"}]])
def test_an_announcement_without_a_cve_is_no_advisory(labels: list[object]) -> None:
    assert read(issue(title="Images moved to Alpine 3.22", body="", labels=labels)).items == ()


def test_a_cve_in_the_body_alone_is_a_mention_and_no_advisory() -> None:
    assert read(issue(title="October updates", body="fixes cve-2025-55248 in 9.0.10.")).items == ()


def test_a_null_body_is_an_empty_one() -> None:
    assert read(issue(body=None)).items[0].fixed_versions == ()


def test_text_from_outside_is_brought_onto_one_line() -> None:
    (found,) = read(issue(title="CVE-2025-55315\n\n# <!channel>\u202e @everyone" + "x" * 999)).items
    assert "\n" not in found.title
    assert "\u202e" not in found.title
    assert len(found.title) <= 300


def test_an_address_that_is_not_https_is_left_out() -> None:
    (found,) = read(issue(html_url="javascript:alert(1)")).items
    assert found.links == ()


def test_a_hostile_body_is_read_within_bounds() -> None:
    body = "CVE-2025-" + "1" * 100_000 + "|" * 50_000 + "[a](" * 20_000 + "1." * 50_000
    (found,) = read(issue(body=body)).items
    assert (found.fixed_versions, found.families) == ((), frozenset())


def test_an_error_message_instead_of_a_list_is_a_failure() -> None:
    with pytest.raises(Failure, match="it should be a list"):
        announcements.parse(b'{"message": "Not Found"}', SEEN)
