"""The console as an admin site: our pages, starlette-admin's lists, access and headers."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from jinja2 import PackageLoader
from starlette.middleware import Middleware
from starlette_admin.contrib.sqla import Admin
from starlette_admin.i18n import I18nConfig, TimezoneConfig

from bot.helpdesk.access import Gate
from bot.helpdesk.console import BASE, Console, Service
from bot.helpdesk.dashboard import DashboardPage, DigestPage
from bot.helpdesk.forms import ExportsPage, FormsPage
from bot.helpdesk.headers import Headers, NonceLoader
from bot.helpdesk.learning import KnowledgePage
from bot.helpdesk.lists import LISTS
from bot.helpdesk.people import PeoplePage
from bot.helpdesk.queue import LivePage, QueuePage
from bot.helpdesk.recall import RecallPage
from bot.helpdesk.ticket import TicketPage


def mount(app: FastAPI, service: Service) -> None:
    """Put the console at /helpdesk of the web service.

    Args:
        service: The running service; its store must be open.
    """
    build(service).mount_to(app)


def build(service: Service) -> Admin:
    """The console, not mounted yet."""
    console = Console(service)
    settings = service.settings
    secret = settings.secret_key.get_secret_value() if settings.secret_key else None
    zone = service.pack.info.time_zone
    admin = Admin(
        service.store.engine,
        title=console.t("title"),
        base_url=BASE,
        route_name="helpdesk",
        templates_dir=str(Path(__file__).parent / "templates"),
        additional_loaders=[NonceLoader(), PackageLoader("starlette_admin", "templates")],
        static_dir=str(Path(__file__).parent / "static"),
        favicon_url=f"{BASE}/static/icon.svg",
        index_view=QueuePage(console),
        auth_provider=Gate(console),
        secret_key=secret or service.store.keyed_hash("cookies", "helpdesk"),
        middlewares=[Middleware(Headers)],
        i18n_config=I18nConfig(default_locale="zh", language_cookie_name=None, language_header_name=None),
        timezone_config=TimezoneConfig(
            default_timezone=zone, timezone_cookie_name=None, use_user_locale_timezone=False
        ),
    )
    for page in (LivePage, TicketPage, FormsPage, KnowledgePage, RecallPage, ExportsPage, DashboardPage, DigestPage):
        admin.add_view(page(console))
    for view, model, key in LISTS:
        admin.add_view(view(console, model, key))
    admin.add_view(PeoplePage(console))
    return admin
