"""Tables turned into pages."""
