"""Why an attachment was left out, in the one case that is the importer's own doing and no matter of the customer's."""

from typing import Final

MAIL_TOO_LARGE: Final = "de mail is te groot"
"""Our limit on a mail's size cut it off (SPEC D17): the portal says so, the mail to the customer does not."""
