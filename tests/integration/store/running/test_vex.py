"""What authors who are heeded say of a CVE: a running place is not affected by their word, with the reason told."""

from collections.abc import Sequence

from bot.domain.failure import Failure, Trouble
from bot.domain.running.exposure import Asked, PlaceState
from bot.images.vex.statements import VexStatement
from bot.store.pages.running.exposure import ExposureStore
from bot.store.stores import StoreOptions
from bot.views.running.exposed import ExposureAnswer, Narrowed
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import Stores, digest
from tests.integration.store.holding import CVE, SSL, publish, running
from tests.integration.store.running.snapshots import EUROPE, WEB, runs_in, tells
from tests.integration.store.running.vex import PACKAGE, REASON, statements

OF_PACKAGE = f"libssl3t64 {SSL.version} is not affected ({REASON}), says Contoso by VEX"


async def answered(stores: Stores, read: Sequence[VexStatement] | Failure) -> ExposureAnswer:
    """Where the CVE runs, as these statements are heeded; `web` runs an image that has it."""

    def reads() -> Sequence[VexStatement]:
        if isinstance(read, Failure):
            raise read
        return read

    await stores.running.follow([EUROPE])
    await running(stores, SSL)
    await tells(stores, *runs_in(WEB, "e"))
    await publish(stores)
    await tells(stores, *runs_in(WEB, "e"))
    options = StoreOptions(statements=reads)
    store = ExposureStore(*stores.given, options.cve_data_age, options.platforms, options.statements)
    return await store.exposure(CVE, Asked(stores.clock.now()), Narrowed())


async def how(stores: Stores, read: Sequence[VexStatement] | Failure) -> tuple[PlaceState, str]:
    [place] = (await answered(stores, read)).places
    return place.state, place.why


@ON_BOTH
async def test_what_is_said_of_the_package_is_told_with_its_reason(stores: Stores) -> None:
    read = statements({"@id": PACKAGE}, justification=REASON)
    assert await how(stores, read) == (PlaceState.NOT_AFFECTED, OF_PACKAGE)


async def test_what_is_said_of_the_image_by_its_digest_counts_for_all_in_it(stores: Stores) -> None:
    image = {"@id": f"pkg:oci/shop@{digest('e')}?repository_url=ghcr.io/contoso/shop"}
    read = statements(image, status="fixed")
    assert await how(stores, read) == (
        PlaceState.NOT_AFFECTED,
        f"libssl3t64 {SSL.version} is fixed, says Contoso by VEX",
    )


async def test_what_gives_no_reason_or_is_about_something_else_takes_nothing_away(stores: Stores) -> None:
    other = {"@id": f"pkg:oci/shop@{digest('f')}?repository_url=ghcr.io/contoso/shop"}
    read = [
        *statements({"@id": PACKAGE}),
        *statements(other, justification=REASON),
        *statements({"@id": PACKAGE}, cve="CVE-2026-9999", justification=REASON),
        *statements({"@id": PACKAGE}, justification=REASON, timestamp="2036-01-01T00:00:00Z"),
    ]
    assert (await how(stores, read))[0] is PlaceState.EXPOSED


async def test_a_document_that_cannot_be_read_is_told_and_leaves_the_answer_open(stores: Stores) -> None:
    answer = await answered(stores, Failure(Trouble.MALFORMED, "is no OpenVEX document", where="a.json"))
    [place] = answer.places
    assert place.state is PlaceState.EXPOSED
    assert "no VEX statement is heeded: a.json: is no OpenVEX document" in answer.gaps
