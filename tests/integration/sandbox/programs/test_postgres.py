import psycopg

from sandbox.programs.postgres import PostgresServer


def test_each_test_gets_an_empty_database_of_its_own(postgres: PostgresServer, postgres_url: str) -> None:
    other = postgres.create_database()
    assert other != postgres_url
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE base (name text)")
    with psycopg.connect(other) as connection:
        found = connection.execute("SELECT to_regclass('base')").fetchone()
    assert found == (None,)


def test_rows_can_be_claimed_past_the_locks_of_others(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as first, psycopg.connect(postgres_url) as second:
        first.execute("CREATE TABLE rebuild AS SELECT generate_series(1, 2) AS id")
        first.commit()
        claim = "SELECT id FROM rebuild ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
        assert first.execute(claim).fetchone() == (1,)
        assert second.execute(claim).fetchone() == (2,)


def test_it_listens_on_loopback_alone(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.create_database()) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)


def test_what_was_made_for_one_test_is_dropped_after_it_although_somebody_is_connected(
    postgres: PostgresServer,
) -> None:
    with postgres.databases() as create:
        connected = psycopg.connect(create(None))
    named = "SELECT count(*) FROM pg_database WHERE datname = %s"
    with psycopg.connect(postgres.create_database()) as connection:
        assert connection.execute(named, (connected.info.dbname,)).fetchone() == (0,)
    connected.close()
