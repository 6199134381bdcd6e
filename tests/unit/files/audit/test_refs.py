"""Which refs a push can be of, for conditions of any length."""

import pytest

from bot.domain.repositories.finding import Outcome
from bot.files.audit.workflows.refs import MOST_REFS, refs_of_push
from bot.files.formats.source.nodes import Mapping
from tests.unit.files.audit.world import BUILD, outcomes, workflow

ANY = Mapping(0)


def test_a_condition_that_speaks_of_more_refs_than_people_write_tells_none_apart() -> None:
    spoken = " || ".join(f"github.ref_name == 'b{number}'" for number in range(MOST_REFS))
    assert refs_of_push(ANY, spoken, {}) == [{}]
    assert refs_of_push(ANY, "github.ref == 'x'", {"env.all": f"${{{{ {spoken} }}}}"}) == [{}]


def test_what_nobody_writes_by_hand_is_not_looked_through() -> None:
    long = "${{ github.actor == '" + "a" * 100_000 + "' }}"
    assert refs_of_push(ANY, "github.ref == 'x'", {"env.long": long}) == [{}]


def test_a_condition_on_a_few_refs_tells_them_apart() -> None:
    names = {each["github.ref"] for each in refs_of_push(ANY, "github.ref == 'refs/heads/main'", {})}
    assert "refs/heads/main" in names
    assert 1 < len(names) < MOST_REFS


@pytest.mark.parametrize(
    ("patterns", "condition"),
    [
        ("'v*'", "contains(github.ref_name, '-beta')"),
        ("'v*'", "endsWith(github.ref, '-beta')"),
        ("'v[0-9]+*', 'x/**'", "startsWith(github.ref_name, 'x/') && contains(github.ref_name, '-beta')"),
        ("'*'", "startsWith(github.ref, 'refs/tags/api-') && contains(github.ref, '-beta')"),
    ],
)
def test_a_tag_that_begins_as_a_pattern_does_may_hold_what_a_condition_speaks_of(
    patterns: str, condition: str
) -> None:
    steps = f"- run: docker build -t contoso/api . && docker push contoso/api\n  if: {condition}\n"
    assert outcomes("image-signed", {BUILD: workflow(steps, f"push: {{tags: [{patterns}]}}")}) == [Outcome.FAILS]
    of_no_such = steps.replace("if: ", "if: github.ref_type == 'branch' && ")
    assert outcomes("image-signed", {BUILD: workflow(of_no_such, f"push: {{tags: [{patterns}]}}")}) == []
