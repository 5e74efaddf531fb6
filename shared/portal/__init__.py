"""The portal's own rules for status, deadline and history, and the reasons that people are told (SPEC D2).

Pure functions on frozen values: a portal could call them as the importer does.
"""
