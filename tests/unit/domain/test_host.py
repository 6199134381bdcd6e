from bot.domain.host import Host, Hosts
from bot.domain.repositories.repository import Identity


def test_one_account_pauses_for_all_repositories_together() -> None:
    host = Host("api.github.com")
    assert (host.whole, host.of(Identity("Contoso/shop"))) == ("api.github.com", "api.github.com")


def test_an_app_pauses_for_one_owner_alone_however_its_name_is_written() -> None:
    host = Host("api.github.com", by_owner=True)
    assert host.whole is None
    assert host.of(Identity("Contoso/shop")) == host.of(Identity("contoso/web")) == "api.github.com (contoso)"
    assert host.of(Identity("fabrikam/shop")) != host.of(Identity("contoso/shop"))


def test_what_is_asked_of_forge_and_builder_pauses_as_a_whole_where_they_are_one() -> None:
    github, elsewhere = Host("api.github.com"), Host("dev.azure.com")
    assert Hosts(github, github).whole == "api.github.com"
    assert Hosts(github, elsewhere).whole is None
    assert Hosts(Host(by_owner=True), Host(by_owner=True)).whole is None


def test_what_another_forge_lists_pauses_there_alone() -> None:
    host = Host("api.github.com", others={"azure-devops": Host("dev.azure.com", by_owner=True)})
    assert host.whole is None
    assert host.of(Identity("contoso/shop")) == "api.github.com"
    assert host.of(Identity("contoso/team/shop", forge="azure-devops")) == "dev.azure.com (contoso)"


def test_a_forge_that_is_not_set_up_here_is_no_part_of_another() -> None:
    host = Host("api.github.com", others={"azure-devops": Host("dev.azure.com")})
    assert host.of(Identity("contoso/shop", forge="gitea")) == host.at("gitea") == "gitea"
    assert host.at("github") == "api.github.com"
