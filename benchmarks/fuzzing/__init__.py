"""What is fuzzed, and with what."""
