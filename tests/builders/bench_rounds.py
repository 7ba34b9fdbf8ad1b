"""Rounds of the benchmark, as its sides print them."""

STARTS = "starts and hashing"


def bench_round(*, plain=360.0, table=60.0, evidence=20.0, features=30.0):
    """Make a round of so many seconds, and ten of starts in every run of DVC."""

    def run(seconds, **steps):
        steps |= {STARTS: 10.0}
        return {"seconds": seconds, "peak_gib": 1.5, "steps": steps, "stages": 3}

    accuracies = {"orig_full": 0.5, "occlusion": 0.4}
    return {
        "plain": {
            "seconds": plain, "peak_gib": 0.5, "passes": 15120, "pictures": 3600, "heads": 6,
            "steps": {"render": 30.0, "decode": 100.0, "network": plain - 140.0},
            "accuracies": accuracies,
        },
        "pipeline": {
            **run(table, render=table - 10 - features, features=features),
            "passes": 3000, "accuracies": accuracies,
            "evidence": run(evidence, evaluate=evidence - 10) | {"heads": 176},
        },
        "limit": {"torch": 90.0, "onnxruntime": 120.0, "seconds": 20.0, "peak_gib": 0.4},
        "saliency": {
            "closed form": 2.0, "closed form, read and measured": 300.0,
            "pytorch-grad-cam": 12000.0, "seconds": 20.0, "peak_gib": 0.4,
        },
        "default": {
            "from nothing": run(200.0, render=190.0),
            "nothing changed": run(4.0),
            "a changed level": run(40.0, render=30.0),
        },
    }  # fmt: skip


def results_of(summary, rounds):
    """Add to a summary what stands beside it in the file of results."""
    machine = {
        "processor": "a processor", "cores": 2, "memory_gib": 8.0, "system": "Linux",
        "date": "2026-01-01", "commit": "abc", "versions": {"python": "3.11"},
    }  # fmt: skip
    settings = {
        "objects": 600, "network": "resnet18", "input_size": 224, "conditions": ["orig_full"],
        "pictures": "drawn scenes",
    }  # fmt: skip
    return summary | {"machine": machine, "settings": settings, "rounds": rounds}
