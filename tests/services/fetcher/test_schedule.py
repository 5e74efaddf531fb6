"""Whose turn it is, what people see of it, and how fetchers share mailboxes; the whole service runs on real servers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, BinaryIO

import asyncpg
import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from services.fetcher import flow, open_mailboxes, schedule
from services.fetcher.login import Login
from services.fetcher.mailboxes import registry
from services.fetcher.mailboxes.protocol import (
    Arrivals,
    LoginRefused,
    Mailbox,
    MailboxAccess,
    MailReference,
    MailUnreadable,
)
from services.fetcher.open_mailboxes import OpenMailboxes
from services.fetcher.repository.mailboxes import ClaimedMailbox
from services.fetcher.repository.trial import mailbox_to_try, record_login_refused, record_login_taken
from services.fetcher.rules import batches
from services.fetcher.rules.problem import Problem, ProblemKind
from shared.connecting import ForbiddenAddress
from shared.sealing import Keyring, new_key
from tests.services.fetcher.harness import ENCRYPTION, LEASE, NOBODY, Desk, Faulty, Fetching, fetcher, mail, minutes_ago
from tests.shared.broker.harness import eventually


async def succeeded(desk: Desk) -> bool:
    return (await desk.state())["last_successful_check_at"] is not None


async def has_problem(desk: Desk) -> bool:
    return (await desk.state())["problem"] is not None


async def in_queue(desk: Desk, count: int) -> bool:
    return await desk.queues.count("mail.raw") == count


async def turn_now(desk: Desk) -> None:
    await desk.owner.execute("UPDATE mailbox_states SET next_check_at = '-infinity'")


def opened_through(monkeypatch: pytest.MonkeyPatch, fault: Any) -> None:
    """Let the service open every mailbox behind this fault."""

    async def open_faulty(access: MailboxAccess) -> Mailbox:
        faulty: Mailbox = fault(await registry.open_mailbox(access))
        return faulty

    monkeypatch.setattr(open_mailboxes, "open_mailbox", open_faulty)


async def test_S8_a_check_that_succeeded_sets_the_last_successful_check(desk: Desk) -> None:
    async with fetcher(desk):
        await eventually(lambda: succeeded(desk))
    state = await desk.state()
    assert state["last_check_at"] == state["last_successful_check_at"]
    assert (state["problem"], state["failed_checks"]) == (None, 0)
    assert (state["next_check_at"] - state["last_check_at"]).total_seconds() == 30


async def test_W1_new_mail_is_noticed_before_the_next_periodical_check(desk: Desk) -> None:
    await desk.set(check_interval_seconds=86400)
    async with fetcher(desk):
        await eventually(lambda: succeeded(desk))
        for n in range(2):
            key = desk.post_office.deliver(mail(f"{n}"), minutes_ago(0))
            await eventually(lambda: in_queue(desk, n + 1))  # noqa: B023 - awaited at once
        await eventually(lambda: asyncio.to_thread(desk.post_office.is_read, key))


async def test_W1_mail_that_nothing_told_of_is_found_by_the_periodical_check(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(Faulty):
        async def wait_for_change(self) -> None:
            await asyncio.Event().wait()

    opened_through(monkeypatch, Silent)
    await desk.set(check_interval_seconds=1)
    async with fetcher(desk):
        await eventually(lambda: succeeded(desk))
        desk.post_office.deliver(mail("stil"), minutes_ago(0))
        await eventually(lambda: in_queue(desk, 1))


async def test_W1_a_mailbox_that_tells_nothing_is_looked_into_sooner_after_new_mail(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(Faulty):
        @property
        def notifies(self) -> bool:
            return False

        async def wait_for_change(self) -> None:
            await asyncio.Event().wait()

    async def pause_in_seconds() -> float:
        state = await desk.state()
        return float((state["next_check_at"] - state["last_check_at"]).total_seconds())

    async def checked_after(moment: Any) -> bool:
        return bool((await desk.state())["last_check_at"] != moment)

    opened_through(monkeypatch, Silent)
    desk.post_office.deliver(mail("een"), minutes_ago(0))
    async with fetcher(desk):
        await eventually(lambda: succeeded(desk))
        pauses = [await pause_in_seconds()]
        for _ in range(3):
            before = (await desk.state())["last_check_at"]
            await turn_now(desk)
            await eventually(lambda: checked_after(before))  # noqa: B023 - awaited at once
            pauses.append(await pause_in_seconds())
    assert pauses == [5, 10, 20, 30]


async def test_S1_a_mailbox_that_is_off_is_never_opened(desk: Desk, tmp_path: Path) -> None:
    await desk.set(enabled=False)
    desk.post_office.deliver(mail("Uit"), minutes_ago(1))
    on = await Desk.make(
        "sales", tmp_path, database=desk.database, vhost=desk.vhost, owner=desk.owner, queues=desk.queues
    )
    on.post_office.deliver(mail("Aan"), minutes_ago(1))
    async with fetcher(desk):
        await eventually(lambda: succeeded(on))
    assert (await desk.state())["last_check_at"] is None
    assert [message.body for _, message in await desk.messages()] == [mail("Aan")]


async def test_S1_a_mailbox_that_is_switched_off_is_closed_and_watched_no_more(desk: Desk) -> None:
    changed: list[int] = []

    async def note(helpdesk_id: int) -> None:
        changed.append(helpdesk_id)

    opened = OpenMailboxes(note)
    async with Fetching.on(desk) as parts:
        await opened.take(await parts.claim())
        opened.watch(desk.helpdesk_id)
        await desk.set(enabled=False)
        await opened.close_all(but=await parts.mailboxes.unchanged(opened.settings_versions))
    assert opened.settings_versions == {}
    assert not [task for task in asyncio.all_tasks() if task.get_name() == f"watch mailbox {desk.helpdesk_id}"]


@pytest.mark.parametrize(
    ("table", "named"),
    [("persons", "«Standaard contactpersoon»"), ("employees", "«Standaard werknemer»"), ("statuses", "«geïmporteerd»")],
)
async def test_D14_a_role_made_inactive_elsewhere_pauses_the_mailbox_until_it_is_active_again(
    desk: Desk, table: str, named: str
) -> None:
    key = desk.post_office.deliver(mail("Pauze"), minutes_ago(1))
    await desk.set(check_interval_seconds=1)
    await set_active(desk, table, active=False)
    async with fetcher(desk):
        await eventually(lambda: has_problem(desk))
        state = await desk.state()
        assert named in state["problem"]
        assert state["problem_since"] is not None
        assert state["last_successful_check_at"] is None
        assert not desk.post_office.is_read(key)
        assert await desk.rows() == []
        await set_active(desk, table, active=True)
        await eventually(lambda: in_queue(desk, 1))
        await eventually(lambda: succeeded(desk))
    assert not await has_problem(desk)


async def set_active(desk: Desk, table: str, *, active: bool) -> None:
    """As another program does that shares the database."""
    await desk.owner.execute(f"UPDATE {table} SET active = $1", active)  # noqa: S608 - names of this test


async def test_a_problem_is_shown_with_since_when_and_goes_away_when_a_check_succeeds(desk: Desk) -> None:
    desk.post_office.break_down()
    await desk.set(check_interval_seconds=1)
    async with fetcher(desk):
        await eventually(lambda: has_problem(desk))
        first = await desk.state()
        assert "is geen Maildir" in first["problem"]

        async def failed_again() -> bool:
            return bool((await desk.state())["failed_checks"] > 1)

        await eventually(failed_again)
        second = await desk.state()
        assert second["problem_since"] == first["problem_since"]
        assert second["next_check_at"] - second["last_check_at"] > first["next_check_at"] - first["last_check_at"]
        desk.post_office.root.with_name("elsewhere").rename(desk.post_office.root)
        await turn_now(desk)
        await eventually(lambda: succeeded(desk))
    healed = await desk.state()
    assert (healed["problem"], healed["problem_since"], healed["failed_checks"]) == (None, None, 0)


async def test_a_refused_login_is_not_tried_again_for_an_hour(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(Faulty):
        def unread(self, page_size: int) -> Any:
            raise LoginRefused(f"Het wachtwoord klopt niet ({page_size}).")

    opened_through(monkeypatch, Refusing)
    await desk.set(username="help")
    async with fetcher(desk):
        await eventually(lambda: has_problem(desk))
        login = await desk.login()
        assert 3600 <= (login["probe_at"] - login["refused_since"]).total_seconds() <= 1.2 * 3600
        assert login["refused_logins"] == 1
        assert login["problem"].startswith("Het wachtwoord klopt niet")
        checked = (await desk.state())["last_check_at"]
        await desk.set(marker="===")
        await turn_now(desk)

        async def looked_at_again() -> bool:
            return bool((await desk.state())["last_check_at"] > checked)

        await eventually(looked_at_again)
    assert await desk.login() == login  # it was not tried
    async with Fetching.on(desk) as parts:  # another fetcher, or this one after a restart
        await turn_now(desk)
        assert [rest_of(claimed) is None for claimed in await parts.mailboxes.claim(LEASE, 10)] == [False]
        await parts.mailboxes.release([desk.helpdesk_id])
        await desk.set(username="anders")
        assert [rest_of(claimed) for claimed in await parts.mailboxes.claim(LEASE, 10)] == [None]


def rest_of(claimed: ClaimedMailbox) -> timedelta | None:
    """How long nobody tries the mailbox's login."""
    assert claimed.login is not None
    return claimed.login.rests_for


async def finished(desk: Desk, parts: Fetching, login: Login, *, hours: int = 1) -> tuple[int, bool]:
    """A check that taught this of the login: how many refusals are counted, and whether the mailbox waits."""
    claimed = await parts.claim()
    await parts.mailboxes.claim(LEASE, 10)
    problem = None if login is Login.TAKEN else Problem(ProblemKind.LOGIN_REFUSED, "Geweigerd.")
    await parts.mailboxes.finish(
        claimed, succeeded=False, next_check_after=timedelta(hours=hours), failed_checks=1, problem=problem, login=login
    )
    return (await desk.login())["refused_logins"], await parts.mailboxes.claim(LEASE, 10) == []


async def test_refusals_are_counted_apart_until_a_login_is_taken(desk: Desk) -> None:
    async def rested() -> None:
        await desk.owner.execute("UPDATE mailbox_states SET next_check_at = now()")
        await desk.owner.execute("UPDATE login_states SET probe_at = now() WHERE refused_logins > 0")

    await desk.set(username="help")

    async with Fetching.on(desk) as parts:
        assert await finished(desk, parts, Login.REFUSED) == (1, True)
        await rested()
        assert await finished(desk, parts, Login.NOT_TRIED) == (1, True)
        await rested()
        assert await finished(desk, parts, Login.REFUSED) == (2, True)
        assert (await desk.login())["refused_since"] < (await desk.state())["last_check_at"]
        await rested()
        assert await finished(desk, parts, Login.TAKEN, hours=0) == (0, False)
    assert (await desk.login())["refused_since"] is None


async def test_a_login_of_two_mailboxes_that_was_refused_at_one_is_not_tried_at_the_other(
    desk: Desk, tmp_path: Path
) -> None:
    other = await Desk.make(
        "sales", tmp_path, database=desk.database, vhost=desk.vhost, owner=desk.owner, queues=desk.queues
    )
    for each in (desk, other):  # a Maildir asks for no login: what is kept of one is all that counts here
        await each.set(username="DESK\\importer", password_encrypted=ENCRYPTION.public.seal(SecretStr("g3heim")))
    await other.set(folder="Sales", server=str(desk.post_office.root))
    async with (
        Fetching.on(desk) as parts,
        desk.database.pool("fetcher") as pool,
    ):  # who opens both knows that they are one
        await parts.mailboxes.release([claimed.helpdesk_id for claimed in await parts.mailboxes.claim(LEASE, 10)])
        tried = await mailbox_to_try(pool, desk.helpdesk_id, ENCRYPTION)
        assert tried is not None
        assert tried.login is not None
        await record_login_refused(pool, tried.login, "Geweigerd.", timedelta(hours=1))
    async with fetcher(desk):
        await eventually(lambda: has_problem(other))
    state = await other.state()
    assert (state["problem"], (await other.login())["refused_logins"]) == ("Geweigerd.", 1)
    assert 3500 < (state["next_check_at"] - state["last_check_at"]).total_seconds() <= 3600
    await other.set(password_encrypted=ENCRYPTION.public.seal(SecretStr("een ander")))
    async with Fetching.on(desk) as parts:
        assert [rest_of(claimed) for claimed in await parts.mailboxes.claim(LEASE, 10)] == [None]


async def test_a_login_that_was_changed_during_the_check_was_not_the_one_that_was_refused(desk: Desk) -> None:
    await desk.set(username="help")
    async with Fetching.on(desk) as parts:
        claimed = (await parts.mailboxes.claim(LEASE, 10))[0]
        await desk.set(username="anders")
        refused = Problem(ProblemKind.LOGIN_REFUSED, "Geweigerd.")
        await parts.mailboxes.finish(
            claimed, succeeded=False, next_check_after=LEASE, failed_checks=1, problem=refused, login=Login.REFUSED
        )
        assert [rest_of(mailbox) for mailbox in await parts.mailboxes.claim(LEASE, 10)] == [None]
    assert (await desk.login())["refused_logins"] == 0


async def test_a_refusal_that_a_person_met_counts_for_the_fetchers_too(desk: Desk) -> None:
    async with Fetching.on(desk) as parts, desk.database.pool("fetcher") as pool:
        await desk.set(username="help")
        tried = await mailbox_to_try(pool, desk.helpdesk_id, ENCRYPTION)
        assert tried is not None
        assert tried.login is not None
        await record_login_refused(pool, tried.login, "Geweigerd.", timedelta(hours=1))
        assert [rest_of(mailbox) is None for mailbox in await parts.mailboxes.claim(LEASE, 10)] == [False]
        await parts.mailboxes.release([desk.helpdesk_id])
        await record_login_taken(pool, tried.login)
        assert [rest_of(mailbox) for mailbox in await parts.mailboxes.claim(LEASE, 10)] == [None]
        await desk.set(username="anders")
        await record_login_refused(pool, tried.login, "Geweigerd.", timedelta(hours=1))  # as it was before
    assert (await desk.login())["refused_logins"] == 0


async def test_a_place_where_we_never_connect_is_a_sentence(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    class Metadata(Faulty):
        def unread(self, page_size: int) -> Any:
            raise ForbiddenAddress("mail.example", ip_address("169.254.169.254"), f"link-local {page_size}")

    opened_through(monkeypatch, Metadata)
    async with fetcher(desk):
        await eventually(lambda: has_problem(desk))
    state = await desk.state()
    assert state["problem_kind"] == "mailbox-missing"
    assert "mail.example (169.254.169.254)" in state["problem"]


async def test_S3_the_password_is_decrypted_for_the_mailbox_alone(desk: Desk) -> None:
    await desk.set(username="help", password_encrypted=ENCRYPTION.public.seal(SecretStr("g3heim")))
    async with Fetching.on(desk) as parts:
        claimed = await parts.claim()
    assert claimed.access.password is not None
    assert claimed.access.password.get_secret_value() == "g3heim"
    assert "g3heim" not in repr(claimed)


async def test_S3_a_password_that_no_key_opens_is_a_sentence_and_stops_no_other_mailbox(
    desk: Desk, tmp_path: Path
) -> None:
    other = await Desk.make(
        "sales", tmp_path, database=desk.database, vhost=desk.vhost, owner=desk.owner, queues=desk.queues
    )
    await desk.set(username="help", password_encrypted=Keyring.from_secret(new_key()).public.seal(SecretStr("g3heim")))
    async with fetcher(desk):
        await eventually(lambda: has_problem(desk))
        await eventually(lambda: succeeded(other))
    state = await desk.state()
    assert "stel het opnieuw in" in state["problem"]
    assert (state["problem_kind"], (await desk.login())["refused_logins"]) == ("secret-unreadable", 0)


async def test_our_own_bug_is_shown_and_stops_no_other_mailbox(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await Desk.make(
        "sales", tmp_path, database=desk.database, vhost=desk.vhost, owner=desk.owner, queues=desk.queues
    )
    other.post_office.deliver(mail("Goed"), minutes_ago(1))
    trigger = desk.post_office.deliver(mail("Fout"), minutes_ago(2))

    class Buggy(Faulty):
        async def mark_read(self, mail: MailReference) -> None:
            if mail.key == trigger:
                raise ZeroDivisionError
            await self.mailbox.mark_read(mail)

    opened_through(monkeypatch, Buggy)
    async with fetcher(desk):
        await eventually(lambda: has_problem(desk))
        await eventually(lambda: succeeded(other))
    assert "ZeroDivisionError" in (await desk.state())["problem"]


async def test_a_server_that_never_gets_done_is_left_after_a_while(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    class Dripping(Faulty):
        async def mark_read(self, mail: MailReference) -> None:
            del mail
            await asyncio.Event().wait()

    opened_through(monkeypatch, Dripping)
    monkeypatch.setattr(schedule, "LONGEST_CHECK", timedelta(seconds=0.5))
    desk.post_office.deliver(mail("Traag"), minutes_ago(1))
    async with fetcher(desk):
        await eventually(lambda: has_problem(desk))
    state = await desk.state()
    assert "langzaam" in state["problem"]
    assert (state["problem_kind"], state["failed_checks"]) == ("unreachable", 1)


async def test_a_check_that_took_all_of_its_time_and_got_on_goes_on_when_the_others_had_their_turn(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung: list[MailReference] = []

    class HangsOnce(Faulty):
        async def fetch(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
            if desk.queues and await desk.queues.count("mail.raw") and not hung:
                hung.append(mail)
                await asyncio.Event().wait()
            return await super().fetch(mail, into, limit)

    opened_through(monkeypatch, HangsOnce)
    monkeypatch.setattr(schedule, "LONGEST_CHECK", timedelta(seconds=2))
    monkeypatch.setattr(batches, "WINDOW", 1)
    for minute in range(2):
        desk.post_office.deliver(mail(f"{minute}"), minutes_ago(minute))
    await desk.set(check_interval_seconds=86400)
    async with fetcher(desk):
        await eventually(lambda: in_queue(desk, 2))
        await eventually(lambda: succeeded(desk))
    assert len(hung) == 1
    assert (await desk.state())["problem"] is None


async def test_W1_a_check_in_which_a_mail_could_not_be_read_is_no_successful_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unreadable(Faulty):
        async def fetch(self, mail: MailReference, into: Any, limit: int) -> int:
            raise MailUnreadable(f"Mail {mail.key} kan niet worden gelezen ({limit}, {into}).")

    opened_through(monkeypatch, Unreadable)
    for n in range(3):
        desk.post_office.deliver(mail(f"{n}"), minutes_ago(n))
    async with fetcher(desk):
        await eventually(lambda: has_problem(desk))
    state = await desk.state()
    assert state["problem"].endswith("En zo nog 2 andere.")
    assert state["last_successful_check_at"] is None


async def test_D18_a_waiting_backlog_is_a_problem_that_people_see_of_a_check_that_succeeded(desk: Desk) -> None:
    await desk.set(backlog_limit=1)
    for days in (30, 20):
        desk.post_office.deliver(mail("oud"), minutes_ago(days * 24 * 60))
    async with fetcher(desk):
        await eventually(lambda: succeeded(desk))
    state = await desk.state()
    assert "Meer dan 1 ongelezen mails" in state["problem"]
    assert state["failed_checks"] == 0


async def test_an_outage_of_the_broker_is_shown_and_no_mailbox_is_blamed(desk: Desk) -> None:
    desk.post_office.deliver(mail("Storing"), minutes_ago(1))
    async with fetcher(desk, amqp=NOBODY):
        await eventually(lambda: has_problem(desk))
    state = await desk.state()
    assert "berichtenserver" in state["problem"]
    assert (state["failed_checks"], state["last_successful_check_at"]) == (0, None)
    assert (state["next_check_at"] - state["last_check_at"]).total_seconds() == 10
    await turn_now(desk)
    async with fetcher(desk):
        await eventually(lambda: succeeded(desk))
    assert [message.body for _, message in await desk.messages()] == [mail("Storing")]
    assert not await has_problem(desk)


async def test_two_fetchers_share_many_mailboxes_and_take_each_mail_in_once(desk: Desk, tmp_path: Path) -> None:
    desks = [desk] + [
        await Desk.make(
            f"desk {n}", tmp_path, database=desk.database, vhost=desk.vhost, owner=desk.owner, queues=desk.queues
        )
        for n in range(5)
    ]
    for each in desks:
        await each.set(check_interval_seconds=1)
        for n in range(30):
            each.post_office.deliver(mail(f"{each.helpdesk_id} {n}"), minutes_ago(100 - n))
    async with fetcher(desk), fetcher(desk):
        await eventually(lambda: in_queue(desk, 180))
        for each in desks:
            each.post_office.deliver(mail("nog een"), minutes_ago(0))
        await eventually(lambda: in_queue(desk, 186))
    messages = await desk.messages()
    assert len({envelope.mail_id for envelope, _ in messages}) == len(messages) == 186


async def test_a_mailbox_leased_by_another_fetcher_is_left_alone_until_the_lease_runs_out(
    desk: Desk, tmp_path: Path
) -> None:
    other = await Desk.make(
        "sales", tmp_path, database=desk.database, vhost=desk.vhost, owner=desk.owner, queues=desk.queues
    )
    await desk.owner.execute(
        "UPDATE mailbox_states SET lease_holder = 'dead', lease_until = now() + interval '1 hour'"
        " WHERE helpdesk_id = $1",
        desk.helpdesk_id,
    )
    desk.post_office.deliver(mail("Verlaten"), minutes_ago(1))
    async with fetcher(desk):
        await eventually(lambda: succeeded(other))
        assert (await desk.state())["last_check_at"] is None
        await desk.owner.execute("UPDATE mailbox_states SET lease_until = now() WHERE lease_holder = 'dead'")
        await eventually(lambda: in_queue(desk, 1))


@pytest.mark.parametrize("loss", ["lease_holder = 'another'", "enabled = false"], ids=["taken over", "switched off"])
async def test_a_check_whose_lease_is_lost_stops_and_records_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    class Endless(Faulty):
        async def fetch(self, mail: MailReference, into: Any, limit: int) -> int:
            started.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            ended.set()
            raise asyncio.CancelledError(mail, into, limit)

    opened_through(monkeypatch, Endless)
    desk.post_office.deliver(mail("Eindeloos"), minutes_ago(1))
    table = "mailbox_states" if "lease" in loss else "importer_settings"
    async with asyncio.timeout(30), fetcher(desk, lease_seconds=3):
        await started.wait()
        await desk.owner.execute(f"UPDATE {table} SET {loss}")  # noqa: S608 - names of this test
        await ended.wait()
        if table == "importer_settings":  # who switches it on again does not wait for the lease to run out
            await eventually(lambda: held_by_nobody(desk))
    assert (await desk.state())["last_check_at"] is None


async def held_by_nobody(desk: Desk) -> bool:
    return (await desk.state())["lease_holder"] is None


async def test_a_lease_is_renewed_while_the_check_goes_on(desk: Desk) -> None:
    async with Fetching.on(desk) as parts:
        await parts.mailboxes.claim(LEASE, 1)
        before = (await desk.state())["lease_until"]
        assert await parts.mailboxes.renew(2 * LEASE, {desk.helpdesk_id: 1}) == {desk.helpdesk_id}
        assert (await desk.state())["lease_until"] > before
        async with Fetching.on(desk, holder="another") as other:
            assert await other.mailboxes.claim(LEASE, 1) == []
            assert await other.mailboxes.renew(LEASE, {desk.helpdesk_id: 1}) == set()


async def test_the_longest_overdue_mailbox_comes_first(desk: Desk, tmp_path: Path) -> None:
    desks = [desk] + [
        await Desk.make(
            f"desk {n}", tmp_path, database=desk.database, vhost=desk.vhost, owner=desk.owner, queues=desk.queues
        )
        for n in range(3)
    ]
    for minutes, each in zip((5, 60, 1, 30), desks, strict=True):
        await desk.owner.execute(
            "UPDATE mailbox_states SET next_check_at = now() - make_interval(mins => $2) WHERE helpdesk_id = $1",
            each.helpdesk_id, minutes,
        )  # fmt: skip
    async with Fetching.on(desk) as parts:
        claimed: list[int] = []
        while found := await parts.mailboxes.claim(LEASE, 1, busy=claimed):
            claimed += [mailbox.helpdesk_id for mailbox in found]
    assert claimed == [desks[n].helpdesk_id for n in (1, 3, 0, 2)]


async def test_a_check_of_a_mailbox_that_became_another_one_is_not_recorded_for_it(desk: Desk) -> None:
    async with Fetching.on(desk) as parts:
        (claimed,) = await parts.mailboxes.claim(LEASE, 1)
        await desk.set(folder="Support")
        await parts.mailboxes.finish(claimed, succeeded=True, next_check_after=LEASE, failed_checks=0, problem=None)
        assert (await desk.state())["last_successful_check_at"] is None
        ((again),) = await parts.mailboxes.claim(LEASE, 1)
        assert again.generation == 2


async def test_a_check_that_an_outage_kept_from_being_recorded_is_done_again_when_it_is_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = asyncio.Event()

    class DatabaseGoesAway(Faulty):
        async def unread(self, page_size: int) -> AsyncIterator[tuple[MailReference, ...]]:
            if not began.is_set():
                await let_the_fetcher_in(desk, connections=0)
                began.set()
            async for page in self.mailbox.unread(page_size):
                yield page

    async def check_has_ended() -> bool:
        return not any(task.get_name() == f"check mailbox {desk.helpdesk_id}" for task in asyncio.all_tasks())

    opened_through(monkeypatch, DatabaseGoesAway)
    desk.post_office.deliver(mail("Terug"), minutes_ago(1))
    async with fetcher(desk, lease_seconds=3600):
        await began.wait()
        await eventually(check_has_ended)
        await let_the_fetcher_in(desk, connections=-1)
        await eventually(lambda: succeeded(desk))
    assert [message.body for _, message in await desk.messages()] == [mail("Terug")]


async def let_the_fetcher_in(desk: Desk, *, connections: int) -> None:
    """Limit connections to the database (0: none; -1: as many as wanted) and break those of the fetcher."""
    superuser = await asyncpg.connect(desk.database.server.url)
    await superuser.execute(f"ALTER DATABASE {desk.database.name} CONNECTION LIMIT {connections}")
    await superuser.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND usename = 'importer_fetcher'",
        desk.database.name,
    )
    await superuser.close()


async def test_a_mailbox_that_had_its_share_waits_for_the_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "PAGE", 10)
    monkeypatch.setattr(flow, "SHARE", 20)
    for n in range(50):
        desk.post_office.deliver(mail(f"{n}"), minutes_ago(100 - n))
    async with Fetching.on(desk) as parts:
        first = await parts.check()
        assert (first.taken_in, first.more) == (20, True)
    await desk.set(check_interval_seconds=86400)
    async with fetcher(desk):
        await eventually(lambda: succeeded(desk))
    assert [message.body for _, message in await desk.messages()] == [mail(f"{n}") for n in range(50)]


class InParts(Faulty):
    """Of what came in it gives two mails at a time."""

    async def arrivals(self, state: str | None, since: datetime) -> Arrivals:
        passed = int(state or 0)
        whole = await self.mailbox.arrivals(None, since)
        part = whole.mails[passed : passed + 2]
        return Arrivals(part, str(passed + len(part)), more=passed + 2 < len(whole.mails))


async def test_a_look_that_gave_a_part_of_the_arrivals_goes_on_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened_through(monkeypatch, InParts)
    for n in range(6):
        desk.post_office.read_by_somebody(desk.post_office.deliver(mail(f"{n}"), minutes_ago(100 - n)))
    await desk.set(read_mail_from=minutes_ago(120), check_interval_seconds=86400)

    async def all_are_in() -> bool:
        return len(await desk.rows()) == 6

    async with fetcher(desk):
        await eventually(all_are_in)
    assert [message.body for _, message in await desk.messages()] == [mail(f"{n}") for n in range(6)]


async def test_the_metrics_tell_of_every_mailbox(desk: Desk) -> None:
    label = {"helpdesk_id": str(desk.helpdesk_id)}
    before = REGISTRY.get_sample_value("importer_mailbox_fetched_total", label) or 0
    for n in range(3):
        desk.post_office.deliver(mail(f"{n}"), minutes_ago(n))
    async with fetcher(desk):
        await eventually(lambda: succeeded(desk))
    assert REGISTRY.get_sample_value("importer_mailbox_fetched_total", label) == before + 3
    assert REGISTRY.get_sample_value("importer_mailbox_unread", label) is not None
    async with fetcher(desk):

        async def shown() -> bool:
            checked_at = REGISTRY.get_sample_value("importer_mailbox_last_successful_check_timestamp_seconds", label)
            return bool(checked_at == (await desk.state())["last_successful_check_at"].timestamp())

        await eventually(shown)
    assert REGISTRY.get_sample_value("importer_mailbox_problem", label) == 0
