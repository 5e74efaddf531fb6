"""A helpdesk on which ticket_writer decides and the notifier sends, without queues between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

from deploy.demo.smtp_server import SmtpServer
from shared.messages import ClassifiedMail
from tests.services.notifier.house import House
from tests.services.ticket_writer.conftest import Desk


@dataclass(frozen=True, slots=True)
class Desks:
    """ticket_writer's world, and a mail server by which the notifier sends what it decided."""

    desk: Desk
    house: House
    smtp: SmtpServer

    async def take_in(self, given: ClassifiedMail) -> None:
        """Decide on a mail, and send what its event names."""
        await self.desk.take_in(given)
        await self.deliver([given])

    async def deliver(self, mails: Sequence[ClassifiedMail]) -> None:
        """Send what the events of these mails name, and can go now."""
        planned = await self.desk.rows(
            "SELECT id FROM notifications WHERE mail_id = ANY($1::uuid[])", [given.mail_id for given in mails]
        )
        async with self.house.notifier() as notifier:
            await notifier.deliver([row["id"] for row in planned])

    async def let_pass(self, time: timedelta) -> None:
        """Let time pass, and the notifier do what is due then."""
        await self.house.pass_time(time)
        async with self.house.notifier() as notifier:
            while await notifier.sweep():
                pass

    def received(self, address: str) -> list[EmailMessage]:
        """The mails that came to an address, in the order in which they came."""
        read = [message_from_bytes(each.content, policy=policy.default) for each in self.smtp.deliveries]
        return [each for each in read if address.lower() in str(each["To"]).lower()]


def bodies_of(read: EmailMessage) -> tuple[str, str]:
    """The text and the html of a mail of ours."""
    text, html = (part.get_content() for part in read.walk() if part.get_content_maintype() == "text")
    return text, html
