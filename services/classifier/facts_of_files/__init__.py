"""The facts of mails in files, found without a server or a database: the first half of `helpdesk-importer explain`."""
