"""Saliency maps: how they are made, what they measure, and what is shown of them."""
