"""What the database refuses, as a sentence beside the field that it is about: by the name of the constraint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import asyncpg

from services.console.catalogue import Texts
from services.console.database import Refused
from services.console.web.forms import N_

WHOLE_FORM: Final = ""
"""The place of a sentence that is about no single field."""

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "importer_on_needs_kind": ("server", N_("De importer kan pas aan als de soort postvak bekend is: vul de server in, of kies de soort.")),
    "importer_on_needs_login": ("username", N_("De importer kan pas aan met een gebruikersnaam en een wachtwoord, of het certificaat van een app.")),
    "importer_on_needs_tenant": ("tenant", N_("Microsoft 365 neemt geen wachtwoorden aan: vul de tenant van de app in, haar client-id als gebruikersnaam, en haar geheim of certificaat.")),
    "importer_on_needs_address": ("mailbox", N_("Een app heeft zelf geen postvak: vul het adres van het postvak in.")),
    "importer_on_needs_exchange_server": ("server", N_("De importer kan pas aan met de Exchange-server: «Zoek server» vindt hem, en u bevestigt dat hij van u is.")),
    "importer_on_needs_maildir_path": ("server", N_("De importer kan pas aan met de map van het postvak.")),
    "importer_on_needs_default_contact": ("default_contact", N_("De importer kan pas aan met een standaard contactpersoon.")),
    "importer_on_needs_default_employee": ("default_employee", N_("De importer kan pas aan met een standaard werknemer.")),
    "importer_on_needs_active_contact": ("default_contact", N_("Deze contactpersoon is niet meer in gebruik: kies een andere.")),
    "importer_on_needs_active_employee": ("default_employee", N_("Deze werknemer is niet meer in gebruik: kies een andere.")),
    "importer_on_needs_imported_status": ("enabled", N_("De importer kan pas aan als één status van de helpdesk de vlag «geïmporteerd» heeft: zie Statussen.")),
    "password_or_certificate": ("password", N_("Een aanmelding heeft een wachtwoord of een certificaat, niet allebei.")),
    "tenant_is_an_id_or_a_domain": ("tenant", N_("Een tenant is een id zoals 6babcaad-604b-40ac-a9d7-9fd97c0b779f, of een domein.")),
    "a_secret_stays_with_its_place": ("password", N_("Het bewaarde wachtwoord was voor een andere server of beveiliging, en wordt niet elders heen gestuurd. Typ het hier opnieuw.")),
    "a_shared_login_is_changed_by_itself": ("username", N_("Deze aanmelding wordt door meer postvakken of accounts gebruikt. Wie alles beheert verandert haar, of kiest een andere.")),
    "a_mailbox_belongs_to_one_helpdesk": ("mailbox", N_("Een andere helpdesk leest dit postvak al; een postvak hoort bij één helpdesk.")),
    "a_maildir_belongs_to_one_helpdesk": ("server", N_("Een andere helpdesk leest deze map al; een postvak hoort bij één helpdesk.")),
    "a_login_belongs_to_one_helpdesk": ("username", N_("Een andere helpdesk leest het postvak van deze gebruiker al; een postvak hoort bij één helpdesk.")),
    "move_needs_a_folder": ("after_import_folder", N_("Om mail te verplaatsen is de map nodig waarheen.")),
    "one_imported_status_per_helpdesk": ("flag", N_("Deze helpdesk heeft al een status met de vlag «geïmporteerd»: haal hem daar eerst weg.")),
    "imported_status_is_open": ("category", N_("De status met de vlag «geïmporteerd» moet een open status zijn.")),
    "importer_on_keeps_its_status": ("flag", N_("De importer van deze helpdesk is aan en heeft deze status nodig: zet hem eerst uit.")),
    "a_holiday_is_open_or_closed": ("closed_holiday", N_("Een dag is open of dicht: noem hem maar één keer.")),
    "a_template_can_be_used": ("", N_("Dit sjabloon kan niet worden gebruikt: er staat een onbekend invulveld in, of het nummer van het ticket ontbreekt in het onderwerp.")),
    "address_has_an_at": ("sender_address", N_("Vul een mailadres in, zoals naam@voorbeeld.nl.")),
}  # fmt: skip

_SAME_NAME: Final = N_("Er is er al een met deze naam.")
_IN_USE: Final = N_("Dit is in gebruik, of hoort bij een andere helpdesk.")
_NOT_TAKEN: Final = N_("Dit kan zo niet worden bewaard (%(rule)s).")


def beside(refused: Refused, texts: Texts) -> tuple[str, str]:
    """The name of the field, WHOLE_FORM where it is none's, and the sentence."""
    if refused.constraint in SENTENCES:
        place, sentence = SENTENCES[refused.constraint]
        return place, texts.gettext(sentence)
    match refused.error:
        case asyncpg.UniqueViolationError():
            return "name", texts.gettext(_SAME_NAME)
        case asyncpg.ForeignKeyViolationError():
            return WHOLE_FORM, texts.gettext(_IN_USE)
    return WHOLE_FORM, texts.gettext(_NOT_TAKEN) % {"rule": refused.constraint or type(refused.error).__name__}
