#!/usr/bin/env bash
# Runs once, when the data directory is new: the owner of the schema, who is no superuser, and his database.
set -euo pipefail
owner_password=$(cat /run/secrets/database_password_owner)
psql --set=ON_ERROR_STOP=1 --set=password="$owner_password" --username="${POSTGRES_USER:-postgres}" --dbname=postgres <<'SQL'
CREATE ROLE importer_owner LOGIN CREATEROLE PASSWORD :'password';
CREATE DATABASE helpdesk OWNER importer_owner;
SQL
