"""Fixtures of the attacks that need ticket_writer's small world."""

from tests.services.ticket_writer.conftest import desk

__all__ = ["desk"]
