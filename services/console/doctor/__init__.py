"""What `helpdesk-importer doctor` examines: one module a part of the installation, each check a function of its own."""
