"""Whether a mailbox whose turn has come may be checked (SPEC S1, D14).

Which mailboxes' turn has come is asked of the database (`repository.claim`): enabled (S1), past their next check, and
leased to nobody. What other programs did to the shared database since S1 was switched on is looked at here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Roles:
    """Who and what must be active while the importer is on (SPEC D14); None: there is none."""

    default_contact_active: bool | None
    default_employee_active: bool | None
    imported_status_active: bool | None


def pause_reason(roles: Roles) -> str | None:
    """Why the mailbox pauses and its mail stays unread: a sentence for the settings screen; None when it may go on."""
    missing = [
        what
        for what, active in (
            ("«Standaard contactpersoon»", roles.default_contact_active),
            ("«Standaard werknemer»", roles.default_employee_active),
            ("de status met de vlag «geïmporteerd»", roles.imported_status_active),
        )
        if not active
    ]
    if not missing:
        return None
    are = "is" if len(missing) == 1 else "zijn"
    return (
        f"Gepauzeerd: {' en '.join(missing)} {are} niet (meer) actief. De mail blijft ongelezen. "
        "Maak dit weer actief of kies een ander, dan gaat het importeren vanzelf verder."
    )
