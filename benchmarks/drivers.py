"""asyncpg against psycopg 3: how fast, and how they keep a caller's time limit. `python -m benchmarks.drivers` (90 s).

psycopg is not among our dependencies: `pip install 'psycopg[binary]'` into an environment of its own first.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from tests.cluster.postgres import HOST, PASSWORD, USER, PostgresServer

from .tables import print_table, ratios, spread

ROUNDS = 5
SECONDS = 2.0
LIMIT = 4.0
"""Seconds that a caller is ready to wait for a server that is frozen."""

SET_UP = (
    "CREATE TABLE thing (id int PRIMARY KEY, name text, at timestamptz)",
    "INSERT INTO thing SELECT n, 'thing ' || n, now() FROM generate_series(1, 1000) AS n",
    "CREATE TABLE counter AS SELECT 1 AS id, 0 AS seq",
)
READ = text("SELECT id, name, at FROM thing ORDER BY name, id LIMIT 10")
LOCK = text("SELECT * FROM thing WHERE id = 7 FOR UPDATE")
COUNT = text("UPDATE counter SET seq = seq + 1 WHERE id = 1")

Work = Callable[[AsyncEngine], Awaitable[None]]


def drivers(server: PostgresServer) -> Mapping[str, Callable[[], AsyncEngine]]:
    """Return what makes an engine over each driver, with the limits that each of them knows."""
    address = f"{USER}:{PASSWORD}@{HOST}:{server.port}/postgres"

    async def connect(**_given: object) -> object:
        return await asyncpg.connect(f"postgresql://{address}", timeout=1.5, command_timeout=3)

    limits = "connect_timeout=2&tcp_user_timeout=3000"
    return {
        "asyncpg": lambda: create_async_engine("postgresql+asyncpg://", async_creator=connect, pool_size=16),
        "psycopg": lambda: create_async_engine(f"postgresql+psycopg://{address}?{limits}", pool_size=16),
    }


async def read(engine: AsyncEngine) -> None:
    """Read ten rows."""
    async with engine.connect() as connection:
        (await connection.execute(READ)).all()


async def write(engine: AsyncEngine) -> None:
    """Lock a row, and count in another."""
    async with engine.begin() as connection:
        await connection.execute(LOCK)
        await connection.execute(COUNT)


async def per_second(engine: AsyncEngine, work: Work, tasks: int) -> float:
    """Return how often it is done by so many tasks at once."""
    done = 0
    end = time.perf_counter() + SECONDS

    async def go_on() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await work(engine)
            done += 1

    await asyncio.gather(*(go_on() for _ in range(tasks)))
    return done / SECONDS


async def seconds_until_back(engine: AsyncEngine, server: PostgresServer) -> float:
    """Return after how long a caller with a limit is back, when the server freezes between two of his questions."""
    await read(engine)
    server.freeze()
    begun = time.perf_counter()
    try:
        async with asyncio.timeout(LIMIT):
            await read(engine)
    except Exception:  # noqa: BLE001 - whatever it is, the time is what counts
        return time.perf_counter() - begun
    finally:
        server.thaw()
    raise AssertionError("a frozen server has answered")


async def main() -> None:
    """Print the tables."""
    with PostgresServer.found(fsync=True) as server:
        connection = await asyncpg.connect(server.url())
        for statement in SET_UP:
            await connection.execute(statement)
        await connection.close()
        cases: dict[str, tuple[Work, int]] = {
            f"{name}, {tasks} task{'s' * (tasks > 1)}": (work, tasks)
            for name, work in (("read ten rows", read), ("lock and count", write))
            for tasks in (1, 16)
        }
        measured: dict[str, dict[str, list[float]]] = {case: {} for case in cases}
        for number in range(ROUNDS):
            for name, make in sorted(drivers(server).items(), reverse=bool(number % 2)):
                engine = make()
                await read(engine)
                for case, (work, tasks) in cases.items():
                    measured[case].setdefault(name, []).append(await per_second(engine, work, tasks))
                await engine.dispose()
        rows = [[case, spread(ratios(by["asyncpg"], by["psycopg"]))] for case, by in measured.items()]
        print_table(["", "asyncpg as a ratio to psycopg"], rows)
        rows = []
        for name, make in drivers(server).items():
            engine = make()
            rows.append([name, spread([await seconds_until_back(engine, server) for _ in range(2)], 1)])
            await engine.dispose()
        print_table([f"frozen server, limit {LIMIT:g} s", "seconds until the caller is back"], rows)


if __name__ == "__main__":
    asyncio.run(main())
