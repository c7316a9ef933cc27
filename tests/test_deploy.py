"""The files of `deploy/` hold what they promise, as far as it can be told without a container engine."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import yaml

from bot.settings import Settings

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"


def test_the_image_is_slim_not_root_and_has_a_health_check() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    assert re.findall(r"^FROM (\S+)", text, re.M) == ["python:3.11-slim", "python:3.11-slim"]
    assert text.index("\nUSER qtic") > text.index("useradd")
    assert "HEALTHCHECK" in text and "/readyz" in text
    assert "--require-hashes" in text and ":latest" not in text


def test_compose_sets_only_settings_that_exist_and_pins_its_images() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    services = compose["services"]
    assert set(services) == {"app", "postgres", "chroma", "proxy"}
    known = {name.upper() for name in Settings.model_fields}
    assert set(services["app"]["environment"]) <= known
    assert services["app"]["deploy"]["replicas"] >= 2
    for name, service in services.items():
        assert name == "app" or ":" in service["image"]
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source.startswith("./") or source in compose["volumes"]
    assert (DEPLOY / "Caddyfile").read_text("utf-8").count("{") == (DEPLOY / "Caddyfile").read_text("utf-8").count("}")


def test_the_unit_stops_softly_within_its_time() -> None:
    from bot.commands.serving import GRACE

    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "qtic.service", "utf-8")
    service = unit["Service"]
    assert int(service["TimeoutStopSec"]) > GRACE
    assert service["User"] == "qtic" and service["NoNewPrivileges"] == "yes"
