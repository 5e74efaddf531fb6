"""What is done once a night, by whichever process comes first: what nothing needs goes, and differences are found."""
