"""Which refs a push can be of, for conditions of any length."""

from bot.files.audit.workflows.refs import MOST_REFS, refs_of_push
from bot.files.formats.source.nodes import Mapping

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
