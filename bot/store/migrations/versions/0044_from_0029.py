"""Vulnerabilities, SBOMs, gates and artifacts: the steps of stores from 0029 to 0044."""

import sqlalchemy as sa
from alembic import op

from bot.store.migrations.writing import ID, MOMENT, index, leased, number, part_of, refers

revision = "0044"
down_revision = "0029"


def to_0030() -> None:
    """What dumps say of vulnerabilities, and which packages of images are exposed to them."""
    op.create_table(
        "dumps",
        number(),
        sa.Column("ecosystem", sa.String(length=32), nullable=False),
        sa.Column("place", sa.String(length=1024), nullable=False),
        sa.Column("etag", sa.String(length=512)),
        sa.Column("last_modified", sa.String(length=512)),
        sa.Column("considered", sa.LargeBinary()),
        sa.Column("reader", sa.String(length=64)),
        sa.Column("entries", sa.Integer()),
        sa.Column("problems", sa.JSON()),
        sa.Column("fetched_at", MOMENT),
        sa.Column("checked_at", MOMENT),
        sa.Column("error", sa.Text()),
        *leased(),
        sa.UniqueConstraint("ecosystem", name=op.f("uq_dumps_ecosystem")),
    )
    index("dumps", "due_at")
    op.create_table(
        "vulnerabilities",
        number(),
        sa.Column("dump_id", ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=16)),
        sa.Column("rated_by", sa.String(length=32), nullable=False),
        sa.Column("score", sa.Float()),
        sa.Column("published_at", MOMENT),
        sa.Column("seen_at", MOMENT, nullable=False),
        part_of("vulnerabilities", "dump_id", "dumps"),
        sa.UniqueConstraint("dump_id", "name", name=op.f("uq_vulnerabilities_dump_id_name")),
    )
    op.create_table(
        "affected_packages",
        number(),
        sa.Column("vulnerability_id", ID, nullable=False),
        sa.Column("release", sa.String(length=64), nullable=False),
        sa.Column("affected", sa.JSON(), nullable=False),
        sa.Column("fix_seen_at", MOMENT),
        part_of("affected_packages", "vulnerability_id", "vulnerabilities"),
    )
    index("affected_packages", "vulnerability_id")
    op.create_table(
        "vulnerability_cves",
        sa.Column("vulnerability_id", ID, nullable=False),
        sa.Column("cve", sa.String(length=32), nullable=False),
        part_of("vulnerability_cves", "vulnerability_id", "vulnerabilities"),
        sa.PrimaryKeyConstraint("vulnerability_id", "cve", name=op.f("pk_vulnerability_cves")),
    )
    index("vulnerability_cves", "cve")
    op.create_table(
        "affected_names",
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("affected_id", ID, nullable=False),
        part_of("affected_names", "affected_id", "affected_packages"),
        sa.PrimaryKeyConstraint("name", "affected_id", name=op.f("pk_affected_names")),
    )
    index("affected_names", "affected_id")
    op.create_table(
        "exposures",
        sa.Column("affected_id", ID, nullable=False),
        sa.Column("package_id", ID, nullable=False),
        sa.Column("is_certain", sa.Boolean(), nullable=False),
        part_of("exposures", "affected_id", "affected_packages"),
        part_of("exposures", "package_id", "packages"),
        sa.PrimaryKeyConstraint("affected_id", "package_id", name=op.f("pk_exposures")),
    )
    index("exposures", "package_id")


def to_0031() -> None:
    """Rebuilds know the commit and the number of the run that has built them."""
    op.add_column("rebuilds", sa.Column("built_commit", sa.String(length=64)))
    op.add_column("rebuilds", sa.Column("run_number", sa.Integer()))


def to_0032() -> None:
    """Findings may be uploaded to code scanning: what it has of each repository."""
    op.create_table(
        "code_scans",
        number(),
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("uploaded", sa.String(length=32)),
        sa.Column("refused", sa.Text()),
        sa.Column("error", sa.Text()),
        *leased(),
        part_of("code_scans", "repository_id", "repositories"),
        sa.UniqueConstraint("repository_id", name=op.f("uq_code_scans_repository_id")),
    )
    index("code_scans", "due_at")


def to_0033() -> None:
    """SBOMs of the fleet's images, and which registries are to be asked for them."""
    op.create_table(
        "sbom_looks",
        number(),
        sa.Column("inventory_id", ID, nullable=False),
        sa.Column("registry", sa.String(length=255), nullable=False),
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("index_digest", sa.String(length=160), nullable=False),
        sa.Column("is_last", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("looked_at", MOMENT),
        sa.Column("error", sa.Text()),
        *leased(),
        part_of("sbom_looks", "inventory_id", "inventories"),
        sa.UniqueConstraint("inventory_id", name=op.f("uq_sbom_looks_inventory_id")),
    )
    undone = sa.text("looked_at IS NULL")
    op.create_index("ix_sbom_looks_undone", "sbom_looks", ["due_at"], sqlite_where=undone, postgresql_where=undone)
    op.create_table(
        "sboms",
        number(),
        sa.Column("inventory_id", ID, nullable=False),
        sa.Column("document", sa.String(length=160), nullable=False),
        sa.Column("origin", sa.String(length=40), nullable=False),
        sa.Column("strength", sa.String(length=20), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("distribution", sa.JSON()),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        part_of("sboms", "inventory_id", "inventories"),
    )
    index("sboms", "inventory_id")
    op.create_table(
        "sbom_packages",
        sa.Column("sbom_id", ID, autoincrement=False, nullable=False),
        sa.Column("package_id", ID, autoincrement=False, nullable=False),
        part_of("sbom_packages", "sbom_id", "sboms"),
        refers("sbom_packages", "package_id", "packages"),
        sa.PrimaryKeyConstraint("sbom_id", "package_id", name=op.f("pk_sbom_packages")),
        sqlite_with_rowid=False,
    )
    index("sbom_packages", "package_id")


def to_0034() -> None:
    """Reports of scanners, by the images that they are about."""
    op.create_table(
        "scan_reports",
        number(),
        sa.Column("document", sa.String(length=160), nullable=False),
        sa.Column("origin", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(length=1024), nullable=False),
        sa.Column("repository_id", ID),
        sa.Column("scanned_at", MOMENT),
        sa.Column("kept_at", MOMENT, nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=False),
        part_of("scan_reports", "repository_id", "repositories"),
    )
    for column in ("document", "repository_id", "kept_at"):
        op.create_index(op.f(f"ix_scan_reports_{column}"), "scan_reports", [column])
    op.create_table(
        "scan_report_digests",
        sa.Column("report_id", ID, autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=160), nullable=False),
        part_of("scan_report_digests", "report_id", "scan_reports"),
        sa.PrimaryKeyConstraint("report_id", "digest", name=op.f("pk_scan_report_digests")),
    )
    index("scan_report_digests", "digest")


def to_0035() -> None:
    """An upload to code scanning is asked about until it was taken in."""
    op.add_column("code_scans", sa.Column("upload", sa.String(length=128)))


def to_0036() -> None:
    """What onboarding has mended in a repository, and the checks of which that was taken back."""
    for name in ("proposed", "brought", "declined"):
        op.add_column("onboardings", sa.Column(name, sa.JSON()))


def to_0037() -> None:
    """What the gate says of images, and what it let through last."""
    op.create_table(
        "gates",
        number(),
        sa.Column("image_id", ID, nullable=False),
        sa.Column("digest", sa.String(length=160)),
        sa.Column("mode", sa.String(length=16)),
        sa.Column("outcome", sa.String(length=16)),
        sa.Column("told", sa.Text()),
        sa.Column("blocking", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unfixed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("gated", sa.JSON()),
        sa.Column("owed", sa.JSON()),
        sa.Column("mark", sa.String(length=64)),
        sa.Column("judged_at", MOMENT),
        sa.Column("error", sa.Text()),
        *leased(),
        part_of("gates", "image_id", "images"),
        sa.UniqueConstraint("image_id", name=op.f("uq_gates_image_id")),
    )
    index("gates", "due_at")
    op.create_table(
        "let_through",
        sa.Column("image_id", ID, autoincrement=False, nullable=False),
        sa.Column("platform", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=160), nullable=False),
        sa.Column("inventory_id", ID, nullable=False),
        part_of("let_through", "image_id", "images"),
        part_of("let_through", "inventory_id", "inventories"),
        sa.PrimaryKeyConstraint("image_id", "platform", name=op.f("pk_let_through")),
    )
    index("let_through", "inventory_id")


def to_0038() -> None:
    """Images know the file that they are built from; links between own bases are those of images."""
    op.add_column("images", sa.Column("built_from", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("own_links") as table:
        table.add_column(sa.Column("image", sa.String(length=511), nullable=False, server_default=""))
        table.add_column(sa.Column("only_brought", sa.Boolean(), nullable=False, server_default="0"))
        table.drop_constraint(op.f("uq_own_links_repository_id_base_id"), type_="unique")
        table.create_unique_constraint(
            op.f("uq_own_links_repository_id_image_base_id"), ["repository_id", "image", "base_id"]
        )


def to_0039() -> None:
    """A mirror's copy of a quarantined digest is quarantined with it."""
    with op.batch_alter_table("quarantines") as table:
        table.add_column(sa.Column("copy_of_id", ID))
        table.create_foreign_key(
            op.f("fk_quarantines_copy_of_id_quarantines"), "quarantines", ["copy_of_id"], ["id"]
        )
        table.create_index(op.f("ix_quarantines_copy_of_id"), ["copy_of_id"])


def to_0040() -> None:
    """What OSV's API was asked, and when the records that it named were changed last."""
    op.add_column("dumps", sa.Column("asked", sa.LargeBinary()))
    op.add_column("vulnerabilities", sa.Column("modified", sa.String(length=40)))


def to_0041() -> None:
    """A quarantined digest to which a base comes back is held again, unless a person has let it go."""
    op.add_column("quarantines", sa.Column("lifted", sa.Boolean(), nullable=False, server_default="0"))
    quarantines = sa.table(
        "quarantines", sa.column("lifted", sa.Boolean()), sa.column("until"), sa.column("outcome", sa.Text())
    )
    by_person = sa.and_(quarantines.c.until.is_not(None), quarantines.c.outcome.like("lifted by %"))
    op.execute(quarantines.update().where(by_person).values(lifted=True))


def to_0042() -> None:
    """Each report names the scanner that wrote it; those of before are Trivy's."""
    scanner = sa.Column("scanner", sa.String(length=60), server_default="Trivy", nullable=False)
    op.add_column("scan_reports", scanner)


def to_0043() -> None:
    """Rebuilds know the runs that have built them, and whether the artifacts of those were read.

    Inventories know how engines name their images.
    """
    op.add_column("rebuilds", sa.Column("built_by", sa.JSON()))
    op.add_column("inventories", sa.Column("config_digest", sa.String(length=160)))
    index("inventories", "config_digest")
    op.create_table(
        "artifact_reads",
        number(),
        sa.Column("rebuild_id", ID, nullable=False),
        sa.Column("refused", sa.String(length=200)),
        sa.Column("problems", sa.Text()),
        sa.Column("read_at", MOMENT),
        sa.Column("error", sa.Text()),
        *leased(),
        part_of("artifact_reads", "rebuild_id", "rebuilds"),
        sa.UniqueConstraint("rebuild_id", name=op.f("uq_artifact_reads_rebuild_id")),
    )
    undone = sa.text("read_at IS NULL")
    op.create_index(
        "ix_artifact_reads_undone", "artifact_reads", ["due_at"], sqlite_where=undone, postgresql_where=undone
    )


def to_0044() -> None:
    """Artifacts of steps' runs and of builds outside of rebuilds are read too.

    Those of the last two days are read again; which run of a workflow ended last is known from the next look at it.
    """
    op.add_column("workflow_builds", sa.Column("ended_run", sa.BigInteger()))
    op.add_column("workflow_builds", sa.Column("ended_at", MOMENT))
    op.drop_table("artifact_reads")
    op.create_table(
        "artifact_reads",
        number(),
        sa.Column("rebuild_id", ID),
        sa.Column("step_id", ID),
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("run", sa.BigInteger()),
        sa.Column("ended_at", MOMENT),
        sa.Column("refused", sa.String(length=200)),
        sa.Column("problems", sa.Text()),
        sa.Column("read_at", MOMENT),
        sa.Column("error", sa.Text()),
        *leased(),
        part_of("artifact_reads", "rebuild_id", "rebuilds"),
        part_of("artifact_reads", "step_id", "steps"),
        part_of("artifact_reads", "repository_id", "repositories"),
        sa.UniqueConstraint("rebuild_id", name=op.f("uq_artifact_reads_rebuild_id")),
        sa.UniqueConstraint("step_id", name=op.f("uq_artifact_reads_step_id")),
        sa.UniqueConstraint("repository_id", "run", name=op.f("uq_artifact_reads_repository_id_run")),
    )
    undone = sa.text("read_at IS NULL")
    op.create_index(
        "ix_artifact_reads_undone", "artifact_reads", ["due_at"], sqlite_where=undone, postgresql_where=undone
    )


STEPS = {
    "0030": to_0030,
    "0031": to_0031,
    "0032": to_0032,
    "0033": to_0033,
    "0034": to_0034,
    "0035": to_0035,
    "0036": to_0036,
    "0037": to_0037,
    "0038": to_0038,
    "0039": to_0039,
    "0040": to_0040,
    "0041": to_0041,
    "0042": to_0042,
    "0043": to_0043,
    "0044": to_0044,
}
