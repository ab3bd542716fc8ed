"""Model tests: the pytest plugin that gives them models, and the runner that records them."""
