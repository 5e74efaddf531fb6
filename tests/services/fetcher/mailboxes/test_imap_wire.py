"""What we use of the insides of imaplib and IMAPClient is there: a new version that lacks it fails here, by name."""

from __future__ import annotations

import ast
import imaplib
import inspect
import re
from pathlib import Path

import pytest
from imapclient import IMAPClient

from services.fetcher.mailboxes.imap import wire

SERVICES = Path(wire.__file__).parents[3]
STEPS = {
    (imaplib.IMAP4, "_command"): ["self", "name", "args"],
    (imaplib.IMAP4, "_get_response"): ["self"],
    (imaplib.IMAP4, "_get_tagged_response"): ["self", "tag"],
    (imaplib.IMAP4, "_simple_command"): ["self", "name", "args"],
    (imaplib.IMAP4, "_log"): ["self", "line"],
    (IMAPClient, "_create_IMAP4"): ["self"],
    (IMAPClient, "_set_read_timeout"): ["self"],
}
"""The private methods that we call or override, and the parameters that we count on."""
ATTRIBUTES = {
    (imaplib.IMAP4, "untagged_responses"),
    (imaplib.IMAP4, "tagged_commands"),
    (imaplib.IMAP4, "literal"),
    (imaplib.IMAP4, "state"),
    (imaplib.IMAP4, "welcome"),
    (IMAPClient, "_imap"),
    (IMAPClient, "_cached_capabilities"),
}
"""What they keep in themselves, and we read or set."""


@pytest.mark.parametrize(("owner", "name"), STEPS, ids=lambda each: getattr(each, "__name__", each))
def test_a_private_step_of_a_library_is_as_we_use_it(owner: type, name: str) -> None:
    step = getattr(owner, name, None)
    assert step is not None, f"{owner.__name__}.{name} is gone: mend services/fetcher/mailboxes/imap/wire.py"
    parameters = list(inspect.signature(step).parameters)
    assert parameters[: len(STEPS[owner, name])] == STEPS[owner, name]
    required = [each for each in inspect.signature(step).parameters.values() if each.default is each.empty]
    assert len(required) == len(STEPS[owner, name]), f"{owner.__name__}.{name} wants more than we give"


@pytest.mark.parametrize(("owner", "name"), sorted(ATTRIBUTES, key=str))
def test_a_library_keeps_what_we_read_where_we_read_it(owner: type, name: str) -> None:
    assert re.search(rf"self\.{name}\b.*=", inspect.getsource(owner)), f"{owner.__name__}.{name} is gone: mend wire.py"


def test_imaplib_asks_a_bound_method_for_each_continuation() -> None:
    assert "type(literal) is type(self._command)" in inspect.getsource(getattr(imaplib.IMAP4, "_command"))  # noqa: B009 - typeshed hides it


def test_no_private_step_is_used_that_is_not_named_here() -> None:
    tree = ast.parse(Path(wire.__file__).read_text(encoding="utf-8"))
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr.startswith("_")]
    own |= {node.attr for node in attributes if isinstance(node.ctx, ast.Store)}
    used = {node.attr for node in attributes if not node.attr.startswith("__")} - own
    assert used <= {name for _, name in (*STEPS, *ATTRIBUTES)}


def test_they_are_used_in_one_module_alone() -> None:
    names = "|".join(name for _, name in (*STEPS, *ATTRIBUTES) if name.startswith("_") and name != "_log")
    users = [
        path
        for path in (SERVICES / "fetcher" / "mailboxes" / "imap").glob("*.py")
        if re.search(rf"(wire|client|_imap)\.({names})\b", path.read_text(encoding="utf-8"))
    ]
    assert users in ([], [Path(wire.__file__)])
