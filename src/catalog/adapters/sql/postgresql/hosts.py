"""Which hosts a URL names, and a connection to the one of them that takes writes."""

import asyncio
import re
from collections.abc import Collection
from typing import Any

import asyncpg
from attrs import field, frozen

from catalog.domain.errors import StorageUnavailable

CONNECT_SECONDS = 1.5
"""How long one host may take to let us in: a frozen machine takes connections, and says nothing."""

SEARCH_SECONDS = 2.0
"""How long all hosts together are asked for the one that takes writes."""

COMMAND_SECONDS = 3.0
"""How long one statement may take to be answered."""

_PAUSE_SECONDS = 0.1

_URL = re.compile(
    r"(?P<scheme>postgres(ql)?(\+asyncpg)?)://((?P<user>[^/?#]*)@)?(?P<hosts>[^/?#@]*)(/(?P<database>[^?#]*))?"
    r"(\?(?P<options>[^#]*))?"
)
_OWN_OPTION = re.compile(r"(^|&)pgbouncer=(?P<value>[^&]*)")

# What another attempt may find otherwise; all else that a server or the driver says of a URL is final.
_PASSING = (
    asyncpg.CannotConnectNowError,
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TargetServerAttributeNotMatched,
    OSError,
    TimeoutError,
)


@frozen
class Hosts:
    """The hosts that a URL names, each as the URL of it alone."""

    urls: Collection[str] = field(repr=False)
    names: str
    """The hosts, for people; no password."""
    database: str
    is_pooled: bool
    """Whether pgbouncer stands between, which gives each transaction another connection."""

    @classmethod
    def of(cls, url: str) -> "Hosts":
        """Return the hosts of `postgresql://user:password@host1:port,host2/database?option=value`.

        Options are those of asyncpg (sslmode, sslrootcert, passfile, …), and `pgbouncer=true`. Raises
        StorageUnavailable where it is no such URL.
        """
        match = _URL.fullmatch(url)
        if match is None or not match["database"]:
            raise StorageUnavailable(
                "that is no URL of a PostgreSQL database; write postgresql://user:password@host/database, "
                "or postgresql://user:password@host1:5432,host2:5432/database for a cluster; "
                "characters like / ? # @ in a password are written as %2F %3F %23 %40"
            )
        options = match["options"] or ""
        pgbouncer = _OWN_OPTION.search(options)
        options = _OWN_OPTION.sub("", options).removeprefix("&")
        user = f"{match['user']}@" if match["user"] else ""
        tail = f"/{match['database']}" + (f"?{options}" if options else "")
        names = match["hosts"].split(",")
        return cls(
            urls=[f"postgresql://{user}{name}{tail}" for name in names],
            names=", ".join(names) if match["hosts"] else "the local socket",
            database=match["database"],
            is_pooled=pgbouncer is not None and pgbouncer["value"].lower() in {"true", "1", "yes"},
        )

    async def connect(self, *, command_seconds: float | None = COMMAND_SECONDS, **_given: Any) -> Any:
        """Connect to the host that takes writes; raise StorageUnavailable.

        All hosts are asked at once, again and again, so that neither a frozen one nor a change of the leader costs
        more than it must.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + SEARCH_SECONDS
        while True:
            found, error = await self._first(command_seconds)
            if found is not None:
                return found
            if error is not None and not isinstance(error, _PASSING):
                raise StorageUnavailable(self._refusal(error)) from error
            if loop.time() + _PAUSE_SECONDS >= end:
                raise StorageUnavailable(
                    f"can not reach a PostgreSQL server that takes writes at {self.names} ({_told(error)}); "
                    "start it, or name another host"
                ) from error
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _first(self, command_seconds: float | None) -> tuple[Any, BaseException | None]:
        """Return the first connection to a host that takes writes, or why there is none."""
        attempts = {asyncio.ensure_future(self._connect(url, command_seconds)) for url in self.urls}
        error: BaseException | None = None
        try:
            while attempts:
                done, _ = await asyncio.wait(attempts, return_when=asyncio.FIRST_COMPLETED)
                for attempt in done:
                    attempts.remove(attempt)
                    if attempt.exception() is None:
                        return attempt.result(), None
                    if error is None or not isinstance(attempt.exception(), asyncpg.TargetServerAttributeNotMatched):
                        error = attempt.exception()
            return None, error
        finally:
            for attempt in attempts:
                attempt.cancel()
                attempt.add_done_callback(_let_go)

    async def _connect(self, url: str, command_seconds: float | None) -> Any:
        options: dict[str, Any] = {"timeout": CONNECT_SECONDS, "command_timeout": command_seconds}
        if self.is_pooled:  # the next transaction finds another server, which knows no statement of ours
            options["statement_cache_size"] = 0
        return await asyncpg.connect(url, target_session_attrs="read-write", **options)

    def _refusal(self, error: BaseException) -> str:
        match error:
            case asyncpg.InvalidCatalogNameError():
                return f"there is no database {self.database!r} at {self.names}; make it with createdb, or name another"
            case asyncpg.InvalidAuthorizationSpecificationError():
                return f"PostgreSQL at {self.names} lets nobody in: {_told(error)}; mend user or password in the URL"
            case asyncpg.InsufficientPrivilegeError():
                return f"PostgreSQL at {self.names} says: {_told(error)}; grant the right, or name another user"
            case _:
                return f"the URL of the database is wrong: {_told(error)}"


def with_database(url: str, name: str) -> str:
    """Return the URL with another database in it."""
    match = _URL.fullmatch(url)
    assert match is not None  # noqa: S101 - whoever asks has connected by it
    return f"{url[: match.start('database')]}{name}{url[match.end('database') :]}"


def _let_go(attempt: "asyncio.Future[Any]") -> None:
    """Let go of a connection that came too late."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().terminate()


def _told(error: BaseException | None) -> str:
    text = str(error).partition("\n")[0]
    return text or type(error).__name__
