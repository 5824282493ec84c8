"""From a request to a video."""
