"""What needs a person, by table: one need for one cause."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.standing.broker import BrokerAlarm
from shared.standing.certificates import ServerCertificate
from shared.standing.needs import Cause, Standing, by_cause, needs
from shared.standing.recorded import InstallationStanding, ServerAway
from shared.standing.schema import SchemaStanding
from tests.shared.standing.examples import NOW, QUEUES, mailbox, standing, troubled, undecided


def test_an_importer_that_is_well_needs_nobody() -> None:
    paused = troubled("HR", "unreachable", paused_since=NOW)
    well = standing(mailboxes=(mailbox("ICT"), mailbox("Off", enabled=False), paused))
    certificate = ServerCertificate("PostgreSQL", NOW + timedelta(days=31))
    assert list(needs(replace(well, certificates=(certificate,)))) == []


@pytest.mark.parametrize(
    ("of", "cause", "said"),
    [
        pytest.param(
            standing(installation=InstallationStanding(("server", "database"), NOW, NOW, None)),
            Cause.INSTALLATION,
            "This database was confirmed for another installation: it is a copy, or the server is another (another "
            "PostgreSQL cluster, another database in it). No mailbox is read and no mail is sent. helpdesk-importer "
            "installation show",
            id="a copy",
        ),
        pytest.param(
            standing(installation=InstallationStanding(("restored",), NOW, NOW, NOW)),
            Cause.INSTALLATION,
            f"This database was brought back to {NOW.astimezone():%Y-%m-%d %H:%M} and nobody has confirmed it yet.",
            id="brought back",
        ),
        pytest.param(
            standing(
                installation=InstallationStanding(("key",), NOW, NOW, None), mailboxes=(mailbox("ICT", is_late=True),)
            ),
            Cause.INSTALLATION,
            "This database was confirmed for another installation",
            id="a copy whose mailboxes nobody reads",
        ),
        pytest.param(
            standing(servers_away=(ServerAway("smtp.desk.example", 622, NOW, ("ICT",)),)),
            Cause.SERVER_AWAY,
            f"622 mails wait for smtp.desk.example since {NOW.astimezone():%H:%M}: it does not answer.",
            id="mails out wait for a server",
        ),
        pytest.param(
            replace(standing(), certificates=(ServerCertificate("RabbitMQ", NOW + timedelta(days=29)),)),
            Cause.CERTIFICATE_ENDS,
            f"The certificate of RabbitMQ ends on {(NOW + timedelta(days=29)).astimezone():%Y-%m-%d}",
            id="a server's certificate ends",
        ),
        pytest.param(
            standing(undecided=(undecided("ICT", quarantined=2),)),
            Cause.QUARANTINE,
            "2 mails of ICT in quarantine, undecided: helpdesk-importer quarantine list",
            id="quarantine",
        ),
        pytest.param(
            standing(undecided=(undecided("ICT", to_review=1),)),
            Cause.REVIEW,
            "1 ticket or supplement of ICT to be reviewed: helpdesk-importer review list.",
            id="review",
        ),
        pytest.param(
            standing(undecided=(undecided("ICT", overdue=3),)),
            Cause.OVERDUE,
            "3 mails of ICT without an outcome since ",
            id="mails without an outcome past their time",
        ),
        pytest.param(
            standing(mailboxes=(mailbox("ICT", backlog_waiting=1500),)),
            Cause.BACKLOG,
            "1,500 old mails wait for your choice at ICT: helpdesk-importer backlog",
            id="old mail without a choice",
        ),
        pytest.param(
            standing(mailboxes=(troubled("ICT", "backlog-waits", backlog_waiting=201),)),
            Cause.BACKLOG,
            "201 old mails wait for your choice at ICT",
            id="old mail is told once",
        ),
        pytest.param(
            standing(mailboxes=(mailbox("ICT", is_late=True), mailbox("HR", is_late=True))),
            Cause.NOT_CHECKED,
            "Nobody checks 2 mailboxes whose time has come (ICT, HR): no fetcher runs",
            id="no fetcher",
        ),
        pytest.param(
            standing(queues=(replace(QUEUES[0], suspect=1), *QUEUES[1:])),
            Cause.SUSPECTS,
            "1 message of mail.raw may have crashed classifier",
            id="suspects",
        ),
        pytest.param(
            standing(queues=(replace(QUEUES[0], dead=4), *QUEUES[1:])),
            Cause.DEAD_LETTERS,
            "4 mails could not be handled: helpdesk-importer dead-letters list.",
            id="dead letters",
        ),
        pytest.param(
            standing(alarms=(BrokerAlarm("rabbit@a", "disk", 40 * 1024**2, 5 * 1024**3),)),
            Cause.BROKER_ALARM,
            "RabbitMQ takes no messages (disk alarm of rabbit@a): its disk has 0.0 GiB left, the limit is 5.0 GiB",
            id="disk alarm",
        ),
        pytest.param(
            standing(alarms=(BrokerAlarm("rabbit@a", "memory", 3 * 1024**3, 2 * 1024**3),)),
            Cause.BROKER_ALARM,
            "RabbitMQ takes no messages (memory alarm of rabbit@a): it uses 3.0 GiB of memory, the limit is 2.0 GiB",
            id="memory alarm",
        ),
        pytest.param(
            replace(standing(), database=None, database_trouble="It does not answer."),
            Cause.DATABASE,
            "PostgreSQL: It does not answer. Until that is over mail waits",
            id="database away",
        ),
        pytest.param(
            replace(standing(), schema=SchemaStanding(rights=("importer_notifier SELECT table helpdesk.tickets",))),
            Cause.SCHEMA,
            "Our roles lack 1 right in the database (importer_notifier SELECT table helpdesk.tickets): what needs them "
            "waits. helpdesk-importer doctor --sql prints what gives them back.",
            id="a right is gone",
        ),
        pytest.param(
            replace(standing(), schema=SchemaStanding(guards=("A is gone: B;", "C is gone: D;"))),
            Cause.SCHEMA,
            "What keeps mail from being doubled or forgotten was changed in the database. A is gone: B; And 1 more: "
            "helpdesk-importer doctor.",
            id="guards are gone",
        ),
        pytest.param(
            replace(
                standing(queues=tuple(replace(queue, consumers=0) for queue in QUEUES)),
                database_trouble="It takes no changes.",
            ),
            Cause.DATABASE,
            "PostgreSQL: It takes no changes.",
            id="queues that nobody reads while the database takes nothing",
        ),
        pytest.param(
            replace(standing(), broker=None, broker_trouble="RabbitMQ does not answer."),
            Cause.BROKER,
            "RabbitMQ does not answer. While RabbitMQ itself does not run, new mail stays unread",
            id="broker away",
        ),
    ],
)
def test_each_cause_is_one_sentence_in_both_languages(of: Standing, cause: Cause, said: str) -> None:
    [need] = needs(of)
    assert need.cause is cause
    assert need.english.startswith(said)
    assert need.dutch not in ("", need.english)


def test_mailboxes_on_one_dead_server_are_one_need() -> None:
    dead = tuple(troubled(f"Desk {number}", "unreachable") for number in range(120))
    other = troubled("Elders", "unreachable", server="imap.example")
    denied = troubled("HR", "access-denied"), troubled("IT", "access-denied")
    told = list(needs(standing(mailboxes=(*dead, other, *denied))))
    assert [need.english.partition(":")[0] for need in told if len(need.helpdesks) > 1] == [
        "120 mailboxes at mail.desk.example (Desk 0, Desk 1, Desk 2 +117)"
    ]
    assert by_cause(told)[Cause.MAILBOX] == 4
    assert len({(need.cause, need.key) for need in told}) == 4


def test_a_need_keeps_its_key_when_a_second_mailbox_has_it() -> None:
    alone, both = (troubled("A", "unreachable"),), (troubled("A", "unreachable"), troubled("B", "unreachable"))
    [one], [two] = (list(needs(standing(mailboxes=mailboxes))) for mailboxes in (alone, both))
    assert (one.cause, one.key) == (two.cause, two.key)
