"""What a failed check tells of HTTP: paths without ids, statuses, and of headers those with a form of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from shared import dialogue
from shared.dialogue import Step

CODES: Final = frozenset({
    "accessDenied", "activityLimitReached", "generalException", "invalidRange", "invalidRequest", "itemNotFound",
    "malwareDetected", "nameAlreadyExists", "notAllowed", "notSupported", "resourceModified", "resyncRequired",
    "serviceNotAvailable", "quotaLimitReached", "unauthenticated", "ApplicationThrottled",
    "Authorization_IdentityNotFound", "Authorization_RequestDenied", "BadRequest", "Forbidden", "InternalServerError",
    "InvalidAuthenticationToken", "MailboxNotEnabledForRESTAPI", "MailboxConcurrency",
    "OrganizationFromTenantGuidNotFound", "Request_ResourceNotFound", "Request_BadRequest", "ResourceNotFound",
    "ServiceUnavailable", "SyncStateInvalid", "SyncStateNotFound", "TooManyRequests", "UnknownError",
    "ErrorAccessDenied", "ErrorAccountDisabled", "ErrorADUnavailable", "ErrorADOperation", "ErrorADSessionFilter",
    "ErrorChangeKeyRequired", "ErrorChangeKeyRequiredForWriteOperations", "ErrorConnectionFailed",
    "ErrorConnectionFailedTransientError", "ErrorContentConversionFailed", "ErrorCrossSiteRequest",
    "ErrorExceededConnectionCount", "ErrorExceededFindCountLimit", "ErrorFolderExists", "ErrorFolderNotFound",
    "ErrorImpersonateUserDenied", "ErrorImpersonationDenied", "ErrorImpersonationFailed",
    "ErrorIncorrectSchemaVersion", "ErrorInsufficientResources", "ErrorInternalServerError",
    "ErrorInternalServerTransientError", "ErrorInvalidChangeKey", "ErrorInvalidExtendedProperty",
    "ErrorInvalidExtendedPropertyValue", "ErrorInvalidFolderId", "ErrorInvalidIdMalformed",
    "ErrorInvalidPropertyRequest", "ErrorInvalidRequest", "ErrorInvalidSchemaVersionForMailboxVersion",
    "ErrorInvalidServerVersion", "ErrorInvalidSyncStateData", "ErrorInvalidUser", "ErrorIrresolvableConflict",
    "ErrorItemCorrupt", "ErrorItemNotFound", "ErrorItemPropertyRequestFailed", "ErrorMailboxFailover",
    "ErrorMailboxMoveInProgress", "ErrorMailboxStoreUnavailable", "ErrorMimeContentConversionFailed",
    "ErrorMimeContentInvalid", "ErrorMimeContentInvalidBase64String", "ErrorNoRespondingCASInDestinationSite",
    "ErrorNonExistentMailbox", "ErrorObjectDeleted", "ErrorObjectNotFound", "ErrorParentFolderNotFound",
    "ErrorPasswordChangeRequired", "ErrorPasswordExpired", "ErrorProxyRequestProcessingFailed", "ErrorQuotaExceeded",
    "ErrorSchemaValidation", "ErrorServerBusy", "ErrorSiteFailover", "ErrorStaleObject", "ErrorSyncStateNotFound",
    "ErrorTimeoutExpired", "ErrorToFolderNotFound", "ErrorTooManyObjectsOpened", "ErrorUnsupportedMapiPropertyType",
    "ErrorUnsupportedPropertyDefinition", "InvalidServerVersion",
})  # fmt: skip
"""The names that Graph and Exchange have for their errors, as far as they are told."""
_SEGMENTS: Final = frozenset({
    "users", "mailFolders", "childFolders", "messages", "attachments", "delta", "$value", "$count", "move", "send",
    "sendMail", "createUploadSession", "inbox", "archive", "deleteditems", "drafts", "junkemail", "outbox",
    "sentitems", "v1.0", "oauth2", "v2.0", "token",
})  # fmt: skip
_METHODS: Final = frozenset(["GET", "POST", "PATCH", "PUT", "DELETE"])
_REQUEST_ID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_SECONDS: Final = re.compile(r"[0-9]{1,6}")
_DIAGNOSTICS: Final = frozenset(
    str(group + number) for group in range(2_000_000, 6_000_000, 1_000_000) for number in range(20)
)
"""Exchange's numbers for a token that it does not take (x-ms-diagnostics)."""


def asked(method: str, url: str) -> str:
    """A request, without ids, addresses and query."""
    segments = [segment if segment in _SEGMENTS else "{id}" for segment in urlsplit(url).path.split("/")[1:]]
    return f"{method if method in _METHODS else '{…}'} /{'/'.join(segments)}"


def came(status: int, headers: Mapping[str, str]) -> str:
    """An answer's status, and what its headers say of waiting, of a token, and by which number it is known there."""
    words = [f"HTTP {status}"]
    if (seconds := _header(headers, "Retry-After", _SECONDS)) is not None:
        words.append(f"Retry-After {seconds} s")
    number = headers.get("x-ms-diagnostics", "").partition(";")[0].strip()
    if number in _DIAGNOSTICS and not dialogue.is_withheld(number):
        words.append(f"x-ms-diagnostics {number}")
    if (request := _header(headers, "request-id", _REQUEST_ID)) is not None:
        words.append(f"request-id {request}")
    return ", ".join(words)


def code(name: str) -> str | None:
    """The error's name, where it is a known one."""
    return name if name in CODES else None


def trace() -> dict[str, Any]:
    """The `extensions` of a request of httpx by which connecting is told, where somebody records."""
    return {} if dialogue.current() is None else {"trace": _Connecting()}


class _Connecting:
    """httpcore's trace of a request: its connection and its TLS, where it needs new ones."""

    def __init__(self) -> None:
        self._step: Step | None = None
        self._after: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "connection.connect_tcp.started": self._connect,
            "connection.connect_tcp.complete": lambda _: self._end("connected"),
            "connection.connect_tcp.failed": self._failed,
            "connection.start_tls.started": lambda _: self._begin("TLS"),
            "connection.start_tls.complete": self._encrypted,
            "connection.start_tls.failed": self._failed,
        }

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if (tell := self._after.get(event)) is not None:
            tell(info)

    def _connect(self, info: Mapping[str, Any]) -> None:
        self._begin(f"connect {info['host']}:{info['port']}")

    def _encrypted(self, info: Mapping[str, Any]) -> None:
        self._end(dialogue.encryption(info["return_value"].get_extra_info("ssl_object")))

    def _failed(self, info: Mapping[str, Any]) -> None:
        self._end(dialogue.failure(info["exception"]))

    def _begin(self, asked: str) -> None:
        self._step = dialogue.ask(asked)

    def _end(self, came: str) -> None:
        if self._step is not None:
            self._step.end(came)


def _header(headers: Mapping[str, str], name: str, form: re.Pattern[str]) -> str | None:
    value = headers.get(name, "").strip()
    return value if form.fullmatch(value) and not dialogue.is_withheld(value) else None
