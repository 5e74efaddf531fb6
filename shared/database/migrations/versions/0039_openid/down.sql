ALTER TABLE web_users DROP COLUMN openid_issuer, DROP COLUMN openid_subject;
