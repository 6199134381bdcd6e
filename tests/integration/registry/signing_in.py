"""A registry that signs callers in: one server over TLS, which remembers what it was asked."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.edges.serving import Server

Handler = Callable[[Request], Awaitable[Response]]


@dataclass
class SigningIn:
    """`answers` is what one of the places answers in place of what it would, `asked` the places in their order."""

    certificate: Path
    answers: dict[str, Response] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = Server(Starlette(routes=self.routes()), self.certificate)

    def routes(self) -> list[Route]:
        raise NotImplementedError

    def at(self, place: str, handler: Handler) -> Handler:
        """The handler of a place that is remembered, and may answer otherwise."""

        async def handle(request: Request) -> Response:
            self.asked.append(place)
            return self.answers.get(place) or await handler(request)

        return handle

    @contextmanager
    def serving(self) -> Iterator[Self]:
        self.server.start()
        yield self
        self.server.stop()

    def forget(self) -> None:
        """Answers as at the start, and remembers nothing that was asked."""
        for each in fields(self):
            if each.default_factory is not MISSING:
                setattr(self, each.name, each.default_factory())
            elif each.default is not MISSING:
                setattr(self, each.name, each.default)

    @property
    def host(self) -> str:
        """As the certificate names it."""
        return f"127.0.0.1:{self.server.port}"
