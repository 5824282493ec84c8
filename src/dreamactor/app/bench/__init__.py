"""What measures: models, speed, and the measures themselves."""
