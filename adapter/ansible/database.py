"""What the client of a database is told of its account: the line that `sql.sh` reads on the host."""

from __future__ import annotations

import re
import shlex

from adapter.job.model import Account
from adapter.job.status import AccountType

#: By type of account: what sql.sh calls it, and the characters that a backslash stands before in its file.
_KINDS = {
    AccountType.MYSQL: ("mysql", r'["\\]'),
    AccountType.ORACLE: ("oracle", None),
    AccountType.DB2: ("db2", None),
    AccountType.POSTGRESQL: ("postgresql", None),
}


class NoClient(ValueError):
    """No client could be told of this account."""


def told(account: Account, password: str) -> str:
    """Shell words on one line: kind, port, user, password. Raises NoClient."""
    if account.type not in list(AccountType) or AccountType(account.type) not in _KINDS:
        raise NoClient(
            f"account {account.alias!r} of type {account.type} is of no database that has a client"
        )
    kind, special = _KINDS[AccountType(account.type)]
    if kind == "oracle" and '"' in password:
        raise NoClient(
            f"the password of account {account.alias!r} has a quotation mark, which Oracle's cannot"
        )
    if kind == "postgresql" and password != password.rstrip():
        raise NoClient(
            f"the password of account {account.alias!r} ends with a blank, which psql cannot be told"
        )
    if special is not None:
        password = re.sub(special, r"\\\g<0>", password)
    return shlex.join([kind, str(account.db_port or 0), account.account, password])
