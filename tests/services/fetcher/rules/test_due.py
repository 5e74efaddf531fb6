"""When a mailbox pauses (SPEC D14)."""

import pytest

from services.fetcher.rules.due import Roles, pause_reason


def test_D14_a_mailbox_with_all_its_roles_active_is_checked() -> None:
    assert (
        pause_reason(Roles(default_contact_active=True, default_employee_active=True, imported_status_active=True))
        is None
    )


@pytest.mark.parametrize("gone", [False, None], ids=["inactive", "missing"])
@pytest.mark.parametrize(
    ("role", "named"),
    [
        ("default_contact_active", "«Standaard contactpersoon» is niet"),
        ("default_employee_active", "«Standaard werknemer» is niet"),
        ("imported_status_active", "«geïmporteerd» is niet"),
    ],
)
def test_D14_a_mailbox_pauses_and_says_which_role_is_inactive(role: str, named: str, gone: bool | None) -> None:  # noqa: FBT001 - a column's value
    roles: dict[str, bool | None] = {
        "default_contact_active": True,
        "default_employee_active": True,
        "imported_status_active": True,
    }
    reason = pause_reason(Roles(**roles | {role: gone}))
    assert reason is not None
    assert named in reason
    assert "blijft ongelezen" in reason


def test_D14_several_inactive_roles_are_all_named() -> None:
    reason = pause_reason(
        Roles(default_contact_active=False, default_employee_active=False, imported_status_active=True)
    )
    assert reason is not None
    assert "«Standaard contactpersoon» en «Standaard werknemer» zijn niet" in reason
