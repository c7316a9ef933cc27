"""Encryption of personal data at rest, and keyed hashes for looking it up.

One or several Fernet keys, the first of which encrypts and all of which decrypt, so that a key is changed
by putting a new one in front. Keyed hashes use a key of their own, which lies in the database, encrypted:
it outlives a change of keys, and opening it proves at start that ours is the right one.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bot.store.errors import VaultError, translating

_log = structlog.get_logger(__name__)


class Vault:
    """Encrypts and decrypts; opened by `Store.open`.

    Args:
        key: Fernet key, or several separated by commas, from the settings. Wins over the file.
        path: Where a key is generated (mode 0600) when none is given and the database is new.

    Raises:
        VaultError: "vault_bad_key" where `key` is not a Fernet key; "vault_no_key" where neither is given.
    """

    def __init__(self, key: str | None = None, path: Path | None = None) -> None:
        self._path = path
        self._fernet: MultiFernet | None = None
        self._lookup: bytes | None = None
        if key:
            self._fernet = _fernet(key, "settings")
        elif path is None:
            raise VaultError("vault_no_key")

    def __repr__(self) -> str:
        return f"Vault(open={self._fernet is not None})"

    def open(self, *, create: bool) -> None:
        """Read the key file; with `create`, make one where there is none.

        Raises:
            VaultError: "vault_no_key_file" where data is there, but not its key; "vault_bad_key".
            Unwritable: The key file can be neither read nor written.
        """
        if self._fernet is not None:
            return
        assert self._path is not None
        with translating():
            if not self._path.exists():
                if not create:
                    raise VaultError("vault_no_key_file", path=self._path.name)
                self._generate(self._path)
            self._fernet = _fernet(self._path.read_text("ascii", errors="replace"), self._path.name)

    def _generate(self, path: Path) -> None:
        """Write a new key in one step: another process sees the whole file or none, and the first one stays."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(Fernet.generate_key() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)
            except FileExistsError:
                return
        finally:
            draft.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        _log.warning("vault.key_generated", file=path.name, advice="keep a copy apart from the database")

    def new_lookup_key(self) -> str:
        """A fresh key for `keyed_hash`, encrypted, to be kept in the database; taken into use at once."""
        lookup = secrets.token_bytes(32)
        self._lookup = lookup
        return self._open_fernet.encrypt(lookup).decode("ascii")

    def adopt_lookup_key(self, kept: str) -> None:
        """Take the database's key for `keyed_hash` into use.

        Raises:
            VaultError: "vault_wrong_key": our key is not the one that the data was encrypted with.
        """
        try:
            self._lookup = self._open_fernet.decrypt(kept.encode("ascii"))
        except InvalidToken as error:
            raise VaultError("vault_wrong_key") from error

    def encrypt(self, text: str) -> str:
        """Text that only the holder of a key can read."""
        return self._open_fernet.encrypt(text.encode("utf-8")).decode("ascii")

    def decrypt(self, token: str) -> str:
        """The text behind `token`.

        Raises:
            VaultError: "vault_wrong_key": encrypted with another key, or damaged.
        """
        try:
            return self._open_fernet.decrypt(token.encode("ascii")).decode("utf-8")
        except (InvalidToken, UnicodeError) as error:
            raise VaultError("vault_wrong_key") from error

    def rotated(self, token: str) -> str:
        """The same text, encrypted with the first key."""
        try:
            return self._open_fernet.rotate(token.encode("ascii")).decode("ascii")
        except InvalidToken as error:
            raise VaultError("vault_wrong_key") from error

    def keyed_hash(self, *parts: str) -> str:
        """A hash by which `parts` can be found again, and from which nobody without the key can guess them."""
        if self._lookup is None:
            raise VaultError("vault_not_open")
        said = "\x1f".join(parts).encode("utf-8")
        return hmac.new(self._lookup, said, hashlib.sha256).hexdigest()

    @property
    def _open_fernet(self) -> MultiFernet:
        if self._fernet is None:
            raise VaultError("vault_not_open")
        return self._fernet


def _fernet(keys: str, where: str) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key.strip()) for key in keys.split(",") if key.strip()])
    except ValueError as error:
        raise VaultError("vault_bad_key", where=where) from error
