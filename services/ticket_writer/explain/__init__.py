"""What a mail becomes and why, without a server or a database: the second half of `helpdesk-importer explain`."""
