"""Images: known by decoding, stored alone, with copies that browsers show."""
