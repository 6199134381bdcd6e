"""A command loads what it asks the store for, or reads of a checkout, and nothing beside.

Modules are counted, since the time that they take is another on each machine.
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli.groups import GROUPS
from bot.domain.clock import SystemClock
from bot.store.engine.database import open_database
from bot.store.engine.sqlite import Cursor
from sandbox.stored_fleet.fleet import StoredFleet
from sandbox.stored_fleet.serving import NOW
from tests.integration.cli.conftest import Command
from tests.migrated import new_sqlite

MOST_OF_A_QUESTION = 820
MOST_OF_HELP = 320
"""Every command's module is loaded for the list of them."""
SHOP = "contoso/orders-consumer"
BASE = "mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled"
QUESTIONS = {
    "status": ["status"],
    "explain": ["explain", SHOP],
    "history": ["history", BASE],
    "promises": ["promises"],
    "images": ["images"],
    "cve": ["cve"],
    "exposed": ["exposed", "CVE-2026-1001"],
    "packages": ["packages", "find", "openssl"],
    "tree": ["tree", BASE],
}
STATEMENTS = {"status": 25, "explain": 17, "images": 5, "promises": 6, "cve": 31, "tree": 18}
"""Read from the store by a question, the look at its schema included. One of those of `cve` asks for the list
that a running bot keeps, and that is not in this store."""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings of a bot whose store has a fleet of twenty repositories."""
    folder = tmp_path_factory.mktemp("loading")
    asyncio.run(_write(new_sqlite(folder / "fleet.db")))
    path = folder / "freshness.yaml"
    path.write_text(f"store: {{url: 'sqlite:///{folder}/fleet.db'}}\n")
    return path


async def _write(url: str) -> None:
    database = await open_database(url)
    await StoredFleet(database, NOW, 20, 3).write()
    await database.close()


def loaded_by(words: list[object]) -> list[str]:
    """The names of all modules that are loaded when the command has ended."""
    code = (
        "import json, sys\n"
        f"sys.argv = ['freshness-bot', *{[str(word) for word in words]!r}]\n"
        "from bot.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    sys.stdout.flush(); print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode in (0, 1, 3), ended.stderr
    modules: list[str] = json.loads(ended.stderr.splitlines()[-1])
    return modules


def of(package: str, modules: list[str]) -> list[str]:
    return [name for name in modules if name == package or name.startswith(f"{package}.")]


@pytest.mark.parametrize("words", QUESTIONS.values(), ids=QUESTIONS)
def test_a_question_to_the_store_loads_what_answers_it_and_no_client(config: Path, words: list[str]) -> None:
    modules = loaded_by([*words, "-f", "json", "-c", config])
    unwanted = ("bot.clients", "alembic", "structlog", "rich", "httpx", "github")
    assert [name for package in unwanted for name in of(package, modules)] == []
    assert len(modules) <= MOST_OF_A_QUESTION


@pytest.mark.parametrize("command", ["scan", "audit"])
def test_a_look_at_a_checkout_loads_no_store(tmp_path: Path, command: str) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    modules = loaded_by([command, tmp_path, "-f", "json"])
    assert of("bot.store", modules) + of("sqlalchemy", modules) == []


def test_what_lists_a_cluster_from_within_loads_neither_store_nor_settings() -> None:
    code = "import json, sys, bot.commands.service.running; print(json.dumps(sorted(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    modules = json.loads(ended.stdout)
    unwanted = ("bot.store", "sqlalchemy", "bot.settings", "pydantic", "github")
    assert [name for package in unwanted for name in of(package, modules)] == []


def loaded_by_the_service(*further: str) -> list[str]:
    """The names of all modules that a service has loaded when it begins to listen, and with `further` ones."""
    code = (
        f"import json, sys, {', '.join(('bot.service.running', *further))}; print(json.dumps(sorted(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    modules: list[str] = json.loads(ended.stdout)
    return modules


def test_a_service_loads_no_page_and_no_api_before_somebody_asks_it() -> None:
    unwanted = ("fastapi", "jinja2", "bot.web.api", "bot.web.pages")
    assert [name for package in unwanted for name in of(package, loaded_by_the_service())] == []


def test_a_service_loads_what_reads_and_judges_files_with_the_first_repository() -> None:
    loaded = loaded_by_the_service()
    readers = ("bot.files.audit.rules", "bot.files.formats.table", "bot.files.formats.repository")
    assert [name for package in readers for name in of(package, loaded)] == []


def test_a_service_loads_what_verifies_signatures_with_the_first_signature() -> None:
    loaded = loaded_by_the_service("bot.fleet.act.wired", "bot.fleet.verify.images.wired")
    verifiers = (
        "bot.images.signatures.cosign",
        "bot.images.signatures.notation",
        "bot.images.signatures.certificates",
    )
    assert [name for package in verifiers for name in of(package, loaded)] == []


def test_help_loads_no_library_of_store_or_settings() -> None:
    modules = loaded_by(["--help"])
    assert [*of("sqlalchemy", modules), *of("bot.store", modules), *of("bot.settings", modules)] == []
    assert len(modules) <= MOST_OF_HELP


def test_the_help_of_a_command_loads_no_other() -> None:
    modules = loaded_by(["status", "--help"])
    places = {place.partition(":")[0] for commands in GROUPS.values() for place in commands.values()}
    assert [place for place in places if f"bot.cli.commands.{place}" in modules] == ["look.status"]


@pytest.mark.parametrize("question", STATEMENTS)
def test_a_question_reads_the_store_by_as_few_statements_as_ever(
    bot: Command, config: Path, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    statements: list[str] = []
    execute = Cursor.execute

    async def counted(cursor: Cursor, statement: str, parameters: tuple[object, ...] = ()) -> Cursor:
        statements.append(statement)
        return await execute(cursor, statement, parameters)

    monkeypatch.setattr(Cursor, "execute", counted)
    monkeypatch.setattr(SystemClock, "now", lambda _: NOW)
    bot(*QUESTIONS[question], "-f", "json", "-c", config)
    read = [statement for statement in statements if statement.startswith(("SELECT", "WITH"))]
    assert len(read) == STATEMENTS[question]
