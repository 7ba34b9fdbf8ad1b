"""smallsight explains why an image classifier fails on small objects, and what would fix it."""
