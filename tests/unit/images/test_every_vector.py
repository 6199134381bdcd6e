"""No recorded vector is left out: each file is named by a list of cases, or is read by a test."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.unit.images.signatures.evidence import EVIDENCE, cases, needs_evidence

TESTS = Path(__file__).parents[2]
PASSED_OVER = {"README.md", "cases.json", "trustpolicy.json", "public-key-validity.json"}
"""Whom the bot trusts stands in its settings: no policy of Notation's is read, and of a bare key no time in which
it counts, since the operator trusts it by giving it."""


def texts_in(found: Any) -> Iterator[str]:
    match found:
        case str():
            yield found
        case dict():
            for value in found.values():
                yield from texts_in(value)
        case list():
            for value in found:
                yield from texts_in(value)


@needs_evidence
def test_every_file_is_in_a_case_or_read_by_a_test() -> None:
    tests = "".join(path.read_text() for path in TESTS.rglob("*.py") if path != Path(__file__))
    for path in EVIDENCE.rglob("*"):
        [kind, *within] = path.relative_to(EVIDENCE).parts
        named = {text for case in cases(kind) for text in texts_in(case)}
        is_passed_over = "truststore" in within or path.name in PASSED_OVER
        if path.is_dir() or is_passed_over or "/".join(within) in named or path.name in named:
            continue
        name = path.name
        for ending in (".expected.json", ".xz", ".deps.json", ".wall", ".jsonl"):
            name = name.removesuffix(ending)
        assert name in tests, path


@needs_evidence
def test_every_trust_store_is_used_by_a_case() -> None:
    used = {(case["trust_dir"], *store.split(":")) for case in cases("notation") for store in case["trust_stores"]}
    there = {
        (str(store.relative_to(EVIDENCE / "notation").parents[2]), store.parent.name, store.name)
        for store in (EVIDENCE / "notation").glob("**/x509/*/*")
    }
    assert there == used


@needs_evidence
def test_as_many_cases_run_as_were_recorded_and_each_ends_in_one_of_the_known_ways() -> None:
    readme = (EVIDENCE / "README.md").read_text()
    told = [int(number) for number in re.findall(r"`cases\.json` \|[^|]*\|[^|]*\| (\d+) cases", readme)]
    assert told == [len(cases(kind)) for kind in ("notation", "sigstore", "trivy")]
    ends = {case["expected"]["strict"].partition(":")[0] for case in cases("notation")}
    assert ends == {"valid", "invalid"} == {case["expected"] for case in cases("sigstore")}
    for kind in ("notation", "sigstore"):
        assert len({case["id"] for case in cases(kind)}) == len(cases(kind))
