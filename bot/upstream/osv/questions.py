"""OSV's API asked about the fleet's packages alone, a thousand versions to a request.

`/v1/querybatch` tells which records affect a version and when each was changed last; a record itself is one more
request, made for what is new (https://google.github.io/osv.dev/api/).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.domain.bounded_gather import bounded_gather
from bot.domain.failure import Failure, Trouble
from bot.domain.packages.cves.vulnerability import Ecosystem, Vulnerability
from bot.upstream.osv.dump import DumpReading
from bot.upstream.osv.record import RECORD_ID, UNNAMED, RecordNotes, WantedPackages, parse

MOST_QUERIES = 1_000
"""In one request, as OSV says."""
_MOST_PAGES = 50
"""To one question; each has a thousand records, or as many as fit."""
_MOST_RECORDS = 100_000
_LONGEST_TOKEN = 4_096
_AT_ONCE = 4
_ID = re.compile(RECORD_ID)
_MODIFIED = re.compile(r"[0-9TZ:.+-]{10,40}")
_LTS = re.compile(r"Ubuntu:[0-9]?[02468]\.04")


@dataclass(frozen=True, slots=True, order=True)
class PackageQuestion:
    """One version of a package, by its source, in a release as OSV lists it; none for NuGet."""

    release: str
    name: str
    version: str

    def query(self, ecosystem: Ecosystem, page: str = "") -> dict[str, Any]:
        """As `/v1/querybatch` takes it; OSV lists Ubuntu's long supported releases as `Ubuntu:24.04:LTS`."""
        ecosystem_name = f"{self.release}:LTS" if _LTS.fullmatch(self.release) else self.release or ecosystem.value
        query: dict[str, Any] = {
            "package": {"name": self.name, "ecosystem": ecosystem_name},
            "version": self.version,
        }
        return query | {"page_token": page} if page else query


class OsvApi(Protocol):
    """OSV's API at an address that the operator named. Each method is one request and raises `Failure`."""

    async def batch(self, address: str, queries: Sequence[Mapping[str, Any]]) -> Any:
        """Asks `/v1/querybatch` and returns its answer as JSON."""
        ...

    async def record(self, address: str, name: str) -> bytes | None:
        """A record in the format of OSV; None where there is none of that name."""
        ...


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """A record that is kept: when it was changed last, and what is kept of it, by releases and names of packages.

    Names are in lower case.
    """

    modified: str
    packages: frozenset[tuple[str, str]]


@dataclass(slots=True)
class _NamedRecords:
    """Records that answers named: when each was changed, and of which releases' packages it was told."""

    modified: dict[str, str] = field(default_factory=dict)
    packages: dict[str, set[tuple[str, str]]] = field(default_factory=dict)


async def ask_osv(
    api: OsvApi,
    address: str,
    ecosystem: Ecosystem,
    questions: Sequence[PackageQuestion],
    packages: WantedPackages,
    known_records: Mapping[str, KnownRecord],
) -> DumpReading:
    """Asks the API for the records about these versions of packages, and reads them.

    Records in `known_records` are not fetched again before they are changed, unless nothing is kept of what they
    say about such a package: nobody looked for it in them yet.

    A record that is not sent as it should be is noted, and stays as it was known. Raises `Failure` where the API
    does not answer, or not as it says that it does.
    """
    named_records = await _ask_for_records(api, address, ecosystem, questions)
    old = {
        name
        for name, modified in named_records.modified.items()
        if name in known_records
        and known_records[name].modified == modified
        and named_records.packages[name] <= known_records[name].packages
    }
    fetch = _Fetch(api, address, packages, named_records, known_records)
    answers = await bounded_gather(_AT_ONCE, sorted(named_records.modified.keys() - old), fetch.record)
    vulnerabilities = tuple(record for record in answers if record is not None)
    modified = {record.id: named_records.modified[record.id] for record in vulnerabilities}
    problems, unread = fetch.notes.problems, frozenset(fetch.notes.unread - {UNNAMED})
    return DumpReading(
        vulnerabilities,
        problems,
        len(named_records.modified),
        frozenset(old | fetch.unsent),
        modified,
        unread=unread,
    )


class _Fetch:
    """Fetches and reads records, one at a time; what is wrong with one is noted and stops no other."""

    def __init__(
        self,
        api: OsvApi,
        address: str,
        packages: WantedPackages,
        named_records: _NamedRecords,
        known_records: Mapping[str, KnownRecord],
    ) -> None:
        self._api = api
        self._address = address
        self._packages = packages
        self._named_records = named_records
        self._known_records = known_records
        self.notes = RecordNotes(address)
        self.unsent: set[str] = set()
        """Records that were not sent as they should be: they stay as they were known."""

    async def record(self, name: str) -> Vulnerability | None:
        """Fetches and reads one record; None where there is none of that name, or it cannot be read."""
        try:
            data = await self._api.record(self._address, name)
        except Failure as failure:
            if failure.trouble is not Trouble.MALFORMED:
                raise
            self.notes.add(name, f"{failure.what}; what is known of the record stays")
            self.unsent.add(name)
            if name not in self._known_records:
                self.notes.unread |= self._named_records.packages[name]
            return None
        return None if data is None else self._read(data, name)

    def _read(self, data: bytes, name: str) -> Vulnerability | None:
        try:
            record = parse(data, self._packages, self.notes, name)
        except Failure as failure:
            self._skip(name, f"{failure.what}; the record is skipped")
            return None
        if record is not None and record.id != name:
            self._skip(name, f"the record is another one, {record.id}; it is skipped")
            return None
        return record

    def _skip(self, name: str, why: str) -> None:
        """What the record is about may have what it tells of."""
        self.notes.add(name, why)
        self.notes.unread |= self._named_records.packages[name]


async def _ask_for_records(
    api: OsvApi, address: str, ecosystem: Ecosystem, questions: Sequence[PackageQuestion]
) -> _NamedRecords:
    named_records = _NamedRecords()
    open_questions = [(question, "") for question in sorted(questions)]
    for _ in range(_MOST_PAGES):
        further: list[tuple[PackageQuestion, str]] = []
        for start in range(0, len(open_questions), MOST_QUERIES):
            batch = open_questions[start : start + MOST_QUERIES]
            answer = await api.batch(address, [question.query(ecosystem, token) for question, token in batch])
            for (question, token), result in zip(batch, _results(answer, len(batch), address), strict=True):
                for name, modified in _records(result, address):
                    named_records.modified[name] = modified
                    named_records.packages.setdefault(name, set()).add((question.release, question.name.lower()))
                if next_token := _next_token(result, address):
                    if next_token == token:
                        raise _answer_failure("gives the same page again and again", address)
                    further.append((question, next_token))
            if len(named_records.modified) > _MOST_RECORDS:
                raise _answer_failure(f"names more than {_MOST_RECORDS:,} records", address)
        open_questions = further
        if not further:
            return named_records
    raise _answer_failure(f"has more than {_MOST_PAGES} pages to one question", address)


def _results(answer: object, question_count: int, address: str) -> list[Any]:
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(results, list) or len(results) != question_count:
        count = len(results) if isinstance(results, list) else "no"
        raise _answer_failure(f"gave {count} answers to {question_count} questions", address)
    return results


def _records(result: object, address: str) -> Iterator[tuple[str, str]]:
    """Where nothing is known, a result is empty."""
    entries = result.get("vulns") if isinstance(result, dict) else None
    if not isinstance(result, dict) or not isinstance(entries, list | None):
        raise _answer_failure("gave an answer of another shape than it says", address)
    for entry in entries or ():
        match entry:
            case {"id": str(name), "modified": str(modified)} if _ID.fullmatch(name) and _MODIFIED.fullmatch(
                modified
            ):
                yield name, modified
            case _:
                raise _answer_failure("names a record without an id and a time", address)


def _next_token(result: Mapping[str, Any], address: str) -> str:
    token = result.get("next_page_token") or ""
    if not isinstance(token, str) or len(token) > _LONGEST_TOKEN:
        raise _answer_failure("gave a page token that is none", address)
    return token


def _answer_failure(message: str, address: str) -> Failure:
    return Failure(Trouble.MALFORMED, message, where=address, advice="what was read before stays in use")
