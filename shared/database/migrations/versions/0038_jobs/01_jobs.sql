-- ── what a person has done to many mails, one after the other ──────────────────────────────────────────────────────────

CREATE TABLE web_jobs (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    what       text NOT NULL CHECK (what IN ('replay', 'discard', 'accept')),
    why        text NOT NULL DEFAULT '',
    started_by bigint NOT NULL REFERENCES web_users ON DELETE CASCADE,
    state      text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'paused', 'stopped', 'done')),
    total      integer NOT NULL CHECK (total > 0),
    done       integer NOT NULL DEFAULT 0 CHECK (done >= 0),
    failed     integer NOT NULL DEFAULT 0 CHECK (failed >= 0),
    worked_ms  bigint NOT NULL DEFAULT 0 CHECK (worked_ms >= 0),
    started_at timestamptz NOT NULL DEFAULT now(),
    worked_at  timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    CONSTRAINT no_more_than_all CHECK (done + failed <= total),
    CONSTRAINT what_is_over_has_ended CHECK ((state IN ('stopped', 'done')) = (ended_at IS NOT NULL))
);
CREATE INDEX web_jobs_running ON web_jobs (worked_at) WHERE state = 'running';
CREATE INDEX web_jobs_of_a_user ON web_jobs (started_by, id);
COMMENT ON TABLE web_jobs IS 'What a person has done to many mails in the web console, one after the other. Gone 30 days after its end, with the next job that somebody starts.';
COMMENT ON COLUMN web_jobs.id IS 'Its number, in its address.';
COMMENT ON COLUMN web_jobs.what IS 'replay, discard (mails in quarantine), accept (what waits for a look).';
COMMENT ON COLUMN web_jobs.why IS 'The reason of a discard.';
COMMENT ON COLUMN web_jobs.started_by IS 'In whose name, and with whose rights of each moment, it is done.';
COMMENT ON COLUMN web_jobs.state IS 'running; paused, until he goes on; stopped by him; done.';
COMMENT ON COLUMN web_jobs.total IS 'Mails that it is about.';
COMMENT ON COLUMN web_jobs.done IS 'Mails with which it was done.';
COMMENT ON COLUMN web_jobs.failed IS 'Mails that stayed as they were; why stands in web_job_mails.';
COMMENT ON COLUMN web_jobs.worked_ms IS 'Milliseconds of work so far, pauses left out.';
COMMENT ON COLUMN web_jobs.started_at IS 'When he started it.';
COMMENT ON COLUMN web_jobs.worked_at IS 'When it last got on: of two jobs, the other has its turn.';
COMMENT ON COLUMN web_jobs.ended_at IS 'When it was done or stopped; null: it is not.';
GRANT SELECT, INSERT (what, why, started_by, total), UPDATE (state, done, failed, worked_ms, worked_at, ended_at), DELETE
    ON web_jobs TO importer_web;

CREATE TABLE web_job_mails (
    job_id   bigint REFERENCES web_jobs ON DELETE CASCADE,
    position integer,
    mail_id  uuid NOT NULL,
    came_to  text,
    PRIMARY KEY (job_id, position)
);
CREATE INDEX web_job_mails_to_do ON web_job_mails (job_id, position) WHERE came_to IS NULL;
CREATE INDEX web_job_mails_failed ON web_job_mails (job_id, position) WHERE came_to <> 'done';
COMMENT ON TABLE web_job_mails IS 'The mails of a job, and what came of each.';
COMMENT ON COLUMN web_job_mails.job_id IS 'The job.';
COMMENT ON COLUMN web_job_mails.position IS 'Its turn: mails that came first have it first.';
COMMENT ON COLUMN web_job_mails.mail_id IS 'The mail.';
COMMENT ON COLUMN web_job_mails.came_to IS 'done, or why it stayed as it was; null: it has not had its turn.';
GRANT SELECT, INSERT, UPDATE (came_to) ON web_job_mails TO importer_web;
