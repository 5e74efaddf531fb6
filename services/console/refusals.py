"""What the database refuses, as sentences: by the name of the constraint, since its own text is for developers."""

from __future__ import annotations

from typing import Final

import asyncpg

from services.console.database import Refused
from services.console.texts import N_, _

_SENTENCES: Final = {
    "identities_stay_longer": N_(
        "What was imported is remembered longer than raw mails are kept (--identities above "
        "--raw-mails), or a second copy of a mail would become a second ticket."
    ),
    "retention_identity_days_check": N_("What was imported is remembered for a year at least (--identities 365)."),
    "a_default_contact_stays": N_("This is the «Standaard contactpersoon» of a helpdesk: give that another one first."),
    "what_is_on_its_way_stays": N_(
        "A mail of or to this address is on its way: erase once it is done (mails list --waiting, notifications list)."
    ),
    "importer_on_needs_kind": N_(
        "The importer can be switched on only with a kind of mailbox (--kind), or with a server or login that tells it."
    ),
    "importer_on_needs_login": N_(
        "The importer can be switched on only with a login (--username) and a password "
        "(importer set-password), or an app's certificate (importer set-certificate)."
    ),
    "importer_on_needs_tenant": N_(
        "Microsoft 365 takes no passwords: the importer can be switched on only with an app "
        "registration, its tenant (--tenant), client id (--username) and client secret or certificate."
    ),
    "importer_on_needs_address": N_(
        "An app has no mailbox of its own: the importer can be switched on only with the mailbox's address (--mailbox)."
    ),
    "password_or_certificate": N_(
        "A login has a password or a certificate: set one of them, it takes the other's place."
    ),
    "tenant_is_an_id_or_a_domain": N_(
        "A tenant is an id such as 6babcaad-604b-40ac-a9d7-9fd97c0b779f, or a domain (--tenant)."
    ),
    "smtp_names_its_server": N_("An account of kind smtp names its server (--host) and port (--port)."),
    "graph_has_a_tenant": N_("An account of kind graph has a tenant (--tenant)."),
    "a_tenant_has_app_and_mailbox": N_(
        "An account with a tenant has the app's client id (--username) and the mailbox that sends (--mailbox)."
    ),
    "sending_unencrypted_is_chosen": N_(
        "Mail, and the login, go to another machine without TLS only where "
        "--allow-unencrypted says so; better is --security starttls or tls."
    ),
    "a_secret_stays_with_its_place": N_(
        "The stored password or certificate was given for another server, kind, cloud, CA file or protection of the "
        "connection, and is not sent elsewhere: give the password again (--with-password), or forget what is stored "
        "(--forget-secret) and set it afterwards."
    ),
    "a_shared_login_is_changed_by_itself": N_(
        "This login is used by several mailboxes or accounts (logins show): change it by itself, with logins set, "
        "logins set-password or logins set-certificate, or choose another one with --login."
    ),
    "mailbox_has_its_login": N_("This login is in use (logins show)."),
    "account_has_its_login": N_("This login is in use (logins show)."),
    "certificate_belongs_to_a_tenant": N_(
        "A certificate is an app's: give the account its tenant first (accounts set --tenant)."
    ),
    "importer_on_needs_exchange_server": N_(
        "The importer can be switched on only with the Exchange server (--server): "
        "importer discover finds it, and you confirm that it is yours."
    ),
    "importer_on_needs_maildir_path": N_("The importer can be switched on only with the Maildir's folder (--server)."),
    "importer_on_needs_default_contact": N_(
        "The importer can be switched on only with a «Standaard contactpersoon» (--default-contact)."
    ),
    "importer_on_needs_default_employee": N_(
        "The importer can be switched on only with a «Standaard werknemer» (--default-employee)."
    ),
    "importer_on_needs_imported_status": N_(
        "The importer can be switched on only when one status of the helpdesk has "
        "the flag «geïmporteerd» (statuses set … --flag imported)."
    ),
    "a_mailbox_belongs_to_one_helpdesk": N_("Another helpdesk reads this mailbox; one mailbox is one helpdesk's."),
    "a_maildir_belongs_to_one_helpdesk": N_("Another helpdesk reads this folder; one mailbox is one helpdesk's."),
    "a_login_belongs_to_one_helpdesk": N_(
        "Another helpdesk reads this login's mailbox; one mailbox is one helpdesk's."
    ),
    "one_imported_status_per_helpdesk": N_(
        "This helpdesk has a status with the flag «geïmporteerd» already; clear that one first (--flag '')."
    ),
    "imported_status_is_open": N_("The status with the flag «geïmporteerd» must be an open one."),
    "move_needs_a_folder": N_("To move imported mail, name the folder too (--after-import-folder)."),
    "importer_on_keeps_its_status": N_(
        "The importer of this helpdesk is on and needs this status; switch it off first."
    ),
    "a_template_can_be_used": N_(
        "The template has an unknown placeholder, an open bracket, or a subject without "
        "[ticketnummer]: docs/templates.md lists what there is."
    ),
    "a_holiday_is_open_or_closed": N_(
        "A day is open or closed: name it with --open-holiday or --closed-holiday, not both."
    ),
    "brought_back_to_the_past": N_("A database is brought back to an earlier moment (--to)."),
    "password_belongs_to_a_username": N_("This account has a password; it keeps its username as long."),
}

_KINDS: Final[tuple[tuple[type[asyncpg.PostgresError], str], ...]] = (
    (asyncpg.RaiseError, "%(detail)s"),
    (asyncpg.UniqueViolationError, N_("There is one with that name or value already (%(detail)s).")),
    (asyncpg.ForeignKeyViolationError, N_("It is in use, or names something of another helpdesk (%(detail)s).")),
    (asyncpg.IntegrityConstraintViolationError, N_("The database does not take this value (%(detail)s).")),
    (asyncpg.DataError, N_("The database cannot read this value (%(detail)s).")),
)


def sentence(refused: Refused) -> str:
    """What the command line says of a refusal."""
    if refused.constraint in _SENTENCES:
        return _(_SENTENCES[refused.constraint])
    detail = getattr(refused.error, "detail", None) or str(refused.error)
    text = next(text for kind, text in _KINDS if isinstance(refused.error, kind))
    return _(text) % {"detail": detail}
