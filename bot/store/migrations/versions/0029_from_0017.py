"""Statements, packages of images, practices and onboarding: the steps of stores from 0017 to 0029."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.migrations.writing import ID, MOMENT, index, leased, number, part_of, refers

revision = "0029"
down_revision = "0017"


def to_0018() -> None:
    """Each summary is announced once, and reaches back to the one before."""
    op.create_table(
        "summaries",
        number(),
        sa.Column("at", MOMENT, nullable=False),
        sa.UniqueConstraint("at", name=op.f("uq_summaries_at")),
    )


def to_0019() -> None:
    """A monorepo's rebuild touches the workflows that its usages belong to.

    What was planned before is built as a whole.
    """
    op.add_column("rebuilds", sa.Column("parts", sa.JSON()))


def to_0020() -> None:
    """A store that has read a fleet already has its first run behind it."""
    op.execute(
        sa.text(
            "INSERT INTO counters (name, value) SELECT 'first run', 1 "
            "WHERE EXISTS (SELECT 1 FROM repositories WHERE read_at IS NOT NULL)"
        )
    )


def to_0021() -> None:
    """Fresh images get a signed statement that says so."""
    op.create_table(
        "attestations",
        number(),
        sa.Column("image_id", ID, nullable=False),
        sa.Column("digest", sa.String(length=160)),
        sa.Column("attached_at", MOMENT),
        sa.Column("considered_at", MOMENT),
        sa.Column("error", sa.Text()),
        *leased(),
        part_of("attestations", "image_id", "images"),
        sa.UniqueConstraint("image_id", name=op.f("uq_attestations_image_id")),
    )
    index("attestations", "due_at")


def to_0022() -> None:
    """One issue tells of the fleet, and what people tick in it is heeded once."""
    op.create_table(
        "fleet_issues",
        number(),
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("number", sa.Integer()),
        sa.Column("url", sa.Text()),
        sa.Column("wording", sa.Integer(), server_default="0", nullable=False),
        sa.Column("heeded", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text()),
        *leased(),
        sa.UniqueConstraint("repository", name=op.f("uq_fleet_issues_repository")),
    )
    index("fleet_issues", "due_at")


def _undone(column: str) -> dict[str, Any]:
    is_undone = sa.text(f"{column} IS NULL")
    return {"sqlite_where": is_undone, "postgresql_where": is_undone}


def to_0023() -> None:
    """Layers, what is inside the images that they make, and how each move of a base changed it."""
    op.create_table(
        "inventories",
        number(),
        sa.Column("digest", sa.String(length=160), nullable=False),
        sa.Column("platform", sa.String(length=100), nullable=False),
        sa.Column("previous_id", ID),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("read_at", MOMENT),
        sa.Column("distribution", sa.JSON()),
        sa.Column("problems", sa.JSON()),
        sa.Column("is_complete", sa.Boolean()),
        sa.Column("error", sa.Text()),
        *leased(),
        sa.UniqueConstraint("digest", name=op.f("uq_inventories_digest")),
    )
    op.create_index("ix_inventories_undone", "inventories", ["due_at"], **_undone("read_at"))
    op.create_index(
        "ix_inventories_incomplete",
        "inventories",
        ["id"],
        sqlite_where=sa.text("is_complete IS NOT 1"),
        postgresql_where=sa.text("is_complete IS NOT true"),
    )
    op.create_table(
        "layers",
        number(),
        sa.Column("digest", sa.String(length=160), nullable=False),
        sa.Column("registry", sa.String(length=255), nullable=False),
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("named_diff_id", sa.String(length=160)),
        sa.Column("diff_id", sa.String(length=160)),
        sa.Column("problem", sa.Text()),
        sa.Column("read_at", MOMENT),
        sa.Column("error", sa.Text()),
        *leased(),
        sa.UniqueConstraint("digest", name=op.f("uq_layers_digest")),
    )
    index("layers", "diff_id")
    op.create_index("ix_layers_undone", "layers", ["due_at"], **_undone("read_at"))
    op.create_table(
        "packages",
        number(),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=256), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("version", sa.String(length=256), nullable=False),
        sa.Column("architecture", sa.String(length=256)),
        sa.Column("source", sa.String(length=256)),
        sa.Column("source_version", sa.String(length=256)),
        sa.UniqueConstraint("key", name=op.f("uq_packages_key")),
    )
    index("packages", "name")
    index("packages", "source")
    op.create_table(
        "inventory_layers",
        sa.Column("inventory_id", ID, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("layer_id", ID, nullable=False),
        part_of("inventory_layers", "inventory_id", "inventories"),
        refers("inventory_layers", "layer_id", "layers"),
        sa.PrimaryKeyConstraint("inventory_id", "position", name=op.f("pk_inventory_layers")),
    )
    index("inventory_layers", "layer_id")
    op.create_table(
        "inventory_packages",
        sa.Column("inventory_id", ID, autoincrement=False, nullable=False),
        sa.Column("package_id", ID, autoincrement=False, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        part_of("inventory_packages", "inventory_id", "inventories"),
        refers("inventory_packages", "package_id", "packages"),
        sa.PrimaryKeyConstraint("inventory_id", "package_id", name=op.f("pk_inventory_packages")),
        sqlite_with_rowid=False,
    )
    index("inventory_packages", "package_id")
    op.create_table(
        "layer_contents",
        sa.Column("layer_id", ID, autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        part_of("layer_contents", "layer_id", "layers"),
        sa.PrimaryKeyConstraint("layer_id", name=op.f("pk_layer_contents")),
    )
    op.create_table(
        "image_inventories",
        sa.Column("image_id", ID, autoincrement=False, nullable=False),
        sa.Column("platform", sa.String(length=100), nullable=False),
        sa.Column("inventory_id", ID, nullable=False),
        part_of("image_inventories", "image_id", "images"),
        part_of("image_inventories", "inventory_id", "inventories"),
        sa.PrimaryKeyConstraint("image_id", "platform", name=op.f("pk_image_inventories")),
    )
    index("image_inventories", "inventory_id")
    op.create_table(
        "observed_inventories",
        sa.Column("observation_id", ID, autoincrement=False, nullable=False),
        sa.Column("platform", sa.String(length=100), nullable=False),
        sa.Column("inventory_id", ID, nullable=False),
        part_of("observed_inventories", "inventory_id", "inventories"),
        part_of("observed_inventories", "observation_id", "observations"),
        sa.PrimaryKeyConstraint("observation_id", "platform", name=op.f("pk_observed_inventories")),
    )
    index("observed_inventories", "inventory_id")
    op.create_table(
        "package_changes",
        number(),
        sa.Column("observation_id", ID, nullable=False),
        sa.Column("platform", sa.String(length=100), nullable=False),
        sa.Column("before_id", ID, nullable=False),
        sa.Column("after_id", ID, nullable=False),
        sa.Column("compared_at", MOMENT),
        sa.Column("changes", sa.JSON()),
        sa.Column("is_complete", sa.Boolean()),
        sa.Column("error", sa.Text()),
        *leased(),
        part_of("package_changes", "observation_id", "observations"),
        sa.UniqueConstraint("observation_id", "platform", name=op.f("uq_package_changes_observation_id_platform")),
    )
    op.create_index("ix_package_changes_undone", "package_changes", ["due_at"], **_undone("compared_at"))
    _read_what_is_shown()


def _read_what_is_shown() -> None:
    """What bases show at the time of the upgrade is read as if it had just been seen; images are looked at anew."""
    connection = op.get_bind()
    connection.execute(sa.text("UPDATE images SET found = NULL, due_at = seen_at WHERE seen_at IS NOT NULL"))
    rows = connection.execute(
        sa.text(
            "SELECT o.id, o.at, o.observation, b.registry, b.repository FROM bases b "
            "JOIN observations o ON o.id = b.observation_id WHERE b.digest IS NOT NULL"
        )
    )
    for row in rows.all():
        observation = json.loads(row.observation) if isinstance(row.observation, str) else row.observation
        for platform in observation.get("platforms", []):
            if platform["layers"] and all(":" in layer for layer in platform["layers"]):
                _want(connection, row, platform)


def _want(connection: sa.Connection, row: Any, platform: dict[str, Any]) -> None:
    inventory = _id_of(
        connection,
        "inventories",
        {"digest": platform["digest"], "platform": platform["platform"], "seen_at": row.at, "due_at": row.at},
    )
    diff_ids = platform.get("diff_ids") or [None] * len(platform["layers"])
    for position, (layer, diff_id) in enumerate(zip(platform["layers"], diff_ids, strict=True)):
        place = {"registry": row.registry, "repository": row.repository}
        wanted = {"digest": layer, **place, "named_diff_id": diff_id, "due_at": row.at}
        layer_id = _id_of(connection, "layers", wanted)
        of_layer = {"inventory_id": inventory, "position": position, "layer_id": layer_id}
        _insert(connection, "inventory_layers", of_layer)
    observed = {"observation_id": row.id, "platform": platform["platform"], "inventory_id": inventory}
    _insert(connection, "observed_inventories", observed)


def _id_of(connection: sa.Connection, table: str, values: dict[str, Any]) -> int:
    _insert(connection, table, values)
    known = sa.table(table, sa.column("id"), sa.column("digest"))
    return int(connection.execute(sa.select(known.c.id).where(known.c.digest == values["digest"])).scalar_one())


def _insert(connection: sa.Connection, table: str, values: dict[str, Any]) -> None:
    """Inserts the row unless it is there: several bases may show the same image."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    into = sa.table(table, *(sa.column(name) for name in values))
    connection.execute(dialect.insert(into).values(**values).on_conflict_do_nothing())


def to_0024() -> None:
    """Usages may follow images that the fleet builds, and rebuilds wait for those of their parents.

    What was planned before waits for no parent.
    """
    op.add_column("usages", sa.Column("image", sa.String(length=511)))
    index("usages", "image")
    for column in (
        sa.Column("distance", sa.Integer(), server_default="0", nullable=False),
        sa.Column("waits_for", sa.Text()),
        sa.Column("waits_until", MOMENT),
        sa.Column("went_ahead", sa.Boolean(), server_default="0", nullable=False),
    ):
        op.add_column("rebuilds", column)
    with op.batch_alter_table("rollout_waves") as table:
        table.add_column(sa.Column("distance", sa.Integer(), server_default="0", nullable=False))
        table.drop_constraint("pk_rollout_waves", type_="primary")
        table.create_primary_key("pk_rollout_waves", ["rollout_id", "distance", "name"])
    op.create_table(
        "own_links",
        number(),
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("base_id", ID, nullable=False),
        sa.Column("cut", sa.Boolean(), server_default="0", nullable=False),
        part_of("own_links", "repository_id", "repositories"),
        refers("own_links", "base_id", "bases"),
        sa.UniqueConstraint("repository_id", "base_id", name=op.f("uq_own_links_repository_id_base_id")),
    )


def to_0025() -> None:
    """Repositories are judged by practices: their files by blob, what was found, how that went by day and week."""
    op.create_table(
        "audits",
        number(),
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("mark", sa.String(length=16)),
        sa.Column("error", sa.Text()),
        sa.Column("audited_at", MOMENT),
        *leased(),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("findings", sa.LargeBinary()),
        part_of("audits", "repository_id", "repositories"),
        sa.UniqueConstraint("repository_id", name=op.f("uq_audits_repository_id")),
    )
    index("audits", "due_at")
    op.create_table(
        "practices",
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("practice", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        part_of("practices", "repository_id", "repositories"),
        sa.PrimaryKeyConstraint("repository_id", "practice", name=op.f("pk_practices")),
    )
    index("practices", "practice", "outcome")
    op.create_table(
        "practice_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("practice", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("repositories", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "practice", "outcome", name=op.f("pk_practice_days")),
    )
    op.create_table(
        "practice_weeks",
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("practice", sa.String(length=64), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("week", "practice", name=op.f("pk_practice_weeks")),
    )
    op.add_column("issue_sections", sa.Column("opens", sa.Boolean(), server_default="1", nullable=False))


def to_0026() -> None:
    """How each image stands is kept beside it, so that what nothing tells is counted apart from what is current."""
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


def to_0027() -> None:
    """Images know who built them, by signed provenance."""
    op.add_column("images", sa.Column("builder", sa.JSON()))


def to_0028() -> None:
    """Bases may be copies of others, and be behind them."""
    for column in (
        sa.Column("upstream_id", ID),
        sa.Column("upstream_digest", sa.String(length=160)),
        sa.Column("likeness", sa.String(length=16)),
        sa.Column("behind_since", MOMENT),
    ):
        op.add_column("bases", column)
    index("bases", "upstream_id")


def to_0029() -> None:
    """Repositories are brought to the practices by pull requests: how far each has come, and who has declined."""
    op.create_table(
        "onboardings",
        number(),
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=255)),
        sa.Column("number", sa.Integer()),
        sa.Column("url", sa.Text()),
        sa.Column("merged", sa.Integer(), server_default="0", nullable=False),
        sa.Column("left", sa.Integer(), server_default="0", nullable=False),
        sa.Column("made_from", sa.String(length=16)),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("error", sa.Text()),
        *leased(),
        refers("onboardings", "repository_id", "repositories"),
        sa.UniqueConstraint("repository_id", name=op.f("uq_onboardings_repository_id")),
    )
    index("onboardings", "due_at")


STEPS = {
    "0018": to_0018,
    "0019": to_0019,
    "0020": to_0020,
    "0021": to_0021,
    "0022": to_0022,
    "0023": to_0023,
    "0024": to_0024,
    "0025": to_0025,
    "0026": to_0026,
    "0027": to_0027,
    "0028": to_0028,
    "0029": to_0029,
}
