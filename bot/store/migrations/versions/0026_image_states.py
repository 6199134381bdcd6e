"""How each image stands is kept beside it, so that what nothing tells is counted apart from what is current."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.add_column("images", sa.Column("state", sa.String(length=16), server_default="not-seen", nullable=False))
    images = sa.table(
        "images",
        *(sa.column("id"), sa.column("digest"), sa.column("behind_since"), sa.column("state")),
        sa.column("standings", sa.JSON),
    )
    connection = op.get_bind()
    seen = connection.execute(
        sa.select(images.c.id, images.c.behind_since, images.c.standings).where(images.c.digest.is_not(None))
    )
    states: dict[str, list[int]] = {}
    for row in seen.all():
        state = "behind" if row.behind_since is not None else _state(row.standings or [])
        states.setdefault(state, []).append(row.id)
    for state, ids in states.items():
        for at in range(0, len(ids), 500):
            connection.execute(sa.update(images).where(images.c.id.in_(ids[at : at + 500])).values(state=state))


def _state(standings: list[dict[str, object]]) -> str:
    strengths = {standing["strength"] for standing in standings}
    if "contradicted" in strengths and "unknown" not in strengths:
        return "contradicted"
    if not standings or "unknown" in strengths or not all(map(_is_current, standings)):
        return "unknown"
    return "claimed" if "claimed" in strengths else "current"


def _is_current(standing: dict[str, object]) -> bool:
    publications = standing["publications"]
    return isinstance(publications, list) and any(each.get("until") is None for each in publications)
