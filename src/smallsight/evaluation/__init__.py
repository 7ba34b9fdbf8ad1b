"""Linear heads, and the predictions that they make of instances they have not seen."""
