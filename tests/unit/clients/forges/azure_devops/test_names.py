"""How things of Azure DevOps are named."""

import pytest

from bot.clients.forges.azure_devops.names import Place, branch_of, full_name_of, place_of, ref_of
from bot.domain.failure import Failure, Trouble


def test_a_repository_is_asked_for_by_its_three_names_whatever_they_hold() -> None:
    name = full_name_of("contoso/Web Shop/front end")
    assert str(name) == "contoso/Web Shop/front end"
    assert name.path == "contoso/Web%20Shop/_apis/git/repositories/front%20end"


@pytest.mark.parametrize("text", ["contoso/shop", "contoso//shop", "a/b/c/d", "a/ /c", ""])
def test_what_is_no_name_of_a_repository_says_so_in_one_line(text: str) -> None:
    with pytest.raises(Failure) as failed:
        full_name_of(text)
    assert failed.value.trouble is Trouble.MALFORMED
    assert "\n" not in str(failed.value)


def test_a_place_is_one_text_and_that_text_the_place() -> None:
    place = Place("contoso", "6ce954b1", "build", "42")
    assert place_of(str(place)) == place
    with pytest.raises(Failure):
        place_of("R_1")


def test_only_a_branch_has_the_name_of_one() -> None:
    assert branch_of(ref_of("feature/a")) == "feature/a"
    assert [branch_of(ref) for ref in ("refs/tags/v1", "refs/pull/3/merge", None)] == [None, None, None]
