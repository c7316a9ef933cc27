"""What outlives a process, and the only home of SQL.

    store = await Store.open("sqlite:///data/qtic.db", Vault(path=Path("data/secret.key")))
    conversation = await store.load(message.conversation_id, message.channel, message.at)
    ...
    saved = await store.save_turn(conversation, turn, ticket=NewTicket(...))

`Store` holds one object a subject: conversations, tickets, outbox, forms, threads (resume codes), persons,
limits, reminders, knowledge, staff, privacy. Each method is a transaction of its own, and joins the one
around it inside `async with store.transaction()`. Personal data is encrypted by the `Vault` before it
reaches a table. Times come back in UTC. Every failure is a `StoreError` whose `key` names its text.
"""

from bot.store.conversations import KeptTurn, SavedTurn, Source
from bot.store.errors import (
    Corrupt,
    DiskFull,
    Locked,
    Missing,
    Outdated,
    Refused,
    Stale,
    StaleConversation,
    StaleDraft,
    StaleTicket,
    StoreError,
    Unreachable,
    Unwritable,
    VaultError,
)
from bot.store.forms import Draft, Submission
from bot.store.knowledge import Promoted, ToldPerson
from bot.store.numbers import new_number, normal_number
from bot.store.outbox import Delivery, NewDelivery
from bot.store.privacy import Erased
from bot.store.reminders import NewReminder, Reminder
from bot.store.staff import Audit, Session, Staff
from bot.store.store import Store
from bot.store.ticket_values import Asker, NewTicket, ThreadMessage, Ticket
from bot.store.vault import Vault

__all__ = [
    "Asker",
    "Audit",
    "Corrupt",
    "Delivery",
    "DiskFull",
    "Draft",
    "Erased",
    "KeptTurn",
    "Locked",
    "Missing",
    "NewDelivery",
    "NewReminder",
    "NewTicket",
    "Outdated",
    "Promoted",
    "Refused",
    "Reminder",
    "SavedTurn",
    "Session",
    "Source",
    "Staff",
    "Stale",
    "StaleConversation",
    "StaleDraft",
    "StaleTicket",
    "Store",
    "StoreError",
    "Submission",
    "ThreadMessage",
    "Ticket",
    "ToldPerson",
    "Unreachable",
    "Unwritable",
    "Vault",
    "VaultError",
    "new_number",
    "normal_number",
]
