"""Numbers in a message bound to what they measure, and told apart: the person's own, or a requirement they assert."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from bot.conversation import Figure
from knowledge.lexicon import Indicator, Lexicon
from knowledge.quantities import Quantity, find_quantities

_COUNTS = {"persons", "items", "cases"}
_BORDER = re.compile(r"[。;；!！?？\n]")
_TRAIL = 8
_BARE = {"m2", "days"}
"""Units that may be left out right behind the word ("面积1300")."""
_LEAD = 14
_WEAK = 12.0


_LISTED = re.compile(r"\s*[、,，和及/]?\s*")
_OF_YEAR = re.compile(r"(?:20)?[12]\d年\s*(?:是|投了?|花了?)?\s*$")
_INCLUSIVE = re.compile(r"[及或]?以上|\+")
_ABOUT = re.compile("[来多余几]")


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
    words: str = ""


def _fits(indicator: Indicator, quantity: Quantity) -> bool:
    if indicator.unit in _COUNTS:
        # 个 counts anything, persons too ("研发人员28个"); 项 and 例 count things alone.
        anything = quantity.unit is None or quantity.text.endswith("个")
        things = {quantity.unit, indicator.unit} <= {"items", "cases"}
        return anything or things or quantity.unit == indicator.unit
    return indicator.unit == quantity.unit


def _nearest(
    text: str, quantity: Quantity, lexicon: Lexicon, previous_end: int, next_start: int
) -> tuple[float, str] | None:
    """The indicator whose alias stands nearest to the quantity, words before it preferred: (distance, id)."""
    best: tuple[float, int, str] | None = None
    before = text[max(previous_end, quantity.start - 40) : quantity.start]
    after = text[quantity.end : min(next_start, quantity.end + 2 * _TRAIL)]
    whole = any(re.match(p, text[quantity.end :]) for p in lexicon.whole_marks)
    for name, indicator in lexicon.indicators.items():
        bare_area = indicator.unit in _BARE and quantity.unit is None
        if not (bare_area or _fits(indicator, quantity)):
            continue
        # 例 rather names cases, 项 rather items, where the words fit both.
        other = (
            3.0
            if quantity.unit in _COUNTS and indicator.unit != quantity.unit and not quantity.text.endswith("个")
            else 0.0
        )
        for alias, weak in [*((a, 0.0) for a in indicator.aliases), *((a, _WEAK) for a in indicator.weak)]:
            at = before.rfind(alias)
            if at >= 0:
                gap = len(before) - at - len(alias)
                if bare_area and gap > 1:
                    continue
                border = 20 if _BORDER.search(before[at:]) else 0
                key = (gap + border + other + weak - 0.6 * len(alias), -len(alias), name)
                best = min(best, key) if best else key
            at = after.find(alias)
            between = after[:at].removeprefix(" ") if alias.isascii() else after[:at]
            # "36人中硕士8人": a word right before the next number is that number's.
            next_one = next_start - (quantity.end + at + len(alias)) <= 1 and next_start < len(text)
            near = at >= 0 and (alias.isascii() or at + len(alias) <= _TRAIL)
            if (
                near
                and not (whole and indicator.whole)
                and not bare_area
                and not next_one
                and not re.search(r"[,，。 ]", between)
            ):
                key = (at + 1.5 + other + weak - 0.6 * len(alias), -len(alias), name)
                best = min(best, key) if best else key
    return (best[0], best[2]) if best and best[0] <= 30 else None


def _is_claim(text: str, quantity: Quantity, lexicon: Lexicon) -> bool:
    before = text[max(0, quantity.start - _LEAD) : quantity.start]
    after = text[quantity.end : quantity.end + 10]
    if any(re.search(p, before) for p in lexicon.asked_marks):
        return True
    if any(re.match(p, after) for p in lexicon.claim_endings) and not _own(before, lexicon):
        return True
    last_requirement = max((before.rfind(m) for m in lexicon.requirement_marks), default=-1)
    last_own = max((before.rfind(m) for m in lexicon.own_marks if len(m) > 1), default=-1)
    return last_requirement >= 0 and last_requirement >= last_own


def _adds(text: str, quantity: Quantity, lexicon: Lexicon) -> bool:
    return any(m in text[max(0, quantity.start - 4) : quantity.start] for m in lexicon.more_marks)


def _own(before: str, lexicon: Lexicon) -> bool:
    return any(m in before for m in lexicon.own_marks)


def _bind(text: str, lexicon: Lexicon) -> list[_Bound]:
    bound: list[_Bound] = []
    loose: list[Quantity] = []
    previous_end = 0
    quantities = [q for q in find_quantities(text) if q.unit != "years"]
    starts = [*(q.start for q in quantities[1:]), len(text)][: len(quantities)]
    for quantity, next_start in zip(quantities, starts, strict=True):
        lead, previous_end = text[previous_end : quantity.start], quantity.end
        tail = text[quantity.end : min(next_start, quantity.end + 3)]
        if any(re.search(p, lead) for p in lexicon.gap_marks) or any(
            w in lead[-4:] or tail.startswith(w) for w in lexicon.other_things
        ):
            continue
        hit = _nearest(text, quantity, lexicon, quantity.start - len(lead), next_start)
        inherited = hit is None and bool(bound) and _fits(lexicon.indicators[bound[-1].indicator], quantity)
        if inherited:
            last = bound[-1].indicator
            whole = lexicon.indicators[last].whole
            inherited = not (whole and any(m in lead for m in lexicon.total_marks))
            hit = (0.0, last if inherited or whole is None else whole)
        if hit is None and quantity.unit in ("m2", "persons"):
            # The unit names the thing by itself: the first indicator that has it.
            hit = next(((9.0, n) for n, i in lexicon.indicators.items() if i.unit == quantity.unit), None)
        if hit is None:
            loose.append(quantity)
            continue
        # A list before its word ("五百、六百、七百万搞研发"): the earlier ones are of the same thing.
        listed = [quantity]
        while loose and loose[-1].unit == quantity.unit and _LISTED.fullmatch(text[loose[-1].end : listed[0].start]):
            listed.insert(0, loose.pop())
        for one in listed:
            bound.append(
                _Bound(one, hit[1], _is_claim(text, one, lexicon), inherited or one is not listed[0], lead + tail)
            )
    return bound or _by_year(text, loose, lexicon)


def _by_year(text: str, loose: list[Quantity], lexicon: Lexicon) -> list[_Bound]:
    """Amounts of money named by nothing but their years ("23年500万、24年650万") are the quantity summed over years."""
    total = next((name for name, i in lexicon.indicators.items() if i.sums), None)
    yearly = [q for q in loose if q.unit == "yuan" and _OF_YEAR.search(text[: q.start])]
    if total is None or len(yearly) < 2:
        return []
    return [_Bound(q, total, False, inherited=n > 0) for n, q in enumerate(yearly)]


def _years(text: str, run: list[_Bound], lexicon: Lexicon, total: str, one_of_two: bool) -> Figure:
    """Amounts named together: several are years that add up to the total, a single one is what its words say."""
    yearly = lexicon.indicators[total].sums or total
    words = "、".join(b.quantity.text for b in run)
    amounts = [b.quantity.value for b in run]
    if len(amounts) > 2:
        return Figure(indicator=total, value=sum(amounts), said=words)
    if len(amounts) == 2:  # two years are no total of three: the later one is a year's figure
        return Figure(indicator=yearly, value=amounts[1], said=run[1].quantity.text)
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


def find_figures(text: str, lexicon: Lexicon, known: Mapping[str, Figure] | None = None) -> Figures:
    """The figures in a message (normalised text).

    Args:
        known: What the person gave before: "再招5个人" adds to it, and is no figure of its own without it.
    """
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
    for name in dict.fromkeys(b.indicator for b in bound if b.indicator not in members):
        for claim in (True, False):
            if items := [b for b in bound if b.indicator == name and b.claimed is claim]:
                (claimed if claim else own)[name] = _one(items, lexicon.indicators[name])
    for first, second in pairwise(bound):
        # Twice the same indicator without marks: the one after "我们/只有" is the person's own.
        if (
            first.indicator == second.indicator
            and first.indicator not in members
            and not (first.claimed or second.claimed)
        ):
            between = text[first.quantity.end : second.quantity.start]
            if _own(between, lexicon):
                claimed[first.indicator], own[first.indicator] = _figure(first), _figure(second)
    for item in bound:
        if item.indicator in own and _adds(text, item.quantity, lexicon):
            before = (known or {}).get(item.indicator)
            if before is None:
                del own[item.indicator]
            else:
                own[item.indicator] = Figure(
                    indicator=item.indicator,
                    value=before.value + item.quantity.value,
                    said=f"{before.said}+{item.quantity.text}",
                )
    return Figures(own, claimed)


def _one(items: list[_Bound], indicator: Indicator) -> Figure:
    """One figure from all numbers given for an indicator that is no sum over years."""
    if indicator.unit == "share" and len(items) > 1:  # a ratio year by year: the lowest decides
        return _figure(min(items, key=lambda i: i.quantity.value))
    inclusive = [i for i in items if _INCLUSIVE.search(i.words)] if indicator.adds else []
    groups = [[i for i in items if any(w in i.words for w in words)] for words in indicator.adds]
    group = max(groups, key=lambda g: sum(i.quantity.value for i in g), default=[])
    if inclusive:
        return _figure(inclusive[0])
    if len(group) > 1:
        return Figure(
            indicator=items[0].indicator,
            value=sum(i.quantity.value for i in group),
            said="、".join(i.quantity.text for i in group),
        )
    # "二十来个人 29个": the exact number is meant.
    return _figure(next((i for i in items if not _ABOUT.search(i.quantity.text)), items[0]))


def _figure(item: _Bound) -> Figure:
    return Figure(indicator=item.indicator, value=item.quantity.value, said=item.quantity.text)
