"""Against which number of mails an hour a mail is counted (SPEC D18)."""

from dataclasses import replace

import pytest

from services.classifier.rules.facts import Asked, Known, KnownTicket
from services.classifier.rules.flood import Budget, budget_of
from services.classifier.rules.sender import FoundSender
from services.classifier.rules.sender_rule import Handle, RuleVerdict, SenderKind, SenderRule
from shared.messages import DmarcResult, ImportChoice, MailAddress, RawMail
from tests.services.classifier.rules.test_facts import ENVELOPE

TICKET = KnownTicket(number="1000001", ticket_id=1, helpdesk_id=1)


def budget(
    address: str = "piet@bakkerij.example",
    known: Known | None = None,
    dmarc: DmarcResult = DmarcResult.NONE,
    mail: RawMail = ENVELOPE,
) -> Budget | None:
    asked = Asked(FoundSender(MailAddress(name="", address=address)), (), ())
    return budget_of(mail, asked, known or Known(), dmarc)


def sender_of(*arguments: object) -> str:
    counted = budget(*arguments)  # type: ignore[arg-type]
    assert counted is not None
    return counted.sender


def test_D18_a_forger_uses_up_nobodys_number_but_that_of_the_forged() -> None:
    forged = sender_of("piet@bakkerij.example", None, DmarcResult.NONE)
    vouched = sender_of("piet@bakkerij.example", None, DmarcResult.PASS)
    failed = sender_of("piet@bakkerij.example", None, DmarcResult.FAIL)
    answer = sender_of("piet@bakkerij.example", Known(tickets={"1000001": TICKET}))
    other = sender_of("piet@bakkerij.example", Known(threads={"x@y": replace(TICKET, ticket_id=2)}))
    assert failed == forged
    assert len({forged, vouched, answer, other}) == 4


def test_D18_spellings_of_one_address_are_one_sender() -> None:
    spelled = ["p.iet@gmail.com", "piet+1@gmail.com", '"piet"@googlemail.com', "PIET@Gmail.com"]
    assert len({sender_of(each) for each in spelled}) == 1


@pytest.mark.parametrize(
    ("mail", "known"),
    [
        pytest.param(ENVELOPE.model_copy(update={"forced": True}), Known(), id="forced"),
        pytest.param(ENVELOPE.model_copy(update={"choice": ImportChoice.IMPORT}), Known(), id="chosen"),
        pytest.param(ENVELOPE.model_copy(update={"replay": 1}), Known(), id="replayed"),
        pytest.param(
            ENVELOPE,
            Known(
                sender_rules=(SenderRule(Handle(SenderKind.DOMAIN, "example"), RuleVerdict.ALLOW, of_helpdesk=True),)
            ),
            id="a rule",
        ),
    ],
)
def test_D18_what_a_person_decided_is_not_counted(mail: RawMail, known: Known) -> None:
    assert budget(mail=mail, known=known) is None


def test_a_mail_without_a_sender_is_not_counted() -> None:
    assert budget_of(ENVELOPE, Asked(FoundSender(None), (), ()), Known(), DmarcResult.NONE) is None
