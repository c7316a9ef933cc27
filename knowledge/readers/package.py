"""Checks of an Office file (a zip of XML) before anything unpacks or parses it."""

from __future__ import annotations

import io
import zipfile
import zlib

from defusedxml import ElementTree  # type: ignore[import-untyped]
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]

from knowledge.readers.base import Caution, Limits, Problem, ReaderError, Remark

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""First bytes of the container that old Office files and encrypted new ones have."""

_BOMB_FLOOR = 10 * 1024 * 1024
_MACRO_TYPE = b"macroEnabled"


def check_package(data: bytes, limits: Limits) -> list[Remark]:
    """Whether the bytes are a Word file that is safe to open.

    Raises:
        ReaderError: It is no Word file, encrypted, broken, a zip bomb, full of macros, or declares entities.
    """
    if data.startswith(OLE):
        encrypted = "EncryptedPackage".encode("utf-16-le") in data
        raise ReaderError(Problem.ENCRYPTED if encrypted else Problem.NOT_WHAT_IT_SAYS)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _check(archive, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        key = Problem.BROKEN if data.startswith(b"PK") else Problem.NOT_WHAT_IT_SAYS
        raise ReaderError(key) from error


def _check(archive: zipfile.ZipFile, limits: Limits) -> list[Remark]:
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    if len(entries) > limits.entries or unpacked > limits.unpacked_bytes:
        raise ReaderError(Problem.ARCHIVE_BOMB)
    if unpacked > _BOMB_FLOOR and unpacked / packed > limits.unpacked_ratio:
        raise ReaderError(Problem.ARCHIVE_BOMB)
    if any(entry.flag_bits & 1 for entry in entries):
        raise ReaderError(Problem.ENCRYPTED)
    names = {entry.filename for entry in entries}
    if not {"[Content_Types].xml", "word/document.xml"} <= names:
        raise ReaderError(Problem.NOT_WHAT_IT_SAYS)
    if _MACRO_TYPE in archive.read("[Content_Types].xml"):
        raise ReaderError(Problem.MACROS)
    for entry in entries:
        # zipfile stops at the size that an entry declares, so the sums above cannot be outrun.
        if entry.filename.endswith((".xml", ".rels")):
            _check_xml(archive.read(entry))
    macros = any(name.lower().endswith("vbaproject.bin") for name in names)
    return [Remark(Caution.MACROS_IGNORED)] if macros else []


def _check_xml(data: bytes) -> None:
    try:
        ElementTree.fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise ReaderError(Problem.ENTITIES) from error
    except ElementTree.ParseError as error:
        raise ReaderError(Problem.BROKEN) from error
