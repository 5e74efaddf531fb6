"""`helpdesk-importer explain`: why a mail becomes what it becomes, told without a server or a database."""
