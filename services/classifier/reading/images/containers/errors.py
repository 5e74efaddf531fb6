"""What is raised for bytes that are no file of their format."""


class NotWhole(Exception):
    """The bytes are not put together as the format says."""
