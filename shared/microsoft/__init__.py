"""Logging in at Microsoft Entra as an app, and asking Microsoft Graph: what fetcher and notifier both need.

    login = AppLogin.of("global", tenant="contoso.nl", client_id="…", secret=SecretStr("…"))
    token = await TOKENS.of(login, login.cloud.mail_scope)        # for SASL XOAUTH2 at IMAP and SMTP
    async with await GraphClient.open(login, at_once=3) as graph: # tokens are its own business
        inbox = await graph.get("/users/help@contoso.nl/mailFolders/inbox")

clouds       hosts and scopes of the clouds, which the environment may replace
credentials  the app, its secret or certificate, and the assertion that a certificate signs
refusals     what an error of Entra means, and what to do about it (pure)
tokens       tokens by login and scope, asked for once and renewed before they end
http         connections: TLS, deadlines, Retry-After, no redirects
graph        requests to Graph: immutable ids, one renewal of a token, throttling obeyed
errors       what may go wrong, by what the caller does about it
"""
