"""Everything that can be set: by option, by environment (CATALOG_…) or by a TOML file; the first to say it counts."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

from attrs import field, fields, fields_dict, frozen, validators

from catalog.domain.constraints import Doc, metadata_of

ENVIRONMENT_PREFIX = "CATALOG_"
DEFAULT_FILE = Path("catalog.toml")
A_DAY = 86_400.0
A_YEAR_OF_HOURS = 8_784.0


_KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


class InvalidSettings(Exception):
    """A setting that can not be; the message says which, where it came from and what would be right."""


@frozen(kw_only=True)
class Settings:
    """The settings of one running catalogue."""

    storage: Annotated[
        str, Doc("where the catalogue is kept: sqlite:///FILE, postgresql://USER:PASSWORD@HOST/DATABASE or memory://")
    ] = "sqlite:///catalog.db"
    host: Annotated[str, Doc("the address to listen on")] = "127.0.0.1"
    port: Annotated[int, Doc("the port to listen on; 0 takes a free one")] = field(
        default=8000, validator=[validators.ge(0), validators.le(65535)]
    )
    allow_remote: Annotated[
        bool, Doc("listen on an address that other machines reach, although anybody there may change everything")
    ] = False
    allowed_hosts: Annotated[
        tuple[str, ...], Doc("host names this service answers to, besides localhost and addresses; * for any")
    ] = ()
    allowed_origins: Annotated[
        tuple[str, ...], Doc("origins (https://shop.example) whose pages may write, besides our own")
    ] = ()
    max_body_bytes: Annotated[int, Doc("the largest request body")] = field(
        default=1_048_576, validator=validators.ge(1024)
    )
    imports_folder: Annotated[
        str,
        Doc(
            "the folder that keeps files until they are imported, and reports; "
            "empty for one beside the SQLite file, or among the temporary files"
        ),
    ] = ""
    body_timeout_seconds: Annotated[
        float, Doc("how long a request body may take to arrive, or the next part of a file that is to be imported")
    ] = field(default=30.0, validator=[validators.gt(0), validators.le(A_DAY)])
    shutdown_seconds: Annotated[float, Doc("how long requests in flight may go on when the service stops")] = field(
        default=10.0, validator=[validators.gt(0), validators.le(A_DAY)]
    )
    trust_actor_header: Annotated[
        bool, Doc("write the X-Actor header into the log as who did it; only behind a proxy that sets it")
    ] = False
    idempotency_hours: Annotated[
        float, Doc("how long a request with an Idempotency-Key can be sent again without being done again")
    ] = field(default=24.0, validator=[validators.gt(0), validators.le(A_YEAR_OF_HOURS)])
    answer_cache_bytes: Annotated[
        int, Doc("how much memory may hold answers that are given again as long as nothing changes; 0 keeps none")
    ] = field(default=67_108_864, validator=validators.ge(0))
    compress_answers: Annotated[
        bool, Doc("compress answers of a kilobyte and more for clients that accept it (zstd, br, gzip)")
    ] = True
    busy_timeout_seconds: Annotated[
        float, Doc("how long a writer waits for another process that writes to the same SQLite file")
    ] = field(default=5.0, validator=[validators.gt(0), validators.le(A_DAY)])


def described(name: str) -> tuple[str, Any]:
    """Return what a setting means, and its default."""
    metadata = metadata_of(get_type_hints(Settings, include_extras=True)[name])
    return next(item.text for item in metadata if isinstance(item, Doc)), fields_dict(Settings)[name].default


def load_settings(
    *,
    file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    options: Mapping[str, Any] | None = None,
) -> Settings:
    """Return the settings; raise InvalidSettings. Without `file`, ./catalog.toml is read if it is there."""
    values: dict[str, Any] = {}
    for origin, given in (
        (f"the file {file or DEFAULT_FILE}", _from_file(file)),
        ("the environment", _from_environment(environment)),
        ("an option", {name: value for name, value in (options or {}).items() if value is not None}),
    ):
        values |= {name: _checked(name, value, origin) for name, value in given.items()}
    return Settings(**values)


def _from_file(file: Path | None) -> Mapping[str, Any]:
    if file is None and not DEFAULT_FILE.is_file():
        return {}
    try:
        return tomllib.loads((file or DEFAULT_FILE).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidSettings(f"can not read the file {file or DEFAULT_FILE}: {error}") from None


def _from_environment(environment: Mapping[str, str]) -> Mapping[str, Any]:
    return {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(ENVIRONMENT_PREFIX)
    }


def _checked(name: str, value: Any, origin: str) -> Any:
    """Return the value in the setting's type; text is read as people write it."""
    if name not in fields_dict(Settings):
        known = ", ".join(f.name for f in fields(Settings))
        raise InvalidSettings(f"{origin} sets {name!r}, and there is no such setting; there are: {known}")
    kind = get_args(get_type_hints(Settings, include_extras=True)[name])[0]
    try:
        value = _convert(value, kind)
        Settings(**{name: value})
    except ValueError as error:
        raise InvalidSettings(f"{origin} sets {name} to {value!r}: {error}") from None
    return value


def _number(text: str, kind: type[int] | type[float]) -> float:
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"it must be {_KINDS[kind]}") from None


def _convert(value: Any, kind: Any) -> Any:
    match value, kind:
        case str(), _ if kind is bool:
            if value.lower() not in {"true", "false", "1", "0", "yes", "no"}:
                raise ValueError("it must be true or false")
            return value.lower() in {"true", "1", "yes"}
        case str(), _ if kind is int or kind is float:
            return _number(value, kind)
        case int(), _ if kind is float and not isinstance(value, bool):
            return float(value)
        case str(), _ if kind is not str:
            return tuple(part.strip() for part in value.split(",") if part.strip())
        case list() | tuple(), _ if kind not in (str, int, float, bool):
            return tuple(str(part) for part in value)
        case _ if isinstance(value, kind if isinstance(kind, type) else tuple) and type(value) is kind:
            return value
        case _:
            raise ValueError(f"it must be {_KINDS.get(kind, 'a list of texts')}")
