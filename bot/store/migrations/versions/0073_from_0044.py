"""Trust in what images show, doubts about feeds, and refusals: the steps of stores from 0044 to 0073."""

import sqlalchemy as sa
from alembic import op

from bot.store.migrations.writing import ID, MOMENT, index, number, part_of

revision = "0073"
down_revision = "0044"

_ABOUT_IMAGES = ("gates", "let_through", "attestations", "image_inventories")


def to_0045() -> None:
    """A quarantine counts how often its base came back to the digest."""
    op.add_column("quarantines", sa.Column("returns", sa.Integer(), nullable=False, server_default="0"))


def to_0046() -> None:
    """Rebuilds know whether they follow a run that others have started."""
    op.add_column("rebuilds", sa.Column("joined", sa.String(length=16)))


def to_0047() -> None:
    """An image of weak evidence keeps the reason for which nothing is done by it."""
    op.add_column("images", sa.Column("weakness", sa.Text(), nullable=False, server_default=""))


def to_0048() -> None:
    """Tags of one image name have rows of their own where each has a build of its own."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    # SQLite makes the table anew, and what is known of its rows would go with the old one.
    for table in _ABOUT_IMAGES if is_sqlite else ():
        kept = f"CREATE TEMPORARY TABLE kept_{table} AS SELECT * FROM {table}"  # noqa: S608 - names of ours  # nosec B608
        op.execute(sa.text(kept))
    with op.batch_alter_table("images") as images:
        images.drop_constraint(op.f("uq_images_repository_id_registry_repository"), type_="unique")
        images.create_unique_constraint(
            op.f("uq_images_repository_id_registry_repository_tag"),
            ["repository_id", "registry", "repository", "tag"],
        )
    for table in _ABOUT_IMAGES if is_sqlite else ():
        back = f"INSERT INTO {table} SELECT * FROM kept_{table}"  # noqa: S608 - names of ours  # nosec B608
        op.execute(sa.text(back))
        op.execute(sa.text(f"DROP TABLE kept_{table}"))


def to_0049() -> None:
    """What an image shows is known under each index that has named it, not under the first alone."""
    op.create_table(
        "later_indexes",
        sa.Column("index_digest", sa.String(length=160), nullable=False),
        sa.Column("inventory_id", ID, autoincrement=False, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        part_of("later_indexes", "inventory_id", "inventories"),
        sa.PrimaryKeyConstraint("index_digest", "inventory_id", name=op.f("pk_later_indexes")),
    )
    index("later_indexes", "inventory_id")
    # What images show now would be known no more once they show something else.
    op.execute(
        sa.text(
            "INSERT INTO later_indexes (index_digest, inventory_id, seen_at)"
            " SELECT images.digest, sbom_looks.inventory_id, MAX(images.seen_at) FROM images"
            " JOIN image_inventories ON image_inventories.image_id = images.id"
            " JOIN sbom_looks ON sbom_looks.inventory_id = image_inventories.inventory_id"
            " WHERE images.digest <> sbom_looks.index_digest AND images.seen_at IS NOT NULL"
            " GROUP BY images.digest, sbom_looks.inventory_id"
        )
    )


def to_0050() -> None:
    """Places where images are run keep since when they name what they do."""
    op.add_column("deployments", sa.Column("since", MOMENT))
    op.add_column("deployments", sa.Column("is_older", sa.Boolean(), nullable=False, server_default="1"))
    # What was read last was there then; how long before is not known.
    op.execute(
        sa.text(
            "UPDATE deployments SET since ="
            " (SELECT repositories.read_at FROM repositories WHERE repositories.id = deployments.repository_id)"
        )
    )


def to_0051() -> None:
    """Places where images are run keep what they named before, as far as it was seen."""
    op.add_column("deployments", sa.Column("named_before", sa.JSON()))


def to_0052() -> None:
    """Images keep since when they show what was known before they did, and what they showed until then."""
    op.create_table(
        "shown_again",
        number(),
        sa.Column("image_id", ID, nullable=False),
        sa.Column("platform", sa.String(length=100), nullable=False),
        sa.Column("inventory_id", ID, nullable=False),
        sa.Column("previous_id", ID),
        sa.Column("since", MOMENT, nullable=False),
        part_of("shown_again", "image_id", "images"),
        part_of("shown_again", "inventory_id", "inventories"),
    )
    for column in ("image_id", "inventory_id", "previous_id"):
        op.create_index(op.f(f"ix_shown_again_{column}"), "shown_again", [column])


def to_0053() -> None:
    """Images and SBOMs keep whose trust what is signed about them was judged by, and until when that holds.

    What was judged before has a mark that nobody has, and so is judged again.
    """
    mark = "before 0053"
    for table in ("images", "sboms"):
        op.add_column(table, sa.Column("judged_by", sa.String(length=32)))
        op.add_column(table, sa.Column("judged_until", MOMENT))
    images = sa.table("images", *map(sa.column, ("builder", "declared", "judged_by")))
    is_judged = sa.or_(
        sa.cast(images.c.builder, sa.Text).like("{%"),
        sa.cast(images.c.declared, sa.Text).like("%verified provenance%"),
    )
    op.execute(sa.update(images).where(is_judged).values(judged_by=mark))
    sboms = sa.table("sboms", *map(sa.column, ("strength", "judged_by")))
    op.execute(sa.update(sboms).where(sboms.c.strength == "proved").values(judged_by=mark))


def to_0054() -> None:
    """Documents and dumps keep the newest time in them, and what is said of packages of Azure Linux is read anew.

    How versions of rpm are compared with what publishers name has changed, and which packages are exposed was
    written by the rule before: a record whose content is not known any more is written again when its dump is
    read next.
    """
    for table in ("documents", "dumps"):
        op.add_column(table, sa.Column("newest_at", MOMENT))
    dumps = sa.table("dumps", *map(sa.column, ("id", "ecosystem")))
    vulnerabilities = sa.table("vulnerabilities", *map(sa.column, ("dump_id", "content")))
    of_rpm = sa.select(dumps.c.id).where(dumps.c.ecosystem == "Azure Linux")
    op.execute(vulnerabilities.update().where(vulnerabilities.c.dump_id.in_(of_rpm)).values(content=""))


def to_0057() -> None:
    """Documents of feeds keep what they said before and say no more, while that is doubted."""
    op.add_column("documents", sa.Column("doubts", sa.JSON(none_as_null=True)))


def to_0059() -> None:
    """Images keep which entries of their index were not judged, and bases what their registry shows in turn."""
    op.add_column("images", sa.Column("not_judged", sa.JSON()))
    op.add_column("bases", sa.Column("other_digest", sa.String(length=160)))
    op.add_column("bases", sa.Column("switched_at", MOMENT))


def to_0060() -> None:
    """Sessions that somebody signed out of are kept until their cookies are worth nothing by themselves."""
    op.create_table(
        "ended_sessions",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_ended_sessions")),
    )
    index("ended_sessions", "until")


def to_0061() -> None:
    """Images keep by which edition of the law they were judged; layers that were read keep what they hold."""
    op.add_column("images", sa.Column("law", sa.Integer(), server_default="0", nullable=False))
    op.execute("UPDATE images SET state = 'claimed' WHERE state = 'current'")
    op.create_table(
        "unpacked_layers",
        number(),
        sa.Column("digest", sa.String(length=160), nullable=False),
        sa.Column("content", sa.String(length=160), nullable=False),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.UniqueConstraint("digest", name=op.f("uq_unpacked_layers_digest")),
    )


def to_0062() -> None:
    """A rebuild that a fault holds up keeps since when its place in its wave is others'."""
    op.add_column("rebuilds", sa.Column("gave_way_at", MOMENT))


def to_0063() -> None:
    """What each owner has granted the bot is kept, so that more of it has the refused tried again."""
    op.create_table(
        "grants",
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("granted", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_grants")),
    )


def to_0066() -> None:
    """Rebuilds keep which branch people have pointed their pull request at."""
    op.add_column("rebuilds", sa.Column("pointed_at", sa.Text()))


def to_0067() -> None:
    """Images are found by how they stand: at each tick those whose witnesses contradict each other.

    Layers keep by which edition of their reader they were read.
    """
    index("images", "state")
    op.add_column("layers", sa.Column("edition", sa.Integer(), server_default="0", nullable=False))


def to_0068() -> None:
    """What is followed counts the looks in a row that found nothing, apart from those that failed."""
    for name in ("rebuilds", "steps"):
        op.add_column(name, sa.Column("looks_in_vain", sa.Integer(), server_default="0", nullable=False))


def to_0071() -> None:
    """A step knows whether what kept it last was a refusal, so that it is tried again once the cause is gone.

    Those that ended before stay as they are: a person tries them again.
    """
    op.add_column("steps", sa.Column("refused", sa.Boolean(), server_default="0", nullable=False))


def to_0073() -> None:
    """Refusals are counted apart from faults of the world, and what hinders a rebuild is kept."""
    for name in ("rebuilds", "steps"):
        op.add_column(name, sa.Column("refusals", sa.Integer(), server_default="0", nullable=False))
    op.add_column("rebuilds", sa.Column("hindered_by", sa.Text()))


STEPS = {
    "0045": to_0045,
    "0046": to_0046,
    "0047": to_0047,
    "0048": to_0048,
    "0049": to_0049,
    "0050": to_0050,
    "0051": to_0051,
    "0052": to_0052,
    "0053": to_0053,
    "0054": to_0054,
    "0057": to_0057,
    "0059": to_0059,
    "0060": to_0060,
    "0061": to_0061,
    "0062": to_0062,
    "0063": to_0063,
    "0066": to_0066,
    "0067": to_0067,
    "0068": to_0068,
    "0071": to_0071,
    "0073": to_0073,
}
