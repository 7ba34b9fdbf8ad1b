"""Words that people see in tables, figures and text, each with its meaning."""

REGIMES = {
    "fixed": "head trained on untouched pictures, tested on every condition",
    "retrained": "head trained and tested on the same condition",
}
"""Each regime and what it means, the headline regime first."""
