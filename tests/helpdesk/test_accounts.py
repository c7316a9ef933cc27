"""Made-up accounts. The first account, and the commands for accounts."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import _build
from bot.helpdesk.access import ensure_first_staff, matches
from bot.store import Store, Vault


async def test_the_first_account_is_made_once_with_a_password_to_be_changed(tmp_path: Path) -> None:
    async with await Store.open(f"sqlite:///{tmp_path}/qtic.db", Vault(path=tmp_path / "secret.key")) as store:
        password = await ensure_first_staff(store)
        first = await store.staff.get("admin")
        assert (
            password
            and first
            and first.must_change
            and first.role == "administrator"
            and matches(password, first.password)
        )
        assert await ensure_first_staff(store) is None


def test_accounts_are_added_reset_disabled_and_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    run, app = CliRunner(), _build()
    assert "一次性密码" in run.invoke(app, ["staff", "add", "boss", "--role", "administrator"]).output
    assert "一次性密码" in run.invoke(app, ["staff", "add", "anna", "--name", "安娜"]).output
    assert "一次性密码" in run.invoke(app, ["staff", "reset", "anna"]).output
    assert run.invoke(app, ["staff", "disable", "anna"]).exit_code == 0
    assert "安娜\t客服\t已停用" in run.invoke(app, ["staff", "list"]).output
    assert run.invoke(app, ["staff", "disable", "boss"]).exit_code != 0  # the only administrator
