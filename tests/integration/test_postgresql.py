"""What the service does over PostgreSQL, and how it stands its faults. Its contract is tested elsewhere."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from attrs import define, field
from httpx import ASGITransport, AsyncClient
from tests.cluster.postgres import PASSWORD, PostgresServer, free_port
from tests.cluster.shared import shared_server
from tests.e2e.servers import run_catalog

from catalog.adapters.sql.postgresql.scratch import scratch
from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import BookDetails, SourceRecord
from catalog.domain.callers import Caller
from catalog.domain.errors import OutcomeUnknown, StorageUnavailable
from catalog.domain.filters import Operator, of_field
from catalog.domain.ports import Storage, UnitOfWork
from catalog.domain.queries import AuthorQuery
from catalog.domain.records import Amendment
from catalog.domain.sources import Entry
from catalog.domain.use_cases.atomic import atomic
from catalog.domain.values import Isbn
from catalog.entrypoints.container import build_app, http_container
from catalog.entrypoints.settings import Settings
from catalog.entrypoints.storages import open_storage
from catalog.testing.doubles import Cataloguers, StillClock, drafted

pytestmark = pytest.mark.slow

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEADERS = {"content-type": "application/json"}


@pytest.fixture
async def url() -> AsyncGenerator[str]:
    """The URL of an empty catalogue."""
    async with scratch(shared_server().url()) as url:
        yield url


@pytest.fixture
async def empty_database() -> AsyncGenerator[str]:
    """The URL of a database with nothing in it."""
    admin = await asyncpg.connect(shared_server().url())
    await admin.execute("CREATE DATABASE empty")
    try:
        yield shared_server().url("empty")
    finally:
        await admin.execute("DROP DATABASE empty WITH (FORCE)")
        await admin.close()


@pytest.fixture
async def storage(url: str) -> AsyncGenerator[Storage]:
    """An opened, empty catalogue."""
    async with open_storage(Settings(storage=url)) as storage:
        yield storage


@pytest.fixture
def frail() -> Generator[PostgresServer]:
    """A server of this test alone, which it may harm."""
    shared_server()  # skips, where there is none
    with PostgresServer.found() as server:
        yield server


@pytest.fixture
async def client(frail: PostgresServer) -> AsyncGenerator[AsyncClient]:
    """A client of a service over the frail server."""
    async with scratch(frail.url()) as url, serving(url) as client:
        yield client


def serving(url: str) -> "Serving":
    """Return a service over the database, in this process."""
    return Serving(Settings(storage=url))


class Serving:
    """A service and its client."""

    def __init__(self, settings: Settings) -> None:
        self._container = http_container(settings)
        self._app = build_app(settings, self._container)

    async def __aenter__(self) -> AsyncClient:
        self._client = AsyncClient(
            transport=ASGITransport(self._app, raise_app_exceptions=False),
            base_url="http://localhost",
            headers=HEADERS,
            timeout=30,
        )
        return self._client

    async def __aexit__(self, *_error: object) -> None:
        await self._client.aclose()
        await self._container.close()


def catalog(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return run_catalog(*arguments, folder=Path.cwd())


def test_a_database_is_never_migrated_by_serving_it_but_by_command(empty_database: str) -> None:
    before = catalog("duplicates", "--storage", empty_database)
    upgrade = catalog("database", "--storage", empty_database, "upgrade", "--no-prompt")
    after = catalog("duplicates", "--storage", empty_database)
    check = catalog("database", "--storage", empty_database, "check")

    assert (before.returncode, "catalog database upgrade" in before.stderr) == (2, True)
    assert (upgrade.returncode, after.returncode) == (0, 0), upgrade.stderr + after.stderr
    assert "No new upgrade operations detected" in check.stdout


def test_the_migrations_lead_down_and_up_again(empty_database: str) -> None:
    for command in (["upgrade", "--no-prompt"], ["downgrade", "--no-prompt", "base"], ["upgrade", "--no-prompt"]):
        done = catalog("database", "--storage", empty_database, *command)
        assert done.returncode == 0, done.stdout + done.stderr


async def test_a_database_in_use_goes_down_to_the_days_of_one_isbn_and_up_again(url: str) -> None:
    async with open_storage(Settings(storage=url)) as storage:
        catalogue = Cataloguers(storage)
        author = await catalogue.authors.add(
            AuthorDetails(name="Ursula K. Le Guin", sort_name="Le Guin", dob=date(1929, 10, 21))
        )
        details = BookDetails(title="The Dispossessed", author_id=author.id, isbn=Isbn("9780441478125"))
        book = await catalogue.books.add(details)

    down = await asyncio.to_thread(catalog, "database", "--storage", url, "downgrade", "--no-prompt", "0003")
    connection = await asyncpg.connect(url)
    try:
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f'ALTER DATABASE "{name}" SET datestyle TO German')
        keys = await connection.fetchrow("SELECT author_up, author_down, sort_key FROM card, author")
        up = await asyncio.to_thread(catalog, "database", "--storage", url, "upgrade", "--no-prompt")
    finally:
        await connection.close()

    assert (down.returncode, up.returncode) == (0, 0), down.stderr + up.stderr
    assert keys is not None
    assert set(keys) == {"ursula k le guin"}
    async with open_storage(Settings(storage=url)) as storage:
        found = await storage.reader.author(author.id)
        assert (found.dob, found.birth) == (author.dob, author.birth)
        assert (await storage.reader.book(book.id)).identifiers == book.identifiers
        async with storage.unit_of_work(Caller()) as unit:
            found = await unit.books.find_by_isbns([(isbn, None) for isbn in book.isbns()])
            assert [each.id for each in found] == [book.id]


async def test_a_service_whose_database_is_behind_says_so_and_answers_503(empty_database: str) -> None:
    async with serving(empty_database) as client:
        ready, read = await client.get("/readyz"), await client.get("/authors")

    assert (ready.status_code, read.status_code) == (503, 503)
    assert "behind" in ready.json()["detail"]


async def test_a_database_that_is_ahead_of_the_program_is_refused(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE alembic_versions SET version_num = '9999'")
    await connection.close()

    with pytest.raises(StorageUnavailable, match="9999"):
        async with open_storage(Settings(storage=url)):
            pass


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda url: url.replace(PASSWORD, "wr0ng"), "mend user or password"),
        (lambda url: url.replace("postgres:", "nobody:"), "mend user or password"),
        (lambda url: url[: url.rindex("/")] + "/missing", "there is no database 'missing'"),
        (lambda url: url.replace("127.0.0.1:", "127.0.0.1:1"), "can not reach a PostgreSQL server"),
        (lambda url: url.replace("127.0.0.1:", "nowhere.invalid:"), "can not reach a PostgreSQL server"),
        (lambda url: url[: url.rindex("/")], "write postgresql://user:password@host/database"),
        (lambda url: url + "?sslmode=perhaps", "the URL of the database is wrong"),
        (lambda url: url + "?nonsense=1", "the URL of the database is wrong"),
        (lambda url: url.replace("postgresql:", "mysql:"), "is not a storage"),
    ],
)
def test_what_can_not_be_opened_is_refused_in_one_line_without_the_password(change: object, said: str) -> None:
    assert callable(change)
    url = change(shared_server().url())

    done = catalog("serve", "--port", "0", "--storage", url)

    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert PASSWORD not in done.stderr
    assert "wr0ng" not in done.stderr


async def test_a_user_without_the_right_to_migrate_is_told_so(empty_database: str) -> None:
    admin = await asyncpg.connect(empty_database)
    await admin.execute("DROP ROLE IF EXISTS weak")
    await admin.execute("CREATE ROLE weak LOGIN PASSWORD 'weak'")
    await admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    await admin.close()

    url = shared_server().url("empty", user="weak", password="weak")
    done = await asyncio.to_thread(catalog, "database", "--storage", url, "upgrade", "--no-prompt")

    assert done.returncode == 2
    assert "grant the right" in done.stderr
    assert "Traceback" not in done.stderr


@define
class Meeting:
    """Two units of work that lock the same two records the other way round."""

    storage: Storage
    caller: Caller = field(factory=lambda: Caller(actor="tester"))
    clock: StillClock = field(factory=StillClock)
    met: asyncio.Barrier = field(factory=lambda: asyncio.Barrier(2))
    begun: int = 0

    @atomic
    async def change(self, unit: UnitOfWork, first: Author, second: Author) -> None:
        """Change both, the first one first."""
        self.begun += 1
        author = await unit.authors.get(first.id)
        if self.begun <= 2:
            await self.met.wait()
        other = await unit.authors.get(second.id)
        for one in (author, other):
            await unit.authors.replace(one.revised(AuthorDetails(name=f"{one.name}!"), at=NOW))


async def test_units_that_lock_each_other_out_are_run_again_and_both_land(storage: Storage) -> None:
    catalogue = Cataloguers(storage)
    one, two = [await catalogue.authors.add(AuthorDetails(name=name)) for name in ("One", "Two")]
    meeting = Meeting(storage)

    await asyncio.gather(meeting.change(one, two), meeting.change(two, one))

    assert meeting.begun == 3
    assert [author.name for author in (await storage.reader.authors(AuthorQuery())).items] == ["One!!", "Two!!"]


async def test_a_frozen_server_is_answered_for_in_seconds_and_all_is_well_when_it_thaws(
    frail: PostgresServer, client: AsyncClient
) -> None:
    async def ask(path: str, content: str | None) -> tuple[int, float, str | None]:
        begun = time.monotonic()
        response = await client.request("GET" if content is None else "POST", path, content=content)
        return response.status_code, time.monotonic() - begun, response.headers.get("retry-after")

    everything = [("/authors", None), ("/authors", '{"name": "Homer"}'), ("/readyz", None)]
    assert [(await ask(*request))[0] for request in everything] == [200, 201, 200]

    frail.freeze()
    try:
        answers = [await asyncio.gather(*(ask(*request) for request in everything * 3)) for _ in range(2)]
    finally:
        frail.thaw()

    for status, seconds, retry_after in [answer for round_ in answers for answer in round_]:
        assert status == 503
        assert seconds < 5
        assert retry_after is not None
    assert [(await ask(*request))[0] for request in everything] == [200, 201, 200]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
async def test_a_server_that_is_restarted_costs_a_pause_and_nothing_that_was_acknowledged(
    frail: PostgresServer, client: AsyncClient, how: signal.Signals
) -> None:
    acknowledged: list[str] = []
    refused: list[int] = []
    is_over = asyncio.Event()

    async def write() -> None:
        while not is_over.is_set():
            response = await client.post("/authors", content='{"name": "Homer"}')
            if response.status_code == 201:
                acknowledged.append(response.json()["id"])
            else:
                refused.append(response.status_code)
                await asyncio.sleep(0.05)

    writers = [asyncio.create_task(write()) for _ in range(4)]
    await asyncio.sleep(0.5)
    await asyncio.to_thread(frail.restart, how)
    before = len(acknowledged)
    await asyncio.sleep(1.5)
    is_over.set()
    await asyncio.gather(*writers)

    assert len(acknowledged) > before
    assert set(refused) <= {503}
    for id in acknowledged:
        assert (await client.get(f"/authors/{id}")).status_code == 200


async def test_a_commit_that_nobody_confirms_is_neither_success_nor_nothing_and_a_key_settles_it(
    frail: PostgresServer, client: AsyncClient
) -> None:
    """The server waits for a standby that there is not: it has committed, and can not say so."""
    admin = await asyncpg.connect(frail.url())
    await admin.execute("SET synchronous_commit = local")

    async def standby(name: str) -> None:
        await admin.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        await admin.execute("SELECT pg_reload_conf()")
        while await admin.fetchval(
            "SELECT current_setting('synchronous_standby_names') <> $1 FROM pg_sleep(0.05)", name
        ):
            pass

    await standby("nobody")
    begun = time.monotonic()
    response = await client.post("/authors", content='{"name": "Homer"}', headers={"idempotency-key": "k1"})
    seconds = time.monotonic() - begun
    await standby("")
    again = await client.post("/authors", content='{"name": "Homer"}', headers={"idempotency-key": "k1"})
    listed = (await client.get("/authors")).json()
    await admin.close()

    assert (response.status_code, response.json()["type"]) == (503, "/problems/outcome-unknown")
    assert "retry-after" not in response.headers
    assert seconds < 5
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert [item["id"] for item in listed["items"]] == [again.json()["id"]]


async def test_an_unknown_outcome_is_an_error_of_its_own(frail: PostgresServer) -> None:
    async with scratch(frail.url()) as url, open_storage(Settings(storage=url)) as storage:
        authors = Cataloguers(storage).authors
        admin = await asyncpg.connect(url)
        await admin.execute(
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(9); RETURN NULL; END'"
        )
        await admin.execute(
            "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON author DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION wait()"
        )
        await admin.close()

        with pytest.raises(OutcomeUnknown):
            await authors.add(AuthorDetails(name="Slow"))


@pytest.fixture
def pgbouncer(tmp_path: Path) -> Generator[int]:
    """The port of a pgbouncer that gives each transaction one of two connections to the shared server."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed")
    folder = Path(tempfile.mkdtemp(prefix="catalog-pgbouncer-"))
    port = free_port()
    (folder / "users").write_text(f'"postgres" "{PASSWORD}"\n', "utf-8")
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={shared_server().port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nauth_type = scram-sha-256\nauth_file = {folder}/users\npool_mode = transaction\n"
        f"default_pool_size = 2\nunix_socket_dir =\nlogfile = {folder}/log\n",
        "utf-8",
    )
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    if user:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, "nobody")
    process = subprocess.Popen([program, str(folder / "pgbouncer.ini")], stderr=subprocess.DEVNULL, **user)
    try:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


async def test_behind_pgbouncer_it_works_and_without_the_option_the_error_names_it(url: str, pgbouncer: int) -> None:
    behind = url.replace(f":{shared_server().port}/", f":{pgbouncer}/")

    async def write(storage: Storage) -> list[BaseException]:
        catalogue = Cataloguers(storage)
        details = [AuthorDetails(name=f"Author {number}") for number in range(40)]
        answers = await asyncio.gather(*map(catalogue.authors.add, details), return_exceptions=True)
        return [answer for answer in answers if isinstance(answer, BaseException)]

    async with open_storage(Settings(storage=f"{behind}?pgbouncer=true")) as storage:
        assert await write(storage) == []
        assert (await storage.reader.authors(AuthorQuery())).total == 40
    async with open_storage(Settings(storage=behind)) as storage:
        errors: list[BaseException] = []
        for _ in range(20):  # by chance, each may find its own statements for a while
            errors = errors or await write(storage)
    assert any("?pgbouncer=true" in str(error) for error in errors), [(error, error.__cause__) for error in errors]


async def test_writers_of_one_record_queue_and_none_is_lost(storage: Storage) -> None:
    catalogue = Cataloguers(storage)
    author = await catalogue.authors.add(AuthorDetails(name="Homer"))

    await asyncio.gather(
        *(catalogue.authors.revise(author.id, Amendment({"name": f"Homer {number}"})) for number in range(40))
    )

    assert (await storage.reader.author(author.id)).version == 41


async def test_text_within_names_is_found_by_an_index(url: str, storage: Storage) -> None:
    async with storage.unit_of_work(Caller()) as unit:
        names = [f"Author {1000 + first} {5000 + second}" for first in range(50) for second in range(50)]
        ids = Cataloguers(storage).ids
        await unit.authors.add(*(Author.recorded(AuthorDetails(name=n), id=ids.new(), at=NOW) for n in names))
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("VACUUM ANALYZE author")
        await connection.execute("SET enable_seqscan = off")  # of so few, it would rather look at each
        plan = await connection.fetch("EXPLAIN SELECT id FROM author WHERE name_key LIKE '%049 5037%'")
    finally:
        await connection.close()

    assert "ix_author_name_key_trigrams" in "\n".join(row[0] for row in plan)


async def test_who_may_not_create_extensions_has_a_catalogue_without_them(tmp_path: Path) -> None:
    admin = await asyncpg.connect(shared_server().url())
    try:
        await admin.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
        await admin.execute("CREATE DATABASE guested TEMPLATE template0")
        inside = await asyncpg.connect(shared_server().url("guested"))
        await inside.execute("GRANT CREATE ON SCHEMA public TO guest")
        await inside.close()
        mine = shared_server().url("guested", user="guest", password="guest")
        command = "database", "--storage", mine, "upgrade", "--no-prompt"
        upgraded = await asyncio.to_thread(run_catalog, *command, folder=tmp_path)
        async with open_storage(Settings(storage=mine)) as storage:
            await Cataloguers(storage).authors.add(AuthorDetails(name="Homer"))
            found = await storage.reader.authors(
                AuthorQuery(filters=(of_field(Author, "name", "ome", Operator.CONTAINS),))
            )
    finally:
        await admin.execute("DROP DATABASE IF EXISTS guested WITH (FORCE)")
        await admin.execute("DROP ROLE IF EXISTS guest")
        await admin.close()

    assert upgraded.returncode == 0, upgraded.stderr
    assert [author.name for author in found.items] == ["Homer"]


async def test_the_planner_knows_of_an_import_at_once_and_of_a_single_write_when_it_likes(
    url: str, storage: Storage
) -> None:
    async def rows_that_are_known() -> float:
        connection = await asyncpg.connect(url)
        try:
            known: float = await connection.fetchval("SELECT reltuples FROM pg_class WHERE relname = 'card'")
            return known
        finally:
            await connection.close()

    cataloguers = Cataloguers(storage)
    await cataloguers.books.add(BookDetails(title="Emma", author_id=None))
    assert await rows_that_are_known() <= 0

    entries = [Entry(line=line, draft=drafted(SourceRecord("file", str(line)), f"Book {line}")) for line in range(1200)]
    async for _ in cataloguers.importing.run(entries, uuid4()):
        pass

    assert await rows_that_are_known() >= 500
