"""OSV's API is asked in batches, and what it answers is held to what it says of itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot.domain.failure import Failure, Trouble
from bot.domain.packages.cves.vulnerability import Ecosystem
from bot.upstream.osv.dump import DumpReading
from bot.upstream.osv.questions import KnownRecord, PackageQuestion, ask_osv
from bot.upstream.osv.record import WantedPackages
from tests.unit.upstream.osv.records import record

ADDRESS = "https://api.osv.example"
SSL = PackageQuestion("Ubuntu:24.04", "openssl", "3.0.13-0ubuntu3.5")
WANTED = WantedPackages(frozenset({"Ubuntu:24.04"}), frozenset({"openssl"}))
NAMED = {"id": "UBUNTU-CVE-2026-1001", "modified": "2026-03-05T00:00:00Z"}


@dataclass
class Api:
    """Answers each batch with the next of `answers`, or the same to every question."""

    answers: list[Any] = field(default_factory=list)
    records: dict[str, bytes | Failure] = field(default_factory=dict)
    asked: list[Sequence[Mapping[str, Any]]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    async def batch(self, address: str, queries: Sequence[Mapping[str, Any]]) -> Any:
        self.asked.append(queries)
        return self.answers.pop(0) if self.answers else {"results": [{} for _ in queries]}

    async def record(self, address: str, name: str) -> bytes | None:
        self.fetched.append(name)
        found = self.records.get(name)
        if isinstance(found, Failure):
            raise found
        return found


async def asked(api: Api, *questions: PackageQuestion, ecosystem: Ecosystem = Ecosystem.UBUNTU) -> DumpReading:
    return await ask_osv(api, ADDRESS, ecosystem, questions or [SSL], WANTED, {})


@pytest.mark.parametrize(
    ("release", "ecosystem", "listed"),
    [
        ("Ubuntu:24.04", Ecosystem.UBUNTU, "Ubuntu:24.04:LTS"),
        ("Ubuntu:25.04", Ecosystem.UBUNTU, "Ubuntu:25.04"),
        ("Ubuntu:24.10", Ecosystem.UBUNTU, "Ubuntu:24.10"),
        ("Debian:12", Ecosystem.DEBIAN, "Debian:12"),
        ("Alpine:v3.20", Ecosystem.ALPINE, "Alpine:v3.20"),
        ("Azure Linux:3", Ecosystem.AZURE_LINUX, "Azure Linux:3"),
        ("", Ecosystem.NUGET, "NuGet"),
    ],
)
def test_releases_are_asked_for_as_osv_lists_them(release: str, ecosystem: Ecosystem, listed: str) -> None:
    assert PackageQuestion(release, "x", "1").query(ecosystem)["package"] == {"name": "x", "ecosystem": listed}


async def test_a_thousand_versions_go_into_a_request() -> None:
    api = Api()
    await asked(api, *(PackageQuestion("Ubuntu:24.04", f"p{number}", "1") for number in range(2_001)))
    assert [len(batch) for batch in api.asked] == [1_000, 1_000, 1]


async def test_only_questions_with_more_are_asked_again_by_their_tokens() -> None:
    more = {"results": [{"vulns": [NAMED], "next_page_token": "t"}, {}]}
    api = Api([more, {"results": [{"vulns": [{**NAMED, "id": "UBUNTU-CVE-2026-2"}]}]}])
    reading = await asked(api, SSL, PackageQuestion("Ubuntu:24.04", "zlib", "1"))
    assert [[each.get("page_token") for each in batch] for batch in api.asked] == [[None, None], ["t"]]
    assert api.fetched == ["UBUNTU-CVE-2026-1001", "UBUNTU-CVE-2026-2"]
    assert reading.entries == 2


async def test_a_record_that_is_gone_or_is_another_one_is_left_out() -> None:
    named = [NAMED, {**NAMED, "id": "UBUNTU-CVE-2026-2"}, {**NAMED, "id": "UBUNTU-CVE-2026-3"}]
    api = Api([{"results": [{"vulns": named}]}])
    api.records = {"UBUNTU-CVE-2026-2": b"<html>", "UBUNTU-CVE-2026-3": json.dumps(record("OTHER-1")).encode()}
    reading = await asked(api)
    assert reading.vulnerabilities == ()
    assert [problem.where for problem in reading.problems] == ["UBUNTU-CVE-2026-2", "UBUNTU-CVE-2026-3"]
    assert reading.unread == {(SSL.release, SSL.name)}


async def test_a_record_that_is_not_sent_as_it_should_be_stops_no_other_and_stays_as_it_was_known() -> None:
    other = {**NAMED, "id": "UBUNTU-CVE-2026-2"}
    api = Api([{"results": [{"vulns": [NAMED, other]}]}])
    api.records = {
        NAMED["id"]: Failure(Trouble.MALFORMED, "has more than 20 MiB"),
        other["id"]: json.dumps(record(other["id"])).encode(),
    }
    known = {NAMED["id"]: KnownRecord("2026-01-01T00:00:00Z", frozenset())}
    reading = await ask_osv(api, ADDRESS, Ecosystem.UBUNTU, [SSL], WANTED, known)
    assert [each.id for each in reading.vulnerabilities] == [other["id"]]
    assert (reading.unchanged, reading.unread) == ({NAMED["id"]}, frozenset())
    again = replace(api, answers=[{"results": [{"vulns": [NAMED]}]}])
    assert (await asked(again)).unread == {(SSL.release, SSL.name)}, "of what was never known"
    assert [str(problem) for problem in reading.problems] == [
        f"{ADDRESS}: {NAMED['id']}: has more than 20 MiB; what is known of the record stays"
    ]


async def test_records_of_a_host_that_does_not_answer_are_asked_for_again() -> None:
    api = Api([{"results": [{"vulns": [NAMED]}]}])
    api.records = {NAMED["id"]: Failure(Trouble.UNREACHABLE, "does not answer")}
    with pytest.raises(Failure, match="does not answer"):
        await asked(api)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([[]], "gave no answers to 1 questions"),
        ([{"results": []}], "gave 0 answers to 1 questions"),
        ([{"results": [{}, {}]}], "gave 2 answers to 1 questions"),
        ([{"results": [7]}], "another shape"),
        ([{"results": [{"vulns": {}}]}], "another shape"),
        ([{"results": [{"vulns": [{"id": "X-1"}]}]}], "without an id and a time"),
        ([{"results": [{"vulns": [{**NAMED, "id": "../../x"}]}]}], "without an id and a time"),
        ([{"results": [{"next_page_token": 7}]}], "page token that is none"),
        ([{"results": [{"next_page_token": "t"}]}] * 2, "the same page again and again"),
        ([{"results": [{"next_page_token": f"{n}"}]} for n in range(60)], "more than 50 pages"),
    ],
)
async def test_an_odd_answer_ends_in_one_line(answers: list[Any], told: str) -> None:
    with pytest.raises(Failure, match=told) as refused:
        await asked(Api(list(answers)))
    assert ADDRESS in str(refused.value)
