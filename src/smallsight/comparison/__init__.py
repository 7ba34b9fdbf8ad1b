"""Two experiments compared on the objects that both test."""
