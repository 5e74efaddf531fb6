"""Writes docs/templates.md from the table of placeholders.

python -m shared.templates.reference > docs/templates.md
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from shared.templates.defaults import default_texts
from shared.templates.kinds import TemplateKind
from shared.templates.placeholders import OF_SUMMARIES, PLACEHOLDERS, Placeholder
from shared.templates.render import SUBJECT_LIMIT, VALUE_IN_SUBJECT_LIMIT

_KINDS: Final = {
    TemplateKind.TICKET_ADDED_MANAGER: "M2, to the ticket manager: the importer added a ticket",
    TemplateKind.SUPPLEMENT_ADDED_EXECUTOR: "M3, to the executor («uitvoerder»): the importer added a supplement",
    TemplateKind.TICKET_ADDED_CUSTOMER: "M4, to the customer: his mail became a ticket",
    TemplateKind.SUMMARY: "M2 and M3 in a burst, to an employee: many tickets and supplements in one mail",
}


def reference() -> str:
    """The page as Markdown, ended by a line break."""
    return "\n".join(
        [
            *_rules(),
            "",
            *_subjects(),
            "",
            *_table("Placeholders", PLACEHOLDERS),
            "",
            *_table("Placeholders of a summary", OF_SUMMARIES),
            "",
        ]
    )


def _rules() -> list[str]:
    return [
        "# Templates of the mails that the importer sends",
        "",
        "<!-- Written by `python -m shared.templates.reference`; a test checks that it is current. -->",
        "",
        "A helpdesk has at most one template for each mail: a subject, a body in html, a body in text. What it leaves",
        "empty is taken from the default (`shared/templates/default_texts/`). With only one of the two bodies the",
        "other is made from it.",
        "",
        "- `[naam]` is replaced by its value; capitals and extra spaces do not matter.",
        "- `[naam?]` has a question mark: where the ticket has no such value, the line goes that it stands in. In",
        "  html a line reaches from one `<br>` or block to the next; a paragraph or list item that is left without",
        "  text goes too, and the row of a table cell. The default templates use it; a template of your own keeps",
        "  every line that you did not mark.",
        "- `[[` is a literal `[`: `[[naam]` prints `[naam]`.",
        "- A value is put in once and never read as a template again.",
        "- Unknown names are refused when a template is saved, with the name that was probably meant. A template that",
        "  reached the database in another way and cannot be used is replaced by the default, and the log says so",
        "  (`template-unusable`).",
        "- The mail to the customer repeats no link to an unknown sender whom no trusted check vouches for, and of his",
        "  mail what the helpdesk's `quoted_to_strangers` says: `nothing`, `subject` (80 characters), or `all` (500",
        "  characters of the text too). His address stands for a name that is long or has a link.",
        "- After a helpdesk's `summary_after` mails to one employee within ten minutes the next waits ten minutes, and",
        "  tells of all that follow. Its template is `summary`, which has placeholders of its own and no ticket number",
        "  in its subject. The marker line is not on it, since an answer would find no ticket.",
        "- A subject must have `[ticketnummer]`: it brings the answer back to the ticket. One value takes at most",
        f"  {VALUE_IN_SUBJECT_LIMIT} characters of it, a whole subject has at most {SUBJECT_LIMIT}.",
        "- Html is reduced to text, tables, lists, links and simple styles. Nothing in it runs, and no image is shown",
        "  or loaded: where the ticket has an image the mail says `[afbeelding: naam]`, and the ticket shows it.",
        "- The helpdesk's marker line (S7) is put on top by itself.",
        "- A value that the ticket does not have reads as the last column says, where there is no question mark. Of a",
        "  link to such a value the words stay.",
        "- Line breaks that `white-space: pre-wrap` would keep are written as `<br>`, for Outlook.",
        "- Dates are in the time zone of the helpdesk's calendar.",
    ]


def _subjects() -> list[str]:
    lines = ["## The mails and their default subjects", "", "| kind | mail | default subject |", "|---|---|---|"]
    return [
        *lines,
        *(f"| `{kind.value}` | {mail} | `{default_texts(kind).subject}` |" for kind, mail in _KINDS.items()),
    ]


def _table(title: str, placeholders: Sequence[Placeholder]) -> list[str]:
    lines = [
        f"## {title}",
        "",
        "| placeholder | stands for | example | subject | when empty |",
        "|---|---|---|---|---|",
    ]
    return [
        *lines,
        *(
            f"| `[{row.name}]` | {row.meaning} | {row.example} | {'yes' if row.in_subject else ''} | {row.when_empty} |"
            for row in placeholders
        ),
    ]


if __name__ == "__main__":
    sys.stdout.write(reference())
