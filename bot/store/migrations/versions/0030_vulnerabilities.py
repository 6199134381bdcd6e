"""What dumps say of vulnerabilities, and which packages of images are exposed to them."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "dumps",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("ecosystem", sa.String(length=32), nullable=False),
        sa.Column("place", sa.String(length=1024), nullable=False),
        sa.Column("etag", sa.String(length=512), nullable=True),
        sa.Column("last_modified", sa.String(length=512), nullable=True),
        sa.Column("considered", sa.LargeBinary(), nullable=True),
        sa.Column("reader", sa.String(length=64), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=True),
        sa.Column("problems", sa.JSON(), nullable=True),
        sa.Column("fetched_at", _MOMENT, nullable=True),
        sa.Column("checked_at", _MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dumps")),
        sa.UniqueConstraint("ecosystem", name=op.f("uq_dumps_ecosystem")),
    )
    op.create_index(op.f("ix_dumps_due_at"), "dumps", ["due_at"], unique=False)
    op.create_table(
        "vulnerabilities",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("dump_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=True),
        sa.Column("rated_by", sa.String(length=32), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("published_at", _MOMENT, nullable=True),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["dump_id"], ["dumps.id"], name=op.f("fk_vulnerabilities_dump_id_dumps"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vulnerabilities")),
        sa.UniqueConstraint("dump_id", "name", name=op.f("uq_vulnerabilities_dump_id_name")),
    )
    op.create_table(
        "affected_packages",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("vulnerability_id", _ID, nullable=False),
        sa.Column("release", sa.String(length=64), nullable=False),
        sa.Column("affected", sa.JSON(), nullable=False),
        sa.Column("fix_seen_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["vulnerability_id"],
            ["vulnerabilities.id"],
            name=op.f("fk_affected_packages_vulnerability_id_vulnerabilities"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affected_packages")),
    )
    op.create_index(
        op.f("ix_affected_packages_vulnerability_id"), "affected_packages", ["vulnerability_id"], unique=False
    )
    op.create_table(
        "vulnerability_cves",
        sa.Column("vulnerability_id", _ID, nullable=False),
        sa.Column("cve", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["vulnerability_id"],
            ["vulnerabilities.id"],
            name=op.f("fk_vulnerability_cves_vulnerability_id_vulnerabilities"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("vulnerability_id", "cve", name=op.f("pk_vulnerability_cves")),
    )
    op.create_index(op.f("ix_vulnerability_cves_cve"), "vulnerability_cves", ["cve"], unique=False)
    op.create_table(
        "affected_names",
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("affected_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["affected_id"],
            ["affected_packages.id"],
            name=op.f("fk_affected_names_affected_id_affected_packages"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("name", "affected_id", name=op.f("pk_affected_names")),
    )
    op.create_index(op.f("ix_affected_names_affected_id"), "affected_names", ["affected_id"], unique=False)
    op.create_table(
        "exposures",
        sa.Column("affected_id", _ID, nullable=False),
        sa.Column("package_id", _ID, nullable=False),
        sa.Column("is_certain", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["affected_id"],
            ["affected_packages.id"],
            name=op.f("fk_exposures_affected_id_affected_packages"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["package_id"], ["packages.id"], name=op.f("fk_exposures_package_id_packages"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("affected_id", "package_id", name=op.f("pk_exposures")),
    )
    op.create_index(op.f("ix_exposures_package_id"), "exposures", ["package_id"], unique=False)
