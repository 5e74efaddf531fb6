"""The demo: a sample organisation, a sample mailbox, a mail server, and the report of what became of every mail."""
