"""The command `qtic`."""

from __future__ import annotations

import importlib
import os
import sys

import typer

FAMILIES = ("asking", "knowledge", "exporting", "database", "serving", "staff", "telegram", "documents")
"""Modules of `bot.commands` that register commands on the app, in the order of the help text."""

app = typer.Typer(
    name="qtic",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="2026年度青岛市技术创新中心绩效评价问答助手",
    pretty_exceptions_enable=False,
)


def _build() -> typer.Typer:
    for name in FAMILIES:
        try:
            module = importlib.import_module(f"bot.commands.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"bot.commands.{name}":
                raise
            continue
        module.register(app)
    return app


def main() -> None:
    """Run a command; what an operator can mend is said in one line, without a traceback, exit code 2."""
    import structlog

    from bot.commands.errors import EXPECTED, said

    # What a command prints is its answer (`qtic ask --json`); what is logged goes beside it.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        _build()()
    except EXPECTED as error:
        typer.echo(f"qtic: {said(error)}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
