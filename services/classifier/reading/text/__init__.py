"""What was said: bodies, lines, quotes, signatures, the marker, forwards."""
