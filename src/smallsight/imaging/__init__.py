"""Pixels and boxes: pictures, masks, similarity. Knows no dataset."""
