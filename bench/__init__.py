"""`make bench`: speed and size as ratios, measured side by side in one run, so that any machine can repeat it."""
