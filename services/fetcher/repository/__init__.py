"""All of the fetcher's SQL: `mailboxes` (whose turn it is) and `ledger` (what became of a mail).

The fetcher's role may read settings and outcomes, write `mailbox_states` and blobs, insert into the ledger and fill
what the way of a mail into the broker leaves there; `11_grants.sql` says so column by column.
"""
