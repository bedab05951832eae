"""What `search_quality` is made of: problems to search, rivals, and the replay of a search on a problem."""
