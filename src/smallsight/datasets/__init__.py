"""Annotations and pictures from outside, checked where they enter."""
