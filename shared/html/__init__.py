"""HTML of mails that is safe to show: made so by the classifier, held to be so by ticket_writer."""
