# SPDX-License-Identifier: Apache-2.0
"""What an operator can set, read once and passed by hand."""

import os
import re
import tomllib
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from server.errors import SettingsError

PREFIX = "GUILDHALL_"
NOT_SETTINGS = {"GUILDHALL_CONFIG", "GUILDHALL_FIXTURES"}
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?\Z")


class Mode(StrEnum):
    """What the instance is for."""

    PRODUCTION = "production"
    DEMO = "demo"
    TEST = "test"


class Federation(StrEnum):
    """Whom the instance talks to."""

    ALLOWLIST = "allowlist"
    OPEN = "open"
    OFF = "off"


class Apps(StrEnum):
    """Which apps members may let in."""

    OPEN = "open"
    LISTED = "listed"
    OFF = "off"


class Settings(BaseSettings):
    """Every setting; each is read from GUILDHALL_<NAME> or from the TOML file."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    origin: str = Field(
        "http://localhost:8000",
        description="Where people reach this instance, such as `https://commons.riverton.example.gov`."
        " It is part of every address and never changes.",
    )
    database: str = Field(
        "sqlite:///var/guildhall.db", description="`sqlite:///PATH` or `postgresql://…`."
    )
    state: Path = Field(
        Path("var"), description="The folder for keys and files; back it up with the database."
    )
    mode: Mode = Field(
        Mode.PRODUCTION, description="`production`, or `demo` and `test` on one machine."
    )
    name: str = Field("", description="What the site is called; by default after its agency.")
    agency: str = Field("", description="The agency that runs it; by default the host name.")
    language: str = Field("en", description="The language of posts unless their author says else.")
    federation: Federation = Field(
        Federation.ALLOWLIST,
        description="`allowlist`: only agencies on the list; `open`: anyone not denied; `off`.",
    )
    apps: Apps = Field(
        Apps.OPEN,
        description="Apps that members may let in: `open`: any that no administrator blocked;"
        " `listed`: those an administrator allowed; `off`: none.",
    )
    media_origin: str = Field(
        "",
        description="Another origin that serves pictures and files, such as"
        " `https://media.riverton.example.gov`, passed to the same program; by default this one.",
    )
    resolve: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict,
        description="`host=ip:port,…`: named hosts reached without DNS, in demo and test only.",
    )
    signup_domains: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="E-mail domains whose people may sign up, such as `*.riverton.example.gov`.",
    )
    smtp: str = Field(
        "",
        description="`smtp://user:password@host:587` (STARTTLS) or `smtps://…`; unset, letters are"
        " kept in the state folder and shown to admins.",
    )
    mail_from: str = Field("", description="The sender of letters; by default `commons@` the host.")
    proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses or networks of the proxies in front, such as `127.0.0.1`: only"
        " they are believed on where a visitor comes from, which limits go by.",
    )
    inbox_rate: int = Field(
        50,
        ge=0,
        description="How many deliveries a second each other origin may make; 0 sets no limit.",
    )
    inbox_burst: int = Field(500, ge=1, description="How many of them an origin may make at once.")
    inbox_waiting: int = Field(
        2_000,
        ge=1,
        description="How many deliveries may wait for their commit before senders are asked to"
        " come again.",
    )
    files: str = Field(
        "",
        description="Where files lie: by default in the state folder, or `s3://BUCKET/PREFIX`.",
    )
    files_endpoint: str = Field(
        "", description="The address of a store that speaks S3; by default Amazon’s."
    )
    files_region: str = Field("us-east-1", description="The region of the bucket.")
    files_key: str = Field("", description="The access key of the bucket.")
    files_secret: str = Field("", description="The secret that goes with it.", repr=False)
    clamav: str = Field(
        "",
        description="The socket of a ClamAV daemon, such as `/run/clamav/clamd.ctl` or"
        " `127.0.0.1:3310`, which every file of the hub then passes; while it does not answer, none"
        " is taken.",
    )
    upload_size: int = Field(
        50, ge=1, le=1_900, description="How many megabytes a file in the hub may have at most."
    )
    upload_quota: int = Field(
        1_000,
        ge=1,
        description="How many megabytes of files a member may have in the hub and its drafts.",
    )
    fetch_size: int = Field(
        100,
        ge=0,
        le=1_900,
        description="How many megabytes a file of another agency may have to be fetched and kept"
        " here when a member asks for it; 0 leaves every file to its home.",
    )
    check_links: bool = Field(
        True,
        description="Whether the links that our own resources name are visited once a week, to see"
        " whether they answer. Nothing is signed and nothing of them is read.",
    )
    log_level: str = Field("info", description="`debug`, `info`, `warning` or `error`.")

    @field_validator("origin", "media_origin")
    @classmethod
    def _an_origin(cls, value: str) -> str:
        if not value:
            return value
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError as error:
            raise ValueError("is not an address") from error
        host = parts.hostname or ""
        if parts.scheme not in {"http", "https"} or not _HOST.match(host):
            raise ValueError("must be http(s)://HOST with an optional :PORT")
        if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
            raise ValueError("must be a scheme, a host and nothing after it")
        shown = "" if port in {None, 443 if parts.scheme == "https" else 80} else f":{port}"
        return f"{parts.scheme}://{host}{shown}"

    @field_validator("resolve", mode="before")
    @classmethod
    def _a_map(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        pairs = [pair.strip() for pair in value.split(",") if pair.strip()]
        if any(pair.count("=") != 1 for pair in pairs):
            raise ValueError("must look like host=ip:port,host=ip:port")
        return {name.strip().lower(): to.strip() for name, to in (p.split("=") for p in pairs)}

    @field_validator("signup_domains", mode="before")
    @classmethod
    def _a_list(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip().lower() for part in value.split(",") if part.strip())
        return value

    @field_validator("proxies", mode="before")
    @classmethod
    def _networks(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        parts = tuple(part.strip() for part in value.split(",") if part.strip())
        for part in parts:
            try:
                ip_network(part)
            except ValueError as error:
                raise ValueError(f"{part} is not an IP address or network") from error
        return parts

    @field_validator("files")
    @classmethod
    def _a_bucket(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme != "s3" or not parts.netloc or parts.query):
            raise ValueError("must be s3://BUCKET or s3://BUCKET/PREFIX")
        return value

    @field_validator("log_level")
    @classmethod
    def _a_level(cls, value: str) -> str:
        if value.lower() not in {"debug", "info", "warning", "error"}:
            raise ValueError("must be debug, info, warning or error")
        return value.lower()

    @field_validator("smtp")
    @classmethod
    def _a_mail_server(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"smtp", "smtps"}:
            raise ValueError("must be smtp://… or smtps://…")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        local = self.mode in {Mode.DEMO, Mode.TEST}
        if self.resolve and not local:
            raise ValueError("resolve is accepted only in the modes demo and test")
        if self.origin.startswith("http:") and not local and self.hostname != "localhost":
            raise ValueError("origin must be https, except for localhost")
        if self.media_origin and urlsplit(self.media_origin).hostname == self.hostname:
            raise ValueError("media_origin needs a host of its own, since hosts share cookies")
        if self.media_origin.startswith("http:") and self.is_https:
            raise ValueError("media_origin must be https, as the origin is")
        return self

    @property
    def host(self) -> str:
        """The origin's host with its port, as in handles: `riverton.localhost:4101`."""
        return urlsplit(self.origin).netloc

    @property
    def media_host(self) -> str:
        """The host that serves pictures and files only; "" where none is set."""
        return urlsplit(self.media_origin).netloc

    @property
    def hostname(self) -> str:
        """The host without its port, which policy goes by."""
        return urlsplit(self.origin).hostname or ""

    @property
    def is_https(self) -> bool:
        return self.origin.startswith("https:")

    @property
    def federates(self) -> Federation:
        """The mode in force: plain http on localhost in production never federates."""
        if self.mode is Mode.PRODUCTION and not self.is_https:
            return Federation.OFF
        return self.federation

    @property
    def agency_name(self) -> str:
        return self.agency or self.hostname

    @property
    def site_name(self) -> str:
        return self.name or f"{self.agency_name} commons"

    @property
    def sender(self) -> str:
        return self.mail_from or f"commons@{self.hostname}"


def load(**given: Any) -> Settings:
    """The settings in force; raises SettingsError with one sentence about the first fault."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known | NOT_SETTINGS:
            raise SettingsError(f"{name} is not a setting of Guildhall: see docs/settings.md.")
    values = _from_file(os.environ.get("GUILDHALL_CONFIG", "")) | given
    environment = {
        name: value
        for name, value in values.items()
        if PREFIX + name.upper() not in os.environ or name in given
    }
    try:
        return Settings(**environment)
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from error


def _from_file(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"The settings file {path} cannot be read.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} is not TOML: {error}.") from error


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{name} is not a setting of Guildhall: see docs/settings.md."
    said = str(first["msg"]).removeprefix("Value error, ")
    if not name:
        return f"The settings do not fit together: {said}."
    return f"The setting {PREFIX}{name.upper()} is wrong: {said}."


def as_markdown() -> str:
    """The table of docs/settings.md."""
    lines = ["| Setting | Default | What it does |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        shown = f"`{default}`" if isinstance(default, str | Path | int) and str(default) else "none"
        lines.append(f"| `{PREFIX}{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(lines) + "\n"
