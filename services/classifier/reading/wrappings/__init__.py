"""What a mail is wrapped in: winmail.dat, S/MIME, PGP, uuencode, attached messages, invitations."""
