"""A small tree of COCO's annotations without any quirk."""

import math


def tree():
    return {
        "images": [
            {"id": 7, "file_name": "b.jpg", "width": 64, "height": 48},
            {"id": 3, "file_name": "sub/a.jpg", "width": 40, "height": 30},
        ],
        "annotations": [
            {"id": 12, "image_id": 7, "category_id": 3, "bbox": [1, 2, 30.5, 4], "iscrowd": 0},
            {"id": 11, "image_id": 7, "category_id": 1, "bbox": [0, 0, 5, 5], "area": 9.5},
            {"id": 10, "image_id": 3, "category_id": 1, "bbox": [2, 2, 9, 9], "iscrowd": 1},
            {"id": 13, "image_id": 3, "category_id": 9, "bbox": [0, 0, math.nan, 0]},
        ],
        "categories": [
            {"id": 1, "name": "person"},
            {"id": 3, "name": "car"},
            {"id": 9, "name": "kite"},
        ],
    }
