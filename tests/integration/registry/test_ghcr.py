"""Signing in to GitHub's container registry with a token, over HTTPS."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import JSONResponse, Response

from bot.clients.http.client import Http, Limits
from bot.clients.registry import Registry, RegistryAccess, host_rules
from bot.domain.clock import SystemClock
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from tests.integration.registry.ghcr import CLASSIC, DIGEST, OF_APP, Ghcr


@pytest.fixture(scope="module")
def served(certificate: Path) -> Iterator[Ghcr]:
    with Ghcr(certificate).serving() as ghcr:
        yield ghcr


@pytest.fixture
def ghcr(served: Ghcr) -> Ghcr:
    served.forget()
    return served


async def shown(ghcr: Ghcr, password: str | None) -> str:
    """The digest of a private package, as the registry shows it to who has this token."""
    name = "contoso-bot" if password else None
    accesses = [RegistryAccess(ghcr.host, name, password, ca_file=ghcr.certificate)]
    async with Http(hosts=host_rules(accesses), limits=Limits(attempts=1)) as http:
        registry = Registry(http, accesses, SystemClock())
        return (await registry.head(Base(ghcr.host, "contoso/golden", "10.0"))).digest


async def refusal(ghcr: Ghcr, password: str | None = CLASSIC) -> Failure:
    with pytest.raises(Failure) as caught:
        await shown(ghcr, password)
    return caught.value


async def test_a_classic_token_reads_a_private_package(ghcr: Ghcr) -> None:
    assert await shown(ghcr, CLASSIC) == DIGEST
    assert ghcr.asked == ["/v2", "/token", "/v2"]


@pytest.mark.parametrize("password", [OF_APP, "ghp_ended", None], ids=["of an app", "ended", "none"])
async def test_a_token_that_reads_no_packages_is_denied_and_not_tried_for_ever(
    ghcr: Ghcr, password: str | None
) -> None:
    failure = await refusal(ghcr, password)
    assert failure.trouble is Trouble.DENIED
    assert failure.status == 403
    assert len(ghcr.asked) <= 4
    assert password is None or password not in str(failure)


@pytest.mark.parametrize("place", ["/token", "/v2"])
async def test_whoever_throttles_is_left_alone_for_as_long_as_it_asks(ghcr: Ghcr, place: str) -> None:
    document = {"errors": [{"code": "TOOMANYREQUESTS"}]}
    ghcr.answers[place] = JSONResponse(document, 429, {"Retry-After": "23"})
    failure = await refusal(ghcr)
    assert failure.trouble is Trouble.THROTTLED
    assert failure.retry_after is not None
    assert failure.retry_after.total_seconds() == 23
    assert ghcr.asked.count(place) == 1


@pytest.mark.parametrize("place", ["/token", "/v2"])
async def test_trouble_on_the_other_side_refuses_nobody(ghcr: Ghcr, place: str) -> None:
    ghcr.answers[place] = Response(status_code=503)
    assert (await refusal(ghcr)).trouble is Trouble.UNREACHABLE


@pytest.mark.parametrize("document", [{}, {"token": 1}, {"token": ""}, []])
async def test_an_answer_without_a_token_is_malformed(ghcr: Ghcr, document: object) -> None:
    ghcr.answers["/token"] = JSONResponse(document)
    assert (await refusal(ghcr)).trouble is Trouble.MALFORMED
