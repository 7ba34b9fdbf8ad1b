"""Sentences as tests, each with a verdict."""
