"""The RSA key that clients encrypt passwords of Windows hosts for: one an installation, made when it is needed."""

from __future__ import annotations

import base64
import binascii

import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from adapter.store.secrets import SecretBox
from adapter.store.tables import installation

ALGORITHM = "RSA"
#: JOB's: what it encrypts has 172 characters in base64, and the API takes no more.
_KEY_BITS = 1024
#: Of an encrypted password, in characters; no password has so many.
ENCRYPTED_LENGTH = 172

_SECRET = sa.select(installation.c.password_key_secret)


class PasswordKey:
    """The column `installation.password_key_secret`."""

    def __init__(self, engine: sa.Engine, box: SecretBox) -> None:
        self._engine = engine
        self._box = box

    def public_key(self) -> str:
        """What clients encrypt with (RSA, PKCS #1 v1.5): a PEM, once more in base64, as JOB tells it."""
        pem = (
            self._key()
            .public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
        return base64.b64encode(pem).decode()

    def opened(self, encrypted: str) -> str:
        """The password. ValueError for what was not encrypted for this installation, as far as that shows."""
        try:
            data = base64.b64decode(encrypted, validate=True)
            password = self._key().decrypt(data, padding.PKCS1v15()).decode()
        except (binascii.Error, ValueError):  # with a UnicodeDecodeError among them
            password = ""
        if not password or "\0" in password:
            raise ValueError("not encrypted with the key of this installation")
        return password

    def _key(self) -> rsa.RSAPrivateKey:
        with self._engine.begin() as connection:
            sealed = connection.scalar(_SECRET)
        if sealed is None:
            sealed = self._made()
        key = serialization.load_pem_private_key(self._box.decrypt(sealed).encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key

    def _made(self) -> str:
        """The new key, or that of another process, which was first."""
        pem = rsa.generate_private_key(65537, _KEY_BITS).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        none_yet = sa.update(installation).where(installation.c.password_key_secret.is_(None))
        with self._engine.begin() as connection:
            connection.execute(none_yet.values(password_key_secret=self._box.encrypt(pem.decode())))
            return str(connection.execute(_SECRET).scalar_one())
