"""Render the documents that are handed out to PNG, from made-up answers: docs/images/. Needs LibreOffice and pdftoppm.

python scripts/render_documents.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.exports import EXPORTERS  # noqa: E402
from tests.forms_samples import export_input, record  # noqa: E402

_PAGES = {"summary": 1, "roster": 1, "form": 2, "report": 3, "receipt": 1}
_DPI = 60


def main() -> None:
    """Write one PNG for each of the first pages."""
    out = ROOT / "docs" / "images"
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for kind, pages in _PAGES.items():
            data = export_input(record(1, "roster") if kind == "roster" else record(1))
            file = EXPORTERS[kind](data)[0]
            source = Path(folder) / f"{kind}{Path(file.name).suffix}"
            source.write_bytes(file.content)
            profile = f"-env:UserInstallation=file://{folder}/profile"
            subprocess.run(["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", folder, str(source)],
                           check=True, capture_output=True)  # fmt: skip
            subprocess.run(["pdftoppm", "-png", "-r", str(_DPI), "-l", str(pages), f"{folder}/{kind}.pdf",
                            str(out / kind)], check=True)  # fmt: skip


if __name__ == "__main__":
    main()
