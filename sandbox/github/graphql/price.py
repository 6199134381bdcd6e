"""What a GraphQL request costs, and whether it asks for too much.

Source: GitHub's page on rate limits and query limits for the GraphQL API: one request for each connection of each
parent, every parent taken as full, divided by a hundred and rounded; at least 1. `nodes(ids:)` is no connection.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    value_from_ast_untyped,
)

from sandbox.github.refusals import Refused

MOST_NODES = 500_000
MOST_TYPES = 2
"""How many `__type` fields one request may hold. Source: GitHub's own command line, which heeds it."""


@dataclass(frozen=True, slots=True)
class Price:
    points: int
    nodes: int


@dataclass(slots=True)
class _Walk:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    requests: int = 0
    nodes: int = 0
    types: int = 0

    def over(self, selections: SelectionSetNode, parent: Any, parents: int) -> None:
        for selection in selections.selections:
            if isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments[selection.name.value]
                self.over(fragment.selection_set, self._named(fragment.type_condition.name.value), parents)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                self.over(
                    selection.selection_set, self._named(condition.name.value) if condition else parent, parents
                )
            elif isinstance(selection, FieldNode):
                self._field(selection, parent, parents)

    def _field(self, selection: FieldNode, parent: Any, parents: int) -> None:
        if selection.name.value == "__type":
            self.types += 1
        if not isinstance(parent, (GraphQLObjectType, GraphQLInterfaceType)):
            return
        definition = parent.fields.get(selection.name.value)
        if definition is None or selection.selection_set is None:
            return
        kind = get_named_type(definition.type)
        arguments = {
            node.name.value: value_from_ast_untyped(node.value, dict(self.variables))
            for node in selection.arguments
        }
        if kind.name.endswith("Connection"):
            size = _page(selection.name.value, kind.name, arguments)
            self.requests += parents
            self.nodes += parents * size
            parents *= size
        elif selection.name.value == "nodes" and isinstance(arguments.get("ids"), list):
            parents *= max(len(arguments["ids"]), 1)
        self.over(selection.selection_set, kind, parents)

    def _named(self, name: str) -> Any:
        return self.schema.type_map[name]


def priced(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> Price:
    """Raises `Refused` where a connection has no bounds, or too many objects are asked for."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    walk = _Walk(schema, fragments, variables)
    walk.over(operation.selection_set, schema.get_root_type(operation.operation), 1)
    if walk.nodes > MOST_NODES:
        message = (
            f"By the time this query traverses to its leaves, it is requesting up to {walk.nodes:,} possible nodes"
        )
        raise Refused(
            200, f"{message} which exceeds the maximum limit of {MOST_NODES:,}.", kind="MAX_NODE_LIMIT_EXCEEDED"
        )
    if walk.types > MOST_TYPES:
        raise Refused(200, f"Query has {walk.types} __type fields, more than {MOST_TYPES}.", kind="ARGUMENT_LIMIT")
    return Price(max(round(walk.requests / 100), 1), walk.nodes)


def _page(name: str, kind: str, arguments: Mapping[str, Any]) -> int:
    bounds = [arguments[side] for side in ("first", "last") if arguments.get(side) is not None]
    if not bounds:
        message = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
        raise Refused(200, message, kind="MISSING_PAGINATION_BOUNDARIES")
    for size in bounds:
        if not isinstance(size, int) or not 1 <= size <= 100:
            message = (
                f"Requesting {size} records on the `{name}` connection exceeds the `first` limit of 100 records."
            )
            raise Refused(200, message, kind="EXCESSIVE_PAGINATION")
    return int(bounds[0])
