"""Every error a user can cause, and nothing else.

    DreamActorError
      InputError          a file or picture the user gave cannot be used
        MediaError        not decodable, empty, wrong kind of file
        NoPersonError     perception found nobody
        MotionFileError   a saved track that is damaged or of another version
      ConfigError         a setting that cannot work (unknown name, value out of range)
      OutputError         the result cannot be written where the user wants it
      TrainingError       a training that cannot go on: its loss is not finite

A message says what we got, what is needed and what to do next. The command line prints it in one line and exits with
code 2. Broken promises of our own are `assert` or plain exceptions and exit with code 1.
"""

from __future__ import annotations


class DreamActorError(Exception):
    """Base of all errors a user can cause and mend."""


class InputError(DreamActorError):
    """A file the user gave cannot be used."""


class MediaError(InputError):
    """A file that is not decodable, is empty, or is of the wrong kind."""


class NoPersonError(InputError):
    """Nobody was found in the whole clip or picture."""


class MotionFileError(InputError):
    """A saved track that is damaged, has values that are not finite, or is of another version."""


class ConfigError(DreamActorError):
    """A setting that cannot work."""


class OutputError(DreamActorError):
    """The result cannot be written where the user wants it."""


class TrainingError(DreamActorError):
    """A training whose loss or gradient is not finite."""
