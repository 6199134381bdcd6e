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
    by_node = {each.node_id: each for each in repositories if each.node_id is not None}
    fields = " ".join(
        f"f{number}: object(expression: {dumps(f'HEAD:{path}')}) {{ ... on Blob {{ text isTruncated }} }}"
        for number, path in enumerate(paths)
    )
    parts = nodes_fields(list(by_node), f"... on Repository {{ id {fields} }}", _MOST_REPOSITORIES)
    contents: dict[Identity, Mapping[str, bytes]] = {}
    shown_rows = (await Bulk(transport).ask("files", parts)).rows
    for node_id, row in shown_rows.items():
        with shaped("files"):
            texts = {path: row[f"f{number}"] for number, path in enumerate(paths)}
            contents[by_node[node_id]] = {
                path: str(blob_row["text"]).encode()
                for path, blob_row in texts.items()
                if blob_row and blob_row.get("text") is not None and not blob_row["isTruncated"]
            }
    return contents
