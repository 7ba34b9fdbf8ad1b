"""Frozen networks, their weights, and the features that they make of pictures."""
