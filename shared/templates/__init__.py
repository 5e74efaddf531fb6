"""Templates of the mails M2–M4: text with `[naam]` in it (DESIGN 11). Pure: the console checks, the notifier sends.

placeholders   the one table of names that may stand in brackets
render         parse and check a template, put values in their places, escaped for where they stand
defaults       the Dutch templates that hold as long as a helpdesk has none of its own (`default_texts/`)
html_lines     lines of html: without a value they go, those of plain text are kept
facts          what a mail tells: ticket, supplement, who gets it
values         a value for each placeholder, from the facts; `summary` for the mail of many
written        the whole mail: subject, text and html of a template with its values
safe_html      what html may leave in a mail
plain_text     html read as text, text written as html
reference      writes docs/templates.md
"""
