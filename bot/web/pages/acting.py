"""What a person has the bot do from the page: each lands in the journal under the name that signed in."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.domain.failure import Failure, Trouble
from bot.domain.rollouts.journal import Word
from bot.domain.wording.words import counted
from bot.settings.tokens import Right
from bot.store.orders.orders import OrdersStore
from bot.web.access.forms import FormRefused, read_form
from bot.web.access.guard import allowed
from bot.web.pages.rendering import inside, render, tell_once
from bot.web.site import site_of

Order = Callable[[OrdersStore, str, Word], Awaitable[str]]
EVERYTHING = "everything"
"""The subject of a pause of all rollouts."""
_LONGEST_REASON = 500


async def _pause(orders: OrdersStore, subject: str, word: Word) -> str:
    is_new = await orders.pause(_rollout(subject), word)
    return f"{_name_subject(subject)} is paused." if is_new else f"{_name_subject(subject)} was paused already."


async def _resume(orders: OrdersStore, subject: str, word: Word) -> str:
    was_paused = await orders.resume(_rollout(subject), word)
    return f"{_name_subject(subject)} goes on." if was_paused else f"{_name_subject(subject)} was not paused."


async def _retry(orders: OrdersStore, subject: str, word: Word) -> str:
    return f"{counted(await orders.retry(subject, word), 'rebuild')} due now."


async def _hold(orders: OrdersStore, subject: str, word: Word) -> str:
    return f"{counted(await orders.hold(subject, word), 'rebuild')} held."


async def _quarantine(orders: OrdersStore, subject: str, word: Word) -> str:
    return f"Quarantined while it shows {await orders.quarantine(subject, word)}."


async def _lift(orders: OrdersStore, subject: str, word: Word) -> str:
    return "It may be built upon again." if await orders.lift(subject, word) else "It was not quarantined."


ORDERS: Mapping[str, Order] = {
    "pause": _pause,
    "resume": _resume,
    "retry": _retry,
    "hold": _hold,
    "quarantine": _quarantine,
    "lift": _lift,
}


@allowed(Right.ACT)
async def act(request: Request) -> Response:
    """Carries out one order, and shows the page that it concerns."""
    try:
        fields = await read_form(request)
    except FormRefused as refusal:
        return render(request, "refused.html", 403, title="Nothing was done", text=f"{str(refusal).capitalize()}.")
    subject = " ".join(fields.get("subject", "").split())[:512]
    reason = " ".join(fields.get("reason", "").split())[:_LONGEST_REASON]
    if not reason:
        return render(request, "refused.html", 400, title="Nothing was done", text="Say why in a few words.")
    order = ORDERS.get(request.path_params["order"])
    if order is None:
        raise HTTPException(404, "There is no such order.")
    word = Word(request.state.person.name[:100], reason, is_claimed=False)
    try:
        done = await order(site_of(request).stores[OrdersStore], subject, word)
    except Failure as failure:
        return render(request, "refused.html", 409, title="Nothing was done", text=f"{failure.told}.")
    answer = RedirectResponse(inside(fields.get("page", "/")), 303)
    tell_once(request, answer, done)
    return answer


def _rollout(subject: str) -> int | None:
    """The number of a rollout, None for all of them; raises `Failure` for anything else."""
    if subject == EVERYTHING:
        return None
    if subject.isascii() and subject.isdecimal() and len(subject) < 18:
        return int(subject)
    raise Failure(Trouble.MALFORMED, f"there is no rollout {subject[:40]!r}")


def _name_subject(subject: str) -> str:
    return "Everything" if subject == EVERYTHING else f"Rollout {subject}"


routes = [Route("/orders/{order}", act, methods=["POST"], name="act")]
