"""The web console: what an administrator of a helpdesk sees and does in a browser.

A request passes `guard` (who is it, where does it come from), then the page of its path (`endpoint`), which asks the
same repairs as the command line and answers with values; `rendering` makes html or JSON of them.
"""
