"""Waves, budgets, images, ages and steps: the steps of stores from 0001 to 0017."""

import json
import re

import sqlalchemy as sa
from alembic import op

from bot.store.migrations.writing import ID, MOMENT, index, leased, number, part_of, refers

revision = "0017"
down_revision = None

_TOGETHER = 1000
_PATCH = re.compile(r"(\d+\.\d+\.\d+)(?:-\d+)?(?:-[a-z].*)?", re.ASCII)


def to_0002() -> None:
    """Tables and columns take the words of the design: tasks, and the versions of facts and text.

    The tasks are copied into a new table, since a renamed one would keep the old names of its constraints.
    """
    op.create_table(
        "tasks",
        number(),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("mark", sa.String(length=255)),
        *leased(),
        sa.UniqueConstraint("name", name=op.f("uq_tasks_name")),
    )
    index("tasks", "due_at")
    op.execute(
        "INSERT INTO tasks (name, mark, due_at, attempts, lease_owner, lease_until) "
        "SELECT name, mark, due_at, attempts, lease_owner, lease_until FROM chores"
    )
    op.drop_table("chores")
    op.alter_column("rebuilds", "explained", new_column_name="facts_version")
    op.alter_column("rebuilds", "worded", new_column_name="text_version")


def to_0003() -> None:
    """Revisions tell what was considered; what nothing refers to, and what is not assessed, can be found.

    Whatever waits is considered once more, which makes nothing later: the clocks of before tell no order. Every
    repository is read again when its turn comes, since nobody knows which files it holds.
    """
    op.add_column("changes", sa.Column("assessed_revision", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("rebuilds", sa.Column("considered_revision", sa.BigInteger(), server_default="0", nullable=False))
    op.drop_column("rebuilds", "considered_at")
    op.execute("UPDATE changes SET assessed_revision = 1 WHERE rollout_id IS NOT NULL")
    op.execute("INSERT INTO counters (name, value) SELECT 'assessments', 1 WHERE EXISTS (SELECT id FROM changes)")
    op.create_table(
        "repository_blobs",
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("sha", sa.String(length=64), nullable=False),
        part_of("repository_blobs", "repository_id", "repositories"),
        sa.PrimaryKeyConstraint("repository_id", "sha", name=op.f("pk_repository_blobs")),
    )
    index("repository_blobs", "sha")
    op.add_column("blobs", sa.Column("fetched_at", MOMENT))
    op.execute("UPDATE blobs SET fetched_at = CURRENT_TIMESTAMP")
    op.execute("UPDATE repositories SET tree = NULL")
    op.create_index(
        "ix_observations_unassessed",
        "observations",
        ["id"],
        sqlite_where=sa.text("assessed IS 0"),
        postgresql_where=sa.text("assessed IS false"),
    )


def to_0004() -> None:
    """A digest that a base showed before is news only once two polls in a row have shown it again."""
    op.add_column("bases", sa.Column("unconfirmed", sa.String(length=160)))


def to_0005() -> None:
    """Repositories by the forge's own ids, pull requests and runs by their node ids, how often a run was asked for.

    Old rows get their ids with the next listing, and with the next look at each pull request and run.

    Columns are added and nothing is rebuilt: SQLite cannot drop a table to which others refer.
    """
    op.add_column("repositories", sa.Column("forge_id", sa.BigInteger()))
    op.add_column("repositories", sa.Column("node_id", sa.String(length=128)))
    op.create_index(op.f("ix_repositories_forge_id"), "repositories", ["forge_id"], unique=True)
    op.add_column("rebuilds", sa.Column("node_id", sa.String(length=128)))
    op.add_column("rebuilds", sa.Column("dispatches", sa.Integer(), server_default="0", nullable=False))


def to_0006() -> None:
    """Rollouts go in waves, can be paused, and a bad base can be quarantined; what people asked for is kept.

    What was planned before may begin as it always could.
    """
    for column in (
        sa.Column("severity", sa.String(length=16)),
        sa.Column("soak_seconds", sa.Integer()),
        sa.Column("waits_since", MOMENT),
        sa.Column("overdue_at", MOMENT),
        sa.Column("released_at", MOMENT),
        sa.Column("at_request", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("held_because", sa.Text()),
        sa.Column("quarantine_id", ID),
        sa.Column("retried_as", ID),
        sa.Column("call_off", sa.Text()),
    ):
        op.add_column("rebuilds", column)
    index("rebuilds", "quarantine_id")
    op.execute("UPDATE rebuilds SET waits_since = planned_at, released_at = planned_at")
    op.create_table(
        "rollout_waves",
        sa.Column("rollout_id", ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("began_at", MOMENT),
        sa.Column("done_since", MOMENT),
        sa.Column("set_aside", sa.Integer(), server_default="0", nullable=False),
        refers("rollout_waves", "rollout_id", "rollouts"),
        sa.PrimaryKeyConstraint("rollout_id", "name", name=op.f("pk_rollout_waves")),
    )
    op.create_table(
        "pauses",
        number(),
        sa.Column("rollout_id", ID),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("who", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", MOMENT),
        refers("pauses", "rollout_id", "rollouts"),
    )
    index("pauses", "rollout_id")
    op.create_table(
        "quarantines",
        number(),
        sa.Column("base_id", ID, nullable=False),
        sa.Column("digest", sa.String(length=160), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("who", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", MOMENT),
        sa.Column("outcome", sa.Text()),
        refers("quarantines", "base_id", "bases"),
    )
    index("quarantines", "base_id")
    op.create_table(
        "journal",
        number(),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("who", sa.String(length=255), nullable=False),
        sa.Column("is_claimed", sa.Boolean(), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=512), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )


def to_0007() -> None:
    """What has been written is counted for each account, so that several replicas keep within one budget."""
    op.create_table(
        "budgets",
        sa.Column("account", sa.String(length=255), nullable=False),
        sa.Column("next_at", MOMENT),
        sa.Column("room_at", MOMENT),
        sa.Column("stopped_since", MOMENT),
        sa.Column("stopped_until", MOMENT),
        sa.Column("stopped_because", sa.Text()),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_budgets")),
    )
    op.create_table(
        "spendings",
        number(),
        sa.Column("account", sa.String(length=255), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("contents", sa.Integer(), nullable=False),
    )
    index("spendings", "account", "at")


def to_0008() -> None:
    """A merged pull request is followed to the build of its merge commit.

    What ended before has ended; what was built then counts from its end.
    """
    for column in (
        sa.Column("merge_commit", sa.String(length=64)),
        sa.Column("merge_node", sa.String(length=128)),
        sa.Column("merged_at", MOMENT),
        sa.Column("built_at", MOMENT),
    ):
        op.add_column("rebuilds", column)
    op.execute("UPDATE rebuilds SET built_at = ended_at WHERE action = 'dispatch' AND state = 'succeeded'")


def to_0009() -> None:
    """How each repository stands is counted from indexes and kept: what a usage pins is written beside it.

    Events that came in are remembered, so that one that is sent twice counts once.

    What usages pin is filled in from what was read.
    """
    op.add_column("usages", sa.Column("digest", sa.String(length=160)))
    op.add_column("usages", sa.Column("version", sa.String(length=64)))
    _fill()
    op.drop_index(op.f("ix_usages_base_id"), "usages")
    index("usages", "base_id", "repository_id")
    index("usages", "repository_id", "base_id", "digest", "version")
    index("rebuilds", "repository_id", "state", "ended_at")
    index("changes", "base_id")
    op.create_table(
        "standings",
        sa.Column("repository_id", ID, autoincrement=False, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("standing", sa.String(length=16), nullable=False),
        sa.Column("since", MOMENT),
        sa.Column("latest_rebuild", ID),
        part_of("standings", "repository_id", "repositories"),
        sa.PrimaryKeyConstraint("repository_id", name=op.f("pk_standings")),
    )
    index("standings", "standing")
    op.create_table(
        "standing_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("standing", sa.String(length=16), nullable=False),
        sa.Column("repositories", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "standing", name=op.f("pk_standing_days")),
    )
    op.create_table(
        "deliveries",
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("delivery", sa.String(length=128), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("source", "delivery", name=op.f("pk_deliveries")),
    )
    index("deliveries", "at")


def _fill() -> None:
    connection = op.get_bind()
    usages = sa.table("usages", sa.column("id"), sa.column("base_id"), sa.column("usage", sa.Text))
    changed = sa.text("UPDATE usages SET digest = :digest, version = :version WHERE id = :row")
    last = 0
    while True:
        rows = connection.execute(
            sa.select(usages.c.id, sa.cast(usages.c.usage, sa.Text).label("usage"))
            .where(usages.c.id > last, usages.c.base_id.is_not(None))
            .order_by(usages.c.id)
            .limit(_TOGETHER)
        ).all()
        if not rows:
            return
        pinned = [{"row": row.id, **pins} for row in rows if (pins := _pins(row.usage))]
        if pinned:
            connection.execute(changed, pinned)
        last = rows[-1].id


def _pins(usage: str) -> dict[str, str | None]:
    """As the store writes them from this version on; what cannot be read pins nothing that is known."""
    try:
        reference = json.loads(usage)["reference"]
        digest, tag, name = reference["digest"], reference["tag"] or "", reference["name"]
    except (ValueError, KeyError, TypeError):
        return {}
    patch = _PATCH.fullmatch(tag) if re.search(r"(?:^|/)dotnet/(?!framework/)", name) else None
    version = patch[1] if patch and digest is None else None
    return {"digest": digest, "version": version} if digest or version else {}


def to_0010() -> None:
    """The images that the fleet produces, what they stand on, and where images are run."""
    op.create_table(
        "images",
        number(),
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("registry", sa.String(length=255), nullable=False),
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("tag", sa.String(length=128), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("found", sa.String(length=128)),
        sa.Column("digest", sa.String(length=160)),
        sa.Column("seen_at", MOMENT),
        sa.Column("looked_at", MOMENT),
        sa.Column("platforms", sa.JSON()),
        sa.Column("declared", sa.JSON()),
        sa.Column("standings", sa.JSON()),
        sa.Column("behind_since", MOMENT),
        sa.Column("sourced_from", sa.Text()),
        sa.Column("error", sa.Text()),
        *leased(),
        part_of("images", "repository_id", "repositories"),
        sa.UniqueConstraint(
            "repository_id", "registry", "repository", name=op.f("uq_images_repository_id_registry_repository")
        ),
    )
    index("images", "due_at")
    index("images", "registry", "repository")
    op.create_table(
        "deployments",
        number(),
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("registry", sa.String(length=255), nullable=False),
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("tag", sa.String(length=128)),
        sa.Column("digest", sa.String(length=160)),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        part_of("deployments", "repository_id", "repositories"),
    )
    index("deployments", "repository_id")
    index("deployments", "registry", "repository")


def to_0011() -> None:
    """A message may be told in several places, and rests a moment before it is edited again.

    What was told up to now was told in Slack.
    """
    with op.batch_alter_table("outbox") as table:
        table.add_column(sa.Column("destination", sa.String(length=80), server_default="", nullable=False))
        table.add_column(sa.Column("rests_until", MOMENT))
        table.drop_constraint(op.f("uq_outbox_key"), type_="unique")
        table.create_unique_constraint(op.f("uq_outbox_key_destination"), ["key", "destination"])
    op.execute("UPDATE outbox SET destination = 'slack'")


def to_0012() -> None:
    """What a rebuild's image was seen to show, and whether a build asks for the newest base.

    What ended before was never looked at.
    """
    op.add_column("rebuilds", sa.Column("proof", sa.String(length=16)))
    op.add_column("images", sa.Column("pulls", sa.Boolean()))


def to_0013() -> None:
    """What is still to be considered anew is found by an index: without it, each tick searches all that waits."""
    index("rebuilds", "rollout_id", "state", "considered_revision")
    op.drop_index(op.f("ix_rebuilds_rollout_id"), table_name="rebuilds")


def to_0014() -> None:
    """Whether a pull request merges by itself."""
    op.add_column("rebuilds", sa.Column("merging", sa.String(length=16)))


def to_0015() -> None:
    """The builds of each rebuild workflow are kept, and a rollout says what it is for where no base has moved.

    Rollouts so far are all about bases that moved.
    """
    op.add_column("rollouts", sa.Column("occasion", sa.String(length=16), server_default="change", nullable=False))
    op.create_table(
        "workflow_builds",
        number(),
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("workflow", sa.String(length=128), nullable=False),
        sa.Column("max_age_seconds", sa.Integer()),
        sa.Column("node_id", sa.String(length=128)),
        sa.Column("builds", sa.JSON(), nullable=False),
        sa.Column("last_success", MOMENT),
        sa.Column("read_at", MOMENT),
        sa.Column("tree", sa.String(length=64)),
        sa.Column("changed_at", MOMENT),
        sa.Column("error", sa.Text()),
        sa.Column("judged", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("standing", sa.String(length=16)),
        sa.Column("said", sa.Text()),
        sa.Column("plan_at", MOMENT),
        sa.Column("told_at", MOMENT),
        *leased(),
        part_of("workflow_builds", "repository_id", "repositories"),
        sa.UniqueConstraint("repository_id", "workflow", name=op.f("uq_workflow_builds_repository_id_workflow")),
    )
    for name in ("due_at", "judged", "plan_at"):
        op.create_index(op.f(f"ix_workflow_builds_{name}"), "workflow_builds", [name])


def to_0016() -> None:
    """Each repository may have one issue, in which everything stands that the bot has to say there."""
    op.create_table(
        "issues",
        number(),
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("number", sa.Integer()),
        sa.Column("url", sa.Text()),
        sa.Column("is_open", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Text()),
        sa.Column("error", sa.Text()),
        *leased(),
        refers("issues", "repository_id", "repositories"),
        sa.UniqueConstraint("repository_id", name=op.f("uq_issues_repository_id")),
    )
    index("issues", "due_at")
    op.create_table(
        "issue_sections",
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        refers("issue_sections", "repository_id", "repositories"),
        sa.PrimaryKeyConstraint("repository_id", "name", name=op.f("pk_issue_sections")),
    )


def to_0017() -> None:
    """A rebuild goes on to its steps once its build is green.

    What is under way ends with its build, as it was planned.
    """
    op.add_column("rebuilds", sa.Column("steps", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "steps",
        number(),
        sa.Column("rebuild_id", ID, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("step", sa.JSON(), nullable=False),
        sa.Column("start", sa.String(length=16), nullable=False),
        sa.Column("elsewhere", sa.String(length=255)),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("began_at", MOMENT),
        sa.Column("since", MOMENT),
        sa.Column("deadline", MOMENT),
        sa.Column("waits_since", MOMENT),
        sa.Column("attempted_at", MOMENT),
        sa.Column("correlation", sa.String(length=64)),
        sa.Column("dispatches", sa.Integer(), server_default="0", nullable=False),
        sa.Column("run", sa.BigInteger()),
        sa.Column("node_id", sa.String(length=128)),
        sa.Column("url", sa.Text()),
        sa.Column("ended_at", MOMENT),
        *leased(),
        refers("steps", "rebuild_id", "rebuilds"),
        sa.UniqueConstraint("correlation", name=op.f("uq_steps_correlation")),
    )
    index("steps", "rebuild_id")
    index("steps", "due_at")


STEPS = {
    "0002": to_0002,
    "0003": to_0003,
    "0004": to_0004,
    "0005": to_0005,
    "0006": to_0006,
    "0007": to_0007,
    "0008": to_0008,
    "0009": to_0009,
    "0010": to_0010,
    "0011": to_0011,
    "0012": to_0012,
    "0013": to_0013,
    "0014": to_0014,
    "0015": to_0015,
    "0016": to_0016,
    "0017": to_0017,
}
