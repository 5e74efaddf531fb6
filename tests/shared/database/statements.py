"""The SQL of a service, taken from its code: what its database role has to be allowed, and nothing more."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import services
import shared.blobs
from services.console import audit, reconcile
from services.console.nightly import jobs
from services.console.repairs import dead_letters
from shared import answering
from shared.blobs import postgres

_STATEMENT: Final = re.compile(r"\s*(?:--[^\n]*\n\s*)*(?:WITH|SELECT|INSERT|UPDATE|DELETE)\b(?!.*\{)", re.DOTALL)
_READS_BLOBS: Final = {"fetcher", "classifier", "ticket_writer"}
_WRITES_BLOBS: Final = {"fetcher", "classifier"}
_USES_LOGINS: Final = {"fetcher", "notifier"}
_ANSWERS: Final = {"fetcher", "classifier", "ticket_writer", "notifier"}
"""What people ask in the web console."""
_HANDS_ON: Final = {"classifier"}
"""Of which another service makes the answer."""
_READING: Final = re.compile(r"SELECT (?:content|byte_size) FROM")
_SWEEPING: Final = re.compile(r"SELECT sha256(?:, created_at)? FROM blobs|DELETE")
"""What `sweep-blobs` and `reconcile` do, which is no service's."""

_RECONCILE: Final = "services.console.reconcile"
_CALLED_BY_RECONCILE: Final = (
    "SELECT mail_id FROM imported_mails WHERE mail_id > $1 ORDER BY mail_id LIMIT $2",
    "SELECT id FROM tickets WHERE id > $1 ORDER BY id LIMIT $2",
    postgres._COUNT_UNNEEDED,
    dead_letters._RESOLVE,
    audit._RECORD,
    jobs._TAKE,
    jobs._FINISH,
    "SELECT version_num FROM public.alembic_version",
)
"""What it calls outside of its own folder, and the pages of its tables."""

BY_TRIGGERS: Final = {
    "ticket_writer": (
        "SELECT flag FROM statuses WHERE id = 1",
        "SELECT helpdesk_id FROM tickets WHERE id = 1",
    ),
}
"""What triggers read with the rights of whoever writes."""


def statements_of(service: str) -> list[str]:
    """Every statement in the code of a service, each once, in the order of the modules' names.

    «reconciler» is no service: its statements are those of `services.console.reconcile` and of what that calls.
    """
    if service == "reconciler":
        return [*dict.fromkeys([*_in_modules(_RECONCILE, Path(reconcile.__path__[0])), *_CALLED_BY_RECONCILE])]
    found = dict.fromkeys(_in_modules(f"services.{service}", Path(services.__path__[0]) / service))
    for statement in _in_modules("shared.blobs", Path(shared.blobs.__path__[0])):
        who = _READS_BLOBS if _READING.match(statement) else set() if _SWEEPING.search(statement) else _WRITES_BLOBS
        if service in who:
            found[statement] = None
    if service in _USES_LOGINS:
        found.update(dict.fromkeys(_in_module("shared.database.logins")))
    if service in _ANSWERS:
        asked = [each for each in _in_module("shared.answering") if service in _HANDS_ON or each != answering._HAND_ON]
        found.update(dict.fromkeys(asked))
    return [*found, *BY_TRIGGERS.get(service, ())]


def _in_modules(package: str, folder: Path) -> Iterator[str]:
    names = sorted(info.name for info in pkgutil.walk_packages([str(folder)], f"{package}."))
    for name in names:
        if name.endswith("__main__"):
            continue
        yield from _in_module(name)


def _in_module(name: str) -> Iterator[str]:
    module = importlib.import_module(name)
    constants = [value for value in vars(module).values() if isinstance(value, str)]
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    for text in [*constants, *_literals(ast.parse(source))]:
        if _STATEMENT.match(text):
            yield text


def _literals(node: ast.AST) -> Iterator[str]:
    """The strings of the source, save the pieces of an f-string: the constant that it makes is the statement."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif not isinstance(node, ast.JoinedStr):
        for child in ast.iter_child_nodes(node):
            yield from _literals(child)
