"""What `qtic doctor` says of the model: one call, the way of asking that works, and how long it took."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel

from bot.llm.budget import Budget
from bot.llm.errors import LLMError
from bot.llm.model import open_model
from bot.llm.prompts import prompt
from bot.settings import Settings
from bot.texts import Texts


class Ping(BaseModel):
    """The answer to the trial call."""

    ok: Literal["yes"]


async def doctor_lines(settings: Settings, texts: Texts, today: date) -> list[str]:
    """Lines for the report; never raises what the model raises."""
    if not settings.llm_model:
        return [texts.render("llm.doctor.unset")]
    model = None
    try:
        model = open_model(settings)
        told = prompt("ping")
        await model.structured(
            Ping,
            told.system,
            told.fill(),
            Budget(settings.llm_turn_budget, settings.llm_daily_budget).open_turn(today),
            tokens=60,
        )
    except LLMError as error:
        why = texts.render(f"llm.failures.{error.kind.value}")
        return [
            texts.render(
                "llm.doctor.failed", model=settings.llm_model, why=f"{why}（{error.detail}）" if error.detail else why
            )
        ]
    finally:
        if model is not None:
            await model.close()
    seconds = f"{model.latency or 0.0:.1f}"
    return [
        texts.render("llm.doctor.ok", model=model.name, mode=model.mode.value if model.mode else "", seconds=seconds)
    ]
