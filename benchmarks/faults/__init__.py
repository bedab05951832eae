"""Faults injected into running studies: kills, signals, torn writes, full disks, faults of trials, lost machines."""
