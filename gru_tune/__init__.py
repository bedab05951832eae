"""Tune Keras GRUs (and LSTMs and simple RNNs) from a YAML file."""

__version__ = "0.1.0"
