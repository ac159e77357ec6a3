"""Secrets at rest: encrypted where they must come back, hashed where they need not (design D2, D11)."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

_OTHER_KEY = (
    "a stored secret cannot be decrypted: the data directory's secret.key is not the one "
    "it was written with; restore that file"
)


class SecretBox:
    """Encrypts and decrypts texts with one Fernet key (AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)
        self._fingerprint_key = hashlib.sha256(b"fingerprints" + key).digest()
        self.digest = hashlib.sha256(
            b"which key" + key
        ).hexdigest()  #: tells keys apart and tells nothing else

    @classmethod
    def of_file(cls, path: Path) -> SecretBox:
        """The box whose key is in `path`; makes the file, readable by its owner only, if there is none.

        Safe when two processes start at once: the first to link its file in wins.
        """
        if not path.exists():
            draft = path.with_name(f"{path.name}.{os.getpid()}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(Fernet.generate_key())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)
            except FileExistsError:
                pass  # another process was first; its key is the key
            finally:
                draft.unlink()
        return cls(path.read_bytes().strip())

    def fingerprint(self, text: str) -> str:
        """A digest of the text (HMAC-SHA256, in hex) that nobody without the key can try texts against."""
        return hmac.new(self._fingerprint_key, text.encode(), hashlib.sha256).hexdigest()

    def encrypt(self, text: str) -> str:
        """An opaque text that only decrypt() of the same key reads."""
        return self._fernet.encrypt(text.encode()).decode()

    def encrypt_bytes(self, content: bytes) -> bytes:
        """The same for bytes."""
        return self._fernet.encrypt(content)

    def decrypt_bytes(self, sealed: bytes) -> bytes:
        """The bytes encrypt_bytes() was given. Raises ValueError if the key is another."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise ValueError(_OTHER_KEY) from error

    def decrypt(self, sealed: str) -> str:
        """The text encrypt() was given. Raises ValueError if the key is another."""
        return self.decrypt_bytes(sealed.encode()).decode()


def hash_secret(secret: str) -> str:
    """SHA-256 of a secret this service made itself: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, hashed: str) -> bool:
    """True if `hashed` is the hash of `secret`; takes the same time either way."""
    return hmac.compare_digest(hash_secret(secret), hashed)
