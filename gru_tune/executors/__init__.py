"""Places where jobs run; a place a file, all behind the protocol of ``base``."""
