"""A few files by name of many repositories at once."""

from collections.abc import Mapping, Sequence
from json import dumps

from bot.clients.forges.github.bulk import Bulk, nodes_fields
from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.repositories.repository import Identity

Files = Mapping[Identity, Mapping[str, bytes]]
_MOST_REPOSITORIES = 20
"""Of one field, with some ten files each."""


async def chosen_files(transport: Transport, repositories: Sequence[Identity], paths: Sequence[str]) -> Files:
    """Those that their default branches have, but for what GitHub cuts short; repositories that were never listed,
    are gone or may not be seen are left out."""
    known = {each.node_id: each for each in repositories if each.node_id is not None}
    fields = " ".join(
        f"f{number}: object(expression: {dumps(f'HEAD:{path}')}) {{ ... on Blob {{ text isTruncated }} }}"
        for number, path in enumerate(paths)
    )
    parts = nodes_fields(list(known), f"... on Repository {{ id {fields} }}", _MOST_REPOSITORIES)
    found: dict[Identity, Mapping[str, bytes]] = {}
    shown_rows = (await Bulk(transport).shown("files", parts)).rows
    for node_id, row in shown_rows.items():
        with shaped("files"):
            texts = {path: row[f"f{number}"] for number, path in enumerate(paths)}
            found[known[node_id]] = {
                path: str(shown["text"]).encode()
                for path, shown in texts.items()
                if shown and shown.get("text") is not None and not shown["isTruncated"]
            }
    return found
