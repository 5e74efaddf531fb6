"""Bytes too large for a message or a row: stored once under their SHA-256, streamed in and out (DESIGN 4).

`store` says what a blob store does, `postgres` does it in PostgreSQL, `claim_check` puts references into messages and
takes the bytes out again.
"""
