"""A wrong setting stops the start with one sentence that names the variable; `.env.example` and the READMEs list them all."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import Settings, SettingsError, zone

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No .env of the developer's, no variables of the machine's."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_every_setting_has_a_default_that_works() -> None:
    settings = Settings.read()
    assert settings.database.startswith("sqlite:///") and settings.pack == "qingdao-tic-2026"
    assert settings.host == "127.0.0.1", "nobody else's machine reaches a fresh installation"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", ""),
        ("LOG_LEVEL", "loud"),
        ("LLM_TIMEOUT", "0"),
        ("LLM_TIMEOUT", "-1"),
        ("LLM_TIMEOUT", "121"),
        ("LLM_TIMEOUT", "soon"),
        ("LLM_TURN_BUDGET", "0"),
        ("LLM_DAILY_BUDGET", "many"),
        ("DATABASE_URL", "mysql://x"),
        ("DATABASE_URL", "data.db"),
        ("CHROMA_URL", "localhost:8001"),
        ("LLM_BASE_URL", "ftp://x"),
        ("PUBLIC_URL", "example.org"),
        ("TELEGRAM_WEBHOOK_URL", "example.org/hook"),
        ("TELEGRAM_API_BASE_URL", "//x"),
        ("TELEGRAM_STAFF_CHAT", "the team"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    said = str(caught.value)
    assert said.startswith(f"{name}=")
    assert "\n" not in said and "pydantic" not in said and "validation error" not in said


def test_several_wrong_values_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "0")
    monkeypatch.setenv("LOG_LEVEL", "loud")
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    assert "PORT=" in str(caught.value) and "LOG_LEVEL=" in str(caught.value)


def test_a_secret_is_never_said_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://user:hunter2@host/name")
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    assert "hunter2" not in str(caught.value)
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("LLM_API_KEY", "hunter2")
    monkeypatch.setenv("SECRET_KEY", "hunter2")
    assert "hunter2" not in repr(Settings.read())


@pytest.mark.parametrize(
    "name",
    [
        "DATABASE_URL",
        "CHROMA_URL",
        "EMBEDDING_MODEL",
        "LLM_MODEL",
        "LLM_API_KEY",
        "TELEGRAM_BOT_TOKEN",
        "PUBLIC_URL",
        "TELEGRAM_STAFF_CHAT",
    ],
)
def test_an_empty_optional_value_is_no_value(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "")
    assert getattr(Settings.read(), name.lower()) is None


def test_values_are_read_from_a_dotenv_file_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PORT=9000\nHOST=0.0.0.0\nUNKNOWN=1\n", "utf-8")
    monkeypatch.setenv("PORT", "9100")
    settings = Settings.read()
    assert (settings.port, settings.host) == (9100, "0.0.0.0")


def test_a_dotenv_file_in_another_encoding_is_said_to_be_one() -> None:
    Path(".env").write_bytes(b"HOST=\xff\xfe")
    with pytest.raises(SettingsError, match=r"\.env"):
        Settings.read()


def test_a_time_zone_that_is_not_known_is_said_with_one_that_is() -> None:
    for name in ("Asia/Qingdao", "", "../etc/passwd"):
        with pytest.raises(SettingsError, match="Asia/Shanghai"):
            zone(name)
    assert zone("Asia/Shanghai").key == "Asia/Shanghai"


def test_env_example_lists_exactly_the_settings_each_with_its_default_and_meaning() -> None:
    text = (ROOT / ".env.example").read_text("utf-8")
    assert re.findall(r"(?m)^# ([A-Z][A-Z_]+)=", text) == [n.upper() for n in Settings.model_fields]
    assert all(f.description and f.description in text for f in Settings.model_fields.values())


def test_env_example_and_the_readmes_are_what_the_script_writes() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/settings_table.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_uncommented_line_of_env_example_would_be_accepted() -> None:
    lines = [
        line[2:] for line in (ROOT / ".env.example").read_text("utf-8").splitlines() if re.match(r"# [A-Z_]+=.", line)
    ]
    Path(".env").write_text("\n".join(lines), "utf-8")
    assert Settings.read() == Settings(_env_file=None)  # type: ignore[call-arg]
