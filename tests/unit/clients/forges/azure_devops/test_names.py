"""How things of Azure DevOps are named."""

import pytest

from bot.clients.forges.azure_devops.names import AzureNode, branch_of, node_of, ref_of
from bot.domain.failure import Failure


def test_a_place_is_one_text_and_that_text_the_place() -> None:
    place = AzureNode("contoso", "6ce954b1", "build", "42")
    assert node_of(str(place)) == place
    with pytest.raises(Failure):
        node_of("R_1")


def test_only_a_branch_has_the_name_of_one() -> None:
    assert branch_of(ref_of("feature/a")) == "feature/a"
    assert [branch_of(ref) for ref in ("refs/tags/v1", "refs/pull/3/merge", None)] == [None, None, None]
