"""What the importer's parts say of each other, compared: mailboxes, ledger, tickets, notifications, queues, blobs."""
