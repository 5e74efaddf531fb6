"""Domains at which everybody can have a mail address, so that an address there tells of no organisation.

Large providers worldwide and the access providers of the Netherlands and Belgium. What is missing here does no harm by
itself: a domain counts only where contacts of one single organisation have addresses in it.
"""

from __future__ import annotations

from typing import Final

_PROVIDERS: Final = frozenset(
    (
        "aol.com", "caiway.nl", "casema.nl", "chello.nl", "edpnet.be", "fastmail.com", "free.fr", "gmail.com", "gmx.de",
        "gmx.net", "googlemail.com", "hetnet.nl", "hey.com", "home.nl", "hotmail.be", "hotmail.co.uk", "hotmail.com",
        "hotmail.de", "hotmail.fr", "hotmail.nl", "icloud.com", "kpnmail.nl", "kpnplanet.nl", "laposte.net", "live.be",
        "live.com", "live.nl", "mac.com", "mail.com", "mail.ru", "me.com", "msn.com", "online.nl", "orange.fr",
        "outlook.be", "outlook.com", "outlook.de", "outlook.fr", "outlook.nl", "pandora.be", "planet.nl", "proton.me",
        "protonmail.com", "quicknet.nl", "scarlet.be", "skynet.be", "solcon.nl", "startmail.com", "t-online.de",
        "tele2.nl", "telenet.be", "telfort.nl", "tuta.com", "tutanota.com", "upcmail.nl", "web.de", "wxs.nl",
        "xs4all.nl", "yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.fr", "yahoo.nl", "yandex.com", "yandex.ru",
        "zeelandnet.nl", "ziggo.nl", "zohomail.eu",
    )
)  # fmt: skip


def is_mail_provider(domain: str) -> bool:
    """Whether the domain, in lower case, is a provider's that gives addresses to anybody."""
    return domain in _PROVIDERS
