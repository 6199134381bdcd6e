from bot.domain.forge.port import ForgeHost


def test_one_account_pauses_for_all_repositories_together() -> None:
    host = ForgeHost("api.github.com")
    assert (host.whole, host.of("Contoso/shop")) == ("api.github.com", "api.github.com")


def test_an_app_pauses_for_one_owner_alone_however_its_name_is_written() -> None:
    host = ForgeHost("api.github.com", by_owner=True)
    assert host.whole is None
    assert host.of("Contoso/shop") == host.of("contoso/web") == "api.github.com (contoso)"
    assert host.of("fabrikam/shop") != host.of("contoso/shop")
