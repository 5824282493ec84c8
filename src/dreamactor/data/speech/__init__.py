"""Speech without people's voices: espeak-ng says sentences, and what the mouth does meanwhile is known exactly."""
