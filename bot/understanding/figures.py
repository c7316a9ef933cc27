"""Numbers in a message bound to what they measure, and told apart: the person's own, or a requirement they assert."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from bot.conversation import Figure
from knowledge.lexicon import Indicator, Lexicon
from knowledge.quantities import Quantity, find_quantities

_COUNTS = {"persons", "items", "cases"}
_BORDER = re.compile(r"[。;；!！?？\n]")
_TRAIL = 8
_LEAD = 14


@dataclass(frozen=True)
class Figures:
    """Own figures by indicator, and values asserted as a requirement by indicator."""

    own: dict[str, Figure]
    claimed: dict[str, Figure]


@dataclass(frozen=True)
class _Bound:
    quantity: Quantity
    indicator: str
    claimed: bool
    inherited: bool = False


def _fits(indicator: Indicator, quantity: Quantity) -> bool:
    if indicator.unit in _COUNTS:
        # 个 counts anything, persons too ("研发人员28个"); 项 and 例 count things alone.
        anything = quantity.unit is None or quantity.text.endswith("个")
        things = {quantity.unit, indicator.unit} <= {"items", "cases"}
        return anything or things or quantity.unit == indicator.unit
    return indicator.unit == quantity.unit


def _nearest(text: str, quantity: Quantity, lexicon: Lexicon, previous_end: int, next_start: int) -> tuple[float, str] | None:
    """The indicator whose alias stands nearest to the quantity, words before it preferred: (distance, id)."""
    best: tuple[float, int, str] | None = None
    before = text[max(previous_end, quantity.start - 40) : quantity.start]
    after = text[quantity.end : min(next_start, quantity.end + _TRAIL)]
    for name, indicator in lexicon.indicators.items():
        if not _fits(indicator, quantity):
            continue
        for alias in indicator.aliases:
            at = before.rfind(alias)
            if at >= 0:
                gap = len(before) - at - len(alias)
                border = 20 if _BORDER.search(before[at:]) else 0
                key = (gap + border - 0.6 * len(alias), -len(alias), name)
                best = min(best, key) if best else key
            at = after.find(alias)
            if at >= 0 and not re.search(r"[,，。 ]", after[:at]):
                key = (at + 1.5 - 0.6 * len(alias), -len(alias), name)
                best = min(best, key) if best else key
    return (best[0], best[2]) if best and best[0] <= 30 else None


def _is_claim(text: str, quantity: Quantity, lexicon: Lexicon) -> bool:
    before = text[max(0, quantity.start - _LEAD) : quantity.start]
    after = text[quantity.end : quantity.end + 10]
    if any(re.match(p, after) for p in lexicon.claim_endings) and not _own(before, lexicon):
        return True
    last_requirement = max((before.rfind(m) for m in lexicon.requirement_marks), default=-1)
    last_own = max((before.rfind(m) for m in lexicon.own_marks if len(m) > 1), default=-1)
    return last_requirement >= 0 and last_requirement >= last_own


def _own(before: str, lexicon: Lexicon) -> bool:
    return any(m in before for m in lexicon.own_marks)


def _bind(text: str, lexicon: Lexicon) -> list[_Bound]:
    bound: list[_Bound] = []
    previous_end = 0
    quantities = [q for q in find_quantities(text) if q.unit != "years"]
    starts = [*(q.start for q in quantities[1:]), len(text)][: len(quantities)]
    for quantity, next_start in zip(quantities, starts, strict=True):
        hit = _nearest(text, quantity, lexicon, previous_end, next_start)
        inherited = hit is None and bool(bound) and _fits(lexicon.indicators[bound[-1].indicator], quantity)
        if inherited:
            hit = (0.0, bound[-1].indicator)
        if hit is None and quantity.unit in ("m2", "persons"):
            # The unit names the thing by itself: the first indicator that has it.
            hit = next(((9.0, n) for n, i in lexicon.indicators.items() if i.unit == quantity.unit), None)
        previous_end = quantity.end
        if hit is not None:
            bound.append(_Bound(quantity, hit[1], _is_claim(text, quantity, lexicon), inherited))
    return bound


def _years(text: str, run: list[_Bound], lexicon: Lexicon, total: str, one_of_two: bool) -> Figure:
    """Amounts named together: several are years that add up to the total, a single one is what its words say."""
    yearly = lexicon.indicators[total].sums or total
    words = "、".join(b.quantity.text for b in run)
    amounts = [b.quantity.value for b in run]
    if len(amounts) >= 2:
        return Figure(indicator=total, value=sum(amounts), said=words)
    start = run[0].quantity.start
    lead = re.split(r"[,，。;；]", text[max(0, start - 24) : start])[-1]
    lead += re.split(r"[,，。;； ]", text[run[0].quantity.end :][:4])[0]
    last_total = max((lead.rfind(m) for m in lexicon.total_marks), default=-1)
    last_year = max((lead.rfind(m) for m in lexicon.year_marks), default=-1)
    one_year = last_year > last_total or (last_total < 0 and one_of_two)
    return Figure(indicator=yearly if one_year else total, value=amounts[0], said=words)


def _runs(group: list[_Bound]) -> list[list[_Bound]]:
    runs: list[list[_Bound]] = []
    for item in group:
        if item.inherited and runs:
            runs[-1].append(item)
        else:
            runs.append([item])
    return runs


def find_figures(text: str, lexicon: Lexicon) -> Figures:
    """The figures in a message (normalised text)."""
    bound = _bind(text, lexicon)
    own: dict[str, Figure] = {}
    claimed: dict[str, Figure] = {}
    families = {total: {total, i.sums} for total, i in lexicon.indicators.items() if i.sums}
    members = set().union(*families.values())
    for total, family in families.items():
        # A yearly amount given beside another indicator in yuan is one part of a ratio.
        one_of_two = any(b.indicator not in family and b.quantity.unit == "yuan" for b in bound)
        for claim in (True, False):
            for run in _runs([b for b in bound if b.indicator in family and b.claimed is claim]):
                figure = _years(text, run, lexicon, total, one_of_two)
                (claimed if claim else own).setdefault(figure.indicator, figure)
    for item in bound:
        if item.indicator not in members:
            (claimed if item.claimed else own).setdefault(item.indicator, _figure(item))
    for first, second in pairwise(bound):
        # Twice the same indicator without marks: the one after "我们/只有" is the person's own.
        if first.indicator == second.indicator and first.indicator not in members and not (first.claimed or second.claimed):
            between = text[first.quantity.end : second.quantity.start]
            if _own(between, lexicon):
                claimed[first.indicator], own[first.indicator] = _figure(first), _figure(second)
    return Figures(own, claimed)


def _figure(item: _Bound) -> Figure:
    return Figure(indicator=item.indicator, value=item.quantity.value, said=item.quantity.text)
