"""The clouds of Microsoft 365: where to log in, where Graph and mail are, and which scopes their tokens are for.

`IMPORTER_MICROSOFT_LOGIN_URL` and `IMPORTER_MICROSOFT_GRAPH_URL` replace the hosts of every cloud, for one that is not
in the table or a gateway of one's own. The operator of the process says so, never a setting of a helpdesk, since the
secrets of apps go there. Sources: Microsoft Graph, «National cloud deployments»; Exchange Online, «IMAP, POP and SMTP
connections using OAuth».
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from shared.configuration import Configuration
from shared.microsoft.errors import SignInRefused


@dataclass(frozen=True, slots=True)
class Cloud:
    """A cloud. URLs have no slash at their end."""

    name: str
    login_url: str
    graph_url: str
    mail_host: str
    """IMAP's host; its tokens serve SMTP too."""

    @property
    def graph_scope(self) -> str:
        """The scope of a token for Graph: all that the app may do."""
        return f"{self.graph_url}/.default"

    @property
    def mail_scope(self) -> str:
        """The scope of a token for IMAP and SMTP."""
        return f"https://{self.mail_host}/.default"


CLOUDS: Final[Mapping[str, Cloud]] = MappingProxyType(
    {
        cloud.name: cloud
        for cloud in (
            Cloud(
                "global", "https://login.microsoftonline.com", "https://graph.microsoft.com", "outlook.office365.com"
            ),
            Cloud("us-gov", "https://login.microsoftonline.us", "https://graph.microsoft.us", "outlook.office365.us"),
            Cloud(
                "us-dod",
                "https://login.microsoftonline.us",
                "https://dod-graph.microsoft.us",
                "outlook-dod.office365.us",
            ),
            Cloud(
                "china",
                "https://login.chinacloudapi.cn",
                "https://microsoftgraph.chinacloudapi.cn",
                "partner.outlook.cn",
            ),
        )
    }
)


def _https(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("the address must be https://HOST or https://HOST:PORT")
    return url.rstrip("/")


class Hosts(Configuration):
    """Hosts that replace those of the table."""

    microsoft_login_url: Annotated[str, AfterValidator(_https)] | None = Field(
        default=None, description="https://HOST where apps log in, in place of the cloud's own"
    )
    microsoft_graph_url: Annotated[str, AfterValidator(_https)] | None = Field(
        default=None, description="https://HOST of Microsoft Graph, in place of the cloud's own"
    )


def cloud_named(name: str) -> Cloud:
    """The cloud of this name, with the hosts that the environment says; SignInRefused for an unknown name."""
    try:
        cloud = CLOUDS[name]
    except KeyError:
        raise SignInRefused(f"De cloud «{name}» is niet bekend: kies een van {', '.join(CLOUDS)}.") from None
    hosts = Hosts.load()
    return replace(
        cloud,
        login_url=hosts.microsoft_login_url or cloud.login_url,
        graph_url=hosts.microsoft_graph_url or cloud.graph_url,
    )
