"""Scripts that measure speed and quality; results are in RESULTS.md."""
