"""The studio: a page and an HTTP API over one queue of jobs and one worker process that holds the model."""
