"""The tree of a mail's parts, its headers, and the values that stand in them."""
