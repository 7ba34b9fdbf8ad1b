"""Tables drawn as vector figures."""
