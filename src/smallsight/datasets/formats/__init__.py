"""Annotations in other formats than COCO's, read as raw COCO trees."""
