"""From prepared arrays to a trained model: all that happens in a worker process."""
