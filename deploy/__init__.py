"""How the importer is set up, run, demonstrated and deployed: nothing in services/ or shared/ imports from here."""
