"""What /livez and /readyz say of a database."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from tests.integration.databases import REVISIONS, run_sql

from catalog.adapters.sql.migrations import VERSION_TABLE
from catalog.entrypoints.container import build_app
from catalog.entrypoints.settings import Settings

OTHER_MIGRATIONS = {
    "an older migration": f"UPDATE {VERSION_TABLE} SET version_num = '0000'",
    "a migration of a newer program": f"UPDATE {VERSION_TABLE} SET version_num = '9999'",
    "a second branch": f"INSERT INTO {VERSION_TABLE} VALUES ('9999')",
    "no migration": f"DELETE FROM {VERSION_TABLE}",
    "no table of migrations": f"DROP TABLE {VERSION_TABLE}",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "catalog.db"


@pytest.fixture
async def client(path: Path) -> AsyncGenerator[AsyncTestClient[Litestar]]:
    """A client of a service on a fresh database."""
    app = build_app(Settings(storage=f"sqlite:///{path}"))
    async with AsyncTestClient(app, base_url="http://localhost") as client:
        yield client


async def test_a_service_on_a_fresh_database_is_ready(client: AsyncTestClient[Litestar]) -> None:
    assert (await client.get("/readyz")).status_code == 200


@pytest.mark.parametrize("change", OTHER_MIGRATIONS)
async def test_a_service_whose_database_is_not_at_its_migration_is_not_ready(
    client: AsyncTestClient[Litestar], path: Path, change: str
) -> None:
    run_sql(path, OTHER_MIGRATIONS[change])

    response = await client.get("/readyz")

    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert "retry-after" in response.headers


async def test_a_service_that_is_not_ready_says_why(client: AsyncTestClient[Litestar], path: Path) -> None:
    run_sql(path, OTHER_MIGRATIONS["a migration of a newer program"])

    detail = (await client.get("/readyz")).json()["detail"]

    assert "9999" in detail
    assert REVISIONS[-1] in detail


@pytest.mark.parametrize("change", OTHER_MIGRATIONS)
async def test_a_service_whose_database_is_not_at_its_migration_lives(
    client: AsyncTestClient[Litestar], path: Path, change: str
) -> None:
    run_sql(path, OTHER_MIGRATIONS[change])

    assert (await client.get("/livez")).status_code == 200


async def test_a_service_is_ready_again_once_its_database_is(client: AsyncTestClient[Litestar], path: Path) -> None:
    run_sql(path, OTHER_MIGRATIONS["an older migration"])
    assert (await client.get("/readyz")).status_code == 503

    run_sql(path, f"UPDATE {VERSION_TABLE} SET version_num = '{REVISIONS[-1]}'")

    assert (await client.get("/readyz")).status_code == 200
