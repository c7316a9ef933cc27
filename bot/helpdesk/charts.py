"""Small charts as SVG, drawn by the server: no script, readable by a screen reader through its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_COLOURS = ("#206bc4", "#f59f00", "#d63939", "#2fb344", "#ae3ec9", "#667382")
_WIDTH, _ROW, _LABEL = 640, 24, 220


@dataclass(frozen=True)
class Chart:
    """A figure to look at, with the table behind it: `rows` of a label and one number for each of `columns`."""

    key: str
    title: str
    first: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float, ...]], ...]
    upright: bool = False

    @property
    def svg(self) -> Markup:
        """The picture."""
        return stacked(self.rows, self.columns) if self.upright else bars(self.rows)


def bars(rows: Sequence[tuple[str, Sequence[float]]]) -> Markup:
    """One horizontal bar a row; several numbers of a row stand one after another."""
    most = max((sum(values) for _, values in rows), default=0) or 1
    height = max(1, len(rows)) * _ROW + 4
    parts = []
    for place, (label, values) in enumerate(rows):
        y, x = place * _ROW + 2, float(_LABEL)
        parts.append(
            f'<text x="{_LABEL - 8}" y="{y + 15}" text-anchor="end" font-size="12" fill="currentColor">{escape(label[:17])}</text>'
        )  # noqa: E501
        for number, value in enumerate(values):
            wide = (_WIDTH - _LABEL - 50) * value / most
            parts.append(
                f'<rect x="{x:.1f}" y="{y + 2}" width="{wide:.1f}" height="{_ROW - 8}" fill="{_COLOURS[number % 6]}"/>'
            )  # noqa: E501
            x += wide
        parts.append(f'<text x="{x + 6:.1f}" y="{y + 15}" font-size="12" fill="currentColor">{sum(values):g}</text>')
    return _svg(height, parts)


def stacked(rows: Sequence[tuple[str, Sequence[float]]], columns: Sequence[str]) -> Markup:
    """One upright bar a row (a day), its numbers stacked, with a legend."""
    most = max((sum(values) for _, values in rows), default=0) or 1
    height, base = 230, 180
    wide = (_WIDTH - 40) / max(1, len(rows))
    parts = [f'<line x1="30" y1="{base}" x2="{_WIDTH}" y2="{base}" stroke="currentColor" stroke-opacity=".3"/>',
             f'<text x="26" y="20" text-anchor="end" font-size="11" fill="currentColor">{most:g}</text>']  # fmt: skip
    every = max(1, len(rows) // 8)
    for place, (label, values) in enumerate(rows):
        x, y = 32 + place * wide, float(base)
        for number, value in enumerate(values):
            high = (base - 14) * value / most
            y -= high
            title = f"{label} {columns[number]} {value:g}"
            parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(1.0, min(wide - 2, 40)):.1f}" height="{high:.1f}" '
                         f'fill="{_COLOURS[number % 6]}"><title>{escape(title)}</title></rect>')  # fmt: skip
        if place % every == 0:
            parts.append(
                f'<text x="{x:.1f}" y="{base + 14}" font-size="10" fill="currentColor">{escape(label[-5:])}</text>'
            )  # noqa: E501
    for number, column in enumerate(columns):
        x = 32 + number * 100
        parts.append(f'<rect x="{x}" y="208" width="10" height="10" fill="{_COLOURS[number % 6]}"/>'
                     f'<text x="{x + 14}" y="217" font-size="11" fill="currentColor">{escape(column)}</text>')  # fmt: skip  # noqa: E501
    return _svg(height, parts)


def shade(share: float) -> str:
    """The colour of a share from 0 to 1 in a heat map."""
    return f"rgba(214,57,57,{0.08 + 0.72 * max(0.0, min(1.0, share)):.2f})"


def _svg(height: int, parts: Sequence[str]) -> Markup:
    return Markup(
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {height}" role="img" xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


def as_csv(chart: Chart) -> str:
    """The table behind a chart; what a spreadsheet would take for a formula is defused."""
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([chart.first, *chart.columns])
    for label, values in chart.rows:
        safe = f"'{label}" if label[:1] in "=+-@\t\r" else label
        writer.writerow([safe, *(f"{v:g}" for v in values)])
    return "\ufeff" + out.getvalue()


def share(part: float, whole: Mapping[str, int] | float) -> float:
    """A share, 0 where there is nothing to share."""
    total = float(sum(whole.values())) if isinstance(whole, Mapping) else float(whole)
    return part / total if total else 0.0
