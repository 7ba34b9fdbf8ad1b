"""Provenance: what is known of the network stands in a table."""

import dataclasses

import pytest

from builders.study_files import DETECTOR, LITE, UNTRAINED
from readers.report_pages import body_of
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.sections import provenance

NOTES = ("opened `state_dict`", "prefix `module.` taken off 296 names")


def facts_of(study):
    readout = study.params.heads.readout
    return {
        entry.name: entry.value
        for entry in provenance.network_rows(study.backbone, study.engine, readout)
    }


def test_the_network_stands_in_the_page(report_page):
    page = report_page(only=(UNTOUCHED,), network=DETECTOR, readout="fpn")
    assert body_of(page, "The frozen network.") == [
        ["Network", "Faster R-CNN ResNet50-FPN"],
        ["Name", "fasterrcnn_resnet50_fpn"],
        ["Weights", "coco"],
        ["Source", "torchvision, FasterRCNN_ResNet50_FPN_Weights.COCO_V1"],
        ["SHA-256", "258fb6c60000"],
        ["Changed", "–"],
        ["Input", "64 × 64 pixels, bilinear"],
        ["Mean", "0.485, 0.456, 0.406"],
        ["Deviation", "0.229, 0.224, 0.225"],
        ["Dilated", "no"],
        ["Readout", "fpn, 256 numbers"],
        ["Cells", "backbone.body.layer3 4 × 4, backbone.body.layer4 2 × 2, last 2 × 2"],
        [
            "Run by",
            "onnxruntime, float32: features of 64 pictures within 0.0003% of torch’s in float32",
        ],
    ]


@pytest.mark.parametrize(
    ("network", "due"),
    [
        (UNTRAINED, {"SHA-256": "–", "Changed": "–", "Source": "drawn at random, untrained"}),
        (
            dataclasses.replace(LITE, notes=NOTES, is_dilated=True),
            {
                "SHA-256": "579344248a93",
                "Changed": "opened `state_dict`; prefix `module.` taken off 296 names",
                "Dilated": "yes",
            },
        ),
    ],
)
def test_what_is_not_there_is_a_dash_and_all_else_is_told(reported_study, network, due):
    study = reported_study(only=(UNTOUCHED,), network=network)
    assert facts_of(study).items() >= due.items()
