-- The second half of 0013: limits are counted by counted_address and counted_domain alone, which have indexes of their
-- own. Each change of a notification wrote these two as well.
DROP INDEX notifications_recipient;
DROP INDEX notifications_recipient_domain;
