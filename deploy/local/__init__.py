"""The front door of a checkout: private servers, virtual environment, demo, tests; only the standard library.

Every module here runs on the bare system Python (3.11 or later), before any virtual environment exists.
"""
