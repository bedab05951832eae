"""What a finished study is for: predictions for new rows, and metrics on labelled ones."""
