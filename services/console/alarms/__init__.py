"""Tells people what needs a person: by mail or webhook, once, and again when it ends; and each helpdesk's day.

The watch (`watch`) looks every half minute, as `status` does. What it sees goes into the table `alarms`; what is to be
told of it into `alarm_tellings`, which two that watch share, so that each is told once. How it is told stands in the
environment (`configuration`), not in the database: an alarm that the database is away must get out, too.
"""
