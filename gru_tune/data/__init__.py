"""From files to prepared arrays: everything is fitted on the training split alone."""
