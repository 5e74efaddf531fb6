"""PostgreSQL: the schema and its migrations, the roles, and the pool of connections."""
