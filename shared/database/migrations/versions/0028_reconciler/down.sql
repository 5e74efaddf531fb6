REVOKE ALL ON ALL TABLES IN SCHEMA helpdesk FROM importer_reconciler;
REVOKE ALL ON public.alembic_version FROM importer_reconciler;
REVOKE EXECUTE ON FUNCTION helpdesk.record_audit FROM importer_reconciler;
REVOKE ALL ON SCHEMA helpdesk FROM importer_reconciler;
DROP FUNCTION helpdesk.pictures_not_there, helpdesk.damaged_blobs;
