"""Which ticket a mail belongs to: numbers, aliases, merged tickets, threads (W2, W3, D1, D8)."""

from typing import Final

from tests.acceptance.story import Mail, Story, says

NUMBERS: Final = {
    "W2 a subject without a number makes a new ticket": Story(
        mail=Mail(subject="Printer op de gang"),
        then={"outcome": "ticket", "title": "Printer op de gang", "reasons": says("no-ticket-number")},
    ),
    "W3 a known number makes a supplement": Story(
        ticket={},
        mail=Mail(subject="Antwoord over {ticket}"),
        then={"outcome": "supplement", "number": "{ticket}", "reasons": says("ticket-number")},
    ),
    "W2 a number that is no ticket's makes a new ticket": Story(
        mail=Mail(subject="Order 7654321 is er niet"),
        then={"outcome": "ticket", "reasons": says("unknown-number")},
    ),
    "D1 a number introduced by Ticket goes before one that stands bare": Story(
        ticket={},
        second={},
        mail=Mail(subject="Zie {second}, dat gaat over ticket {ticket}"),
        then={"outcome": "supplement", "number": "{ticket}"},
    ),
    "D1 a number introduced by # goes before one that stands bare": Story(
        ticket={}, second={}, mail=Mail(subject="{second} en #{ticket}"), then={"number": "{ticket}"}
    ),
    "D1 a number in brackets goes before one that stands bare": Story(
        ticket={}, second={}, mail=Mail(subject="{second} [Desk {ticket}]"), then={"number": "{ticket}"}
    ),
    "D1 of numbers that stand alike the first known one counts": Story(
        ticket={}, second={}, mail=Mail(subject="7654321, {ticket} en {second}"), then={"number": "{ticket}"}
    ),
    "D1 an introduced number that is not known leaves it to the next": Story(
        ticket={}, mail=Mail(subject="Ticket 7654321 was {ticket}"), then={"number": "{ticket}"}
    ),
    "D1 a number within a longer token is none": Story(
        ticket={}, mail=Mail(subject="Factuur 1{ticket} en {ticket}5 en X{ticket}"), then={"outcome": "ticket"}
    ),
    "D1 a number with leading zeros is none": Story(
        ticket={}, mail=Mail(subject="Ticket 0{ticket}"), then={"outcome": "ticket"}
    ),
    "D1 an old number is an alias and known too": Story(
        ticket={"alias": "55000{n}"},
        mail=Mail(subject="Ticket 55000{n}"),
        then={"outcome": "supplement", "number": "{ticket}", "reasons": says("ticket-alias")},
    ),
    "D1 a merged ticket's number leads to its target": Story(
        second={},
        ticket={"merged_into": "{second}"},
        mail=Mail(subject="Ticket {ticket}"),
        then={
            "outcome": "supplement",
            "number": "{second}",
            "reasons": says("ticket-merged"),
            "history": says("De e-mail noemde ticket {ticket}, dat met dit ticket is samengevoegd."),
        },
    ),
    "D1 a number of another helpdesk is known": Story(
        mail=Mail(subject="Ticket 1000003"),
        then={"outcome": "supplement", "helpdesk": "Facilitair", "reasons": says("other-helpdesk")},
    ),
    "D1 setting: only numbers of helpdesks that belong together are known": Story(
        settings={"numbers_of": "group"},
        mail=Mail(subject="Ticket 1000003"),
        then={"outcome": "ticket", "reasons": says("unknown-number")},
    ),
    "D8 off by default: an answer without a number is a new ticket": Story(
        mail=(Mail(), Mail(subject="Vervolg", headers={"In-Reply-To": "<{answered}>"})),
        then={"outcome": "ticket", "title": "Vervolg", "reasons": says("thread-not-followed")},
    ),
    "D1 of numbers that are joined, the first known one": Story(
        ticket={},
        mail=Mail(subject="RE: Ticket 9000006/{ticket}"),
        then={"outcome": "supplement", "number": "{ticket}"},
    ),
    "D8 setting: an answer to a customer's mail is a supplement": Story(
        settings={"follow_threads": True},
        mail=(
            Mail(subject="Eerste vraag van {contact}"),
            Mail(subject="Vervolg", sender="{colleague}", headers={"In-Reply-To": "<{answered}>"}),
        ),
        then={
            "outcome": "supplement",
            "number": "{number}",
            "title": says("Eerste vraag van Klant"),
            "reasons": says("ticket-of-thread", but_not=("no-ticket-number",)),
            "review": False,
        },
    ),
    "D8 setting: an answer to our confirmation is a supplement": Story(
        settings={"follow_threads": True},
        mail=(
            Mail(subject="Tweede vraag"),
            Mail(subject="Dank!", headers={"References": "<iets@elders.example> <{confirmation}>"}),
        ),
        then={"outcome": "supplement", "title": "Tweede vraag"},
    ),
    "D8 setting: a Message-ID that only looks like ours leads nowhere": Story(
        settings={"follow_threads": True},
        mail=(Mail(subject="Derde vraag"), Mail(subject="Vals", headers={"In-Reply-To": "<0{confirmation}>"})),
        then={"outcome": "ticket", "title": "Vals"},
    ),
    "D8 setting: a number in the subject goes before the thread": Story(
        settings={"follow_threads": True},
        ticket={},
        mail=(Mail(), Mail(subject="Ticket {ticket}", headers={"In-Reply-To": "<{answered}>"})),
        then={"outcome": "supplement", "number": "{ticket}", "reasons": says("ticket-number")},
    ),
}
