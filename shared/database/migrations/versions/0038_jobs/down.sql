DROP TABLE web_job_mails, web_jobs;
