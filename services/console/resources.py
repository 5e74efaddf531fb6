"""The things a person sets up, as a table: which fields each has, what may stand in them, what they mean.

The commands `add`, `list`, `show` and `set` of every resource, their --help and their SQL are made from these rows, so
that a new field is one line here. Meanings name the Dutch screen term where the specification has one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from services.console.fields import (
    Address,
    BodyTemplate,
    Children,
    Choice,
    Country,
    Day,
    Hours,
    Kind,
    Moment,
    OpeningHours,
    Reference,
    Several,
    SpecialDay,
    SubjectTemplate,
    Text,
    TimeZone,
    WebAddress,
    Whole,
    YesNo,
)
from services.console.texts import N_
from shared.templates.kinds import TemplateKind


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a resource: the option's name, its column (the same, unless said), its kind and its meaning."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    column: str = ""
    listed: bool = True
    clearable: bool = True

    @property
    def option(self) -> str:
        """The name on the command line."""
        return self.name.replace("_", "-")

    @property
    def target(self) -> str:
        """The column in the table."""
        return self.column or self.name


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of thing: its table, its fields, and how a person names one (`keys`: columns besides the id)."""

    name: str
    plural: str
    table: str
    fields: tuple[Field, ...]
    keys: tuple[str, ...] = ("name",)
    per_helpdesk: bool = False
    address_table: str = ""
    """A table of addresses by which one can be named too (contacts, employees)."""
    identity: str = "id"
    facts: tuple[tuple[str, str], ...] = ()
    """What is shown beside the fields and typed by nobody: a name, and its SQL on the row `t`."""

    @property
    def with_article(self) -> str:
        """One of them, unnamed."""
        return f"{'an' if self.name[0] in 'aeiou' else 'a'} {self.name}"

    def field(self, name: str) -> Field:
        """The field of that name."""
        return next(field for field in self.fields if field.name == name)


def _name(meaning: str) -> Field:
    return Field("name", Text(), meaning, required=True, clearable=False)


ACTIVE: Final = Field("active", YesNo(), "in use; what is no longer in use is kept, never deleted", clearable=False)

DUTCH_HOLIDAYS: Final = (
    "Nieuwjaarsdag, Goede vrijdag (open unless closed), Eerste paasdag, Tweede paasdag, Koningsdag, Bevrijdingsdag, "
    "Hemelvaartsdag, Eerste pinksterdag, Tweede pinksterdag, Eerste kerstdag, Tweede kerstdag"
)

GROUPS: Final = Resource(
    N_("group"),
    N_("groups"),
    "helpdesk_groups",
    (_name("its name; helpdesks of a group may know each other's ticket numbers alone (importer set --numbers-of)"),),
)
ORGANISATIONS: Final = Resource(
    N_("organisation"), N_("organisations"), "organisations", (_name("its name («organisatie»)"), ACTIVE)
)
CONTACTS: Final = Resource(
    N_("contact"),
    N_("contacts"),
    "persons",
    (
        _name("the person's name («contactpersoon»)"),
        Field(
            "organisation",
            Reference("organisation"),
            "where he or she belongs",
            required=True,
            column="organisation_id",
            clearable=False,
        ),
        Field(
            "address",
            Children("person_addresses", "person_id", ("address",), Address()),
            "a mail address; repeat it for several",
        ),
        ACTIVE,
    ),
    address_table="person_addresses",
)
EMPLOYEES: Final = Resource(
    N_("employee"),
    N_("employees"),
    "employees",
    (
        _name("the person's name («werknemer»)"),
        Field(
            "address",
            Children("employee_addresses", "employee_id", ("address", "position"), Address(), numbered=True),
            "a mail address; repeat it for several, mails go to the first",
        ),
        ACTIVE,
    ),
    address_table="employee_addresses",
)
CALENDARS: Final = Resource(
    N_("calendar"),
    N_("calendars"),
    "calendars",
    (
        _name("its name"),
        Field("time_zone", TimeZone(), "where its clock hangs (Europe/Amsterdam)", clearable=False),
        Field("holidays", Country(), "the country whose public holidays are free (NL)", column="holiday_country"),
        Field(
            "hours",
            Children("calendar_hours", "calendar_id", ("weekday", "opens", "closes"), OpeningHours()),
            "working hours, such as 'mon-fri 8:30-17:00' or 'sat 0:00-24:00'; repeat it for more",
        ),
        Field(
            "open_holiday",
            Several(Text()),
            f"a holiday on which it is open, each year; repeat it. Of the Netherlands: {DUTCH_HOLIDAYS}",
            column="open_holidays",
            listed=False,
        ),
        Field(
            "closed_holiday",
            Several(Text()),
            "a day that it keeps though it is usually open: Goede vrijdag, or Bevrijdingsdag in every year (else in "
            "lustrum years only); repeat it",
            column="closed_holidays",
            listed=False,
        ),
        Field(
            "special_day",
            Children("calendar_exceptions", "calendar_id", ("day", "opens", "closes"), SpecialDay()),
            "a day of its own, such as '2026-12-24 8:30-12:00' or '2026-12-27 closed'",
            listed=False,
        ),
    ),
)
TENANT: Final = Field(
    "tenant",
    Text(longest=253),
    "the tenant of Microsoft Entra where an app logs in (its id or domain); empty: the login is the server's own (D9)",
    listed=False,
)
CLOUD: Final = Field(
    "cloud",
    Choice(("global", "us-gov", "us-dod", "china")),
    "Microsoft's cloud (global)",
    listed=False,
    clearable=False,
)
SECRET_EXPIRES: Final = Field(
    "secret_expires",
    Day(),
    "the day on which the client secret ends, as Entra shows it: weeks before, the importer says so",
    column="secret_expires_on",
    listed=False,
)
USERNAME: Final = Field(
    "username",
    Text(),
    "the user name, such as DOMAIN\\name, or the client id of an app",
)
LOGIN: Final = Field(
    "login",
    Reference("login"),
    "a login that others use too (logins list); its secret is given again for a server that it does not go to yet; "
    "empty: one of its own, made of the fields here",
    column="login_id",
    listed=False,
)
_STANDING: Final = "FROM login_states s WHERE s.login_id = t.{column}"


def _login_facts(column: str, problem: str) -> tuple[tuple[str, str], ...]:
    """What is shown of the login that the row's `column` names."""
    of_login = _STANDING.format(column=column)
    return (
        ("password_is_set", "t.password_is_set"),
        ("certificate_is_set", "t.certificate_is_set"),
        ("certificate_expires_at", "t.certificate_expires_at"),
        ("login_refused_since", f"(SELECT s.refused_since {of_login})"),
        ("login_rests_until", f"(SELECT s.probe_at {of_login})"),
        (problem, f"(SELECT s.problem {of_login})"),
    )


LOGINS: Final = Resource(
    N_("login"),
    N_("logins"),
    "logins",
    (
        _name("its name; mailboxes and accounts may share it: importer set --login, accounts set --login"),
        USERNAME,
        TENANT,
        CLOUD,
        Field("ca_file", Text(longest=500), "a file with the server's own certificate authority", listed=False),
        SECRET_EXPIRES,
    ),
    facts=(
        *_login_facts("id", "problem"),
        (
            "used_by",
            """(SELECT coalesce(array_agg(u.name ORDER BY u.name), '{}') FROM (
            SELECT 'importer ' || h.name AS name FROM importer_settings i JOIN helpdesks h ON h.id = i.helpdesk_id
            WHERE i.login_id = t.id
            UNION ALL SELECT 'account ' || a.name FROM outgoing_accounts a WHERE a.login_id = t.id) u)""",
        ),
    ),
)
ACCOUNTS: Final = Resource(
    N_("account"),
    N_("accounts"),
    "outgoing_accounts",
    (
        _name("its name"),
        Field("kind", Choice(("smtp", "graph")), "how mail is sent: smtp, or graph (Microsoft 365)", clearable=False),
        Field("host", Text(longest=253), "the SMTP server"),
        Field("port", Whole(1, 65535), "its port: 587 with starttls, 465 with tls"),
        Field("security", Choice(("starttls", "tls", "none")), "how the connection is protected", clearable=False),
        Field(
            "allow_unencrypted",
            YesNo(),
            "mail, and the login, may go to another machine without TLS (security none)",
            listed=False,
            clearable=False,
        ),
        Field("ca_file", Text(longest=500), "a file with the server's own certificate authority", listed=False),
        Field(
            "username",
            Text(),
            "the login, or the client id of an app; its password or client secret: accounts set-password, "
            "its certificate: accounts set-certificate",
        ),
        TENANT,
        CLOUD,
        Field("mailbox", Address(), "the mailbox that sends, when an app logs in", column="mailbox_address"),
        SECRET_EXPIRES,
        LOGIN,
    ),
    facts=_login_facts("login_id", "refusal"),
)
HELPDESKS: Final = Resource(
    N_("helpdesk"),
    N_("helpdesks"),
    "helpdesks",
    (
        _name("its name"),
        Field(
            "calendar",
            Reference("calendar"),
            "its working hours",
            required=True,
            column="calendar_id",
            clearable=False,
        ),
        Field("group", Reference("group"), "the group that it belongs to", column="group_id", listed=False),
        Field("type", Reference("type"), "default type («soort»)", column="default_ticket_type_id", listed=False),
        Field("priority", Reference("priority"), "default priority («prioriteit»)", column="default_priority_id"),
        Field(
            "environment",
            Reference("environment"),
            "default environment («omgeving»)",
            column="default_environment_id",
            listed=False,
        ),
        Field("manager", Reference("employee"), "default ticket manager", column="default_ticket_manager_id"),
        Field("executor", Reference("employee"), "default executor («uitvoerder»)", column="default_executor_id"),
        Field(
            "recalculate_deadline",
            YesNo(),
            "new tickets recalculate their deadline («herberekening deadline»)",
            listed=False,
            clearable=False,
        ),
        Field(
            "supplement_status",
            Reference("status"),
            "the status after a supplement from the portal or by mail; empty: as it was",
            column="portal_supplement_status_id",
            listed=False,
        ),
        Field(
            "import_mails",
            YesNo(),
            "«Mail versturen bij toevoegen uit e-mail importer»",
            column="send_import_mails",
            clearable=False,
        ),
        Field("account", Reference("account"), "the account that sends its mail", column="outgoing_account_id"),
        Field("sender_name", Text(), "the name above its mails", listed=False),
        Field("sender_address", Address(), "the address its mails come from"),
        Field(
            "reply_to",
            Address(),
            "where answers go; empty: the mailbox that is imported",
            column="reply_to_address",
            listed=False,
        ),
        Field(
            "fallback_recipient",
            Address(),
            "gets what has no ticket manager or executor; empty: nobody does",
            listed=False,
        ),
        Field(
            "unknown_senders_per_hour",
            Whole(0, 100_000),
            "confirmations to unknown senders in an hour, at most; 0: none (D10)",
            listed=False,
            clearable=False,
        ),
        Field(
            "quoted_to_strangers",
            Choice(("nothing", "subject", "all")),
            "what a confirmation repeats to an unknown sender whom no DMARC check vouches for; links never (M4)",
            listed=False,
            clearable=False,
        ),
        Field(
            "summary_after",
            Whole(1, 10_000),
            "mails to one employee within ten minutes, before the next become one summary; empty: they never do",
            listed=False,
        ),
        Field(
            "ticket_url",
            WebAddress(),
            "the page of a ticket in the helpdesk, with [ticketnummer] where the number goes",
            listed=False,
        ),
        ACTIVE,
    ),
)
STATUSES: Final = Resource(
    N_("status"),
    N_("statuses"),
    "statuses",
    (
        _name("its name, such as «E-mail Geïmporteerd»"),
        Field("category", Choice(("open", "closed")), "whether a ticket in it is still open", clearable=False),
        Field("position", Whole(0, 9999), "its place in lists", clearable=False),
        Field("flag", Choice(("imported",)), "imported: imported tickets get this status («vlag geïmporteerd»)"),
        Field("visible", YesNo(), "«zichtbaar klant»", column="visible_to_customer", clearable=False),
        Field("expanded", YesNo(), "«uitgeklapt»", clearable=False),
        ACTIVE,
    ),
    per_helpdesk=True,
)
TYPES: Final = Resource(
    N_("type"), N_("types"), "ticket_types", (_name("its name («soort»)"), ACTIVE), per_helpdesk=True
)
PRIORITIES: Final = Resource(
    N_("priority"),
    N_("priorities"),
    "priorities",
    (
        _name("its name («prioriteit»)"),
        Field("position", Whole(0, 9999), "its place in lists", clearable=False),
        Field(
            "resolution",
            Hours(),
            "working hours within which a ticket is to be solved; empty: no deadline",
            column="resolution_minutes",
        ),
        ACTIVE,
    ),
    per_helpdesk=True,
)
ENVIRONMENTS: Final = Resource(
    N_("environment"), N_("environments"), "environments", (_name("its name («omgeving»)"), ACTIVE), per_helpdesk=True
)
CATEGORIES: Final = Resource(
    N_("category"),
    N_("categories"),
    "categories",
    (
        _name("its name («categorie», «subcategorie»)"),
        Field("parent", Reference("category"), "the category of which it is a part", column="parent_id"),
        ACTIVE,
    ),
    per_helpdesk=True,
)
TEMPLATES: Final = Resource(
    N_("template"),
    N_("templates"),
    "templates",
    (
        Field(
            "kind",
            Choice(tuple(TemplateKind)),
            "which mail: to the ticket manager, the executor or the customer, or the summary of many to one employee",
            required=True,
            clearable=False,
        ),
        Field("subject", SubjectTemplate(), "«Mail onderwerp …» with [placeholders]; empty: the default"),
        Field(
            "html",
            BodyTemplate(),
            "a file with its html; empty: the default",
            column="body_html",
            listed=False,
        ),
        Field("text", BodyTemplate(), "a file with its text; empty: the default", column="body_text", listed=False),
    ),
    keys=("kind",),
    per_helpdesk=True,
    identity="kind",
)


def fields_of_template(kind: str) -> tuple[Field, ...]:
    """The fields of a template of this kind: that of a summary has placeholders of its own."""
    of_ticket = kind != TemplateKind.SUMMARY
    return tuple(
        replace(field, kind=replace(field.kind, of_ticket=of_ticket))
        if isinstance(field.kind, SubjectTemplate | BodyTemplate)
        else field
        for field in TEMPLATES.fields
    )


RESOURCES: Final = {
    resource.name: resource
    for resource in (
        ORGANISATIONS,
        CONTACTS,
        EMPLOYEES,
        CALENDARS,
        LOGINS,
        ACCOUNTS,
        GROUPS,
        HELPDESKS,
        STATUSES,
        TYPES,
        PRIORITIES,
        ENVIRONMENTS,
        CATEGORIES,
        TEMPLATES,
    )
}

# The settings «e-Mail importer» of one helpdesk (SPEC S1–S7, and what the decisions D leave to a helpdesk).
IMPORTER: Final = Resource(
    N_("importer"),
    N_("importer"),
    "importer_settings",
    (
        Field("enabled", YesNo(), "S1 «Maak gebruik van de E-mail importer»", clearable=False),
        Field(
            "kind",
            Choice(("maildir", "imap", "ews", "graph")),
            "the kind of mailbox; empty: as «Server» and the login tell",
        ),
        Field(
            "username",
            Text(),
            "S2 «Gebruikersnaam email box», such as DOMAIN\\name, or the client id of an app; its password or client "
            "secret: importer set-password, its certificate: importer set-certificate",
        ),
        Field(
            "server",
            Text(longest=500),
            "S4 «Server»: a host, host:port or URL; for a Maildir its folder on this machine; "
            "for Exchange found by importer discover, for Microsoft 365 not needed",
        ),
        TENANT,
        CLOUD,
        SECRET_EXPIRES,
        Field("ca_file", Text(longest=500), "a file with the server's own certificate authority"),
        LOGIN,
        Field(
            "allow_unencrypted",
            YesNo(),
            "let the login travel without TLS, for everybody on the way to read",
            clearable=False,
        ),
        Field(
            "impersonate",
            YesNo(),
            "the login acts as the mailbox's owner (EWS, role ApplicationImpersonation); else it has access of its own",
            clearable=False,
        ),
        Field(
            "mailbox",
            Address(),
            "the mailbox's own address, a shared one too; empty: the login is its address",
            column="mailbox_address",
        ),
        Field("folder", Text(), "the folder that is read (INBOX)", clearable=False),
        Field("default_contact", Reference("contact"), "S5 «Standaard contactpersoon»", column="default_contact_id"),
        Field("default_employee", Reference("employee"), "S6 «Standaard werknemer»", column="default_employee_id"),
        Field("marker", Text(), "S7 «Mail header»: the line above which an answer is written"),
        Field("check_interval", Whole(1, 86400), "seconds between two checks", column="check_interval_seconds"),
        Field("max_mail_bytes", Whole(1024, 2**40), "the largest mail that is fetched whole, in bytes (D17)"),
        Field("import_from", Moment(), "«importeren vanaf»: older mail is left alone (D18)"),
        Field(
            "read_mail_from",
            Moment(),
            "«ook gelezen mail importeren vanaf»: mail that somebody read first comes too; empty: unread mail alone",
        ),
        Field("old_mail_days", Whole(1, 3650), "mail older than this sends no mails (D18)"),
        Field("backlog_limit", Whole(1, 10**6), "more old mails than this wait for a choice (D18)"),
        Field(
            "mails_per_sender_per_hour",
            Whole(1, 10**6),
            "of one sender so many in an hour; more wait their turn, four hours at most; '': as many as come",
            listed=False,
        ),
        Field("after_import", Choice(("mark-read", "move", "delete")), "what happens to an imported mail"),
        Field("after_import_folder", Text(), "the folder that an imported mail is moved to"),
        Field("numbers_of", Choice(("all", "group")), "whose ticket numbers are known: all helpdesks', or the group's"),
        Field("own_list", Several(Text()), "the List-Id of a group of our own; repeat it", column="own_list_ids"),
        Field(
            "trusted_authserv",
            Several(Text()),
            "the server whose Authentication-Results are believed; repeat it",
            column="trusted_authserv_ids",
        ),
        Field("fed_by_rule", YesNo(), "a rule of another mailbox redirects its mail to this one (D6)"),
        Field("follow_threads", YesNo(), "an answer without a number is found by its thread too (D8)"),
        Field("treat_employee_as_customer", YesNo(), "mail of an employee counts as a customer's (D12)"),
        Field("confirm_to_employees", YesNo(), "an employee gets the customer's confirmation too (D12)"),
        Field("hold_strangers", YesNo(), "what strangers add stays hidden until it is accepted (D20)"),
        Field("reply_to_is_sender", YesNo(), "the address in Reply-To counts as the sender (D19)"),
        Field("forwarded_sender", YesNo(), "a mail that an employee forwards counts as its first sender's (D12)"),
        Field("organisation_by_domain", YesNo(), "a stranger is of the organisation that uses his domain (S5)"),
        Field("new_ticket_after_days", Whole(1, 3650), "mail to a ticket closed longer than this is a new ticket (A8)"),
        Field("trim_replies", YesNo(), "a supplement shows no quoted replies and signatures (A6)"),
        Field("strip_image_metadata", YesNo(), "images are stored without positions, names and devices (D4)"),
        Field("hide_signature_images", YesNo(), "tracking pixels and repeated logos are hidden (D4)"),
    ),
    keys=(),
    identity="helpdesk_id",
    facts=(
        ("mailbox_kind", "t.mailbox_kind"),
        ("password_is_set", "t.password_is_set"),
        ("certificate_is_set", "t.certificate_is_set"),
        ("certificate_expires_at", "t.certificate_expires_at"),
    ),
)
