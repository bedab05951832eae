"""``report.html``: one self-contained page about a study, made of the report's words and plotly's pictures."""
