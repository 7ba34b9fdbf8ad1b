"""A study's numbers against limits that a user sets: a verdict for machines."""
