"""Reading a mail: hostile bytes in, bounded values out, in a child process that may be killed (DESIGN 10)."""
