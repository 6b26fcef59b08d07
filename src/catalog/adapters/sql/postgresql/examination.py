"""Whether a PostgreSQL database is well, and the server around it. Nothing is written."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import asyncpg
from attrs import frozen

from catalog.adapters.sql import migrations
from catalog.adapters.sql.sort_keys import SORTED, is_of_today, sort_keys_found
from catalog.domain.errors import StorageUnavailable
from catalog.domain.ports import Finding, Severity

from .hosts import CONNECT_SECONDS, Hosts

OLDEST = 13
"""The oldest PostgreSQL that has all we use."""

FEWEST_FREE = 25
"""Connections that should be left: one service takes 20, and commands and people come besides."""

MOST_APART = 2.0
"""Seconds between the clocks of the server and of this machine."""

DANGEROUS = ("fsync", "full_page_writes", "synchronous_commit")

_WELL, _WARNING, _FAILED = Severity.OK, Severity.WARNING, Severity.FAILED


@frozen
class PostgresqlExamination:
    """Looks at one database, on whichever of its hosts takes writes."""

    url: str

    async def examine(self) -> AsyncGenerator[Finding]:
        """Yield what each check found; raise StorageUnavailable where no host lets us in."""
        hosts = Hosts.of(self.url)
        answers = await asyncio.gather(*(_asked(hosts, url) for url in hosts.urls), return_exceptions=True)
        connections = [answer for answer in answers if isinstance(answer, asyncpg.Connection)]
        try:
            if not connections:
                await (await hosts.connect()).close()  # which says why not
            primary = None
            for name, answer in zip(hosts.names.split(", "), answers, strict=True):
                if isinstance(answer, BaseException):
                    told = f"it can not be reached ({type(answer).__name__}: {answer}); start it, or mend the URL"
                    yield Finding(f"host {name}", _WARNING, told)
                elif await answer.fetchval("SELECT pg_is_in_recovery()"):
                    yield Finding(f"host {name}", _WELL, "a standby")
                else:
                    primary = answer
                    yield Finding(f"host {name}", _WELL, "takes writes")
            if primary is None:
                told = "all that can be reached are standbys; promote one, or start the primary"
                yield Finding("server: takes writes", _FAILED, told, is_final=True)
                return
            async for found in _examined(primary):
                yield found
        finally:
            for connection in connections:
                await connection.close()


async def _asked(hosts: Hosts, url: str) -> Any:
    """Connect to one host, whatever it is."""
    options: dict[str, Any] = {"timeout": CONNECT_SECONDS}
    if hosts.is_pooled:
        options["statement_cache_size"] = 0
    return await asyncpg.connect(url, **options)


async def _examined(connection: Any) -> AsyncGenerator[Finding]:
    for check in (_version, _encoding, _settings, _checksums, _connections, _clock, _standbys):
        yield await check(connection)
    migration = await _migration(connection)
    yield migration
    if not migration.is_final:
        yield await _indexes(connection)
        yield await _sort_keys(connection)


async def _version(connection: Any) -> Finding:
    number = int(await connection.fetchval("SHOW server_version_num"))
    told = await connection.fetchval("SHOW server_version")
    if number >= OLDEST * 10_000:
        return Finding("server: version", _WELL, told)
    return Finding("server: version", _FAILED, f"{told}; upgrade it to PostgreSQL {OLDEST} or newer")


async def _encoding(connection: Any) -> Finding:
    found = await connection.fetchval("SHOW server_encoding")
    if found == "UTF8":
        return Finding("database: encoding", _WELL, found)
    told = f"{found} has not all characters; make a database with ENCODING 'UTF8', and move there (catalog copy)"
    return Finding("database: encoding", _FAILED, told)


async def _settings(connection: Any) -> Finding:
    values = {name: await connection.fetchval(f"SHOW {name}") for name in DANGEROUS}
    off = [name for name, value in values.items() if value == "off"]
    if not off:
        told = ", ".join(f"{name} {value}" for name, value in values.items())
        return Finding("server: durability", _WELL, told)
    told = f"{', '.join(off)} off: what was acknowledged can be lost when the machine fails; turn it on"
    return Finding("server: durability", _WARNING, told)


async def _checksums(connection: Any) -> Finding:
    if await connection.fetchval("SHOW data_checksums") == "on":
        return Finding("server: checksums", _WELL, "on")
    told = (
        "data_checksums off: a damage of the disk is not noticed; turn them on (pg_checksums --enable, while stopped)"
    )
    return Finding("server: checksums", _WARNING, told)


async def _connections(connection: Any) -> Finding:
    most = int(await connection.fetchval("SHOW max_connections"))
    kept = int(await connection.fetchval("SHOW superuser_reserved_connections"))
    taken = await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
    told = f"{most - kept - taken} of {most} are free"
    if most - kept - taken >= FEWEST_FREE:
        return Finding("server: connections", _WELL, told)
    return Finding("server: connections", _WARNING, f"{told}, and a service takes up to 20; raise max_connections")


async def _clock(connection: Any) -> Finding:
    before = datetime.now(UTC)
    there = await connection.fetchval("SELECT clock_timestamp()")
    after = datetime.now(UTC)
    apart = max((before - there).total_seconds(), (there - after).total_seconds(), 0.0)
    told = f"{apart:.1f} s apart from this machine's"
    if apart <= MOST_APART:
        return Finding("server: clock", _WELL, told)
    return Finding("server: clock", _WARNING, f"{told}; let both machines take their time from a time server")


async def _standbys(connection: Any) -> Finding:
    check = partial(Finding, "server: standbys")
    wanted = await connection.fetchval("SHOW synchronous_standby_names")
    rows = await connection.fetch("SELECT application_name, state, sync_state FROM pg_stat_replication")
    streaming = [row for row in rows if row["state"] == "streaming"]
    synchronous = [row["application_name"] for row in streaming if row["sync_state"] in ("sync", "quorum")]
    if rows and not streaming and any(row["state"] is None for row in rows):
        return check(_WARNING, f"{len(rows)}, of which this user may know no more; GRANT pg_monitor to it")
    if wanted and not synchronous:
        told = f"none of the synchronous ones ({wanted}) is there, and commits wait for them; start one"
        return check(_FAILED, told)
    if synchronous:
        return check(_WELL, f"{len(streaming)}, synchronous: {', '.join(synchronous)}")
    if streaming:
        told = f"{len(streaming)}, none synchronous: what was acknowledged last is lost with this server"
        return check(_WARNING, f"{told}; set synchronous_standby_names")
    return check(_WELL, "none: one server")


async def _migration(connection: Any) -> Finding:
    check = partial(Finding, "database: migrations", is_final=True)
    applied: set[str] = set()
    if await connection.fetchval("SELECT to_regclass($1)", migrations.VERSION_TABLE) is not None:
        rows = await connection.fetch(f"SELECT version_num FROM {migrations.VERSION_TABLE}")  # noqa: S608
        applied = {row[0] for row in rows}
    try:
        migrations.must_be_newest(sorted(applied))
    except StorageUnavailable as error:
        return check(_FAILED, str(error))
    return check(_WELL, f"at {', '.join(applied)}, the newest", is_final=False)


async def _indexes(connection: Any) -> Finding:
    rows = await connection.fetch(
        "SELECT indexrelid::regclass::text FROM pg_index "
        "JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = current_schema()::regnamespace "
        "AND NOT (indisvalid AND indisready)"
    )
    if not rows:
        return Finding("database: indexes", _WELL, "all valid")
    names = ", ".join(row[0] for row in rows)
    return Finding("database: indexes", _FAILED, f"{names} can not be used; REINDEX INDEX {rows[0][0]}")


async def _sort_keys(connection: Any) -> Finding:
    wrong = 0
    async with connection.transaction(readonly=True):
        for statement in SORTED:
            async for row in connection.cursor(statement, prefetch=5_000):
                wrong += not is_of_today(*row)
    return sort_keys_found(wrong)
