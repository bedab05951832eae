"""What a results folder says: as a table in the terminal, CSV, JSON, Markdown or a web page.

Everything is read from the log and ``study.json``; a study that still runs or was killed
can be reported like a finished one.
"""
