"""What every mutation has in common: its permission, its repository, its payload, and what counts as content."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from sandbox.github.access.permissions import require
from sandbox.github.graphql.playing import Playing, Thing, load, plays, snake
from sandbox.github.refusals import Refused, check_body

Json = Any
Mutation = Callable[..., Awaitable[Mapping[str, Any]]]
M = TypeVar("M", bound=Mutation)

TOO_QUICK = "was submitted too quickly"


def mutates(name: str, *permissions: str, content: bool = False) -> Callable[[M], M]:
    """The function gets the request and the fields of `input`, and answers the payload.

    `permissions` must all be there to write; `content` is what GitHub tells people of.
    """

    def enter(mutation: M) -> M:
        async def play(playing: Playing, _: None, input: Mapping[str, Any]) -> Any:  # noqa: A002 (GitHub's name)
            for permission in permissions:
                require_one(playing, (permission,))
            check_body(input.get("body"))
            if content:
                _count_content(playing)
            given = {snake(key): value for key, value in input.items() if key != "clientMutationId"}
            try:
                payload = await mutation(playing, **given)
            finally:
                playing.forget()
            return {**payload, "clientMutationId": input.get("clientMutationId")}

        plays("Mutation", name)(play)
        return mutation

    return enter


def require_one(playing: Playing, alternatives: Sequence[str]) -> None:
    """Raises `Refused` where the caller has none of the permissions to write."""
    require(playing.parts.edge.rights(playing.request), alternatives, "write")


def _count_content(playing: Playing) -> None:
    edge = playing.parts.edge
    if edge.is_operator(playing.request):
        return
    try:
        edge.limits.create_content(edge.account(playing.request))
    except Refused:
        raise Refused(422, TOO_QUICK, kind="UNPROCESSABLE") from None


async def subject(playing: Playing, node_id: str, *types: str) -> Thing:
    """The object to change, of one of `types`, in a repository that can be written. Raises `Refused`."""
    thing = await load(playing, node_id)
    if thing.type not in types:
        wanted = " or ".join(types)
        raise Refused(
            404, f"Could not resolve to {wanted} node with the global id of '{node_id}'.", kind="NOT_FOUND"
        )
    playing.parts.edge.check_writable(
        playing.request, thing.data if thing.type == "Repository" else thing.repository
    )
    return thing


async def asked(playing: Playing, method: str, path: str, body: Json = None) -> Json:
    """The same by REST, as the one who asks. Raises `Refused`."""
    answer = await playing.parts.edge.call(method, path, body, like=playing.request)
    if answer.status >= 400:
        raise Refused(answer.status, str(answer.body.get("message", "")), answer.body.get("errors"))
    return answer.body
