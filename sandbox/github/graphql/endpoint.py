"""A GraphQL request from its arrival to its answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    execute,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values
from starlette.requests import Request
from starlette.responses import Response

from sandbox.github.access.asked import json_response, token_of
from sandbox.github.access.limits import WRITE
from sandbox.github.graphql import everything as _everything  # noqa: F401 (fills the table of players)
from sandbox.github.graphql.playing import Parts, Playing, resolve, type_of
from sandbox.github.graphql.price import Price, priced
from sandbox.github.graphql.schema import published
from sandbox.github.refusals import Refused
from sandbox.programs.emulator import OPERATOR_TOKEN

Json = Any
KINDS = {401: "FORBIDDEN", 403: "FORBIDDEN", 404: "NOT_FOUND"}


@dataclass(frozen=True, slots=True)
class GraphQL:
    parts: Parts

    def __post_init__(self) -> None:
        self.parts.edge.routes.add("POST", "/graphql", self._answer)

    async def _answer(self, request: Request) -> Response:
        if not token_of(request):
            raise Refused(401, "This endpoint requires you to be authenticated.")
        try:
            asked = json.loads(await request.body())
            text, variables = str(asked["query"]), asked.get("variables") or {}
        except (ValueError, KeyError, TypeError):
            raise Refused(400, "Problems parsing JSON") from None
        try:
            return await self._limited(request, *_understood(text, variables, asked.get("operationName")))
        except _Mistaken as mistaken:
            self.parts.edge.surroundings.traffic.violations += [
                f"GraphQL: {error.message}" for error in mistaken.errors
            ]
            return json_response(200, {"errors": [_shown(error) for error in mistaken.errors]})
        except Refused as refusal:
            if refusal.status >= 400:
                raise
            return json_response(200, {"errors": [{"type": refusal.kind, "message": refusal.message}]})

    async def _limited(
        self,
        request: Request,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> Response:
        price = priced(published(), document, operation, variables)
        if token_of(request) == OPERATOR_TOKEN:
            return await self._executed(request, document, operation, variables, price)
        limits, account = self.parts.edge.limits, self.parts.edge.account(request)
        if limits.rate(account, "graphql")["remaining"] < price.points:
            raise Refused(200, f"API rate limit exceeded for {account[:12]}.", kind="RATE_LIMITED")
        limits.spend(account, "graphql", price.points)
        points = WRITE if operation.operation is OperationType.MUTATION else 1
        with limits.request(account, "graphql", points):
            return await self._executed(request, document, operation, variables, price)

    async def _executed(
        self,
        request: Request,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
        price: Price,
    ) -> Response:
        playing = Playing(self.parts, request)
        playing.rate = self._rate(request, price)
        outcome = execute(
            published(),
            document,
            context_value=playing,
            variable_values=dict(variables),
            operation_name=operation.name.value if operation.name else None,
            field_resolver=resolve,
            type_resolver=type_of,
        )
        result = outcome if not hasattr(outcome, "__await__") else await outcome
        body: dict[str, Json] = {"data": result.data}
        if result.errors:
            body["errors"] = [_shown(error) for error in result.errors]
        return json_response(200, body)

    def _rate(self, request: Request, price: Price) -> Json:
        rate = self.parts.edge.limits.rate(self.parts.edge.account(request), "graphql")
        return {**rate, "cost": price.points, "nodeCount": price.nodes}


class _Mistaken(Exception):
    """The request does not fit the schema."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        self.errors = errors
        super().__init__(errors[0].message)


@lru_cache(maxsize=500)
def _valid(text: str) -> DocumentNode:
    """A document that fits the schema; the same one is asked again and again, and looked through once.

    Raises `_Mistaken`."""
    try:
        document = parse(text)
    except GraphQLSyntaxError as error:
        raise _Mistaken([error]) from error
    if errors := validate(published(), document):
        raise _Mistaken(errors)
    return document


def _understood(
    text: str, variables: Mapping[str, Any], operation_name: str | None
) -> tuple[DocumentNode, OperationDefinitionNode, Mapping[str, Any]]:
    document = _valid(text)
    operation = get_operation_ast(document, operation_name)
    if operation is None:
        raise _Mistaken([GraphQLError("An operation name is required")])
    values = get_variable_values(published(), operation.variable_definitions, dict(variables))
    if isinstance(values, list):
        raise _Mistaken(values)
    return document, operation, variables


def _shown(error: GraphQLError) -> Json:
    """As GitHub writes it: with a `type` beside the message."""
    shown: dict[str, Json] = {}
    cause = error.original_error
    if isinstance(cause, Refused):
        shown["type"] = cause.kind or KINDS.get(cause.status, "UNPROCESSABLE")
    if error.path is not None:
        shown["path"] = error.path
    if error.locations:
        shown["locations"] = [place.formatted for place in error.locations]
    shown["message"] = _message(cause) if isinstance(cause, Refused) else error.message
    return shown


def _message(refusal: Refused) -> str:
    """GraphQL says at once what REST lists under a heading."""
    inner = [str(row.get("message") or f"{row.get('field')} is {row.get('code')}") for row in refusal.errors or []]
    return ", ".join(inner) or refusal.message
