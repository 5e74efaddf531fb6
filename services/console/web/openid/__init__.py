"""Logging in by OpenID Connect: what a provider says is believed only after it was checked."""
