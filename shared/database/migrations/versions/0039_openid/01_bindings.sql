-- ── who a user is at the provider where he logs in ─────────────────────────────────────────────────────────────────

ALTER TABLE web_users
    ADD COLUMN openid_issuer text,
    ADD COLUMN openid_subject text,
    ADD CONSTRAINT bound_to_a_person_of_an_issuer CHECK ((openid_issuer IS NULL) = (openid_subject IS NULL)),
    ADD CONSTRAINT one_user_of_a_person UNIQUE (openid_issuer, openid_subject);
COMMENT ON COLUMN web_users.openid_issuer IS 'provider where the user logs in by OpenID Connect; null: bound to none yet';
COMMENT ON COLUMN web_users.openid_subject IS 'who the user is there, set at the first login (claim sub)';
GRANT UPDATE (openid_issuer, openid_subject) ON web_users TO importer_web;
