"""The mailbox kind `ews`, beyond what the conformance suite asks of every kind: on an EWS server over real sockets."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.fetcher.mailboxes.ews.connection import PATIENCE, Patience, ews_url
from services.fetcher.mailboxes.ews.mailbox import EwsMailbox
from services.fetcher.mailboxes.protocol import (
    AccessDenied,
    ItemKey,
    LoginRefused,
    MailboxAccess,
    MailboxError,
    MailboxMissing,
    MailboxUnreachable,
    MailReference,
    MailTooLarge,
    MailUnreadable,
)
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.ews.faults import (
    Answer,
    DamagedBase64,
    Dropped,
    Fault,
    FirstPageAgain,
    OtherItem,
    Refusal,
    Silent,
    Slow,
    Truncated,
)
from tests.servers.ews.operations import PRODUCTS
from tests.servers.ews.server import EwsServer, Manners
from tests.servers.ews.store import Folder, Item, Store, User

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PASSWORD = "Géheim-01"
ADDRESS = "helpdesk@corp.example"
LIMIT = 10_000_000
HURRIED = Patience(connect=5, silence=5, answer=0.3, mail=0.3)


def mail(subject: str, body: str = "Het werkt niet.\r\n") -> bytes:
    return f"From: Jan <jan@klant.example>\r\nSubject: {subject}\r\n\r\n{body}".encode()


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


@pytest.fixture
def user() -> User:
    return User("CORP\\importer", PASSWORD, mailbox="importer@corp.example", full_access={ADDRESS})


@pytest.fixture
def server(certificates: Certificates, user: User) -> Iterator[EwsServer]:
    with EwsServer(user, Store(ADDRESS), tls=certificates.server) as server:
        yield server


@pytest.fixture
def access(server: EwsServer, certificates: Certificates) -> MailboxAccess:
    return MailboxAccess(
        kind="ews",
        server=server.host,
        address=ADDRESS,
        username="CORP\\importer",
        password=SecretStr(PASSWORD),
        ca_file=str(certificates.ca_file),
    )


@pytest.fixture
async def mailbox(access: MailboxAccess) -> AsyncIterator[EwsMailbox]:
    async with opened(access) as mailbox:
        yield mailbox


@asynccontextmanager
async def opened(access: MailboxAccess, patience: Patience = PATIENCE, **settings: Any) -> AsyncIterator[EwsMailbox]:
    mailbox = await EwsMailbox.open(replace(access, **settings), patience)
    try:
        yield mailbox
    finally:
        await mailbox.close()


async def unread(mailbox: EwsMailbox) -> list[MailReference]:
    return [reference async for page in mailbox.unread(200) for reference in page]


async def fetched(mailbox: EwsMailbox, reference: MailReference) -> bytes:
    into = io.BytesIO()
    assert await mailbox.fetch(reference, into, LIMIT) == len(into.getvalue())
    return into.getvalue()


def deliver(server: EwsServer, count: int, **particulars: object) -> list[Item]:
    return [
        server.deliver(mail(f"{number}"), MONDAY + timedelta(minutes=number), **particulars) for number in range(count)
    ]


@pytest.mark.parametrize("product", sorted(PRODUCTS))
@pytest.mark.parametrize(
    "manners",
    [
        pytest.param({"ways": ("Negotiate", "NTLM")}, id="NTLM"),
        pytest.param({"ways": ("Basic",)}, id="Basic"),
        pytest.param({"ways": ("NTLM", "Basic"), "chunked": True}, id="NTLM before Basic, in chunks"),
        pytest.param({"ways": ("Basic",), "http10": True, "compress": True}, id="Basic, HTTP/1.0, gzip"),
    ],
)
async def test_every_exchange_in_every_manner_gives_marks_moves_and_deletes(
    server: EwsServer, access: MailboxAccess, product: str, manners: dict[str, Any]
) -> None:
    server.manners = Manners(product=product, **manners)
    items = deliver(server, 3, wants_receipt=True)
    async with opened(access) as mailbox:
        listed = await unread(mailbox)
        assert [reference.key for reference in listed] == [item.key for item in items]
        assert [await fetched(mailbox, reference) for reference in listed] == [item.raw for item in items]
        for reference in listed:
            await mailbox.mark_read(reference)
        assert await unread(mailbox) == []
        await mailbox.move(listed[0], "Archief/2026")
        await mailbox.delete(listed[1])
        description = (await mailbox.health_check()).description
    archive = server.store.folder("Archief/2026")
    assert archive is not None
    assert archive.items == items[:1]
    assert server.store.distinguished("deleteditems").items == items[1:2]
    assert server.store.inbox.items == items[2:]
    says_read = PRODUCTS[product].newest in {"Exchange2013_SP1", "Exchange2016"}
    assert server.store.receipts_sent == (0 if says_read else 3)
    assert ".".join(map(str, PRODUCTS[product].build)) in description
    assert ("NTLM" if "NTLM" in manners["ways"] else "Basic") in description


async def test_a_poll_is_one_request_and_a_mail_two(server: EwsServer, mailbox: EwsMailbox) -> None:
    deliver(server, 250)
    before = server.seen.requests
    server.seen.operations.clear()
    listed = await unread(mailbox)
    assert (server.seen.requests - before, server.seen.operations) == (1, {"FindItem": 1})
    for reference in listed[:10]:
        await fetched(mailbox, reference)
        await mailbox.mark_read(reference)
    assert server.seen.requests - before == 21
    assert server.seen.operations == {"FindItem": 1, "GetItem": 10, "UpdateItem": 10}


async def test_opening_asks_without_a_login_first_then_logs_in_once(server: EwsServer, mailbox: EwsMailbox) -> None:
    assert server.seen.credentials == ["NTLM", "NTLM"]
    assert server.seen.requests == 3
    assert server.seen.operations == {"GetFolder": 1}
    await unread(mailbox)
    assert server.seen.credentials == ["NTLM", "NTLM"]


@pytest.mark.parametrize(("ways", "logins"), [(("Negotiate", "NTLM"), 2), (("Basic",), 1), (("Basic", "NTLM"), 2)])
@pytest.mark.parametrize("close", [False, True], ids=["kept", "closed with each 401"])
async def test_a_wrong_password_is_tried_once_and_in_one_way(
    server: EwsServer, access: MailboxAccess, ways: tuple[str, ...], logins: int, *, close: bool
) -> None:
    """QUIRK: exchangelib takes a 401 with Connection: close for a busy server, and asks again and again."""
    server.manners = Manners(ways=ways)
    server.manners.close_with_401 = close and "NTLM" not in ways
    with pytest.raises(LoginRefused, match=r"controleer beide.*vergrendeld"):
        await EwsMailbox.open(replace(access, password=SecretStr("fout")))
    assert len(server.seen.credentials) == logins
    assert len(set(server.seen.credentials)) == 1


async def test_ntlm_over_connections_that_do_not_last_is_told_apart(server: EwsServer, access: MailboxAccess) -> None:
    server.manners.close_with_401 = True
    with pytest.raises(MailboxUnreachable, match=r"NTLM.*proxy"):
        await EwsMailbox.open(access)


@pytest.mark.parametrize(
    "bug", [KeyError("subject"), AttributeError("x", name="subject", obj="")], ids=["key", "attribute"]
)
@pytest.mark.parametrize("step", ["requests.Session.post", "requests_ntlm.HttpNtlmAuth.response_hook"])
async def test_a_bug_of_ours_is_no_interrupted_login(
    access: MailboxAccess, monkeypatch: pytest.MonkeyPatch, step: str, bug: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise bug

    monkeypatch.setattr(step, fail)
    with pytest.raises(type(bug)):
        await EwsMailbox.open(access)


async def test_extended_protection_binds_the_login_to_the_servers_own_certificate(
    server: EwsServer, access: MailboxAccess, tmp_path: Path
) -> None:
    server.manners.bound_to = tmp_path / "server.pem"
    async with opened(access) as mailbox:
        assert await unread(mailbox) == []
    before_tls_ends = tmp_path / "balancer"
    before_tls_ends.mkdir()
    make_certificates(before_tls_ends)
    server.manners.bound_to = before_tls_ends / "server.pem"
    with pytest.raises(LoginRefused):
        await EwsMailbox.open(access)


async def test_a_locked_account_is_a_refused_login(access: MailboxAccess, user: User) -> None:
    user.locked = True
    with pytest.raises(LoginRefused, match="vergrendeld"):
        await EwsMailbox.open(access)


async def test_a_password_that_changes_while_open_is_a_refused_login(
    server: EwsServer, access: MailboxAccess, user: User
) -> None:
    server.manners.ways = ("Basic",)
    async with opened(access) as mailbox:
        user.password = "nieuw"
        with pytest.raises(LoginRefused):
            await unread(mailbox)
    async with opened(access, password=SecretStr("nieuw")) as mailbox:
        assert await unread(mailbox) == []


async def test_after_a_refused_login_nothing_more_is_asked(server: EwsServer, mailbox: EwsMailbox, user: User) -> None:
    deliver(server, 20)
    listed = await unread(mailbox)
    server.next("UpdateItem", Answer(401))
    before = server.seen.requests
    marked = await asyncio.gather(*map(mailbox.mark_read, listed), return_exceptions=True)
    assert all(isinstance(result, LoginRefused) for result in marked)
    assert server.seen.requests == before + 1
    assert user.password not in str(marked)


async def test_a_busy_server_is_left_alone_as_long_as_it_asked(server: EwsServer, mailbox: EwsMailbox) -> None:
    deliver(server, 20)
    listed = await unread(mailbox)
    server.next("GetItem", Refusal("ErrorServerBusy", back_off=300_000, fault=True))
    before = server.seen.requests
    results = await asyncio.gather(*(fetched(mailbox, reference) for reference in listed), return_exceptions=True)
    waits = [result.after for result in results if isinstance(result, MailboxUnreachable) and result.after]
    assert len(waits) == 20
    assert all(timedelta(seconds=200) < wait <= timedelta(seconds=300) for wait in waits)
    assert server.seen.requests == before + 1


async def test_two_mailboxes_with_one_login_do_not_share_anything(
    server: EwsServer, access: MailboxAccess, user: User
) -> None:
    server.stores["tweede@corp.example"] = Store("tweede@corp.example")
    user.full_access.add("tweede@corp.example")
    deliver(server, 1)
    async with opened(access) as first, opened(access, address="tweede@corp.example") as second:
        with pytest.raises(LoginRefused):
            await EwsMailbox.open(replace(access, password=SecretStr("fout")))
        assert len(await unread(first)) == 1
        assert await unread(second) == []


async def test_an_app_or_kerberos_alone_is_no_way_to_log_in(server: EwsServer, access: MailboxAccess) -> None:
    for ways, told in ((("Negotiate",), "zet .* NTLM aan"), (("Bearer",), "graph"), ((), "geen enkele manier")):
        server.manners.ways = ways
        with pytest.raises(AccessDenied, match=told):
            await EwsMailbox.open(access)
    assert server.seen.credentials == []


async def test_without_tls_nothing_is_sent_unless_a_setting_says_so(user: User, access: MailboxAccess) -> None:
    with EwsServer(user, Store(ADDRESS), manners=Manners(ways=("Basic",))) as plain:
        unencrypted = replace(access, server=f"http://{plain.host}", ca_file=None)
        with pytest.raises(MailboxMissing, match="zonder versleuteling"):
            await EwsMailbox.open(unencrypted)
        assert plain.seen.requests == 0
        async with opened(unencrypted, allow_unencrypted=True) as mailbox:
            assert await unread(mailbox) == []


async def test_no_read_receipt_goes_out_where_the_schema_can_say_so(server: EwsServer, mailbox: EwsMailbox) -> None:
    deliver(server, 2, wants_receipt=True)
    first, second = await unread(mailbox)
    await mailbox.mark_read(first)
    await mailbox.delete(second)
    assert server.store.receipts_sent == 0


async def test_a_mail_is_marked_without_its_change_key_and_with_it_where_the_server_wants_one(
    server: EwsServer, mailbox: EwsMailbox
) -> None:
    server.manners.wants_change_key = True
    (item,) = deliver(server, 1)
    await mailbox.mark_read(MailReference(ItemKey(item.key), MONDAY, None))
    assert item.is_read
    assert server.seen.operations["UpdateItem"] == 2
    assert server.seen.operations["GetItem"] == 1


@pytest.mark.parametrize(
    "code", ["ErrorIrresolvableConflict", "ErrorStaleObject", "ErrorChangeKeyRequiredForWriteOperations"]
)
async def test_a_conflict_is_tried_again_with_the_change_key_of_now(
    server: EwsServer, mailbox: EwsMailbox, code: str
) -> None:
    (item,) = deliver(server, 1)
    (reference,) = await unread(mailbox)
    server.next("UpdateItem", Refusal(code))
    await mailbox.mark_read(reference)
    assert item.is_read
    server.next("UpdateItem", *[Refusal(code)] * 3)
    with pytest.raises(MailboxUnreachable, match="steeds gewijzigd"):
        await mailbox.mark_read(reference)


async def test_a_mail_that_goes_in_the_middle_of_a_conflict_is_done(server: EwsServer, mailbox: EwsMailbox) -> None:
    deliver(server, 1)
    (reference,) = await unread(mailbox)
    server.next("UpdateItem", Refusal("ErrorStaleObject"))
    server.next("GetItem", Refusal("ErrorItemNotFound"))
    await mailbox.mark_read(reference)


async def test_items_of_any_kind_are_mails(server: EwsServer, mailbox: EwsMailbox) -> None:
    """QUIRK: exchangelib loses a page with an element that it does not know."""
    kinds = ["Message", "MeetingRequest", "MeetingCancellation", "PostItem", "RoleMember", "Item"]
    items = [
        server.deliver(mail(kind), MONDAY + timedelta(minutes=number), element=kind)
        for number, kind in enumerate(kinds)
    ]
    for reference, item in zip(await unread(mailbox), items, strict=True):
        assert await fetched(mailbox, reference) == item.raw
        await mailbox.mark_read(reference)
    assert all(item.is_read for item in items)
    assert "<t:MeetingRequest><t:IsRead>" in "".join(server.seen.bodies)


async def test_what_the_server_does_not_tell_is_not_known(server: EwsServer, mailbox: EwsMailbox) -> None:
    before = datetime.now(UTC)
    server.deliver(mail("Zelf neergezet"), None, tells_size=False)
    (reference,) = await unread(mailbox)
    assert reference.size is None
    assert before <= reference.received_at <= datetime.now(UTC)


async def test_a_listing_of_many_pages_is_whole_and_in_order(server: EwsServer, mailbox: EwsMailbox) -> None:
    server.manners.most_items = 7
    items = deliver(server, 40)
    assert [reference.key for reference in await unread(mailbox)] == [item.key for item in items]
    assert server.seen.operations["FindItem"] == 6


async def test_a_page_that_comes_twice_doubles_no_mail_and_the_rest_comes_next_time(
    server: EwsServer, mailbox: EwsMailbox
) -> None:
    server.manners.most_items = 4
    items = deliver(server, 10)
    server.next("FindItem", FirstPageAgain(), FirstPageAgain(), FirstPageAgain())
    listed = await unread(mailbox)
    assert [reference.key for reference in listed] == [item.key for item in items[:4]]
    for reference in listed:
        await mailbox.mark_read(reference)
    assert [reference.key for reference in await unread(mailbox)] == [item.key for item in items[4:]]


async def test_a_mailbox_of_ones_own_needs_no_address(server: EwsServer, access: MailboxAccess) -> None:
    server.stores["importer@corp.example"] = own = Store("importer@corp.example")
    own.inbox.items.append(Item(mail("Eigen"), MONDAY))
    async with opened(access, address=None) as mailbox:
        assert len(await unread(mailbox)) == 1


async def test_a_login_may_be_an_address(server: EwsServer, access: MailboxAccess) -> None:
    server.users.append(User("svc@corp.example", "anders", full_access={ADDRESS}))
    async with opened(access, username="svc@corp.example", password=SecretStr("anders")) as mailbox:
        assert await unread(mailbox) == []


async def test_a_mailbox_is_opened_by_impersonation_without_rights_of_ones_own(
    server: EwsServer, access: MailboxAccess, user: User
) -> None:
    user.full_access.clear()
    user.may_impersonate = {ADDRESS, "weg@corp.example"}
    (item,) = deliver(server, 1)
    async with opened(access, impersonate=True) as mailbox:
        (reference,) = await unread(mailbox)
        await mailbox.move(reference, "Klaar")
        assert "namens de eigenaar" in (await mailbox.health_check()).description
    assert item.is_read
    with pytest.raises(MailboxMissing, match=r"weg@corp\.example.*controleer het adres"):
        await EwsMailbox.open(replace(access, impersonate=True, address="weg@corp.example"))
    user.may_impersonate.clear()
    with pytest.raises(AccessDenied, match="ApplicationImpersonation"):
        await EwsMailbox.open(replace(access, impersonate=True))


async def test_a_mailbox_without_rights_says_which_to_grant(access: MailboxAccess, user: User) -> None:
    user.full_access.clear()
    with pytest.raises(AccessDenied, match="Full Access"):
        await EwsMailbox.open(access)


async def test_a_right_to_read_alone_is_not_enough_and_says_so(
    server: EwsServer, access: MailboxAccess, user: User
) -> None:
    user.full_access.clear()
    user.read_only = {ADDRESS}
    deliver(server, 1)
    async with opened(access) as mailbox:
        (reference,) = await unread(mailbox)
        for act in (mailbox.mark_read(reference), mailbox.move(reference, "Archief"), mailbox.delete(reference)):
            with pytest.raises(AccessDenied, match="niet wijzigen"):
                await act


@pytest.mark.parametrize("folder", ["Facturen/2026", "facturen / 2026", "Inkoop", "inbox/Inkoop", "POSTVAK IN/Inkoop"])
async def test_a_folder_is_found_by_its_path_beneath_the_root_or_the_inbox(
    server: EwsServer, access: MailboxAccess, folder: str
) -> None:
    store = server.store
    invoices, purchases = Folder("2026"), Folder("Inkoop")
    store.root.folders.append(Folder("Facturen", folders=[Folder("2025"), invoices]))
    store.inbox.folders.append(purchases)
    wanted = invoices if "2026" in folder else purchases
    wanted.items.append(Item(mail("Hier"), MONDAY))
    async with opened(access, folder=folder) as mailbox:
        assert [reference.key for reference in await unread(mailbox)] == [wanted.items[0].key]


async def test_among_many_folders_the_right_one_is_found(server: EwsServer, access: MailboxAccess) -> None:
    server.manners.most_items = 5
    server.store.root.folders += [Folder(f"Map {number}") for number in range(12)]
    async with opened(access, folder="Map 11") as mailbox:
        assert await unread(mailbox) == []


async def test_a_folder_that_is_removed_while_open_is_missing(server: EwsServer, access: MailboxAccess) -> None:
    server.store.root.folders.append(Folder("Tijdelijk"))
    async with opened(access, folder="Tijdelijk") as mailbox:
        server.store.root.folders.pop()
        with pytest.raises(MailboxMissing, match="Tijdelijk"):
            await unread(mailbox)


async def test_a_target_that_is_removed_is_made_again_and_one_that_others_make_is_used(
    server: EwsServer, mailbox: EwsMailbox
) -> None:
    items = deliver(server, 3)
    first, second, third = await unread(mailbox)
    await mailbox.move(first, "Archief")
    made = server.store.root.folders.pop()
    await mailbox.move(second, "Archief")
    again = server.store.root.folders[-1]
    assert (made.items, again.name, again.items) == (items[:1], "Archief", items[1:2])
    server.store.root.folders[-1].folders.append(other := Folder("2026"))
    await mailbox.move(third, "archief/2026")
    assert other.items == items[2:]


@pytest.mark.parametrize(
    ("fault", "kind", "told"),
    [
        pytest.param(Refusal("ErrorAccessDenied"), AccessDenied, "Full Access", id="no rights"),
        pytest.param(Refusal("ErrorPasswordExpired"), LoginRefused, "verlopen", id="password expired"),
        pytest.param(Refusal("ErrorAccountDisabled", fault=True), LoginRefused, "uitgeschakeld", id="account disabled"),
        pytest.param(
            Refusal("ErrorImpersonateUserDenied", fault=True), AccessDenied, "impersonation", id="impersonate"
        ),
        pytest.param(Refusal("ErrorNonExistentMailbox"), MailboxMissing, "adres", id="no mailbox"),
        pytest.param(Refusal("ErrorMailboxMoveInProgress"), MailboxUnreachable, "vanzelf", id="mailbox moves"),
        pytest.param(Refusal("ErrorSomethingNew"), MailboxUnreachable, "ErrorSomethingNew", id="unknown code"),
        pytest.param(Answer(403), AccessDenied, "EwsEnabled", id="EWS switched off"),
        pytest.param(Answer(404), MailboxMissing, r"Exchange\.asmx", id="no EWS there"),
        pytest.param(Answer(200), MailboxMissing, "proxy", id="a page for people"),
        pytest.param(
            Answer(302, headers={"Location": "https://elders.example/owa"}), MailboxMissing, "elders", id="302"
        ),
        pytest.param(Answer(456), LoginRefused, "uitgeschakeld", id="456"),
        pytest.param(Answer(457), LoginRefused, "verlopen", id="457"),
        pytest.param(Answer(500), MailboxUnreachable, "HTTP 500", id="500"),
        pytest.param(
            Answer(500, "The referenced account is currently locked out"), LoginRefused, "vergrendeld", id="lock"
        ),
        pytest.param(Answer(500, headers={"X-CasErrorCode": "UserNotFound"}), MailboxMissing, "adres", id="CAS error"),
        pytest.param(Truncated(), MailboxUnreachable, "brak een antwoord af", id="truncated"),
        pytest.param(Truncated(0), MailboxUnreachable, "brak een antwoord af", id="empty"),
        pytest.param(Dropped(), MailboxUnreachable, "brak een antwoord af", id="dropped"),
    ],
)
async def test_what_is_wrong_is_told_in_a_sentence_and_its_kind(
    server: EwsServer, access: MailboxAccess, fault: Fault, kind: type[MailboxError], told: str
) -> None:
    server.next("FindItem", fault)
    async with opened(access) as mailbox:
        with pytest.raises(kind, match=told) as raised:
            await unread(mailbox)
    assert type(raised.value) is kind or issubclass(type(raised.value), MailboxUnreachable)
    assert str(raised.value).endswith(".")
    async with opened(access) as mailbox:
        assert await unread(mailbox) == []


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Refusal("ErrorServerBusy", back_off=297_749, fault=True), 297.749),
        (Refusal("ErrorServerBusy", back_off=9_000), 9),
        (Refusal("ErrorServerBusy", back_off=10**12), 3600),
        (Refusal("ErrorExceededConnectionCount"), None),
        (Answer(503, headers={"Retry-After": "45"}), 45),
        (Answer(429, headers={"Retry-After": "Mon, 01 Jan 2001 00:00:00 GMT"}), 0),
        (Answer(503, headers={"Retry-After": "soon"}), None),
    ],
    ids=["fault", "message", "too long", "no time told", "503", "a date", "nonsense"],
)
@pytest.mark.parametrize("operation", ["FindItem", "GetItem", "UpdateItem"])
async def test_throttling_is_obeyed_by_the_whole_mailbox(
    server: EwsServer, mailbox: EwsMailbox, operation: str, fault: Fault, seconds: float | None
) -> None:
    deliver(server, 1)
    (reference,) = await unread(mailbox)
    server.next(operation, fault)
    before = server.seen.requests
    asks: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
        "FindItem": partial(unread, mailbox),
        "GetItem": partial(fetched, mailbox, reference),
        "UpdateItem": partial(mailbox.mark_read, reference),
    }
    with pytest.raises(MailboxUnreachable, match="vraagt om te wachten") as busy:
        await asks[operation]()
    assert busy.value.after == (None if seconds is None else timedelta(seconds=seconds))
    assert server.seen.requests == before + 1


@pytest.mark.parametrize(
    "fault",
    [
        Refusal("ErrorItemCorrupt"),
        Refusal("ErrorInternalServerError", fault=True),
        Refusal("ErrorNobodyKnows"),
        Dropped(),
        Dropped(0.01),
        Truncated(),
        Truncated(0.99),
        DamagedBase64(),
        OtherItem(),
    ],
    ids=repr,
)
async def test_a_mail_that_cannot_be_had_does_not_stop_the_others(
    server: EwsServer, mailbox: EwsMailbox, fault: Fault
) -> None:
    """QUIRK: a truncated answer with status 200 gave exchangelib a truncated mail, without a word."""
    items = [server.deliver(mail(f"{n}", "regel\r\n" * 2_000), MONDAY + timedelta(minutes=n)) for n in range(2)]
    first, second = await unread(mailbox)
    server.next("GetItem", fault)
    with pytest.raises(MailUnreadable):
        await fetched(mailbox, first)
    assert await fetched(mailbox, second) == items[1].raw
    assert await fetched(mailbox, first) == items[0].raw


async def test_an_empty_mime_is_no_mail(server: EwsServer, mailbox: EwsMailbox) -> None:
    server.deliver(b"", MONDAY)
    (reference,) = await unread(mailbox)
    with pytest.raises(MailUnreadable, match="Outlook"):
        await fetched(mailbox, reference)


async def test_slow_bytes_end_at_the_deadline_and_the_mailbox_goes_on(server: EwsServer, access: MailboxAccess) -> None:
    deliver(server, 1)
    async with opened(access) as mailbox:
        (reference,) = await unread(mailbox)
    async with opened(access, HURRIED) as mailbox:
        server.next("GetItem", Slow())
        with pytest.raises(MailUnreadable, match="niet binnen"):
            await fetched(mailbox, reference)
        server.next("FindItem", Slow())
        with pytest.raises(MailboxUnreachable, match="niet binnen"):
            await unread(mailbox)
        assert await unread(mailbox) == [reference]


async def test_silence_ends_at_the_deadline(server: EwsServer, access: MailboxAccess) -> None:
    async with opened(access, HURRIED) as mailbox:
        server.next("FindItem", Silent())
        with pytest.raises(MailboxUnreachable, match="niet binnen"):
            await unread(mailbox)
        assert await unread(mailbox) == []
        server.next("GetFolder", Silent())
        with pytest.raises(MailboxUnreachable, match="niet binnen"):
            await EwsMailbox.open(access, HURRIED)


async def test_a_check_that_is_cancelled_frees_its_thread_and_the_mailbox_goes_on(
    server: EwsServer, mailbox: EwsMailbox
) -> None:
    server.next("FindItem", Silent())
    asked = server.seen.operations["FindItem"]
    listing = asyncio.create_task(unread(mailbox))
    async with asyncio.timeout(10):
        while server.seen.operations["FindItem"] == asked:
            await asyncio.sleep(0.01)
        listing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listing
        assert await unread(mailbox) == []


async def test_a_connection_that_the_server_closed_meanwhile_is_opened_again(
    server: EwsServer, mailbox: EwsMailbox
) -> None:
    server.next("FindItem", Dropped(0))
    assert await unread(mailbox) == []
    server.next("FindItem", Dropped(0), Dropped(0))
    with pytest.raises(MailboxUnreachable, match="brak af"):
        await unread(mailbox)
    assert await unread(mailbox) == []


@pytest.mark.parametrize("size", [LIMIT, None], ids=["told", "not told"])
async def test_D17_of_a_mail_that_is_too_large_only_the_beginning_is_downloaded(
    server: EwsServer, mailbox: EwsMailbox, size: int | None
) -> None:
    item = server.deliver(mail("Groot", "regel van een lange mail\r\n" * 800_000), MONDAY, tells_size=size is not None)
    reference = MailReference(ItemKey(item.key), MONDAY, size)
    with pytest.raises(MailTooLarge):
        await mailbox.fetch(reference, io.BytesIO(), 100_000)
    into = io.BytesIO()
    told = await mailbox.fetch_head(reference, into, 4096)
    assert item.raw.startswith(into.getvalue())
    assert into.getvalue().endswith(b"\r\n")
    assert 4000 < len(into.getvalue()) <= 4096
    assert told > 4096
    assert server.seen.bytes_sent < len(item.raw) / 2
    assert await unread(mailbox) != []


async def test_the_head_of_a_small_mail_is_the_mail(server: EwsServer, mailbox: EwsMailbox) -> None:
    (item,) = deliver(server, 1)
    (reference,) = await unread(mailbox)
    into = io.BytesIO()
    assert await mailbox.fetch_head(reference, into, 4096) == len(item.raw)
    assert into.getvalue() == item.raw


async def test_a_file_that_is_full_is_told_as_such(server: EwsServer, mailbox: EwsMailbox) -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    deliver(server, 1)
    (reference,) = await unread(mailbox)
    with pytest.raises(OSError, match="No space left"):
        await mailbox.fetch(reference, Full(), LIMIT)


async def test_mime_that_exchange_writes_anew_is_still_the_same_mail(server: EwsServer, mailbox: EwsMailbox) -> None:
    deliver(server, 1)
    (first,) = await unread(mailbox)
    server.store.mime = lambda raw: b"X-Anew: yes\r\n" + raw
    (second,) = await unread(mailbox)
    assert (await fetched(mailbox, second)).startswith(b"X-Anew")
    assert first.key == second.key


async def test_a_redirect_is_not_followed(
    server: EwsServer, access: MailboxAccess, certificates: Certificates, user: User
) -> None:
    with EwsServer(user, Store(ADDRESS), tls=certificates.server) as other:
        server.next("GetFolder", Answer(307, headers={"Location": other.url}))
        with pytest.raises(MailboxMissing, match="verwijst door"):
            await EwsMailbox.open(access)
        assert other.seen.requests == 0


async def test_certificates_are_checked_and_the_sentence_says_which_way_out(
    server: EwsServer, access: MailboxAccess, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    wrong = str(make_certificates(elsewhere).ca_file)
    (tmp_path / "geen.pem").write_text("niets", encoding="utf-8")
    for settings, told in (
        ({"ca_file": None}, "vul bij «CA-bestand»"),
        ({"ca_file": wrong}, "hoort er niet bij"),
        ({"ca_file": str(tmp_path / "geen.pem")}, "is niet te gebruiken"),
        ({"ca_file": str(tmp_path / "bestaat-niet.pem")}, "is niet te gebruiken"),
        ({"server": f"localhost:{server.port}"}, "niet voor de naam localhost"),
    ):
        with pytest.raises(MailboxMissing, match=told):
            await EwsMailbox.open(replace(access, **settings))
    assert server.seen.requests == 0


async def test_a_server_that_is_no_tls_or_not_there_is_told(access: MailboxAccess, user: User) -> None:
    with EwsServer(user, Store(ADDRESS)) as plain, pytest.raises(MailboxUnreachable, match=r"TLS 1\.2"):
        await EwsMailbox.open(replace(access, server=plain.host))
    with pytest.raises(MailboxUnreachable, match="naam en poort"):
        await EwsMailbox.open(replace(access, server=plain.host))
    with pytest.raises(MailboxUnreachable, match="DNS"):
        await EwsMailbox.open(replace(access, server="bestaat-niet.invalid"))
    with pytest.raises(MailboxMissing, match="nooit verbinding"):
        await EwsMailbox.open(replace(access, server="169.254.169.254"))


async def test_settings_of_the_environment_do_not_count(access: MailboxAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/bestaat/niet.pem")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    async with opened(access) as mailbox:
        assert await unread(mailbox) == []


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("mail.corp.example", "https://mail.corp.example/EWS/Exchange.asmx"),
        (" mail.corp.example:8443 ", "https://mail.corp.example:8443/EWS/Exchange.asmx"),
        ("https://mail.corp.example/", "https://mail.corp.example/EWS/Exchange.asmx"),
        ("HTTPS://mail.corp.example/ews/Exchange.asmx", "https://mail.corp.example/ews/Exchange.asmx"),
        ("fd12::1", "https://[fd12::1]/EWS/Exchange.asmx"),
        ("[fd12::1]:444", "https://[fd12::1]:444/EWS/Exchange.asmx"),
    ],
)
def test_a_server_is_a_name_a_name_with_port_or_a_url(server: str, url: str) -> None:
    assert ews_url(server, allow_unencrypted=False) == url


@pytest.mark.parametrize(
    "server", [None, "", "ftp://mail", "https://u:p@mail/", "mail:port", "https://", "https://m/?x"]
)
def test_a_server_that_cannot_be_is_refused_with_a_sentence(server: str | None) -> None:
    with pytest.raises(MailboxMissing, match="vul bij «Server»"):
        ews_url(server, allow_unencrypted=False)


async def test_a_login_without_password_or_address_is_refused_before_anything_is_sent(
    server: EwsServer, access: MailboxAccess
) -> None:
    for settings in ({"password": None}, {"username": None}, {"impersonate": True, "address": None}):
        with pytest.raises(MailboxMissing, match=r"vul|nodig"):
            await EwsMailbox.open(replace(access, **settings))
    assert server.seen.requests == 0


async def test_the_junk_folder_is_counted_where_it_can_be_seen(server: EwsServer, mailbox: EwsMailbox) -> None:
    junk = server.store.distinguished("junkemail")
    junk.items += [Item(mail("Spam"), MONDAY), Item(mail("Gelezen spam"), MONDAY, is_read=True)]
    deliver(server, 2)
    health = await mailbox.health_check()
    assert (health.unread, health.junk_unread) == (2, 1)
    server.store.root.folders.remove(junk)
    assert (await mailbox.health_check()).junk_unread is None


@pytest.mark.parametrize("ways", [("NTLM",), ("Basic",)])
async def test_neither_password_nor_mail_is_in_a_log_an_error_or_a_repr(
    server: EwsServer, access: MailboxAccess, caplog: pytest.LogCaptureFixture, ways: tuple[str, ...]
) -> None:
    caplog.set_level(logging.DEBUG)
    server.manners.ways = ways
    server.deliver(mail("Geheime mail", "vertrouwelijk\r\n"), MONDAY)
    texts = []
    async with opened(access) as mailbox:
        (reference,) = await unread(mailbox)
        server.next("GetItem", Truncated(), DamagedBase64(), Dropped(), Answer(500), Refusal("ErrorItemCorrupt"))
        for _ in range(6):
            try:
                await fetched(mailbox, reference)
            except (MailUnreadable, MailboxError) as error:
                texts += [str(error), repr(error), repr(error.__cause__)]
        texts += [repr(mailbox), repr(vars(mailbox)), repr(access), (await mailbox.health_check()).description]
    with pytest.raises(LoginRefused) as refused:
        await EwsMailbox.open(replace(access, password=SecretStr(f"{PASSWORD}!")))
    told = "\n".join([*texts, str(refused.value), repr(refused.value.__cause__), caplog.text])
    assert PASSWORD not in told
    assert "vertrouwelijk" not in told
    assert "Geheime mail" not in told
    assert "Authorization" not in told


async def test_mails_that_are_filed_at_once_take_one_request_each_way(server: EwsServer, mailbox: EwsMailbox) -> None:
    deliver(server, 12)
    mails = await unread(mailbox)
    await asyncio.gather(*map(mailbox.mark_read, mails))
    assert server.seen.operations["UpdateItem"] == 1
    await asyncio.gather(*(mailbox.move(mail, "Archief") for mail in mails[:6]), *map(mailbox.delete, mails[6:]))
    assert [server.seen.operations[name] for name in ("UpdateItem", "MoveItem", "DeleteItem")] == [3, 1, 1]
    archive = server.store.folder("Archief")
    assert archive is not None
    assert all(item.is_read for item in archive.items)
    assert [len(archive.items), len(server.store.distinguished("deleteditems").items)] == [6, 6]


async def test_a_mail_that_is_gone_or_refused_keeps_no_other_from_being_marked(
    server: EwsServer, mailbox: EwsMailbox
) -> None:
    items = deliver(server, 5)
    mails = await unread(mailbox)
    server.store.inbox.items.remove(items[2])
    await asyncio.gather(*map(mailbox.mark_read, mails))
    assert all(item.is_read for item in server.store.inbox.items)
    server.next("UpdateItem", Refusal("ErrorOdd"), Refusal("ErrorOdd"))  # all of them at once, then the first alone
    told = await asyncio.gather(*map(mailbox.mark_read, mails), return_exceptions=True)
    assert [type(each) for each in told] == [MailboxUnreachable, *[type(None)] * 4]
