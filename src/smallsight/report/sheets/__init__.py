"""The sheets of the report on paper, a module for each: one subject a page, and twelve at most."""
