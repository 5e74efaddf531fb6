"""Which sender's rule decides (SPEC D17): the narrowest, and of two alike the helpdesk's own."""

import pytest

from services.classifier.rules.sender_rule import Handle, RuleVerdict, SenderKind, SenderRule, handles, ruling
from shared.messages import MailAddress, ReasonId

SENDER = MailAddress(name="Nieuws", address="Nieuws@Mail.Reclame.Example")
KNOWN_BY = handles(SENDER, "nieuws.reclame.example")


def rule(kind: str, pattern: str, verdict: str, *, own: bool = False) -> SenderRule:
    return SenderRule(Handle(SenderKind(kind), pattern), RuleVerdict(verdict), of_helpdesk=own)


def test_a_mail_is_known_by_address_list_and_domains_the_narrowest_first() -> None:
    assert [(handle.kind.value, handle.pattern) for handle in KNOWN_BY] == [
        ("address", "nieuws@mail.reclame.example"),
        ("list", "nieuws.reclame.example"),
        ("domain", "mail.reclame.example"),
        ("domain", "reclame.example"),
        ("domain", "example"),
    ]
    assert handles(None, "") == ()


ADDRESS = ("address", "nieuws@mail.reclame.example")
LIST = ("list", "nieuws.reclame.example")
SUBDOMAIN = ("domain", "mail.reclame.example")
DOMAIN = ("domain", "reclame.example")


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        pytest.param([], None, id="no rule"),
        pytest.param([rule(*ADDRESS, "allow")], None, id="allowed, and nothing blocks"),
        pytest.param(
            [rule(*DOMAIN, "block"), rule(*ADDRESS, "allow-automatic")],
            (ReasonId.SENDER_ALLOWED, ADDRESS[1]),
            id="allowed as a person in a blocked domain",
        ),
        pytest.param([rule(*ADDRESS, "block")], (ReasonId.SENDER_BLOCKED, ADDRESS[1]), id="the address"),
        pytest.param([rule(*DOMAIN, "block")], (ReasonId.SENDER_BLOCKED, DOMAIN[1]), id="a domain above"),
        pytest.param([rule(*LIST, "block")], (ReasonId.LIST_BLOCKED, LIST[1]), id="a list"),
        pytest.param(
            [rule(*DOMAIN, "block"), rule(*ADDRESS, "allow")],
            (ReasonId.SENDER_ALLOWED, ADDRESS[1]),
            id="one person of a blocked domain",
        ),
        pytest.param(
            [rule(*DOMAIN, "allow"), rule(*ADDRESS, "block")],
            (ReasonId.SENDER_BLOCKED, ADDRESS[1]),
            id="one person of an allowed domain",
        ),
        pytest.param(
            [rule(*DOMAIN, "allow"), rule(*LIST, "block")],
            (ReasonId.LIST_BLOCKED, LIST[1]),
            id="a customer's newsletter",
        ),
        pytest.param(
            [rule(*DOMAIN, "block"), rule(*SUBDOMAIN, "allow")],
            (ReasonId.SENDER_ALLOWED, SUBDOMAIN[1]),
            id="the longer domain",
        ),
        pytest.param(
            [rule(*DOMAIN, "block"), rule(*DOMAIN, "allow", own=True)],
            (ReasonId.SENDER_ALLOWED, DOMAIN[1]),
            id="the helpdesk's own before the one for all",
        ),
        pytest.param(
            [rule(*SUBDOMAIN, "block"), rule(*DOMAIN, "allow", own=True)],
            (ReasonId.SENDER_BLOCKED, SUBDOMAIN[1]),
            id="the narrower before the helpdesk's own",
        ),
    ],
)
def test_D17_the_narrowest_rule_decides(rules: list[SenderRule], reason: tuple[ReasonId, str] | None) -> None:
    for given in (rules, rules[::-1]):
        found = ruling(KNOWN_BY, given)
        assert (None if found is None else (found.id, found.detail)) == reason
