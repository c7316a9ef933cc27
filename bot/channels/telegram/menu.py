"""Commands with their descriptions in Chinese and English, and the menu button."""

from __future__ import annotations

from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    MenuButtonCommands,
)

from bot.texts import Texts


def commands(texts: Texts, language: str, *, group: bool = False) -> list[BotCommand]:
    """The commands in a language ("zh" or "en"); in groups without the personal ones."""
    listed = texts.get("telegram.commands").items()
    return [BotCommand(name, entry[language]) for name, entry in listed if not (group and entry.get("personal"))]


async def set_menu(bot: Bot, texts: Texts) -> None:
    """Tell Telegram. Raises TelegramError."""
    for language, code in (("zh", None), ("zh", "zh"), ("en", "en")):
        await bot.set_my_commands(commands(texts, language), BotCommandScopeAllPrivateChats(), code)
        await bot.set_my_commands(commands(texts, language, group=True), BotCommandScopeAllGroupChats(), code)
    await bot.set_chat_menu_button(menu_button=MenuButtonCommands())
