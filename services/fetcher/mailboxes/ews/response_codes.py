"""Response codes of Exchange Web Services (ResponseCodeType), by what they mean to us.

A code that is not here is told by its name: the mail stays unread and is tried again.
"""

from __future__ import annotations

from typing import Final

BUSY: Final = frozenset({
    "ErrorServerBusy", "ErrorExceededConnectionCount", "ErrorTooManyObjectsOpened", "ErrorInsufficientResources",
    "ErrorExceededFindCountLimit",
})  # fmt: skip
"""Throttling: the server wants fewer requests."""

PASSING: Final = frozenset({
    "ErrorTimeoutExpired", "ErrorInternalServerTransientError", "ErrorMailboxStoreUnavailable",
    "ErrorMailboxMoveInProgress", "ErrorMailboxFailover", "ErrorConnectionFailed",
    "ErrorConnectionFailedTransientError", "ErrorADUnavailable", "ErrorADOperation", "ErrorADSessionFilter",
    "ErrorNoRespondingCASInDestinationSite", "ErrorProxyRequestProcessingFailed", "ErrorCrossSiteRequest",
    "ErrorSiteFailover",
})  # fmt: skip
"""The server cannot serve this mailbox now."""

GONE: Final = frozenset({"ErrorItemNotFound", "ErrorObjectDeleted", "ErrorObjectNotFound"})
NO_FOLDER: Final = frozenset({
    "ErrorFolderNotFound", "ErrorItemNotFound", "ErrorToFolderNotFound", "ErrorParentFolderNotFound",
    "ErrorInvalidFolderId", "ErrorInvalidIdMalformed", "ErrorObjectNotFound",
})  # fmt: skip
WRONG_SCHEMA: Final = frozenset({
    "ErrorInvalidServerVersion", "ErrorIncorrectSchemaVersion", "ErrorInvalidSchemaVersionForMailboxVersion",
    "ErrorInvalidRequest", "ErrorSchemaValidation", "InvalidServerVersion",
})  # fmt: skip
"""What servers say of a RequestServerVersion that they, or a mailbox on an older server behind them, do not know."""
REFUSES_PROPERTIES: Final = frozenset({
    "ErrorInvalidRequest", "ErrorSchemaValidation", "ErrorInvalidPropertyRequest", "ErrorInvalidExtendedProperty",
    "ErrorInvalidExtendedPropertyValue", "ErrorUnsupportedPropertyDefinition", "ErrorUnsupportedMapiPropertyType",
})  # fmt: skip
"""What servers say that know no extended properties; the mail's MIME can be had without."""
NO_PROPERTY: Final = frozenset({"ErrorItemPropertyRequestFailed"})
"""What a server says that cannot give a property of this mail."""
NO_MIME: Final = frozenset({
    "ErrorMimeContentConversionFailed", "ErrorContentConversionFailed", "ErrorMimeContentInvalid",
    "ErrorMimeContentInvalidBase64String",
})  # fmt: skip
"""What a server says that cannot write this mail as MIME, however often it is asked."""
STATE_LOST: Final = frozenset({"ErrorInvalidSyncStateData", "ErrorSyncStateNotFound"})
"""What a server says that knows nothing any more of the state that a folder was followed to."""
WANTS_CHANGE_KEY: Final = frozenset({
    "ErrorChangeKeyRequired", "ErrorChangeKeyRequiredForWriteOperations", "ErrorStaleObject", "ErrorInvalidChangeKey",
    "ErrorIrresolvableConflict",
})  # fmt: skip
