"""Which schema this version knows is read from the names of the migrations, of which none is loaded for that."""

from alembic.config import Config
from alembic.script import ScriptDirectory

import bot.store
from bot.store.engine.database import newest_revision


def migrations() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", f"{bot.store.__path__[0]}/migrations")
    return ScriptDirectory.from_config(config)


def test_it_is_the_one_that_no_migration_follows() -> None:
    assert newest_revision() == migrations().get_current_head()


def test_every_file_begins_with_its_revision() -> None:
    scripts = list(migrations().walk_revisions())
    assert [script.module.__name__.partition("_")[0] for script in scripts] == [each.revision for each in scripts]
