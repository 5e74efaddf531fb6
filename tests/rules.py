"""The rules of the specification, and the tests that prove them: writes docs/rules.md.

    python -m tests.rules            write the page anew
    python -m tests.rules --check    say what is wrong with it, and end with 1

A rule is proved in tests/acceptance by what runs the four services on real servers and names it: a test function
(`test_N2_…`, also several: `test_S7_D12_…`) or a row of a table there (`"D12 setting: M4 to an employee": …`).

The page is wrong when it is not current, when a rule has neither a proof nor a line that says what it waits for, and
when something that a line waits for is there.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "rules.md"
PROOFS: Final = ROOT / "tests" / "acceptance"

_ID: Final = r"(?:[SMWNAD][1-9][0-9]?)"
_FUNCTION: Final = re.compile(rf"test_((?:{_ID}_)+)")
_ROW: Final = re.compile(rf"({_ID}(?: {_ID})*)(?: |$)")


@dataclass(frozen=True, slots=True)
class Awaited:
    """Something that is not built yet; it is there once one of `paths` is."""

    name: str
    paths: tuple[str, ...]

    def is_there(self, root: Path) -> bool:
        """Whether it was built since."""
        return any((root / path).exists() for path in self.paths)


@dataclass(frozen=True, slots=True)
class Wait:
    """A part of a rule that no test can prove before something else is there."""

    rule: str
    part: str
    awaited: Awaited


RULES: Final[Mapping[str, str]] = {
    "S1": "The importer of a helpdesk is switched on; off, as it is by default, its mailbox is never opened",
    "S2": "The login of the mailbox",
    "S3": "The password of the mailbox: encrypted, changed by a command of its own, never shown or logged",
    "S4": "Where the mailbox is: which server, or which folder",
    "S5": "The default contact stands in for a sender whose address is known nowhere; his organisation comes with him",
    "S6": "The default employee creates and supplements the tickets",
    "S7": "Of a supplement only what stands above the marker line is imported; without a marker, everything",
    "S8": "When the mailbox was last checked with success",
    "M1": "Whether mail goes to ticket manager and executor (M2, M3); yes unless set otherwise",
    "M2": "The ticket manager is mailed about a new ticket",
    "M3": "The executor is mailed about a supplement",
    "M4": "The customer is mailed that his mail became a ticket, also when M1 says no",
    "M5": "Imported tickets get the helpdesk's status that bears the flag «geïmporteerd»",
    "W1": "Unread mail is looked for again and again; a check that succeeds is recorded",
    "W2": "No known ticket number in the subject: a new ticket",
    "W3": "A known ticket number in the subject: a supplement to that ticket",
    "W4": "Images are stored with ticket or supplement, other attachments are not",
    "N1": "The history says that the ticket came from a mail",
    "N2": "Organisation and contact are the sender's, or those of S5",
    "N3": "Created by S6",
    "N4": "In the helpdesk of the mailbox",
    "N5": "Reported when the mail arrived",
    "N6": "Came in by `mail`",
    "N7": "The mail's subject is kept",
    "N8": "The title is the mail's subject",
    "N9": "The request is the mail's body with its images",
    "N10": "Type, priority and environment: the helpdesk's defaults, else empty",
    "N11": "Category and subcategory are empty",
    "N12": "Ticket manager and executor: the helpdesk's defaults, else empty",
    "N13": "Parent ticket, external id, project and evaluation are empty",
    "N14": "Time needed is empty",
    "N15": "The status is the one with the flag (M5)",
    "N16": "The dates planned, deadline, in progress and completed are empty",
    "N17": "Whether the deadline is recalculated: as the helpdesk says",
    "N18": "Last changed by S6, when it was imported",
    "A1": "The ticket's history says that it was supplemented from a mail",
    "A2": "The supplement belongs to the ticket in the subject",
    "A3": "Reported when the mail arrived",
    "A4": "Of the type `geïmporteerd vanuit mail`",
    "A5": "The informant is the sender, or S5",
    "A6": "The description is the body above the marker, with its images",
    "A7": "Visible to the customer and expanded as the status on it says",
    "A8": "Ticket and supplement get the helpdesk's status for a supplement from the portal",
    "A9": "Priority, executor, planned date, recalculation and time needed stay, and are noted on the supplement",
    "A10": "The deadline is recalculated where the ticket says so, else it stays",
    "A11": "Created by the sender, or S5",
    "A12": "Last changed by S6, when it was imported",
    "D1": "Which tokens of a subject are numbers, which of several counts, aliases, merged tickets, other helpdesks",
    "D2": "Status, deadline and history as in the portal; a reopened ticket loses its date of completion",
    "D3": "A deadline counts working hours from the arrival: calendar, public holidays, both changes of the clock",
    "D4": "An image is what decodes as one; what is left out is named with its reason",
    "D5": "The body is kept as harmless html and as text; inline images come from the stored attachments",
    "D6": "Automatic mail is imported and marked; it causes no mail and changes neither status nor deadline",
    "D7": "Every mail that was taken in ends in exactly one recorded outcome",
    "D8": "Setting: an answer without a number is found by the mail that it answers",
    "D9": "Exchange Online by app registration and Graph, on-premises Exchange by EWS; the address is a setting apart",
    "D10": "M4 goes to the sender's own address; forged, automatic, our own or too many: not, and it is recorded",
    "D11": "Nobody to mail: recorded, or an address that is set for it; never to the person who wrote the mail",
    "D12": "Employees, and addresses that several people have; the marker line heads all mail",
    "D13": "A mail is imported once, whatever way it comes again; what differs is imported and listed",
    "D14": "What must be there while the importer is on; if it goes, the mailbox pauses",
    "D15": "A ticket of another helpdesk: its helpdesk decides, the mailbox's gives S5 and S6",
    "D16": "Where the marker counts, and what happens when nothing stands above it",
    "D17": "Too large, unreadable, without a sender: as much as can be imported is, and it says so",
    "D18": "Old mail: left alone before a moment, waiting when it is too much at once, and never answered",
    "D19": "No subject; mail from the mailbox's own address; web forms",
    "D20": "Strangers on a ticket: marked for review, or held until accepted",
}

WAITS: Final[tuple[Wait, ...]] = ()


def proofs(folder: Path = PROOFS) -> dict[str, list[str]]:
    """The names of the tests that prove each rule, in order."""
    found: dict[str, list[str]] = {rule: [] for rule in RULES}
    for path in sorted(folder.rglob("*.py")):
        for rules, name in _named(ast.parse(path.read_text(encoding="utf-8"))):
            for rule in rules:
                found.setdefault(rule, []).append(f"{path.stem}: {name}")
    return found


def _named(tree: ast.Module) -> Iterator[tuple[Sequence[str], str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if (function := _FUNCTION.match(node.name)) is not None:
                yield re.findall(_ID, function[1]), node.name
        elif isinstance(node, ast.Dict):
            for key in node.keys:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    row = _ROW.match(key.value)
                    if row is not None:
                        yield row[1].split(), key.value


def troubles(found: Mapping[str, Sequence[str]], waits: Sequence[Wait] = WAITS, root: Path = ROOT) -> list[str]:
    """Sentences on what is wrong with rules and tests; none when all is well."""
    waiting = {wait.rule for wait in waits}
    return [
        *(
            f"{rule} has no acceptance test: write test_{rule}_…, or say in WAITS (tests/rules.py) what it waits for."
            for rule in RULES
            if not found.get(rule) and rule not in waiting
        ),
        *(
            f"There is no rule {rule}, which names a test: {names[0]}"
            for rule, names in found.items()
            if rule not in RULES
        ),
        *(
            f"{wait.rule} waits for {wait.awaited.name} ({wait.part}), which is there now: test it, remove the line."
            for wait in waits
            if wait.awaited.is_there(root)
        ),
    ]


def page(found: Mapping[str, Sequence[str]], waits: Sequence[Wait] = WAITS) -> str:
    """docs/rules.md, ended by a line break."""
    lines = [
        "# The rules, and the tests that prove them",
        "",
        "<!-- Written by `python -m tests.rules`; `make check` looks whether it is current. -->",
        "",
        "Each of these tests runs the four services on a real RabbitMQ and a real PostgreSQL, and drops real mail into",
        "real mailboxes (`tests/acceptance/`). Closer to the code there are many more.",
        "",
        "| rule | in our words | proved by |",
        "|---|---|---|",
    ]
    for rule, words in RULES.items():
        tests = [*found.get(rule, ())]
        tests += [f"*waits for {wait.awaited.name}: {wait.part}*" for wait in waits if wait.rule == rule]
        lines.append(f"| {rule} | {words} | {'<br>'.join(name.replace('|', chr(92) + '|') for name in tests)} |")
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str]) -> int:
    """Write or check the page; the exit code."""
    found = proofs()
    wrong = troubles(found)
    if "--check" in arguments:
        if not wrong and (not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page(found)):
            wrong = ["docs/rules.md is not current: run python -m tests.rules"]
    else:
        PAGE.write_text(page(found), encoding="utf-8")
    for sentence in wrong:
        sys.stderr.write(sentence + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
