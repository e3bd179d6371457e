"""Settings: `DULY_*` in the environment, `.env`, then `duly.toml`; a wrong key or value is refused at start.

Secrets (`secret`, `relay_password`) come from the environment or `.env` only, never from `duly.toml`.
Relative paths are read from the folder that holds `duly.toml`.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.exceptions import SettingsError as BadValue

FILE = "duly.toml"
LISTED = "duly doctor --settings lists them all"
SECRETS = {"secret", "relay_password"}
#: Names in the environment that begin with DULY_ and are no setting.
NOT_SETTINGS = {"DULY_CONFIG", "DULY_TEST_POSTGRES"}


class SettingsError(ValueError):
    """A setting that Duly will not start with: key, value, reason, in one sentence."""


class Settings(BaseSettings):
    """What a school sets. Every field can be given as `DULY_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="DULY_", extra="forbid", frozen=True)

    folder: Path = Field(Path(), description="where relative paths start; the folder of duly.toml")
    database: str = Field("sqlite:///duly.sqlite", description="SQLAlchemy URL: sqlite:/// or postgresql+psycopg://")
    vault: Path = Field(Path("vault"), description="folder of letters too large for a row")
    school: Path = Field(Path("school.toml"), description="people, roles, addresses, outside bodies")
    calendar: Path = Field(Path("calendar.toml"), description="terms, half terms, INSET days, closures")
    policies: tuple[str, ...] = Field(("southlands-2023",), description="editions: a name or a TOML file")
    person: str = Field("clerk", description="who the command line acts as, an id of school.toml")

    secret: SecretStr = Field(SecretStr(""), description="signs reply addresses; at least 32 characters")

    smtp_host: str = Field("127.0.0.1", description="address the SMTP door listens on")
    smtp_port: int = Field(2525, ge=0, le=65535)
    smtp_hostname: str = Field("localhost", description="the name the door greets with")
    smtp_certificate: Path | None = Field(None, description="PEM file; STARTTLS is offered when given")
    smtp_key: Path | None = Field(None, description="PEM file of the certificate's private key")
    smtp_max_size: int = Field(25 * 1024 * 1024, ge=64 * 1024, description="octets; said in EHLO")
    smtp_max_connections: int = Field(200, ge=1)
    smtp_max_per_peer: int = Field(40, ge=1)

    relay_host: str = Field("127.0.0.1", description="the mail server that takes Duly's letters")
    relay_port: int = Field(25, ge=1, le=65535)
    relay_security: Literal["none", "starttls", "tls"] = "none"
    relay_user: str = ""
    relay_password: SecretStr = SecretStr("")

    workers: int = Field(1, ge=1, le=16, description="processes that read and judge")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("smtp_certificate", "smtp_key", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("database")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
        return value

    @field_validator("secret")
    @classmethod
    def _long_secret(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < 32:
            raise ValueError("is too short to sign with: at least 32 characters (duly init makes one)")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """`load` gathers the sources itself, so that a refusal can name the one that was wrong."""
        return (init_settings,)

    def path(self, path: Path) -> Path:
        """That path, seen from the folder of duly.toml."""
        return (self.folder / path).resolve()

    @property
    def database_url(self) -> str:
        """The database's URL with a relative SQLite path made absolute."""
        prefix = "sqlite:///"
        if self.database.startswith(prefix) and not self.database.startswith(prefix + "/"):
            return prefix + str(self.path(Path(self.database.removeprefix(prefix))))
        return self.database


def load(config: Path | None = None, **given: Any) -> Settings:
    """The settings in force; `given` (from flags) wins over environment, `.env` and file.

    Raises SettingsError with key, value and reason, and where the value came from.
    """
    named = config or (Path(os.environ["DULY_CONFIG"]) if os.environ.get("DULY_CONFIG") else None)
    if named is not None and not named.is_file():
        raise SettingsError(f"there is no settings file {named}; make one with: duly init")
    file = named or Path(FILE)
    folder = file.resolve().parent
    sources = (
        (file.name, _from_file(file)),
        (".env", _from_dotenv(folder)),
        ("the environment", _from_env()),
        ("the command line", given),
    )
    values: dict[str, Any] = {"folder": folder}
    origin: dict[str, str] = {}
    for name, found in sources:
        values.update(found)
        origin.update(dict.fromkeys(found, name))
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(one, origin) for one in error.errors())) from None


def _sentence(error: Any, origin: dict[str, str]) -> str:
    key = ".".join(str(part) for part in error["loc"])
    first = str(error["loc"][0]) if error["loc"] else ""
    place = origin.get(first, FILE)
    if error["type"] == "extra_forbidden":
        return f"{place}: {key} is not a setting of Duly ({LISTED})"
    shown = "(hidden)" if first in SECRETS else repr(error.get("input"))
    reason = str(error["msg"]).removeprefix("Value error, ")
    return f"{place}: {key} = {shown}: {reason[:1].lower()}{reason[1:]}"


def _from_file(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file.name} is not valid TOML: {error}") from None
    for key in sorted(SECRETS & values.keys()):
        where = f"put DULY_{key.upper()} into the environment or .env"
        raise SettingsError(f"{file.name}: {key} is a secret; {where}")
    return values


def _from_dotenv(folder: Path) -> dict[str, Any]:
    file = folder / ".env"
    if not file.is_file():
        return {}
    source = DotEnvSettingsSource(Settings, env_file=file, env_prefix="DULY_", case_sensitive=False)
    names = {name.upper() for name in source.env_vars if name.upper().startswith("DULY_")}
    _refuse_unknown(names, ".env")
    try:
        values = source()
    except BadValue as error:
        raise SettingsError(f'.env: {error}; a list is written as JSON, e.g. \'["a", "b"]\'') from None
    return {key: value for key, value in values.items() if key in Settings.model_fields}


def _from_env() -> dict[str, Any]:
    _refuse_unknown({name for name in os.environ if name.startswith("DULY_")}, "the environment")
    try:
        return EnvSettingsSource(Settings, env_prefix="DULY_", case_sensitive=False)()
    except BadValue as error:
        raise SettingsError(f'the environment: {error}; a list is written as JSON, e.g. \'["a", "b"]\'') from None


def _refuse_unknown(names: set[str], place: str) -> None:
    known = {f"DULY_{field.upper()}" for field in Settings.model_fields} | NOT_SETTINGS
    for name in sorted(names - known):
        raise SettingsError(f"{place}: {name} is not a setting of Duly ({LISTED})")
