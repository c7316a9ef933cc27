"""What the model is told of the conversation: what is known of the person and the last turns, within a budget."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.llm.budget import estimate_tokens, shorten
from bot.texts import Texts
from bot.understanding.privacy import mask
from knowledge.loading import Pack

_REPLY = 120
_TITLES = 12


def known_of(conversation: Conversation, pack: Pack, texts: Texts) -> str:
    """Role, unit type and figures that were said, in one line."""
    profile, lexicon = conversation.profile, pack.lexicon
    items = []
    if profile.role:
        items.append(lexicon.role_labels[profile.role])
    if profile.unit_type:
        items.append(lexicon.unit_labels[profile.unit_type])
    items += [mask(profile.said[name]) for name in profile.conditions if name in profile.said]
    items += [
        f"{lexicon.indicators[n].title} {mask(f.said)}" for n, f in profile.figures.items() if n in lexicon.indicators
    ]
    return "，".join(items) or texts.render("llm.history.nothing")


def history_of(conversation: Conversation, pack: Pack, texts: Texts, tokens: int) -> str:
    """The last turns word for word as far as they fit, the earlier ones as the titles of what was asked. Masked."""
    recent: list[str] = []
    used = 0
    turns = list(conversation.turns)
    while turns:
        turn = turns[-1]
        lines = [
            texts.render("llm.history.said", text=shorten(mask(turn.text), 2 * _REPLY)),
            texts.render("llm.history.replied", text=mask(turn.reply.text)[:_REPLY]),
        ]
        cost = sum(estimate_tokens(line) for line in lines)
        if used + cost > tokens:
            break
        used += cost
        recent[:0] = lines
        turns.pop()
    titles = dict.fromkeys(pack.topics[t].title for turn in turns for t in turn.reply.topics if t in pack.topics)
    if titles:
        recent.insert(0, texts.render("llm.history.earlier", items="、".join(list(titles)[-_TITLES:])))
    return "\n".join(recent)
