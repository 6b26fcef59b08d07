"""Where settings come from, and what is said when they are wrong."""

from pathlib import Path
from typing import Any, get_args, get_type_hints

import attrs
import pytest

from catalog.domain.constraints import Doc
from catalog.entrypoints.settings import InvalidSettings, Settings, load_settings


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without a catalog.toml."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def a_file(folder: Path, text: str, name: str = "catalog.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def refusal_of(**arguments: Any) -> str:
    with pytest.raises(InvalidSettings) as refusal:
        load_settings(**{"environment": {}, **arguments})
    return str(refusal.value)


def test_nothing_has_to_be_set() -> None:
    assert load_settings(environment={}) == Settings()


def test_an_untold_catalogue_is_kept_here_and_reached_from_here_only() -> None:
    settings = Settings()

    assert (settings.storage, settings.host, settings.allow_remote) == ("sqlite:///catalog.db", "127.0.0.1", False)


def test_the_environment_overrides_the_file_and_options_override_both(empty_folder: Path) -> None:
    file = a_file(empty_folder, 'host = "127.0.0.2"\nport = 1\nstorage = "memory://"')

    settings = load_settings(
        file=file, environment={"CATALOG_HOST": "127.0.0.3", "CATALOG_PORT": "2"}, options={"host": "127.0.0.4"}
    )

    assert (settings.host, settings.port, settings.storage) == ("127.0.0.4", 2, "memory://")


def test_an_option_that_is_not_given_overrides_nothing() -> None:
    assert load_settings(environment={"CATALOG_PORT": "2"}, options={"port": None}).port == 2


def test_the_file_catalog_toml_is_read_where_it_is(empty_folder: Path) -> None:
    a_file(empty_folder, "port = 4711")

    assert load_settings(environment={}).port == 4711


def test_a_named_file_is_read_instead_of_catalog_toml(empty_folder: Path) -> None:
    a_file(empty_folder, "port = 4711")
    other = a_file(empty_folder, "max_body_bytes = 2048", name="other.toml")

    settings = load_settings(file=other, environment={})

    assert (settings.port, settings.max_body_bytes) == (8000, 2048)


def test_a_file_says_every_kind_of_value(empty_folder: Path) -> None:
    file = a_file(
        empty_folder,
        'allow_remote = true\nallowed_hosts = ["a.example", "b.example"]\nbody_timeout_seconds = 2\n'
        "shutdown_seconds = 0.5\n",
    )

    settings = load_settings(file=file, environment={})

    assert settings.allow_remote is True
    assert settings.allowed_hosts == ("a.example", "b.example")
    assert (settings.body_timeout_seconds, settings.shutdown_seconds) == (2.0, 0.5)
    assert type(settings.body_timeout_seconds) is float


def test_the_environment_says_every_kind_of_value() -> None:
    settings = load_settings(
        environment={
            "CATALOG_STORAGE": "memory://",
            "CATALOG_PORT": "0",
            "CATALOG_ALLOW_REMOTE": "yes",
            "CATALOG_ALLOWED_ORIGINS": " https://a.example, https://b.example ,",
            "CATALOG_BUSY_TIMEOUT_SECONDS": "0.25",
        }
    )

    assert settings == Settings(
        storage="memory://",
        port=0,
        allow_remote=True,
        allowed_origins=("https://a.example", "https://b.example"),
        busy_timeout_seconds=0.25,
    )


@pytest.mark.parametrize(
    ("text", "meant"), [("true", True), ("TRUE", True), ("1", True), ("no", False), ("0", False), ("False", False)]
)
def test_yes_and_no_are_read_as_people_write_them(text: str, meant: bool) -> None:
    assert load_settings(environment={"CATALOG_ALLOW_REMOTE": text}).allow_remote is meant


def test_variables_of_others_are_nothing_to_us() -> None:
    assert load_settings(environment={"PATH": "/bin", "CATALOGUE_PORT": "x", "PORT": "x"}) == Settings()


def test_an_empty_list_may_be_set() -> None:
    assert load_settings(environment={"CATALOG_ALLOWED_HOSTS": ""}).allowed_hosts == ()


@pytest.mark.parametrize(
    ("arguments", "origin"),
    [
        ({"environment": {"CATALOG_PROT": "1"}}, "the environment"),
        ({"options": {"prot": 1}}, "an option"),
    ],
)
def test_a_setting_that_there_is_not_is_refused_and_those_there_are_listed(
    arguments: dict[str, Any], origin: str
) -> None:
    refusal = refusal_of(**arguments)

    assert refusal.startswith(origin)
    assert "'prot'" in refusal
    assert all(name in refusal for name in attrs.fields_dict(Settings))


def test_a_wrong_name_in_a_file_is_refused_naming_the_file(empty_folder: Path) -> None:
    file = a_file(empty_folder, "[server]\nport = 1")

    assert refusal_of(file=file).startswith(f"the file {file} sets 'server', and there is no such setting")


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("port", "70000", "65535"),
        ("port", "-1", ">= 0"),
        ("allow_remote", "perhaps", "it must be true or false"),
        ("max_body_bytes", "10", ">= 1024"),
        ("body_timeout_seconds", "0", "> 0"),
        ("body_timeout_seconds", "nan", "> 0"),
        ("shutdown_seconds", "-1", "> 0"),
    ],
)
def test_a_value_that_can_not_be_is_refused_naming_origin_setting_and_remedy(
    name: str, value: str, remedy: str
) -> None:
    refusal = refusal_of(environment={f"CATALOG_{name.upper()}": value})

    assert refusal.startswith(f"the environment sets {name} to ")
    assert remedy in refusal


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", "eighty"), ("port", ""), ("max_body_bytes", "1e6"), ("busy_timeout_seconds", "soon")],
)
def test_what_is_no_number_is_refused_naming_origin_setting_and_value(name: str, value: str) -> None:
    assert refusal_of(environment={f"CATALOG_{name.upper()}": value}).startswith(
        f"the environment sets {name} to {value!r}: "
    )


@pytest.mark.parametrize(
    "line",
    [
        "port = 8000.5",
        "port = true",
        "host = 5",
        "allow_remote = 1",
        "body_timeout_seconds = true",
        "allowed_hosts = 5",
        "allowed_hosts = { a = 1 }",
    ],
)
def test_a_value_of_the_wrong_kind_in_a_file_is_refused(empty_folder: Path, line: str) -> None:
    file = a_file(empty_folder, line)

    refusal = refusal_of(file=file)

    assert refusal.startswith(f"the file {file} sets {line.partition(' ')[0]} to ")
    assert ": it must be " in refusal


def test_what_is_no_list_is_told_to_be_one_in_words(empty_folder: Path) -> None:
    assert refusal_of(file=a_file(empty_folder, "allowed_hosts = 5")).endswith("it must be a list of texts")


def test_a_named_file_that_is_missing_is_refused(empty_folder: Path) -> None:
    missing = empty_folder / "missing.toml"

    assert refusal_of(file=missing).startswith(f"can not read the file {missing}: ")


@pytest.mark.parametrize(
    "content", [b"port = ", b"port", b"port = 1\nport = 2", b'host = "\xff"'], ids=["cut", "bare", "twice", "latin-1"]
)
def test_a_file_that_can_not_be_read_is_refused_naming_it(empty_folder: Path, content: bytes) -> None:
    file = empty_folder / "catalog.toml"
    file.write_bytes(content)

    assert refusal_of().startswith("can not read the file catalog.toml: ")
    assert refusal_of(file=file).startswith(f"can not read the file {file}: ")


def test_a_folder_is_no_file(empty_folder: Path) -> None:
    assert refusal_of(file=empty_folder).startswith(f"can not read the file {empty_folder}: ")


def test_settings_are_never_changed() -> None:
    settings: Any = Settings()

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        settings.port = 1


def test_every_setting_says_what_it_means() -> None:
    hints = get_type_hints(Settings, include_extras=True)

    for name in attrs.fields_dict(Settings):
        assert any(isinstance(item, Doc) and item.text for item in get_args(hints[name])[1:]), name
