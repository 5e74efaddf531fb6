"""Whether a person wrote a mail, and what a delivery report says."""
