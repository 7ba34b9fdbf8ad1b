"""How networks are made, and where their weights come from."""
