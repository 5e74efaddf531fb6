"""What the settings of a helpdesk are called on the screen, as the document has them, and a sentence for each.

A screen is a page with fields of one row; a list is a page with rows of the helpdesk. The fields themselves, what may
stand in them and what the command line calls them, are `services.console.resources`; a test finds one without a label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.console.resources import (
    CALENDARS,
    ENVIRONMENTS,
    HELPDESKS,
    IMPORTER,
    PRIORITIES,
    STATUSES,
    TYPES,
    Resource,
)
from services.console.web.forms import N_, Asked


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together, under a heading."""

    title: str
    asked: tuple[Asked, ...]
    folded: bool = False
    """Shown when somebody asks for it, or something is wrong there."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A page with fields of one row; `key` is its part of the address."""

    key: str
    title: str
    resource: Resource
    groups: tuple[Group, ...]

    @property
    def asked(self) -> tuple[Asked, ...]:
        """All its fields."""
        return tuple(one for group in self.groups for one in group.asked)


_WORDS: Final = {"nothing": "", "global_": "global", "nothing_": "nothing"}
"""Words of a choice that Python cannot spell as a name, beside those with a hyphen."""


def _of(
    resource: Resource, name: str, label: str, sentence: str = "", *, operator: bool = False, **words: str
) -> Asked:
    """A field of a resource. `words` are what the words of a choice are called, as `_WORDS` spells them."""
    called = {_WORDS.get(word, word.replace("_", "-")): text for word, text in words.items()}
    return Asked(resource.field(name), label, sentence, operator=operator, words=called)


IMPORTER_SCREEN: Final = Screen(
    "importer",
    N_("e-Mail importer"),
    IMPORTER,
    (
        Group(
            N_("e-Mail importer"),
            (
                _of(IMPORTER, "enabled", N_("Maak gebruik van de E-mail importer"), N_("Staat dit uit, dan wordt het postvak nooit vanzelf geopend.")),
                _of(IMPORTER, "username", N_("Gebruikersnaam email box"), N_("Zoals naam@voorbeeld.nl of DOMEIN\\naam. Bij Microsoft 365: het client-id van de app.")),
                _of(IMPORTER, "server", N_("Server"), N_("De mailserver, zoals imap.voorbeeld.nl. Bij Microsoft 365 kan dit leeg blijven; bij Exchange vindt «Zoek server» hem.")),
                _of(IMPORTER, "default_contact", N_("Standaard contactpersoon"), N_("Staat op het ticket als het adres van de afzender nergens bekend is. Zijn organisatie wordt die van het ticket.")),
                _of(IMPORTER, "default_employee", N_("Standaard werknemer"), N_("Maakt het ticket aan, of vult het aan.")),
                _of(IMPORTER, "marker", N_("Mail header"), N_("De regel waarboven mensen antwoorden, zoals «===== vul boven deze regel uw reactie =====». Leeg: de hele mail wordt ingelezen.")),
            ),
        ),
        Group(
            N_("Soort postvak en aanmelding"),
            (
                _of(IMPORTER, "kind", N_("Soort postvak"), nothing=N_("vanzelf, uit server en gebruikersnaam"), maildir=N_("map op de server (Maildir)"), imap="IMAP", ews=N_("Exchange op eigen servers (EWS)"), graph="Microsoft 365 (Graph)"),
                _of(IMPORTER, "mailbox", N_("Adres van het postvak"), N_("Het mailadres van het postvak zelf, ook van een gedeeld postvak. Leeg: de gebruikersnaam is het adres.")),
                _of(IMPORTER, "folder", N_("Map in het postvak"), N_("De map die wordt gelezen.")),
                _of(IMPORTER, "tenant", N_("Tenant van Microsoft Entra"), N_("Het id of domein van de tenant waarin de app is geregistreerd. Leeg: er is geen app, de gebruikersnaam is van de mailserver.")),
                _of(IMPORTER, "cloud", N_("Cloud van Microsoft"), N_("Waar de tenant staat. Bijna altijd de wereldwijde."), global_=N_("wereldwijd"), us_gov=N_("Amerikaanse overheid"), us_dod=N_("Amerikaans ministerie van Defensie"), china="China"),
                _of(IMPORTER, "secret_expires", N_("Geheim verloopt op"), N_("De dag die Entra bij het clientgeheim noemt. Weken ervoor zegt de importer het.")),
                _of(IMPORTER, "impersonate", N_("Aanmelden namens het postvak"), N_("Alleen voor Exchange op eigen servers: de gebruiker heeft de rol ApplicationImpersonation."), operator=True),
                _of(IMPORTER, "login", N_("Gedeelde aanmelding"), N_("Een aanmelding die ook andere postvakken of accounts gebruiken."), operator=True, nothing=N_("geen, een eigen aanmelding")),
                _of(IMPORTER, "ca_file", N_("Eigen certificaatautoriteit"), N_("Een bestand op de server met het certificaat waarmee de mailserver zich bewijst."), operator=True),
                _of(IMPORTER, "allow_unencrypted", N_("Zonder TLS aanmelden"), N_("Iedereen onderweg kan het wachtwoord dan lezen."), operator=True),
            ),
            folded=True,
        ),
    ),
)  # fmt: skip

READING_SCREEN: Final = Screen(
    "reading",
    N_("Inlezen"),
    IMPORTER,
    (
        Group(
            N_("Wat wordt ingelezen"),
            (
                _of(IMPORTER, "check_interval", N_("Seconden tussen twee controles"), N_("Hoe vaak het postvak wordt gecontroleerd.")),
                _of(IMPORTER, "import_from", N_("Importeren vanaf"), N_("Oudere mail blijft ongemoeid. Leeg: alle ongelezen mail.")),
                _of(IMPORTER, "read_mail_from", N_("Ook gelezen mail importeren vanaf"), N_("Mail die na dit moment aankwam komt ook mee als iemand haar eerst las. Leeg: alleen ongelezen mail.")),
                _of(IMPORTER, "max_mail_bytes", N_("Grootste mail in bytes"), N_("Van een grotere mail wordt alleen het begin ingelezen, en dat staat erbij.")),
                _of(IMPORTER, "old_mail_days", N_("Mail is oud na zoveel dagen"), N_("Over oude mail gaat nooit vanzelf een mail uit.")),
                _of(IMPORTER, "backlog_limit", N_("Zoveel oude mails tegelijk"), N_("Zijn het er meer, dan wachten ze op uw keuze (Werklijsten, Oude mail).")),
                _of(IMPORTER, "mails_per_sender_per_hour", N_("Mails per afzender per uur"), N_("Van één afzender komen er in een uur hoogstens zoveel binnen; wat meer is wacht op zijn beurt, hoogstens vier uur. Leeg: alles komt meteen binnen.")),
                _of(IMPORTER, "after_import", N_("Na het inlezen"), N_("Wat er met de mail in het postvak gebeurt."), mark_read=N_("als gelezen markeren"), move=N_("verplaatsen"), delete=N_("verwijderen")),
                _of(IMPORTER, "after_import_folder", N_("Verplaatsen naar map"), N_("Nodig als mail na het inlezen wordt verplaatst.")),
            ),
        ),
        Group(
            N_("Bij welk ticket een mail hoort"),
            (
                _of(IMPORTER, "numbers_of", N_("Ticketnummers van"), N_("Van welke helpdesks een nummer in het onderwerp wordt herkend."), all=N_("alle helpdesks"), group=N_("de groep van deze helpdesk"), operator=True),
                _of(IMPORTER, "follow_threads", N_("Antwoorden zonder nummer volgen"), N_("Een antwoord waarin het nummer ontbreekt wordt dan herkend aan de mail waarop het antwoordt.")),
                _of(IMPORTER, "new_ticket_after_days", N_("Nieuw ticket na zoveel dagen"), N_("Mail op een ticket dat langer gesloten is wordt een nieuw ticket. Leeg: altijd een aanvulling.")),
                _of(IMPORTER, "trim_replies", N_("Citaten en handtekeningen weglaten"), N_("Een aanvulling toont dan alleen wat nieuw is; de hele tekst blijft bewaard.")),
            ),
        ),
        Group(
            N_("Wie de afzender is"),
            (
                _of(IMPORTER, "treat_employee_as_customer", N_("Werknemers als klant behandelen"), N_("Mail van een werknemer telt dan als die van een klant.")),
                _of(IMPORTER, "confirm_to_employees", N_("Bevestiging ook aan werknemers"), N_("Een werknemer krijgt dan ook de mail voor klanten.")),
                _of(IMPORTER, "forwarded_sender", N_("Doorgestuurde mail is van de eerste afzender"), N_("Stuurt een werknemer een mail door, dan telt die als van wie haar schreef.")),
                _of(IMPORTER, "reply_to_is_sender", N_("Reply-To is de afzender"), N_("Voor webformulieren: het adres in Reply-To telt als afzender.")),
                _of(IMPORTER, "organisation_by_domain", N_("Organisatie uit het maildomein"), N_("Een onbekende afzender hoort dan bij de organisatie die zijn domein gebruikt.")),
                _of(IMPORTER, "hold_strangers", N_("Aanvullingen van vreemden vasthouden"), N_("Wat iemand schrijft die niets met het ticket te maken heeft, blijft verborgen tot u het goedkeurt.")),
                _of(IMPORTER, "own_list", N_("Onze eigen groepen"), N_("De List-Id van elke eigen groep, één per regel. Zij zijn geen teken van een mailinglijst.")),
                _of(IMPORTER, "trusted_authserv", N_("Server die afzenders controleert"), N_("De naam in Authentication-Results van uw eigen mailserver, één per regel. Alleen die wordt geloofd.")),
                _of(IMPORTER, "fed_by_rule", N_("Gevoed door een doorstuurregel"), N_("Een regel in een ander postvak stuurt zijn mail hierheen door.")),
            ),
        ),
        Group(
            N_("Afbeeldingen"),
            (
                _of(IMPORTER, "strip_image_metadata", N_("Plaats en toestel uit foto's halen"), N_("Afbeeldingen worden dan bewaard zonder positie, namen en toestel.")),
                _of(IMPORTER, "hide_signature_images", N_("Logo's en telpixels verbergen"), N_("Afbeeldingen uit handtekeningen staan dan niet bij het ticket.")),
            ),
        ),
    ),
)  # fmt: skip

MAIL_SCREEN: Final = Screen(
    "mail",
    N_("Mail bij toevoegen uit e-mail importer"),
    HELPDESKS,
    (
        Group(
            N_("Mail bij toevoegen uit e-mail importer"),
            (
                _of(HELPDESKS, "import_mails", N_("Mail versturen bij toevoegen uit e-mail importer"), N_("Geldt voor de mails aan ticketmanager en uitvoerder. De mail voor de klant gaat altijd uit.")),
                _of(HELPDESKS, "fallback_recipient", N_("Vervangende ontvanger"), N_("Krijgt de mail als een ticket geen ticketmanager of uitvoerder heeft. Leeg: dan gaat er geen uit.")),
                _of(HELPDESKS, "summary_after", N_("Samenvatten na zoveel mails"), N_("Zoveel mails binnen tien minuten krijgt één werknemer los; wat daarna komt wordt één samenvatting. Leeg: nooit.")),
            ),
        ),
        Group(
            N_("Afzender"),
            (
                _of(HELPDESKS, "account", N_("Uitgaand account"), N_("De mailserver waarmee wordt verstuurd."), operator=True, nothing=N_("geen: er gaat geen mail uit")),
                _of(HELPDESKS, "sender_name", N_("Naam van de afzender"), N_("Staat boven de mails van deze helpdesk.")),
                _of(HELPDESKS, "sender_address", N_("Adres van de afzender"), N_("Het adres waarvan de mails komen.")),
                _of(HELPDESKS, "reply_to", N_("Antwoorden gaan naar"), N_("Leeg: naar het postvak dat wordt ingelezen.")),
                _of(HELPDESKS, "ticket_url", N_("Webadres van een ticket"), N_("Het adres in de helpdesk, met [ticketnummer] waar het nummer komt. Leeg: er staat geen koppeling in de mails.")),
            ),
        ),
        Group(
            N_("Onbekende afzenders"),
            (
                _of(HELPDESKS, "unknown_senders_per_hour", N_("Bevestigingen per uur"), N_("Zoveel bevestigingen gaan in een uur hoogstens naar onbekende afzenders. 0: geen.")),
                _of(HELPDESKS, "quoted_to_strangers", N_("Wat de bevestiging herhaalt"), N_("Aan een onbekende afzender voor wie geen controle instaat. Een koppeling wordt nooit herhaald."), nothing_=N_("niets"), subject=N_("het onderwerp"), all=N_("onderwerp en tekst")),
            ),
        ),
    ),
)  # fmt: skip

DEFAULTS_SCREEN: Final = Screen(
    "defaults",
    N_("Standaardwaarden"),
    HELPDESKS,
    (
        Group(
            N_("Een nieuw ticket krijgt"),
            (
                _of(HELPDESKS, "type", N_("Soort"), nothing=N_("leeg")),
                _of(HELPDESKS, "priority", N_("Prioriteit"), nothing=N_("leeg")),
                _of(HELPDESKS, "environment", N_("Omgeving"), nothing=N_("leeg")),
                _of(HELPDESKS, "manager", N_("Ticketmanager"), N_("Leeg: nog niemand.")),
                _of(HELPDESKS, "executor", N_("Uitvoerder"), N_("Leeg: nog niemand.")),
                _of(HELPDESKS, "recalculate_deadline", N_("Herberekening deadline"), N_("De deadline wordt bij elke aanvulling opnieuw berekend.")),
            ),
        ),
        Group(
            N_("Een aanvulling"),
            (
                _of(HELPDESKS, "supplement_status", N_("Status na een aanvulling"), N_("Voor aanvullingen uit het portaal en per mail."), nothing=N_("zoals hij was")),
            ),
        ),
        Group(
            N_("Werktijden"),
            (
                _of(HELPDESKS, "calendar", N_("Kalender"), N_("De werktijden en vrije dagen waarmee deadlines worden berekend."), operator=True),
                _of(HELPDESKS, "group", N_("Groep"), N_("Helpdesks van één groep kunnen elkaars ticketnummers herkennen."), operator=True, nothing=N_("geen")),
            ),
        ),
    ),
)  # fmt: skip

SCREENS: Final = (IMPORTER_SCREEN, READING_SCREEN, MAIL_SCREEN, DEFAULTS_SCREEN)


@dataclass(frozen=True, slots=True)
class Rows:
    """A page with rows of a resource, each with a form; `one` is what a new row is called."""

    resource: Resource
    title: str
    sentence: str
    one: str
    asked: tuple[Asked, ...]


_ACTIVE: Final = (N_("In gebruik"), N_("Wat niet meer in gebruik is blijft bewaard, en is niet meer te kiezen."))

STATUS_ROWS: Final = Rows(
    STATUSES,
    N_("Statussen"),
    N_("Eén status heeft de vlag «geïmporteerd»: ingelezen tickets krijgen die, zodat u ziet wat nog moet worden aangevuld. Zonder die status kan de importer niet aan."),
    N_("Nieuwe status"),
    (
        _of(STATUSES, "name", N_("Naam")),
        _of(STATUSES, "flag", N_("Vlag"), N_("«Geïmporteerd» is de status van ingelezen tickets."), nothing=N_("geen"), imported=N_("geïmporteerd")),
        _of(STATUSES, "category", N_("Een ticket is dan"), open=N_("open"), closed=N_("gesloten")),
        _of(STATUSES, "visible", N_("Zichtbaar klant"), N_("De klant ziet aanvullingen in deze status.")),
        _of(STATUSES, "expanded", N_("Uitgeklapt"), N_("Aanvullingen in deze status staan open op het scherm.")),
        _of(STATUSES, "position", N_("Plaats in lijsten"), N_("Een kleiner getal staat hoger.")),
        _of(STATUSES, "active", *_ACTIVE),
    ),
)  # fmt: skip
PRIORITY_ROWS: Final = Rows(
    PRIORITIES,
    N_("Prioriteiten"),
    N_("De oplostijd van een prioriteit bepaalt de deadline, gerekend in de werktijden van de kalender."),
    N_("Nieuwe prioriteit"),
    (
        _of(PRIORITIES, "name", N_("Naam")),
        _of(PRIORITIES, "resolution", N_("Oplostijd in werkuren"), N_("Zoals 8 of 1:30. Leeg: geen deadline.")),
        _of(PRIORITIES, "position", N_("Plaats in lijsten"), N_("Een kleiner getal staat hoger.")),
        _of(PRIORITIES, "active", *_ACTIVE),
    ),
)
TYPE_ROWS: Final = Rows(
    TYPES,
    N_("Soorten"),
    N_("De soorten waaruit bij een ticket wordt gekozen."),
    N_("Nieuwe soort"),
    (_of(TYPES, "name", N_("Naam")), _of(TYPES, "active", *_ACTIVE)),
)
ENVIRONMENT_ROWS: Final = Rows(
    ENVIRONMENTS,
    N_("Omgevingen"),
    N_("De omgevingen waaruit bij een ticket wordt gekozen."),
    N_("Nieuwe omgeving"),
    (_of(ENVIRONMENTS, "name", N_("Naam")), _of(ENVIRONMENTS, "active", *_ACTIVE)),
)
CALENDAR_ROWS: Final = Rows(
    CALENDARS,
    N_("Kalenders"),
    N_("Werktijden en vrije dagen, waarmee deadlines worden berekend. Meer helpdesks kunnen één kalender gebruiken."),
    N_("Nieuwe kalender"),
    (
        _of(CALENDARS, "name", N_("Naam")),
        _of(CALENDARS, "time_zone", N_("Tijdzone"), N_("Waar de klok hangt.")),
        _of(CALENDARS, "hours", N_("Werktijden"), N_("Dagen en uren, één per regel, zoals «mon-fri 8:30-17:00» of «sat 0:00-24:00».")),
        _of(CALENDARS, "holidays", N_("Feestdagen van"), N_("Het land, zoals NL. Leeg: geen feestdagen.")),
        _of(CALENDARS, "open_holiday", N_("Toch open op"), N_("Feestdagen waarop wordt gewerkt, één per regel, bij hun naam, zoals «Tweede paasdag».")),
        _of(CALENDARS, "closed_holiday", N_("Ook dicht op"), N_("Dagen die meestal open zijn, één per regel: «Goede vrijdag», of «Bevrijdingsdag» in elk jaar.")),
        _of(CALENDARS, "special_day", N_("Bijzondere dagen"), N_("Eén per regel, zoals «2026-12-24 8:30-12:00» of «2026-12-27 closed».")),
    ),
)  # fmt: skip
LISTS: Final = (STATUS_ROWS, PRIORITY_ROWS, TYPE_ROWS, ENVIRONMENT_ROWS)
"""Of a helpdesk; calendars are everybody's."""
