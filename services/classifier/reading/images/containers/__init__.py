"""How each format is built: one module a format, whose `pieces` puts its file together again, piece by piece."""
