"""`--with-password` and `--forget-secret`: what happens to a stored secret whose place is changed.

A secret stays with the place that it was given for (revision 0008): the database refuses to send it anywhere else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from services.console.changes import FORGOTTEN, password_columns
from services.console.commands.passwords import asked_password
from services.console.commands.signatures import Parameter, switch
from services.console.fields import BadValue
from services.console.texts import _
from shared.database.pool import Connection

SECRET_OPTIONS: Final[tuple[Parameter, ...]] = (
    switch("with_password", "ask for the password too (or read it from standard input): needed for another server"),
    switch("forget_secret", "forget the stored password or certificate"),
)

SecretColumns = Callable[[Connection], Awaitable[Mapping[str, Any]]]


def secret_columns(*, with_password: bool, forget_secret: bool) -> SecretColumns | None:
    """What sets the columns that were asked for, None when nothing was; the password is asked for now."""
    if with_password and forget_secret:
        raise BadValue(_("Either the password is given again (--with-password) or forgotten (--forget-secret)."))
    if with_password:
        password = asked_password()
        return lambda connection: password_columns(connection, password)
    return _forget if forget_secret else None


async def _forget(_connection: Connection) -> Mapping[str, Any]:
    return FORGOTTEN
