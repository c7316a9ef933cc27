"""Old Word files, by way of LibreOffice where that is installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from knowledge.readers.base import Caution, Limits, Problem, ReaderError, Remark, Source
from knowledge.readers.docx import read_docx
from knowledge.readers.package import OLE


def read_doc(data: bytes, limits: Limits) -> Source:
    """The text of a .doc file.

    Raises:
        ReaderError: LibreOffice is not installed, failed, or took too long; or it is no Word file.
    """
    if data.startswith(b"PK"):
        source = read_docx(data, limits)
        return replace(source, warnings=(Remark(Caution.ANOTHER_KIND, {"kind": "docx"}), *source.warnings))
    if not data.startswith(OLE):
        raise ReaderError(Problem.NOT_WHAT_IT_SAYS)
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        raise ReaderError(Problem.NEEDS_OFFICE)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "in.doc").write_bytes(data)
        command = [
            office,
            f"-env:UserInstallation={(home / 'profile').as_uri()}",
            "--headless",
            "--norestore",
        ]
        command += ["--convert-to", "docx", "--outdir", str(home / "out"), str(home / "in.doc")]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=limits.seconds)
            converted = (home / "out" / "in.docx").read_bytes()
        except (subprocess.SubprocessError, OSError) as error:
            raise ReaderError(Problem.OFFICE_FAILED, seconds=limits.seconds) from error
    return replace(read_docx(converted, limits), kind="doc")
