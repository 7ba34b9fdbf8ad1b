"""How code runs: errors, files, randomness, parallel work, scripts, devices. Knows no science."""
