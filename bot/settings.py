"""Settings: environment variables or `.env`, each with a default that works, checked at start."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """A setting that cannot be used; the message says which, why, and what would do."""


class Settings(BaseSettings):
    """Everything an operator may set; `.env.example` lists the same names with their meaning."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True)

    data_dir: Path = Field(Path("data"), description="Folder for everything that is written")
    pack: str = Field("qingdao-tic-2026", description="Name of the pack under knowledge/packs/, or a folder")
    database_url: str | None = Field(None, description="SQLAlchemy address; empty: SQLite in DATA_DIR")
    chroma_url: str | None = Field(None, description="http address of a Chroma server; empty: embedded")
    embedding_model: str | None = Field(
        None, description="Folder or hub name of another encoder; empty: the bundled one"
    )
    encryption_key: SecretStr | None = Field(
        None, description="Fernet key for personal data; empty: a key file in DATA_DIR"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("warning", description="Least level that is logged")

    llm_model: str | None = Field(None, description="For init_chat_model, e.g. openai:qwen-plus; empty: no LLM")
    llm_base_url: str | None = Field(None, description="Address of an OpenAI-compatible server")
    llm_api_key: SecretStr | None = Field(None, description="Key for the model")
    llm_timeout: float = Field(8.0, gt=0, le=120, description="Seconds a turn may wait for the model")
    llm_turn_budget: int = Field(6000, gt=0, description="Tokens a turn may use")
    llm_daily_budget: int = Field(2_000_000, gt=0, description="Tokens a day may use")

    telegram_bot_token: SecretStr | None = Field(None, description="Token of the Telegram bot; empty: no Telegram")
    telegram_api_base_url: str | None = Field(None, description="Another Bot API server")
    telegram_webhook_url: str | None = Field(None, description="Public https address; empty: polling")
    telegram_webhook_secret: SecretStr | None = Field(None, description="Secret token of the webhook")
    telegram_staff_chat: int | None = Field(None, description="Chat that gets the daily digest")

    host: str = Field("127.0.0.1", description="Address the service listens on")
    port: int = Field(8000, ge=1, le=65535, description="Port the service listens on")
    public_url: str | None = Field(None, description="Address people open, for links; empty: from HOST and PORT")
    secret_key: SecretStr | None = Field(None, description="Signs cookies; empty: a key file in DATA_DIR")
    trusted_proxies: str = Field("127.0.0.1", description="Proxies whose X-Forwarded-For is believed, comma separated")
    rate_person: int = Field(30, ge=1, le=100_000, description="Messages a minute that one person may send on the web")
    rate_address: int = Field(
        600, ge=1, le=1_000_000, description="Messages a minute that one address may send on the web"
    )

    @field_validator(
        "database_url",
        "chroma_url",
        "embedding_model",
        "encryption_key",
        "llm_model",
        "llm_base_url",
        "llm_api_key",
        "telegram_bot_token",
        "telegram_api_base_url",
        "telegram_webhook_url",
        "telegram_webhook_secret",
        "telegram_staff_chat",
        "public_url",
        "secret_key",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("chroma_url", "llm_base_url", "telegram_api_base_url", "telegram_webhook_url", "public_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://, for example http://127.0.0.1:8001")
        return value

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("sqlite", "postgres")):
            raise ValueError(
                "must begin with sqlite:// or postgresql://, for example postgresql://user:password@host/name"
            )
        return value

    @cached_property
    def database(self) -> str:
        """The database's address."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'qtic.db').absolute()}"

    @classmethod
    def read(cls) -> Settings:
        """The settings of this process. Raises SettingsError with one sentence for each wrong value."""
        try:
            return cls()
        except (UnicodeDecodeError, OSError) as error:
            raise SettingsError(f".env cannot be read ({error}); expected lines like PORT=8000 in UTF-8") from error
        except ValidationError as error:
            lines = []
            for problem in error.errors():
                name = str(problem["loc"][0]).upper() if problem["loc"] else "settings"
                secret = any(word in name for word in ("KEY", "TOKEN", "SECRET", "DATABASE"))
                shown = "…" if secret else repr(problem.get("input"))
                lines.append(f"{name}={shown}: {problem['msg'].removeprefix('Value error, ')}")
            raise SettingsError("; ".join(lines)) from error


def zone(name: str) -> ZoneInfo:
    """The time zone a pack names. Raises SettingsError where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError) as error:
        raise SettingsError(f"time zone {name!r} is not known here; for example Asia/Shanghai") from error
