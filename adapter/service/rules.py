"""What stored definitions may look like (contract section d), for the API and for `adapter apply` alike.

Each rule answers None, or what is wrong in words that follow a field's name.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata

from adapter import errors
from adapter.job.arrays import NotAnArray, parse
from adapter.job.status import AccountCategory, AccountType, ScriptLanguage, VariableType
from adapter.store.transactions import is_storable

MAX_ALIAS = 255
MAX_PASSWORD = 117
MAX_CONTENT_BYTES = 16_777_215  #: a MEDIUMTEXT of JOB's
MAX_PARAM_BYTES = 65_535
MAX_SENSITIVE_PARAM_BYTES = 48_128
MAX_TIMEOUT = 259_200  #: seconds, three days
ACCOUNT_CATEGORIES = tuple(map(int, AccountCategory))
ACCOUNT_TYPES = tuple(map(int, AccountType))

_CONTROL = ("Cc", "Cs", "Zl", "Zp")  # control characters, surrogates, line and paragraph separators
_NAME_TABOO = '\\|/:*<>"?'
_HTML_TABOO = "<>\"'"
_ARRAYS = (VariableType.ASSOC_ARRAY, VariableType.INDEX_ARRAY)
_VERSION = re.compile(r"[A-Za-z0-9_\-#@.]+")


def require(name: str, problem: str | None) -> None:
    """Raises BadRequest (1240003), as JOB's bean validation does, if a rule found a problem."""
    if problem:
        raise errors.BadRequest(f"Invalid {name}: {problem}")


def text(value: str) -> str | None:
    """Any text at all that can be stored as it is."""
    return None if is_storable(value) else "must not contain NUL or half a surrogate pair"


def label(value: str, at_most: int) -> str | None:
    """A name on one line."""
    if not value.strip():
        return "must not be blank"
    if len(value) > at_most:
        return f"must not be longer than {at_most} characters"
    if any(unicodedata.category(character) in _CONTROL for character in value):
        return "must not contain control characters"
    return None


def script_name(value: str) -> str | None:
    """A script's name: at most 60 characters, none of JOB's forbidden ones."""
    if any(character in _NAME_TABOO for character in value):
        return f"must not contain any of {_NAME_TABOO}"
    return label(value, 60)


def version(value: str) -> str | None:
    """A script version's name."""
    if _VERSION.fullmatch(value) is None:
        return "must consist of letters, digits and _ - # @ ."
    return label(value, 60)


def content(value: str) -> str | None:
    """A script's text."""
    if not value.strip():
        return "must not be empty"
    return text(value) or size(value, MAX_CONTENT_BYTES)


def size(value: str, at_most: int) -> str | None:
    """A text's length in bytes."""
    return None if len(value.encode()) <= at_most else f"must not be longer than {at_most} bytes"


def characters(value: str, at_most: int) -> str | None:
    """A text's length in characters."""
    return None if len(value) <= at_most else f"must not be longer than {at_most} characters"


def param(value: str, *, sensitive: bool) -> str | None:
    """What follows the script on its command line."""
    return text(value) or size(value, MAX_SENSITIVE_PARAM_BYTES if sensitive else MAX_PARAM_BYTES)


def language(value: int) -> str | None:
    """A script language's number."""
    return None if value in list(ScriptLanguage) else "must be 1 to 6"


def account_name(value: str) -> str | None:
    """The name of a user of an operating system or a database; `-x` would be an option of su or sudo."""
    return "must not begin with -" if value.startswith("-") else label(value, 255)


def login_name(value: str) -> str | None:
    """Whom ssh logs in as: its `%r` may stand in a ProxyCommand, which is shell text of the controller."""
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._@+\\-]*\$?", value):
        return None if len(value) <= 255 else "must not be longer than 255 characters"
    return "must be letters, digits and . _ @ + - \\ only"


def password(value: str) -> str | None:
    """An account's password; JOB's encryption takes no more."""
    if len(value) > MAX_PASSWORD:
        return f"must not be longer than {MAX_PASSWORD} characters"
    return text(value)


def database_password(value: str) -> str | None:
    """A database account's password: a line of the file that its client reads."""
    return password(value) or (None if value.isprintable() else "must not contain control characters")


def port(value: int) -> str | None:
    """A TCP port."""
    return None if 1 <= value <= 65_535 else "must be 1 to 65535"


def one_of(value: int, allowed: tuple[int, ...]) -> str | None:
    """One of some numbers."""
    return None if value in allowed else f"must be one of {', '.join(map(str, allowed))}"


def given_id(value: int) -> str | None:
    """An id that a file gives; beyond 2**53 - 1 a client written in JavaScript would read another number."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return None if is_number and 0 < value < 2**53 else "must be a whole number from 1 to 2**53 - 1"


def timeout(value: int) -> str | None:
    """Seconds a step may take on a host."""
    return None if 1 <= value <= MAX_TIMEOUT else f"must be 1 to {MAX_TIMEOUT} seconds"


def remote_path(value: str) -> str | None:
    """A path on a host: absolute, or made so by a variable."""
    if not (value.startswith("/") or re.match(r"[A-Za-z]:[\\/]", value) or "${" in value):
        return "must be an absolute path"
    return text(value)


def ipv4(value: str) -> str | None:
    """An IPv4 address as JOB takes it."""
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        return "must be an IPv4 address"
    return None


def plan_name(value: str) -> str | None:
    """A plan's name, as the API takes it: at most 60 characters, none of those that mean something in HTML."""
    if any(character in _HTML_TABOO for character in value):
        return f"must not contain any of {' '.join(_HTML_TABOO)}"
    return label(value, 60)


def variable_value(value: str, kind: VariableType) -> str | None:
    """The value of a global variable that is none of hosts; an array is written as the shell writes it."""
    if kind in _ARRAYS:
        try:
            parse(value, kind)
        except NotAnArray as error:
            return str(error)
    return text(value)


def variable_name(value: str) -> str | None:
    """A global variable's name: it becomes a shell variable."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value, re.ASCII) is None:
        return "must consist of letters, digits and _, and not begin with a digit"
    return label(value, 255)
