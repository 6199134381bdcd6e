"""Which schema this version knows is read from the names of the migrations, of which none is loaded for that."""

from alembic.config import Config
from alembic.script import ScriptDirectory

import bot.store
from bot.store.engine.database import migrations, newest_revision
from bot.store.migrations.steps import FIRST, steps_from


def scripts() -> ScriptDirectory:
    """As Alembic reads the files: each says which one it follows."""
    config = Config()
    config.set_main_option("script_location", f"{bot.store.__path__[0]}/migrations")
    return ScriptDirectory.from_config(config)


def test_it_is_the_one_that_no_migration_follows() -> None:
    assert newest_revision() == scripts().get_current_head()


def test_every_file_begins_with_its_revision_and_follows_the_one_before() -> None:
    first_to_last = list(scripts().walk_revisions())[::-1]
    names = [path.name.partition("_")[0] for path in migrations()]
    assert [script.revision for script in first_to_last] == names
    assert [script.down_revision for script in first_to_last] == [None, *names[:-1]]


def test_steps_lead_from_each_revision_to_a_later_one() -> None:
    steps = steps_from(FIRST, migrations())
    assert steps is not None
    reached = [FIRST, *(revision for revision, _ in steps)]
    assert reached == sorted(set(reached))
    assert reached[-1] == newest_revision()
