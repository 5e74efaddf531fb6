-- ── public keys (docs/decisions/sealed-secrets.md) ─────────────────────────────────────────────────────────────────
-- Whoever may write a secret reads the newest and seals for it. Old services go on beside the new ones: what they could
-- decrypt stays as it is until `encryption rotate`.

CREATE TABLE sealing_keys (
    key_id       bytea PRIMARY KEY CHECK (length(key_id) = 8),
    public_key   bytea NOT NULL UNIQUE CHECK (length(public_key) = 32),
    published_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT key_id_is_of_the_key CHECK (key_id = substr(sha256(public_key), 1, 8))
);
COMMENT ON TABLE sealing_keys IS 'Public keys that secrets are sealed for; the newest is used. `migrate` and `encryption rotate` publish them.';
COMMENT ON COLUMN sealing_keys.key_id IS 'First 8 bytes of the SHA-256 of the key, by which a sealed secret names it.';
COMMENT ON COLUMN sealing_keys.public_key IS 'X25519 public key (RFC 7748); its private key is had by fetcher, notifier and the owner alone.';
COMMENT ON COLUMN sealing_keys.published_at IS 'When it became the one to seal for.';

CREATE VIEW ui_v1.sealing_key AS
SELECT key_id, public_key FROM helpdesk.sealing_keys ORDER BY published_at DESC LIMIT 1;
COMMENT ON VIEW ui_v1.sealing_key IS 'The public key that a new secret is sealed for. HPKE (RFC 9180), mode base: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; info «helpdesk-importer secret 1», no further data, the secret as UTF-8. Sealed bytes: 0x01, key_id, the encapsulated key (32 bytes), the ciphertext with its tag.';
COMMENT ON COLUMN ui_v1.sealing_key.key_id IS 'The key''s id, the second part of the sealed bytes.';
COMMENT ON COLUMN ui_v1.sealing_key.public_key IS 'X25519 public key, 32 bytes.';

-- ── «Wachtwoord wijzigen»: writes a password that nobody but its service can open ──────────────────────────────────

CREATE FUNCTION helpdesk.refuse_unsealed(sealed bytea) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- 0x01, the key's id (8), the encapsulated key (32), one byte or more and the tag (16)
    IF sealed IS NULL OR length(sealed) < 58 OR get_byte(sealed, 0) <> 1
        OR NOT EXISTS (SELECT FROM helpdesk.sealing_keys WHERE key_id = substr(sealed, 2, 8)) THEN
        RAISE EXCEPTION 'The secret is not sealed for a key that ui_v1.sealing_key told.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_secret_is_sealed';
    END IF;
END $$;
COMMENT ON FUNCTION helpdesk.refuse_unsealed IS 'refuses what is not sealed for one of our keys';

CREATE FUNCTION ui_v1.set_mailbox_password(helpdesk bigint, sealed bytea, expires_on date DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM helpdesk.refuse_unsealed(sealed);
    UPDATE helpdesk.importer_settings SET password_encrypted = sealed, secret_expires_on = expires_on,
        certificate_encrypted = NULL, certificate_expires_at = NULL
    WHERE helpdesk_id = set_mailbox_password.helpdesk;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'Helpdesk % has no settings of the importer yet.', set_mailbox_password.helpdesk
            USING ERRCODE = 'check_violation', CONSTRAINT = 'settings_come_first';
    END IF;
END $$;
COMMENT ON FUNCTION ui_v1.set_mailbox_password IS
    '«Wachtwoord wijzigen» of a helpdesk''s mailbox (S3), with a tenant the app''s client secret: the sealed bytes (see ui_v1.sealing_key), and the day on which a client secret ends; a certificate is forgotten';

CREATE FUNCTION ui_v1.set_account_password(account bigint, sealed bytea, expires_on date DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM helpdesk.refuse_unsealed(sealed);
    UPDATE helpdesk.outgoing_accounts SET password_encrypted = sealed, secret_expires_on = expires_on,
        certificate_encrypted = NULL, certificate_expires_at = NULL
    WHERE id = set_account_password.account;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no outgoing account %.', set_account_password.account
            USING ERRCODE = 'check_violation', CONSTRAINT = 'settings_come_first';
    END IF;
END $$;
COMMENT ON FUNCTION ui_v1.set_account_password IS
    'the password of an outgoing account, with a tenant the app''s client secret, as ui_v1.set_mailbox_password';

COMMENT ON COLUMN importer_settings.password_encrypted IS '«Wachtwoord email box», with a tenant the app''s client secret, sealed; only the fetcher opens it (S3, D9).';
COMMENT ON COLUMN importer_settings.certificate_encrypted IS 'Private key and certificate of the app (PEM), sealed; only the fetcher opens it (D9).';
COMMENT ON COLUMN outgoing_accounts.password_encrypted IS 'Password, with a tenant the app''s client secret, sealed; only the notifier opens it.';
COMMENT ON COLUMN outgoing_accounts.certificate_encrypted IS 'Private key and certificate of the app (PEM), sealed; only the notifier opens it.';
COMMENT ON COLUMN mailbox_states.lease_holder IS 'The fetcher that reads it now; null: none since the last one gave it back.';

-- ── who may do what ────────────────────────────────────────────────────────────────────────────────────────────────

REVOKE ALL ON FUNCTION helpdesk.refuse_unsealed, ui_v1.set_mailbox_password, ui_v1.set_account_password FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ui_v1.set_mailbox_password, ui_v1.set_account_password TO helpdesk_ui;
GRANT SELECT ON ui_v1.sealing_key TO helpdesk_ui;
GRANT SELECT ON sealing_keys TO importer_console, importer_operator;
