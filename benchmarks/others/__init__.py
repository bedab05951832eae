"""The same work as plain scripts of other tools, to be timed beside gru-tune; each runs by itself."""
